"""As whom the account is asked: where credentials are found, wrangler's login renewed as wrangler does it, and nothing of them seen."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import workbench
from tests.support.account import ACCOUNT, TOKEN, StandIn
from tests.support.account.server import EMAIL, KEY
from tests.support.cli import Answer, cfwb, on_terminal
from tests.support.installation import install, node_path
from tests.support.local import run
from tests.support.oracle import Oracle
from tests.support.targets import account
from workbench.backends.cloudflare import credentials, wrangler_login
from workbench.model.errors import WorkbenchError
from workbench.model.secrets import VARIABLES, Secret, for_children

ACCESS, REFRESH = "access-token-old-abcdefghijklmnop", "refresh-old-qrstuvwxyz"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def stand_in(oracle: Oracle) -> Iterator[StandIn]:
    with StandIn(oracle) as running:
        yield running


def log_in(home: Path, *, expires_in: float, refresh: str = REFRESH, token: str = ACCESS) -> Path:
    """What `wrangler login` leaves."""
    path = home / ".config" / ".wrangler" / "config" / "default.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    expires = datetime.now(UTC) + timedelta(seconds=expires_in)
    path.write_text(
        f'oauth_token = "{token}"\nexpiration_time = "{expires.isoformat().replace("+00:00", "Z")}"\n'
        f'refresh_token = "{refresh}"\nscopes = [ "account:read", "workers:write" ]\n'
    )
    return path


def ask(stand_in: StandIn, home: Path, *argv: str, **more: str) -> Answer:
    env = {"CLOUDFLARE_API_BASE_URL": stand_in.url, "WRANGLER_TOKEN_URL": f"{stand_in.origin}/oauth2/token"}
    return cfwb(*argv, cwd=home, home=home, **env, **more)


# --- found


def test_a_token_comes_first_then_a_key_then_the_login(home: Path) -> None:
    log_in(home, expires_in=3600)
    env = {
        "HOME": str(home),
        "CLOUDFLARE_API_TOKEN": "tok",
        "CLOUDFLARE_API_KEY": "key",
        "CLOUDFLARE_EMAIL": EMAIL,
    }
    assert credentials.find(env).source == "CLOUDFLARE_API_TOKEN"
    env.pop("CLOUDFLARE_API_TOKEN")
    found = credentials.find(env)
    assert (found.kind, found.email) == ("key", EMAIL)
    env.pop("CLOUDFLARE_API_KEY")
    found = credentials.find(env)
    assert found.kind == "login" and found.source.endswith("/.wrangler/config/default.toml")


def test_a_key_without_its_email_is_an_error_that_names_the_variable(home: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        credentials.find({"HOME": str(home), "CLOUDFLARE_API_KEY": "key-value"})
    assert "CLOUDFLARE_EMAIL" in caught.value.message and "key-value" not in caught.value.message


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "é", "tab\t"])
def test_a_value_no_header_can_carry_is_named_and_not_shown(home: Path, value: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        credentials.find({"HOME": str(home), "CLOUDFLARE_API_TOKEN": f"secret{value}secret"})
    assert "CLOUDFLARE_API_TOKEN" in caught.value.message and "secret" not in caught.value.message


def test_the_old_folder_a_profile_and_staging_are_where_wrangler_has_them(home: Path) -> None:
    env = {"HOME": str(home)}
    assert wrangler_login.login_file(env) == f"{home}/.config/.wrangler/config/default.toml"
    assert wrangler_login.login_file(env | {"XDG_CONFIG_HOME": "/x"}) == "/x/.wrangler/config/default.toml"
    staging = wrangler_login.login_file(env | {"WRANGLER_API_ENVIRONMENT": "staging"})
    assert staging.endswith("/staging.toml")
    (home / ".wrangler" / "profiles").mkdir(parents=True)
    bound = {str(home / "work"): "client-a", str(home / "work" / "own"): "default"}
    (home / ".wrangler" / "profiles" / "directory-bindings.json").write_text(json.dumps(bound))
    assert (
        wrangler_login.login_file(env, str(home / "work" / "x")) == f"{home}/.wrangler/config/client-a.toml"
    )
    assert wrangler_login.login_file(env, str(home / "work" / "own")).endswith("/default.toml")
    assert wrangler_login.login_file(env, str(home / "workshop")).endswith("/default.toml")


def test_a_login_in_the_keyring_is_said_to_be_there(home: Path) -> None:
    path = log_in(home, expires_in=10)
    path.rename(path.with_suffix(".enc"))
    with pytest.raises(WorkbenchError) as caught:
        credentials.find({"HOME": str(home)})
    assert caught.value.code == "remote.login_unreadable" and "keyring" in caught.value.message


# --- the login


def test_a_login_that_has_ended_is_renewed_and_written_back(stand_in: StandIn, home: Path) -> None:
    path = log_in(home, expires_in=-5)
    path.chmod(0o644)
    stand_in.refreshes.clear()
    answer = ask(stand_in, home, "kv", "namespaces", "list", "--remote")
    assert answer.status == 0, answer.out
    (form,) = stand_in.refreshes
    assert form == {
        "grant_type": "refresh_token",
        "refresh_token": REFRESH,
        "client_id": wrangler_login.CLIENT_ID,
    }
    written = path.read_text()
    assert written.startswith('oauth_token = "access-token-1-')
    assert '\nrefresh_token = "refresh-1-' in written and ACCESS not in written
    assert written.endswith('scopes = [ "account:read", "workers:write", "offline_access" ]\n')
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["default.toml"]


def test_wrangler_itself_reads_what_was_written(emulator_install: Path, home: Path) -> None:
    path = log_in(home, expires_in=3600)
    found = credentials.find({"HOME": str(home)}).login
    assert found is not None
    written = found._replace(token=Secret('quote"back\\slash'), scopes=("a:b", "c"))
    wrangler_login.write_login(written)
    # The TOML library that wrangler is built with, by way of wrangler's own bundle, is not to be had alone: its `whoami` reads the
    # file and says, without asking anybody, that one is logged in by OAuth before it fails to reach the API.
    script = install() / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "WRANGLER_SEND_METRICS": "false", "CI": "1"}
    env |= {
        "CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:9",
        "WRANGLER_LOG_PATH": str(home / "logs"),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [node_path(), script, "whoami"], cwd=home, env=env, capture_output=True, text=True, timeout=60
    )
    assert "not authenticated" not in done.stdout + done.stderr
    again = credentials.find({"HOME": str(home)})
    assert again.login is not None and again.secret.reveal() == 'quote"back\\slash'
    assert again.login.scopes == ("a:b", "c") and again.login.expires == found.expires.replace(
        microsecond=found.expires.microsecond // 1000 * 1000
    )
    assert path.exists()


def test_a_token_that_is_refused_before_its_time_is_renewed_once(stand_in: StandIn, home: Path) -> None:
    log_in(home, expires_in=3600)
    stand_in.refreshes.clear()
    assert ask(stand_in, home, "kv", "namespaces", "list", "--remote").status == 0
    assert len(stand_in.refreshes) == 1
    assert ask(stand_in, home, "kv", "namespaces", "list", "--remote").status == 0
    assert len(stand_in.refreshes) == 1


def test_a_login_that_cannot_be_renewed_says_what_to_do(stand_in: StandIn, home: Path) -> None:
    path = log_in(home, expires_in=-5, refresh="used-up")
    before = path.read_text()
    answer = ask(stand_in, home, "kv", "namespaces", "list", "--remote")
    assert answer.error["code"] == "remote.login_expired"
    assert "wrangler login" in answer.error["hint"]
    assert path.read_text() == before
    assert ACCESS not in answer.text and "used-up" not in answer.text


def test_a_login_that_somebody_else_renewed_meanwhile_is_taken_as_it_is(home: Path) -> None:
    """A refresh token works once: whoever comes second is refused, and finds the first one's token in the file."""
    log_in(home, expires_in=-5)
    login = credentials.find({"HOME": str(home)}).login
    assert login is not None

    async def refused(url: str, form: dict[str, str]) -> tuple[int, Any]:
        log_in(home, expires_in=3600, token="token-of-the-other-process")
        return 400, {"error": "invalid_grant"}

    renewed = asyncio.run(wrangler_login.renew(login, refused))
    assert renewed.token.reveal() == "token-of-the-other-process"

    async def unasked(url: str, form: dict[str, str]) -> tuple[int, Any]:
        raise AssertionError("the file holds a good one, so nobody is asked")

    assert asyncio.run(wrangler_login.renew(login, unasked)).token == renewed.token


