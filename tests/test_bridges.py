"""Bridges on an account: kept with their tokens, written as a project that is checked, bundled and run, listed however many there are."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Answer, cfwb
from tests.support.emulator import (
    Emulator,
    EmulatorError,
    environment_of_emulator,
    install,
    node_path,
    unavailable,
)
from tests.support.installation import install_bridge
from workbench.backends.local import database
from workbench.backends.sandboxes.bridges import Bridges, checked_url
from workbench.model.errors import WorkbenchError

TOKEN = "token-of-a-bridge-1"


def run(home: Path, *argv: str, **more: str) -> Answer:
    return cfwb(*argv, "--json", cwd=home, home=home, CFWB_TOKEN=TOKEN, **more)


def test_a_bridge_is_kept_by_name_and_its_token_for_its_owner_alone(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    made = run(tmp_path, "bridges", "create", "work", "--url", url, "--from-env", "CFWB_TOKEN").result
    assert (made["name"], made["url"]) == ("work", url)
    listed = run(tmp_path, "bridges", "list")
    assert [each["name"] for each in listed.result] == ["work"] and TOKEN not in listed.text
    folder = tmp_path / "state" / "cfwb" / "bridges"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "tokens.json").stat().st_mode) == 0o600
    state = run(tmp_path, "bridges", "get", "work").result
    assert (state["reachable"], state["authorized"], state["lists"]) == (False, False, False)
    assert "does not answer" in state["problem"]
    assert run(tmp_path, "bridges", "get", "none").error["code"] == "bridges.not_found"
    assert run(tmp_path, "--bridge", "none", "sandboxes", "list").error["code"] == "bridges.not_found"
    assert run(tmp_path, "--bridge", "work", "sandboxes", "list").error["code"] == "bridges.unreachable"
    assert run(tmp_path, "--bridge", "work", "kv", "namespaces", "list").error["code"] == "target.not_capable"
    assert run(tmp_path, "--bridge", "work", "--remote", "sandboxes", "list").error["code"] == "usage"
    assert run(tmp_path, "bridges", "delete", "work").error["code"] == "confirmation.needed"
    assert run(tmp_path, "bridges", "delete", "work", "--force").result["total"] == 1
    assert run(tmp_path, "bridges", "list").result == []
    assert TOKEN not in (folder / "tokens.json").read_text()


def test_a_token_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    argv = ("bridges", "create", "b", "--url", "https://b.example.workers.dev")
    assert run(tmp_path, *argv, "--file", "token").result["name"] == "b"
    assert run(tmp_path, *argv).error["code"] == "usage"
    bridges = Bridges(tmp_path / "state" / "cfwb" / "bridges", keyring=False)
    assert bridges.token("b") == TOKEN


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://a.workers.dev/", "https://a.workers.dev"),
        ("http://localhost:8787", "http://localhost:8787"),
        ("http://a.workers.dev", None),
        ("https://user:pass@a.workers.dev", None),
        ("ftp://a", None),
        ("a.workers.dev", None),
        ("https://a?x=1", None),
        ("https://[", None),
    ],
)
def test_a_token_goes_to_no_address_that_others_can_read(url: str, good: str | None) -> None:
    if good is None:
        with pytest.raises(WorkbenchError):
            checked_url(url)
    else:
        assert checked_url(url) == good


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    assert run(tmp_path, "bridges", "export", ".").error["code"] == "bridges.folder_in_use"
    error = run(tmp_path, "bridges", "export", "new", "--name", "Not A Name").error
    assert error["code"] == "bridges.bad_name" and not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as `bridges export` writes it, with what it needs installed."""
    home = tmp_path_factory.mktemp("bridge")
    result = run(home, "bridges", "export", "project", "--name", "my-bridge", "--max-instances", "3").result
    assert "src/index.ts" in result["files"] and ".gitignore" in result["files"]
    try:
        modules = install_bridge() / "node_modules"
        install()
    except EmulatorError as error:
        unavailable(str(error))
    (home / "project" / "node_modules").symlink_to(modules)
    return home / "project"


def test_the_project_pins_what_belongs_together(exported: Path) -> None:
    version = json.loads((exported / "package.json").read_text())["dependencies"]["@cloudflare/sandbox"]
    assert version[0].isdigit() and f"cloudflare/sandbox:{version}\n" in (exported / "Dockerfile").read_text()
    config = (exported / "wrangler.jsonc").read_text()
    assert '"name": "my-bridge"' in config and '"max_instances": 3' in config


