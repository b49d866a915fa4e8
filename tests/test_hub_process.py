"""The hub as a process: started when needed, found again, replaced when older, gone when told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, cfwb
from tests.support.hubs import Home, a_home
from workbench.backends.sandboxes import launch
from workbench.model.errors import WorkbenchError
from workbench.model.hub import PROTOCOL
from workbench.model.secrets import VARIABLES

home = pytest.fixture(a_home)


def test_looking_for_a_hub_starts_none(home: Home) -> None:
    answer = cfwb("hub", "get", "--json", cwd=home.project, **home.env)
    assert answer.result["running"] is False
    assert not os.path.exists(home.places.data)
    assert cfwb("hub", "stop", "--json", cwd=home.project, **home.env).result == {
        "stopped": False,
        "pid": None,
        "left": 0,
    }


def test_a_hub_is_started_once_for_its_state_directory_and_told_to_end(home: Home) -> None:
    one, two = home.connect(), home.connect()
    assert one == two
    seen = cfwb("hub", "get", "--json", cwd=home.project, **home.env).result
    assert (seen["running"], seen["pid"], seen["protocol"]) == (True, one.pid, PROTOCOL)
    assert seen["state_directory"] == home.places.state_directory
    assert cfwb("hub", "stop", "--json", cwd=home.project, **home.env).result["stopped"]
    assert launch.find(home.places) is None
    assert not os.path.exists(home.places.socket)


def test_two_that_start_it_at_once_get_the_same(home: Home) -> None:
    code = (
        "import sys; from workbench.backends.sandboxes import launch; from workbench.model.places import hub_places;"
        "print(launch.connect(hub_places(sys.argv[1])).pid)"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", code, home.places.state_directory],
            env=os.environ | home.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in starting}) == 1


def test_who_reads_our_output_to_its_end_does_not_wait_for_the_hub(home: Home) -> None:
    """The hub inherits no descriptor: the pipes of the command that started it close with the command."""
    done = subprocess.run(
        [*PROGRAM, "sandboxes", "list", "--json"],
        cwd=home.project,
        env=os.environ | home.env,
        capture_output=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["result"] == []
    found = launch.find(home.places)
    assert found is not None
    held = {os.readlink(f"/proc/{found.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{found.pid}/fd")}
    assert not [name for name in held if name.startswith("pipe:") and name in _pipes_of(os.getpid())]
    assert os.readlink(f"/proc/{found.pid}/cwd") == "/"
    assert os.getsid(found.pid) != os.getsid(0)


def test_the_hub_knows_no_credentials_of_whoever_started_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, f"planted-{name}")
    monkeypatch.setenv("CFWB_PLAIN", "stays")
    with open(f"/proc/{home.connect().pid}/environ", "rb") as file:
        known = file.read()
    assert b"planted-" not in known
    assert b"CFWB_PLAIN=stays" in known


def _pipes_of(pid: int) -> set[str]:
    return {
        os.readlink(f"/proc/{pid}/fd/{fd}")
        for fd in os.listdir(f"/proc/{pid}/fd")
        if os.path.lexists(f"/proc/{pid}/fd/{fd}")
    }


def test_a_killed_hub_is_started_again_with_the_same_token(home: Home) -> None:
    before = home.connect()
    home.kill_hub()
    after = home.connect()
    assert after.pid != before.pid
    assert after.token == before.token


def test_an_older_hub_is_replaced(home: Home) -> None:
    old = home.connect()
    _pretend(home, protocol=PROTOCOL - 1, version="0.0.1")
    new = home.connect()
    assert new.pid != old.pid
    assert new.protocol == PROTOCOL


def test_a_newer_hub_is_refused_and_left_alone(home: Home) -> None:
    hub = home.connect()
    _pretend(home, protocol=PROTOCOL + 1, version="99.0")
    with pytest.raises(WorkbenchError) as caught:
        home.connect()
    assert caught.value.code == "hub.newer"
    assert "99.0" in caught.value.message
    answer = cfwb("sandboxes", "list", "--json", cwd=home.project, **home.env)
    assert answer.error["code"] == "hub.newer"
    _pretend(home, protocol=PROTOCOL, version="0.1.0")
    assert home.connect().pid == hub.pid


def _pretend(home: Home, **changes: object) -> None:
    path = Path(home.places.info)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_socket_token_and_data_are_for_their_owner_alone(home: Home) -> None:
    home.connect()
    places = home.places
    assert os.stat(places.runtime).st_mode & 0o777 == 0o700
    for path in (places.socket, places.token, places.info, places.lock, places.log):
        assert os.stat(path).st_mode & 0o077 == 0, path
    assert os.stat(places.data).st_mode & 0o077 in (0o011 if os.geteuid() == 0 else 0,)


def test_a_runtime_folder_others_may_open_is_not_trusted(home: Home) -> None:
    home.connect()
    os.chmod(home.places.runtime, 0o755)
    with pytest.raises(WorkbenchError) as caught:
        launch.find(home.places)
    assert caught.value.code == "hub.not_trusted"
    os.chmod(home.places.runtime, 0o700)


def test_without_the_token_nothing_is_answered_but_that_it_lives(home: Home) -> None:
    http = home.http()
    assert http.get("/health").json() == {"ok": True}
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        for path in ("/hub", "/v1/sandbox", "/v1/events"):
            refused = http.get(path, headers=headers)
            assert refused.status_code == 401
            assert refused.json() == {"error": "Unauthorized", "code": "unauthorized"}
    assert http.get("/nowhere").json()["code"] == "not_found"
