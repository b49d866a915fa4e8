"""Network, credentials, requests and code contexts from the command line, in a real isolated sandbox of a real hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cli import Answer, cfwb, on_terminal
from tests.support.hubs import Home, a_home
from tests.support.outside import Origin, origin
from tests.support.sandbox import needs_bubblewrap

SECRET = "the-secret-value-0815"


class Shell:
    """Commands in a project whose hub has one isolated sandbox, `it`, that may reach one server of this machine."""

    def __init__(self, home: Home, server: Origin) -> None:
        self.home = home
        self.server = server
        self.url = f"http://host.cfwb.internal:{server.port}"

    def __call__(self, *argv: str, input: bytes | None = None, **more: str) -> Answer:
        return cfwb("sandboxes", *argv, cwd=self.home.project, input=input, **(self.home.env | more))

    def result(self, *argv: str, **more: Any) -> Any:
        return self(*argv, "--json", **more).result

    def fetch(self, path: str, host: str = "") -> str:
        """What Python inside gets from a path of the server, or the status that refuses it."""
        url = (host or self.url) + path
        code = (
            "import urllib.request, urllib.error\n"
            f"try: print(urllib.request.urlopen({url!r}).read().decode())\n"
            "except urllib.error.HTTPError as error: print(error.code, error.headers['Cfwb-Refused'])"
        )
        return self("exec", "it", "--", "python3", "-c", code).text.strip()


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    needs_bubblewrap()
    with pytest.MonkeyPatch.context() as patch, origin() as server:
        for home in a_home(patch):
            shell = Shell(home, server)
            allowed = f"host.cfwb.internal:{server.port}"
            made = shell.result("create", "it", "--provider", "bubblewrap", "--allow", allowed)
            assert made["network"] == "allow"
            yield shell


def test_a_sandbox_reaches_what_it_may_and_all_of_it_is_listed(shell: Shell) -> None:
    assert json.loads(shell.fetch("/echo/one?x=1"))["path"] == "/echo/one?x=1"
    assert "not on this sandbox's list" in shell.fetch("/", "http://example.com")
    second, first = shell.result("requests", "list", "it")[:2]
    assert (first["method"], first["host"], first["path"], first["status"], first["outcome"]) == (
        "GET",
        "host.cfwb.internal",
        "/echo/one?x=1",
        200,
        "done",
    )
    assert (second["host"], second["outcome"]) == ("example.com", "refused")
    assert "example.com" in shell("requests", "list", "it", "--limit", "1").text


def test_a_policy_is_changed_while_it_runs(shell: Shell) -> None:
    assert shell.result("network", "update", "it", "--mode", "none")["mode"] == "none"
    assert "has no network" in shell.fetch("/")
    kept = shell.result("network", "update", "it", "--mode", "allow", "--also", "example.com")
    assert kept["allow"] == [f"host.cfwb.internal:{shell.server.port}", "example.com"]
    assert shell.fetch("/").startswith("{")
    again = shell.result("network", "update", "it", "--no-more", "example.com")
    opened = shell.result("get", "it", "--as-is")["exposure"][-1]
    assert (
        opened
        == f"it may reach host.cfwb.internal:{shell.server.port}, on this machine or in a private network"
    )
    assert len(again["allow"]) == 1 and shell.result("network", "get", "it") == again
    assert shell("network", "update", "it", "--json").error["code"] == "usage"


def test_a_credential_from_the_environment_is_lent_and_taken_back(shell: Shell) -> None:
    made = shell.result(
        *("credentials", "create", "it", "--host", "host.cfwb.internal", "--kind", "bearer"),
        *("--from-env", "MY_TOKEN", "--variable", "API_KEY"),
        MY_TOKEN=SECRET,
    )
    assert SECRET not in json.dumps(made) and made["secret"] == "MY_TOKEN"
    said = json.loads(shell.fetch("/echo"))
    assert said["headers"]["Authorization"] == "Bearer " + "*" * len(SECRET)
    assert shell.server.seen[-1][2]["authorization"] == f"Bearer {SECRET}"
    assert shell("exec", "it", "--", "sh", "-c", "echo $API_KEY").text == "lent-by-cfwb\n"
    assert shell.result("requests", "list", "it")[0]["rule"] == made["id"]
    assert [rule["id"] for rule in shell.result("credentials", "list", "it")] == [made["id"]]
    assert shell("credentials", "delete", "it", made["id"], "--json").error["code"] == "confirmation.needed"
    shell.result("credentials", "delete", "it", made["id"], "--force")
    assert "Authorization" not in json.loads(shell.fetch("/echo"))["headers"]


def test_a_secret_is_given_by_a_pipe_or_typed_unseen_and_never_shown(shell: Shell) -> None:
    assert shell.result("secrets", "put", "PIPED", "--file", "-", input=b"from-a-pipe-1\n")["name"] == "PIPED"
    argv = ("sandboxes", "secrets", "put", "TYPED")
    options = {"typed": "typed-by-hand-1", "asked": "the secret (not shown): "}
    shown = on_terminal(*argv, cwd=shell.home.project, **options, **shell.home.env)  # type: ignore[arg-type]
    assert shown.status == 0 and "typed-by-hand-1" not in shown.text
    listed = shell("secrets", "list").text
    assert "PIPED" in listed and "TYPED" in listed and "hand-1" not in listed
    assert shell("secrets", "put", "NONE", "--json").error["code"] == "usage"
    for name in ("PIPED", "TYPED"):
        shell.result("secrets", "delete", name, "--force")


def test_code_is_run_and_its_variables_stay(shell: Shell) -> None:
    assert shell("contexts", "run", "it", "import math\nradius = 2\nprint('set')").text == "set\n"
    assert shell("contexts", "run", "it", "radius * 21").text == "42\n"
    whole = shell.result("contexts", "run", "it", "[{'a': radius}]")
    assert whole["results"][0]["table"]["rows"] == [[2]] and whole["exit_code"] == 0
    failed = shell("contexts", "run", "it", "1 / 0")
    assert failed.status == 1 and "ZeroDivisionError" in failed.err
    asjson = shell("contexts", "run", "it", "1 / 0", "--json")
    assert asjson.json["result"]["exception"]["name"] == "ZeroDivisionError"
    made = shell.result("contexts", "create", "it", "--cwd", "/tmp")
    assert (
        shell("contexts", "run", "it", "--context", made["id"], "import os; os.getcwd()").text == "'/tmp'\n"
    )
    file = shell.home.base / "code.py"
    file.write_text("print('from a file')")
    assert shell("contexts", "run", "it", "--file", str(file)).text == "from a file\n"
    assert {row["id"] for row in shell.result("contexts", "list", "it")} == {made["id"], "default-python"}
    assert shell.result("contexts", "stop", "it", made["id"])
    assert shell.result("contexts", "delete", "it", made["id"], "--force")["total"] == 1