def test_its_types_are_right(exported: Path) -> None:
    compiler = exported / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run([node_path(), compiler], cwd=exported, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_wrangler_bundles_it_for_deployment(exported: Path, tmp_path: Path) -> None:
    wrangler = install() / "node_modules" / "wrangler" / "bin" / "wrangler.js"
    argv = ["deploy", "--dry-run", "--outdir", str(tmp_path / "out")]
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        argv.append("--containers-rollout=none")  # no engine here to build the image with
    done = subprocess.run(
        [node_path(), wrangler, *argv],
        cwd=exported,
        env=environment_of_emulator(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "index.js").stat().st_size > 100_000
    for binding in ("env.Sandbox", "env.WarmPool", "env.Registry"):
        assert binding in done.stdout
    assert "my-bridge-sandbox" in done.stdout


class Deployed:
    """The exported Worker in the real emulator, which makes no containers: names, the list and the token can be tried."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator = emulator
        self.home = home
        made = run(home, "bridges", "create", "b", "--url", emulator.url, "--from-env", "CFWB_TOKEN")
        assert made.status == 0, made.out

    def __call__(self, *argv: str) -> Answer:
        return run(self.home, "--bridge", "b", "sandboxes", *argv)


@pytest.fixture(scope="module")
def deployed(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    (exported / ".dev.vars").write_text(f'SANDBOX_API_KEY="{TOKEN}"\n')
    try:
        with Emulator.start(exported, args=("--enable-containers=false",)) as emulator:
            yield Deployed(emulator, tmp_path_factory.mktemp("user"))
    except EmulatorError as error:
        unavailable(str(error))


def test_sandboxes_behind_it_have_names_and_a_list(deployed: Deployed) -> None:
    made = deployed("create", "fix 47").result
    assert made["name"] == "fix 47" and len(made["id"]) == 26
    assert deployed("create", "fix 47").error["code"] == "sandboxes.exists"
    unnamed = deployed("create").result
    assert {each["name"] for each in deployed("list").result} == {"fix 47", unnamed["id"]}
    envelope = deployed("list", "--limit", "1").json
    assert len(envelope["result"]) == 1 and envelope["result_info"]["cursor"]
    assert envelope["target"] == {"kind": "remote", "source": deployed.emulator.url}
    assert deployed("delete", "fix 47").error["code"] == "confirmation.needed"
    state = run(deployed.home, "bridges", "get", "b").result
    assert (state["reachable"], state["authorized"], state["lists"], state["sandboxes"]) == (
        True,
        True,
        True,
        "2",
    )


def test_a_wrong_token_is_refused_and_said(deployed: Deployed) -> None:
    argv = ("bridges", "create", "wrong", "--url", deployed.emulator.url, "--from-env", "OTHER")
    assert run(deployed.home, *argv, OTHER="another-token").status == 0
    state = run(deployed.home, "bridges", "get", "wrong").result
    assert (state["reachable"], state["authorized"]) == (True, False) and "Unauthorized" in state["problem"]


def test_ten_thousand_behind_it_are_paged(deployed: Deployed) -> None:
    assert deployed("create", "one").status == 0
    [file] = [
        path
        for path in (deployed.emulator.state / "do").glob("*Registry/*.sqlite")
        if path.name != "metadata.sqlite"
    ]
    digits = str.maketrans("0189", "abcd")  # an id has no such digits
    values = [(f"a{number:025d}".translate(digits), f"s{number:05}") for number in range(10_000)]
    with database.write(str(file)) as connection:
        connection.executemany("insert into sandbox values (?, ?, '2026-01-01')", values)
    page = deployed("list", "--limit", "100").json
    assert len(page["result"]) == 100 and page["result_info"]["cursor"]
    following = deployed("list", "--limit", "100", "--cursor", page["result_info"]["cursor"]).result
    assert following[0]["name"] > page["result"][-1]["name"]
    everything = deployed("list").result
    assert len(everything) >= 10_000 and len({each["id"] for each in everything}) == len(everything)
    assert deployed("list", "--limit", "1").result
    state = run(deployed.home, "bridges", "get", "b").result
    assert state["sandboxes"] == "100+"
    assert os.path.exists(file)