def test_auth_get_tells_of_a_login_its_scopes_and_its_end(stand_in: StandIn, home: Path) -> None:
    log_in(home, expires_in=-5)
    found = ask(stand_in, home, "auth", "get").result
    assert found["kind"] == "login" and found["source"].endswith("default.toml")
    assert found["scopes"] == ["account:read", "workers:write", "offline_access"]
    assert found["expires"] and found["email"] == EMAIL and found["account"] == ACCOUNT


def test_a_global_key_is_sent_with_its_email(stand_in: StandIn, home: Path) -> None:
    answer = ask(stand_in, home, "auth", "get", CLOUDFLARE_API_KEY=KEY, CLOUDFLARE_EMAIL=EMAIL)
    assert (answer.result["kind"], answer.result["email"]) == ("key", EMAIL)
    assert KEY not in answer.text


# --- nothing of them is seen


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("s3cr3t-value")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        repr([secret]),
    ]
    found = credentials.Credentials("token", "X", secret)
    shown += [repr(found), str(found._asdict())]
    assert not any("s3cr3t" in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert found.masked("it was s3cr3t-value there") == "it was •••••• there"


def test_an_exception_on_the_way_does_not_tell(stand_in: StandIn) -> None:
    said = json.dumps({"errors": [{"code": 1, "message": f"bad token {TOKEN} in header"}]}).encode()
    with (
        account(stand_in) as state,
        stand_in.fault("status", "/workers/scripts", status=400, body=said),
        pytest.raises(WorkbenchError) as caught,
    ):
        run(state.backend.workers.scripts())
    assert "bad token ••••••" in caught.value.message
    text = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in text and TOKEN not in repr(caught.value.__dict__)


def test_children_get_no_credentials() -> None:
    env = {"PATH": "/bin", "CLOUDFLARE_ACCOUNT_ID": "a"} | dict.fromkeys(VARIABLES, "planted")
    assert for_children(env) == {"PATH": "/bin", "CLOUDFLARE_ACCOUNT_ID": "a"}


def test_whoever_starts_a_program_says_what_its_environment_is() -> None:
    """Not the sandboxes' side, which makes environments of its own."""
    source = Path(workbench.__file__).parent
    found = []
    for file in source.rglob("*.py"):
        if file.relative_to(source).parts[0] in ("sandbox", "hub") or "sandboxes" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("subprocess.run", "subprocess.Popen")
                and not any(word.arg == "env" for word in node.keywords)
            ):
                found.append(f"{file}:{node.lineno}")
    assert not found


