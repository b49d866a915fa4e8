"""The login that `wrangler login` keeps: an OAuth token in a TOML file, renewed and written back as wrangler does it.

Source: packages/workers-auth of cloudflare/workers-sdk (file-store, token-exchange, flow). A refresh token works once, and
wrangler may use it meanwhile: so it is read anew before each use, and a refusal is checked against the file again.
"""

import json
import os
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.secrets import Secret
from workbench.model.times import iso

CLIENT_ID = "54d11594-84e4-41aa-b438-e81b8fa78ee7"
"""Wrangler's OAuth app, whose token it is."""
STAGING_CLIENT_ID = "4b2ea6cc-9421-4761-874b-ce550e0e3def"
EARLY = 10
"""Seconds before its end that a token counts as expired: a request takes a while."""
_AGAIN = "log in again with: npx wrangler login"


class Login(NamedTuple):
    """path: its file. expires: when the token ends. scopes: what it may do. token_url, client_id: where and as what it is renewed."""

    path: str
    token: Secret
    refresh_token: Secret
    expires: datetime
    scopes: tuple[str, ...]
    token_url: str
    client_id: str

    @property
    def expired(self) -> bool:
        return datetime.now(UTC) + timedelta(seconds=EARLY) >= self.expires


def wrangler_home(env: Mapping[str, str]) -> str:
    """The folder of wrangler's own files."""
    home = env.get("HOME") or os.path.expanduser("~")
    legacy = os.path.join(home, ".wrangler")
    if os.path.isdir(legacy):
        return legacy
    if env.get("XDG_CONFIG_HOME"):
        return os.path.join(env["XDG_CONFIG_HOME"], ".wrangler")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Preferences", ".wrangler")
    return os.path.join(home, ".config", ".wrangler")


def login_file(env: Mapping[str, str], folder: str = ".") -> str:
    """Where wrangler keeps the login that it would use in this folder."""
    root = wrangler_home(env)
    profile = _profile(root, os.path.abspath(folder)) or _environment(env) or "default"
    return os.path.join(root, "config", f"{profile}.toml")


def _environment(env: Mapping[str, str]) -> str | None:
    name = env.get("CLOUDFLARE_API_ENVIRONMENT") or env.get("WRANGLER_API_ENVIRONMENT")
    return name if name and name != "production" and name.isidentifier() else None


def _profile(root: str, folder: str) -> str | None:
    """The profile that is bound to the folder or the nearest above it."""
    try:
        with open(os.path.join(root, "profiles", "directory-bindings.json"), encoding="utf-8") as file:
            bound = json.load(file)
    except (OSError, ValueError):
        return None
    for place in sorted(bound if isinstance(bound, dict) else (), key=len, reverse=True):
        name = bound[place]
        if folder == place or folder.startswith(place.rstrip(os.sep) + os.sep):
            plain = isinstance(name, str) and name.replace("-", "").replace("_", "").isalnum()
            return name if plain and name != "default" else None
    return None


def read_login(path: str, env: Mapping[str, str]) -> Login | None:
    """The login in a file; None where there is none. Raises `remote.login_unreadable`."""
    try:
        with open(path, "rb") as file:
            stored = tomllib.load(file)
    except FileNotFoundError:
        if os.path.exists(path.removesuffix(".toml") + ".enc"):
            raise WorkbenchError(
                "remote.login_unreadable",
                "wrangler keeps its login in the system's keyring, which only wrangler opens",
                "set CLOUDFLARE_API_TOKEN, or: npx wrangler login --no-use-keyring",
            ) from None
        return None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not TOML"
        raise WorkbenchError("remote.login_unreadable", f"{path}: {why}", _AGAIN) from None
    token, refresh = stored.get("oauth_token"), stored.get("refresh_token")
    if not isinstance(token, str) or not token:
        return None
    domain = env.get("WRANGLER_AUTH_DOMAIN") or (
        "dash.staging.cloudflare.com" if _environment(env) == "staging" else "dash.cloudflare.com"
    )
    scopes = stored.get("scopes")
    return Login(
        path,
        Secret(token),
        Secret(refresh if isinstance(refresh, str) else ""),
        _moment(stored.get("expiration_time")),
        tuple(str(scope) for scope in scopes) if isinstance(scopes, list) else (),
        env.get("WRANGLER_TOKEN_URL") or f"https://{domain}/oauth2/token",
        env.get("WRANGLER_CLIENT_ID") or (STAGING_CLIENT_ID if _environment(env) == "staging" else CLIENT_ID),
    )


def _moment(text: Any) -> datetime:
    """When the token ends; long ago where the file does not say, as wrangler takes it."""
    try:
        moment = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def renew(
    login: Login,
    exchange: Callable[[str, dict[str, str]], Awaitable[tuple[int, Any]]],
    *,
    refused: bool = False,
) -> Login:
    """A fresh token in exchange for the refresh token, written to the file. refused: the API refused the one there is.

    Raises `remote.login_expired`.
    """
    current = _reread(login)
    if not current.expired and not (refused and current.token == login.token):
        return current
    status, answer = await exchange(
        current.token_url,
        {
            "grant_type": "refresh_token",
            "refresh_token": current.refresh_token.reveal(),
            "client_id": current.client_id,
        },
    )
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if status >= 400 or not isinstance(token, str) or not token:
        newer = _reread(login)
        if newer.token != current.token and not newer.expired:
            return newer  # somebody else renewed it with the same refresh token, a moment before us
        said = answer.get("error") if isinstance(answer, dict) else None
        why = said if isinstance(said, str) else f"status {status}"
        raise WorkbenchError("remote.login_expired", f"wrangler's login could not be renewed: {why}", _AGAIN)
    lasts, scope = answer.get("expires_in"), answer.get("scope")
    seconds = float(lasts) if isinstance(lasts, int | float) else 3600.0
    again = answer.get("refresh_token")
    renewed = current._replace(
        token=Secret(token),
        refresh_token=Secret(again) if isinstance(again, str) and again else current.refresh_token,
        expires=datetime.now(UTC) + timedelta(seconds=seconds),
        scopes=tuple(scope.split(" ")) if isinstance(scope, str) and scope else (),
    )
    write_login(renewed)
    return renewed


def _reread(login: Login) -> Login:
    """What the file holds now."""
    found = read_login(login.path, {})
    return login if found is None else found._replace(token_url=login.token_url, client_id=login.client_id)


def write_login(login: Login) -> None:
    """Write the file as wrangler does (its keys, its TOML), whole or not at all, for its owner alone."""
    lines = [
        f"oauth_token = {_quoted(login.token.reveal())}",
        f"expiration_time = {_quoted(iso(login.expires.timestamp() * 1000))}",
    ]
    if login.refresh_token.reveal():
        lines.append(f"refresh_token = {_quoted(login.refresh_token.reveal())}")
    listed = ", ".join(map(_quoted, login.scopes))
    lines.append(f"scopes = [ {listed} ]" if listed else "scopes = []")
    path = os.path.realpath(login.path)
    part = f"{path}.{os.getpid()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write("\n".join(lines) + "\n")
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
