"""Who may ask `cfwb serve`, and what somebody is told who may not."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cli import cfwb
from tests.support.mirror import Mirror
from tests.support.tools import inapplicable
from workbench.api.door import Door, refuse_reading, refuse_writing
from workbench.api.errors import ApiError
from workbench.api.peer import peer_uid
from workbench.demo import unpack

KEYS = "/storage/kv/namespaces/sessions-preview/keys"
VALUE = "/storage/kv/namespaces/sessions-preview/values/made-by-a-test"
TOKEN = "a" * 43
LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="not on this machine: only Linux tells whose a socket is"
)
ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="not on this machine: only root can be another user",
)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    project = Path(unpack(str(tmp_path_factory.mktemp("demo"))))
    with Mirror(project, tmp_path_factory.mktemp("home")) as running:
        yield running


def refusal(answer: httpx.Response) -> str:
    """The message of an envelope that refuses."""
    said = answer.json()
    assert said["success"] is False and said["result"] is None and said["messages"] == []
    return str(said["errors"][0]["message"])


# -- the token


def test_the_token_is_printed_and_lies_in_a_file_of_its_owner_alone(mirror: Mirror) -> None:
    assert stat.S_IMODE(mirror.token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(mirror.token_file.parent.stat().st_mode) == 0o700
    assert mirror.token in mirror.errors
    assert str(mirror.token_file) in mirror.errors
    assert mirror.token not in str(mirror.said), "standard output is for programs, and may be kept"
    assert len(mirror.token) >= 32


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_writes_needs_the_token(mirror: Mirror, method: str) -> None:
    with mirror.client(token=False) as client:
        answer = client.request(method, VALUE, content=b"x" if method == "PUT" else None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "writing needs the token" in refusal(answer)


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer", "Basic eDp5", "bearer a b"])
def test_a_wrong_token_is_no_token(mirror: Mirror, given: str) -> None:
    with mirror.client(token=False) as client:
        answer = client.put(VALUE, content=b"x", headers={"authorization": given})
    assert answer.status_code == 401 and "What was sent is not it" in refusal(answer)


def test_with_the_token_it_is_written(mirror: Mirror) -> None:
    with mirror.client() as client:
        assert client.put(VALUE, content=b"x").json()["success"] is True
        assert client.get(VALUE).content == b"x"
        assert client.delete(VALUE).json()["success"] is True


def test_sql_reads_without_the_token_and_writes_with_it(mirror: Mirror) -> None:
    with mirror.client() as client:
        path = f"/d1/database/{client.get('/d1/database').json()['result'][0]['uuid']}/raw"
        body = {"sql": "UPDATE customers SET name = name"}
        with mirror.client(token=False) as bare:
            assert bare.post(path, json={"sql": "SELECT 1"}).json()["result"][0]["results"]["rows"] == [[1]]
            answer = bare.post(path, json=body)
            assert answer.status_code == 401 and "writing needs the token" in refusal(answer)
        assert client.post(path, json=body).json()["result"][0]["meta"]["changes"] > 0


def test_operations_ask_the_same(mirror: Mirror) -> None:
    base = f"{mirror.origin}/cdn-cgi/cfwb/api"
    with mirror.client(token=False) as client:
        assert client.post(f"{base}/kv.keys.list", json={"binding": "CACHE"}).status_code == 200
        assert client.post(f"{base}/d1.query", json={"sql": "SELECT 1"}).status_code == 200
        for name, arguments in (
            ("d1.query", {"sql": "DELETE FROM customers", "read_only": False}),
            ("kv.values.put", {"key": "k", "value": "v", "binding": "CACHE"}),
            ("kv.values.delete", {"key": ["k"], "binding": "CACHE", "dry_run": True}),
        ):
            answer = client.post(f"{base}/{name}", json=arguments)
            assert answer.status_code == 401, name
            assert answer.json()["error"]["code"] == "serve.token_needed"
            assert answer.json()["operation"] == name


# -- where a request comes from


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8788", "localhost.evil.example", "127.0.0.1.evil.example", ""),
        *(
            "evil.example@localhost",
            "localhost#.evil.example",
            "localhost/.evil.example",
            "localhost:x",
            "[::1",
        ),
    ],
)
def test_another_host_name_is_refused_even_with_the_token(mirror: Mirror, host: str) -> None:
    with mirror.client() as client:
        answer = client.get(KEYS, headers={"host": host})
    assert answer.status_code == 403
    assert "Host" in refusal(answer)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:9"])
def test_names_of_this_machine_are_taken(mirror: Mirror, host: str) -> None:
    with mirror.client() as client:
        assert client.get(KEYS, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "file://", "http://localhost.evil.example"]
)
def test_a_page_from_elsewhere_is_refused_even_with_the_token(mirror: Mirror, origin: str) -> None:
    with mirror.client() as client:
        answer = client.get(KEYS, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert origin in refusal(answer)


def test_a_local_page_needs_the_token_for_reading_too(mirror: Mirror) -> None:
    origin = "http://localhost:5173"
    with mirror.client(token=False) as client:
        answer = client.get(KEYS, headers={"origin": origin})
        assert answer.status_code == 401
        assert "another origin" in refusal(answer)
    with mirror.client() as client:
        answer = client.get(KEYS, headers={"origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        asked = client.options(KEYS, headers={"origin": origin, "access-control-request-method": "PUT"})
        assert asked.status_code == 204
        assert "Authorization" in asked.headers["access-control-allow-headers"]


def test_nothing_that_is_stored_runs_as_a_page_of_ours(mirror: Mirror) -> None:
    with mirror.client() as client:
        client.put(VALUE, content=b"<script>steal()</script>")
        headers = client.get(VALUE).headers
        client.delete(VALUE)
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_it_listens_on_this_machine_alone(mirror: Mirror) -> None:
    here = socket.gethostbyname(socket.gethostname())
    if here.startswith("127."):
        inapplicable("it has no other address")
    with pytest.raises(OSError), socket.create_connection((here, mirror.port), timeout=2):
        pass


# -- whose socket it is


@LINUX
def test_the_kernel_tells_whose_socket_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = listening.getsockname()
        with socket.create_connection(here) as client:
            peer = client.getsockname()
            accepted, _ = listening.accept()
            with accepted:
                assert peer_uid(peer, here) == os.geteuid()
                assert peer_uid((peer[0], peer[1] ^ 1), here) is None
        assert peer_uid(peer, here) is None, "a socket that nobody holds is nobody's, not root's"


@LINUX
def test_a_socket_of_the_new_kind_is_found_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = listening.getsockname()
        with socket.socket(socket.AF_INET6) as client:
            client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                client.connect(("::ffff:127.0.0.1", here[1]))
            except OSError:
                inapplicable("it has no IPv6")
            peer = ("127.0.0.1", client.getsockname()[1])
            assert peer_uid(peer, here) == os.geteuid()


@LINUX
@ROOT
def test_another_user_reads_nothing_without_the_token(mirror: Mirror) -> None:
    script = (
        "import http.client, sys\n"
        f"c = http.client.HTTPConnection('127.0.0.1', {mirror.port})\n"
        f"c.request('GET', '/cdn-cgi/explorer/api{KEYS}', headers=dict(a.split(': ') for a in sys.argv[1:]))\n"
        "r = c.getresponse(); print(r.status, r.read().decode())\n"
    )

    def asked(*headers: str) -> str:
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", script, *headers],
            user=65534, group=65534, extra_groups=[], capture_output=True, text=True, cwd="/", timeout=30,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        )  # fmt: skip
        if done.returncode:
            inapplicable(f"no Python another user may run: {done.stderr[-200:]}")
        return done.stdout

    assert asked().startswith("401")
    assert "this user's own" in asked()
    assert asked(f"Authorization: Bearer {mirror.token}").startswith("200")


def scope(**headers: str) -> dict[str, Any]:
    given = {"host": "127.0.0.1:8788"} | headers
    return {
        "type": "http",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8788),
    }


@pytest.mark.parametrize(("uid", "may"), [(1000, True), (0, False), (None, False), (1001, False)])
def test_reading_without_the_token_is_for_the_same_user_alone(uid: int | None, may: bool) -> None:
    door = Door(TOKEN, 1000, lambda peer, here: uid)
    assert door.admit(scope()).may_read is may
    assert not door.admit(scope()).authorized
    assert door.admit(scope(authorization=f"Bearer {TOKEN}")).may_read


def test_a_page_of_our_own_origin_reads_as_its_user_does() -> None:
    door = Door(TOKEN, 1000, lambda peer, here: 1000)
    assert door.admit(scope(origin="http://127.0.0.1:8788")).may_read
    assert not door.admit(scope(origin="http://localhost:8788")).may_read


def test_where_the_user_cannot_be_told_the_token_is_needed() -> None:
    admission = Door(TOKEN, 1000, lambda peer, here: None).admit(scope())
    for refuse in (refuse_reading, refuse_writing):
        with pytest.raises(ApiError) as refused:
            refuse(admission)
        assert refused.value.status == 401


# -- the process


def test_it_ends_in_order_and_takes_its_token_along(tmp_path: Path) -> None:
    project = Path(unpack(str(tmp_path / "demo")))
    (tmp_path / "home").mkdir()
    with Mirror(project, tmp_path / "home") as running:
        assert running.token_file.exists()
        assert running.stop() == 0
        assert not running.token_file.exists()
        assert "Traceback" not in running.errors


def test_a_port_that_is_taken_is_said(mirror: Mirror, tmp_path: Path) -> None:
    project = unpack(str(tmp_path / "demo"))
    answer = cfwb("serve", "--port", str(mirror.port), cwd=project, home=tmp_path)
    assert answer.status == 1
    assert answer.error["code"] == "serve.port_in_use"


@pytest.mark.parametrize("words", [["--port", "x"], ["--port", "70000"], ["--wrong"], ["more"], ["--port"]])
def test_a_wrong_line_is_said(words: list[str], tmp_path: Path) -> None:
    answer = cfwb("serve", *words, cwd=tmp_path, home=tmp_path)
    assert answer.status == 2
    assert answer.error["code"] == "usage"


def test_the_account_is_not_served(tmp_path: Path) -> None:
    answer = cfwb("serve", "--remote", cwd=tmp_path, home=tmp_path)
    assert answer.error["code"] == "target.not_available"


def test_a_config_that_changes_is_read_again(tmp_path: Path) -> None:
    project = Path(unpack(str(tmp_path / "demo")))
    (tmp_path / "home").mkdir()
    config = project / "wrangler.jsonc"
    with Mirror(project, tmp_path / "home") as running, running.client() as client:

        def titles() -> set[str]:
            return {row["title"] for row in client.get("/storage/kv/namespaces").json()["result"]}

        assert "CACHE" in titles()
        text = config.read_text()
        config.write_text(text.replace('"CACHE"', '"RENAMED"'))
        deadline = time.monotonic() + 20
        while "RENAMED" not in titles():
            assert time.monotonic() < deadline
        config.write_text("{ broken")
        assert client.get("/storage/kv/namespaces").status_code == 200