PLANTED = {
    "CLOUDFLARE_API_TOKEN": "planted-api-token-aaaaaaaaaaaaaaaa",
    "CLOUDFLARE_API_KEY": "planted-global-key-bbbbbbbbbbbbbbbb",
    "CLOUDFLARE_EMAIL": "planted@example.com",
    "R2_ACCESS_KEY_ID": "planted-r2-access-cccccccccccccccc",
    "R2_SECRET_ACCESS_KEY": "planted-r2-secret-dddddddddddddddd",
}
LINES = [
    ("auth", "get"),
    ("auth", "get", "--json"),
    ("kv", "namespaces", "list", "--remote"),
    ("kv", "keys", "list", "--binding", "nope", "--remote"),
    ("kv", "values", "put", "k", "--value", "v", "--binding", "cache-namespace", "--remote"),
    ("r2", "objects", "get", "nope", "--bucket", "files", "--remote"),
    ("r2", "uploads", "list", "--bucket", "files", "--remote"),
    ("d1", "query", "SELEC", "--database", "shop-database", "--remote"),
    ("bindings", "list", "--remote"),
    ("workers", "logs", "watch", "oracle", "--count", "1", "--remote"),
    ("api", "run", "zones.list", "--dry-run", "--remote"),
    ("api", "run", "zones.list", "--remote", "--json"),
    ("project", "get"),
    ("agent-context",),
]


@pytest.mark.parametrize("kind", ["token", "key", "login", "refused", "broken"])
def test_planted_credentials_are_in_no_output_log_or_file(
    kind: str, stand_in: StandIn, oracle: Oracle, home: Path
) -> None:
    """Every way in, also where it fails: then everything that was written anywhere is searched."""
    env = {"CLOUDFLARE_API_BASE_URL": stand_in.url, "WRANGLER_TOKEN_URL": f"{stand_in.origin}/oauth2/token"}
    env |= {name: value for name, value in PLANTED.items() if name.startswith("R2_")}
    env |= {"R2_ENDPOINT": stand_in.origin, "HOME": str(home)}
    secrets = [*PLANTED.values()][2:] and [
        value for name, value in PLANTED.items() if name != "CLOUDFLARE_EMAIL"
    ]
    login: Path | None = None
    if kind in ("token", "refused"):
        env["CLOUDFLARE_API_TOKEN"] = PLANTED["CLOUDFLARE_API_TOKEN"]
        if kind == "token":
            stand_in.tokens.add(PLANTED["CLOUDFLARE_API_TOKEN"])
        else:
            stand_in.tokens.discard(PLANTED["CLOUDFLARE_API_TOKEN"])
    elif kind == "key":
        env |= {name: PLANTED[name] for name in ("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL")}
    else:
        token, refresh = "planted-login-token-eeeeeeeeeeeeeeee", "refresh-planted-ffffffffffffffff"
        login = log_in(home, expires_in=-5 if kind == "login" else 3600, refresh=refresh, token=token)
        if kind == "broken":
            login.write_text(f"oauth_token = {token}\n[[[")
        secrets += [token, refresh, "access-token-"]
    written = ""
    for number, line in enumerate(LINES if kind == "token" else LINES[:4]):
        more = {} if number % 2 else {"typed": "n"}
        command = cfwb if number % 2 else on_terminal
        project = oracle.project if "project" in line or "bindings" in line else home
        answer = command(*line, cwd=project, **env, **more)
        written += answer.out.decode(errors="replace") + answer.err
    assert len(written) > 500
    files = [file for file in home.rglob("*") if file.is_file() and file != login]
    kept = "".join(file.read_text(errors="replace") for file in files)
    for secret in secrets:
        assert secret not in written, secret
        assert secret not in kept, secret


def test_a_crash_puts_no_credentials_into_the_log(stand_in: StandIn, home: Path) -> None:
    broken = "import workbench.backends.cloudflare.kv as kv; kv.CloudKv.namespaces = None; "
    code = (
        broken
        + "import sys; from workbench.cli.main import main; sys.argv = ['cfwb', 'kv', 'namespaces', 'list', '--remote']; main()"
    )
    env = os.environ | stand_in.environment() | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    done = subprocess.run([sys.executable, "-c", code], cwd=home, env=env, capture_output=True, text=True)
    assert json.loads(done.stdout)["error"]["code"] == "internal.unexpected"
    log = (home / "state" / "cfwb" / "cfwb.log").read_text()
    assert "Traceback" in log
    assert TOKEN not in log + done.stdout + done.stderr
