"""The bridge's routes over the hub: shapes, statuses and errors as its own source and tests have them (cloudflare/sandbox-sdk,
packages/sandbox/src/bridge/routes.ts)."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap


class Bridge(NamedTuple):
    """A hub with one sandbox. url: what comes before its routes."""

    home: Home
    http: httpx.Client
    id: str

    @property
    def url(self) -> str:
        return f"/v1/sandbox/{self.id}"

    def exec(self, *argv: str, **more: Any) -> list[tuple[str, Any]]:
        headers = more.pop("headers", {})
        answer = self.http.post(f"{self.url}/exec", json={"argv": list(argv)} | more, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-cache"
        return events(answer.text)

    def output(self, *argv: str, **more: Any) -> str:
        return "".join(data for name, data in self.exec(*argv, **more) if name == "stdout")


def events(text: str) -> list[tuple[str, Any]]:
    """Events as (name, data): base64 of stdout and stderr decoded, the rest JSON."""
    found = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if not lines:
            continue
        name = next(line[7:] for line in lines if line.startswith("event: "))
        data = "\n".join(line[6:] for line in lines if line.startswith("data: "))
        found.append(
            (name, base64.b64decode(data).decode() if name in ("stdout", "stderr") else json.loads(data))
        )
    return found


@pytest.fixture(scope="module", params=["bubblewrap", "process"])
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    if request.param == "bubblewrap":
        needs_bubblewrap()
    with pytest.MonkeyPatch.context() as patch:
        for home in a_home(patch):
            with home.http() as http:
                options = {"name": "it", "provider": request.param, "unsafe": request.param == "process"}
                made = http.post("/v1/sandbox", json=options)
                assert made.status_code == 200, made.text
                yield Bridge(home, http, made.json()["id"])


def refused(answer: httpx.Response, status: int, code: str, error: str) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert body["code"] == code
    assert error in body["error"]


class TestDoor:
    def test_an_id_is_made_of_sixteen_bytes_in_base32(self, bridge: Bridge) -> None:
        answer = bridge.http.post("/v1/sandbox")
        assert answer.status_code == 200
        assert list(answer.json()) == ["id"]
        assert re.fullmatch(r"[a-z2-7]{26}", answer.json()["id"])

    def test_health_needs_no_token(self, bridge: Bridge) -> None:
        answer = bridge.http.get("/health", headers={"Authorization": ""})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})

    @pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic x"])
    def test_all_else_does(self, bridge: Bridge, given: str) -> None:
        for method, path in (
            ("POST", "/v1/sandbox"),
            ("GET", f"{bridge.url}/running"),
            ("DELETE", bridge.url),
        ):
            answer = bridge.http.request(method, path, headers={"Authorization": given})
            refused(answer, 401, "unauthorized", "Unauthorized")

    def test_the_word_bearer_in_any_case(self, bridge: Bridge) -> None:
        token = bridge.http.headers["authorization"].split()[1]
        answer = bridge.http.get(f"{bridge.url}/running", headers={"Authorization": f"bEARER {token}"})
        assert answer.status_code == 200

    @pytest.mark.parametrize("id", ["Upper", "has-dash", "with.dot", "nine9", "a" * 129])
    def test_what_is_no_id(self, bridge: Bridge, id: str) -> None:
        refused(
            bridge.http.get(f"/v1/sandbox/{id}/running"), 400, "invalid_request", "Invalid sandbox ID format"
        )

    def test_the_id_is_looked_at_before_the_token(self, bridge: Bridge) -> None:
        answer = bridge.http.get("/v1/sandbox/Upper/running", headers={"Authorization": ""})
        assert answer.status_code == 400

    def test_only_under_v1(self, bridge: Bridge) -> None:
        assert bridge.http.get(f"/sandbox/{bridge.id}/running").status_code == 404

    @pytest.mark.parametrize("how", ["header", "query"])
    def test_the_schema_also_by_a_token_in_the_query(self, bridge: Bridge, how: str) -> None:
        token = bridge.http.headers["authorization"].split()[1]
        if how == "query":
            answer = bridge.http.get(
                "/v1/openapi.json", params={"token": token}, headers={"Authorization": ""}
            )
        else:
            answer = bridge.http.get("/v1/openapi.json")
        assert answer.status_code == 200
        schema = answer.json()
        assert schema["openapi"].startswith("3.1")
        for path in (
            "/v1/sandbox",
            "/v1/sandbox/{id}/exec",
            "/v1/sandbox/{id}/file/{path}",
            "/v1/sandbox/{id}/pty",
        ):
            assert path in schema["paths"]
        assert bridge.http.get("/v1/openapi.json", headers={"Authorization": ""}).status_code == 401


class TestExec:
    def test_output_is_base64_and_the_status_comes_last(self, bridge: Bridge) -> None:
        assert bridge.exec("sh", "-c", "printf 'hello world'") == [
            ("stdout", "hello world"),
            ("exit", {"exit_code": 0}),
        ]
        assert bridge.exec("sh", "-c", "printf 'oh no' >&2; exit 42") == [
            ("stderr", "oh no"),
            ("exit", {"exit_code": 42}),
        ]

    def test_words_arrive_as_they_are(self, bridge: Bridge) -> None:
        words = ["hello world", "it's", 'say "hi"', "$HOME `id` \\", "a\nb\rc\td", "é漢", "", "*"]
        assert bridge.output("printf", "%s|", *words) == "|".join(words) + "|"

    def test_bytes_that_are_not_text(self, bridge: Bridge) -> None:
        answer = bridge.http.post(f"{bridge.url}/exec", json={"argv": ["printf", r"\000\377\200"]})
        assert base64.b64decode(answer.text.split("data: ")[1].split("\n")[0]) == b"\x00\xff\x80"

    def test_what_is_not_there_ends_with_127(self, bridge: Bridge) -> None:
        assert bridge.exec("no-such-program")[-1] == ("exit", {"exit_code": 127})

    def test_a_time_limit_ends_it(self, bridge: Bridge) -> None:
        name, said = bridge.exec("sleep", "60", timeout_ms=50)[-1]
        assert name == "exit"
        assert said["exit_code"] == 124
        assert said["timed_out"] is True

    def test_a_folder_to_work_in(self, bridge: Bridge) -> None:
        bridge.exec("sh", "-c", "mkdir -p src")
        for cwd in ("/workspace/src", "src", "./x/../src", "/workspace/../workspace/src"):
            assert bridge.output("sh", "-c", "basename $PWD", cwd=cwd) == "src\n"

    @pytest.mark.parametrize("cwd", ["/etc", "/workspace/../etc", "../..", "/", "/workspacex"])
    def test_only_within_the_workspace(self, bridge: Bridge, cwd: str) -> None:
        answer = bridge.http.post(f"{bridge.url}/exec", json={"argv": ["true"], "cwd": cwd})
        refused(answer, 403, "invalid_request", "cwd must resolve to a location within /workspace")

    @pytest.mark.parametrize("body", [{}, {"argv": []}, {"argv": "ls"}, {"argv": None}])
    def test_something_to_run(self, bridge: Bridge, body: dict[str, Any]) -> None:
        refused(
            bridge.http.post(f"{bridge.url}/exec", json=body),
            400,
            "invalid_request",
            "argv must be a non-empty array",
        )

    def test_a_body_that_is_no_json(self, bridge: Bridge) -> None:
        refused(
            bridge.http.post(f"{bridge.url}/exec", content=b"not json"),
            400,
            "invalid_request",
            "Invalid JSON body",
        )

    def test_a_body_that_never_ends_or_goes_too_deep(self, bridge: Bridge) -> None:
        piece = bytes(1 << 20)
        endless = (piece for _ in range(200))
        answer = bridge.http.post(f"{bridge.url}/exec", content=endless)
        refused(answer, 413, "payload_too_large", "the body is larger than")
        deep = b'{"argv": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        refused(bridge.http.post(f"{bridge.url}/exec", content=deep), 400, "invalid_request", "JSON")
        never = b'{"argv": ["true"], "timeout_ms": 1e999}'
        answer = bridge.http.post(f"{bridge.url}/exec", content=never)
        assert events(answer.text) == [("exit", {"exit_code": 0})]

    def test_standard_input_which_is_ours(self, bridge: Bridge) -> None:
        given = base64.b64encode(b"typed").decode()
        assert bridge.output("cat", stdin=given) == "typed"
        assert bridge.exec("cat") == [("exit", {"exit_code": 0})]

    def test_who_goes_away_kills_it(self, bridge: Bridge) -> None:
        body = {"argv": ["sh", "-c", "echo $$; exec sleep 1000"]}
        with bridge.http.stream("POST", f"{bridge.url}/exec", json=body) as answer:
            text = next(answer.iter_text())
            pid = int(events(text)[0][1])
        alive = f"for i in $(seq 200); do kill -0 {pid} 2>/dev/null || exit 0; sleep 0.02; done; exit 1"
        assert bridge.exec("sh", "-c", alive)[-1] == ("exit", {"exit_code": 0})


class TestSessions:
    def test_one_keeps_its_folder_and_its_environment(self, bridge: Bridge) -> None:
        made = bridge.http.post(f"{bridge.url}/session", json={"id": "work", "env": {"COLOUR": "blue"}})
        assert made.status_code == 200
        assert made.json()["id"] == "work"
        in_it = {"Session-Id": "work"}
        bridge.exec("cd", "/", headers=in_it)
        bridge.exec("export", "SHAPE=round", headers=in_it)
        said = bridge.output("sh", "-c", 'echo "$PWD $COLOUR $SHAPE"', headers=in_it)
        assert said == "/ blue round\n"
        assert "round" not in bridge.output("sh", "-c", "echo $SHAPE")

    def test_without_a_body_it_gets_an_id(self, bridge: Bridge) -> None:
        made = bridge.http.post(f"{bridge.url}/session")
        assert made.status_code == 200
        assert made.json()["id"]

    def test_one_that_is_there_already(self, bridge: Bridge) -> None:
        bridge.http.post(f"{bridge.url}/session", json={"id": "twice"})
        again = bridge.http.post(f"{bridge.url}/session", json={"id": "twice"})
        refused(again, 502, "session_error", "session create failed: ")

    def test_deleted(self, bridge: Bridge) -> None:
        bridge.http.post(f"{bridge.url}/session", json={"id": "gone"})
        answer = bridge.http.delete(f"{bridge.url}/session/gone")
        assert answer.status_code == 200
        assert answer.json()["success"] is True
        assert answer.json()["sessionId"] == "gone"
        assert set(answer.json()) == {"success", "sessionId", "timestamp"}
        refused(
            bridge.http.delete(f"{bridge.url}/session/gone"), 502, "session_error", "session delete failed: "
        )

    @pytest.mark.parametrize("id", ["a b", "../x", "a..b", "x/y", "é", "a" * 129])
    def test_what_is_no_session_id(self, bridge: Bridge, id: str) -> None:
        headers = {"Session-Id": id.encode()}
        body = {"argv": ["true"]}
        answer = bridge.http.post(f"{bridge.url}/exec", json=body, headers=headers)  # type: ignore[arg-type]
        refused(answer, 400, "invalid_request", "Invalid session ID format")
        for method in ("GET", "PUT"):
            answer = bridge.http.request(method, f"{bridge.url}/file/workspace/x", headers=headers)  # type: ignore[arg-type]
            refused(answer, 400, "invalid_request", "Invalid session ID format")


class TestFiles:
    def test_what_is_put_is_what_is_read(self, bridge: Bridge) -> None:
        data = bytes(range(256)) * 5000
        answer = bridge.http.put(f"{bridge.url}/file/workspace/a b/image.png", content=data)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        answer = bridge.http.get(f"{bridge.url}/file/workspace/a%20b/image.png")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.content == data

    def test_one_that_is_not_there(self, bridge: Bridge) -> None:
        answer = bridge.http.get(f"{bridge.url}/file/workspace/none.txt")
        refused(answer, 404, "workspace_read_not_found", "File not found: /workspace/none.txt")

    def test_a_folder_is_no_file(self, bridge: Bridge) -> None:
        refused(bridge.http.get(f"{bridge.url}/file/workspace"), 502, "exec_transport_error", "read failed: ")
        answer = bridge.http.put(f"{bridge.url}/file/workspace", content=b"x")
        refused(answer, 502, "workspace_archive_write_error", "write failed: ")

    @pytest.mark.parametrize(
        "path", ["etc/passwd", "workspace/%2e%2e/etc/passwd", "workspace/..%2f..%2fetc/passwd", "main.py"]
    )
    def test_only_within_the_workspace(self, bridge: Bridge, path: str) -> None:
        for method in ("GET", "PUT"):
            answer = bridge.http.request(method, f"http://hub{bridge.url}/file/{path}")
            refused(answer, 403, "invalid_request", "path must resolve to a location within /workspace")

    def test_a_path_that_is_empty(self, bridge: Bridge) -> None:
        for method in ("GET", "PUT"):
            answer = bridge.http.request(method, f"{bridge.url}/file/")
            refused(answer, 400, "invalid_request", "file path must not be empty")

    def test_at_most_32_mib(self, bridge: Bridge) -> None:
        answer = bridge.http.put(f"{bridge.url}/file/workspace/big", content=bytes((32 << 20) + 1))
        refused(
            answer,
            413,
            "payload_too_large",
            f"payload too large: {(32 << 20) + 1} bytes exceeds the {32 << 20}-byte limit",
        )


class TestArchives:
    def test_the_workspace_there_and_back(self, bridge: Bridge) -> None:
        bridge.exec(
            "sh",
            "-c",
            "mkdir -p keep/__pycache__; echo one >keep/one; echo x >keep/__pycache__/x; ln -s one keep/link",
        )
        answer = bridge.http.post(f"{bridge.url}/persist", params={"excludes": "__pycache__,.venv"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            names = tar.getnames()
        assert {name.removeprefix("./") for name in names} >= {"keep", "keep/one", "keep/link"}
        assert not [name for name in names if "__pycache__" in name]
        bridge.exec("sh", "-c", "rm -rf keep")
        restored = bridge.http.post(f"{bridge.url}/hydrate", content=answer.content)
        assert (restored.status_code, restored.json()) == (200, {"ok": True})
        assert bridge.output("cat", "keep/link") == "one\n"

    def test_what_leads_out(self, bridge: Bridge) -> None:
        answer = bridge.http.post(f"{bridge.url}/persist", params={"excludes": "ok,../x"})
        refused(answer, 400, "invalid_request", 'exclude paths must not contain ".."')
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("../../out")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
        answer = bridge.http.post(f"{bridge.url}/hydrate", content=packed.getvalue())
        refused(answer, 502, "workspace_archive_write_error", "tar extract failed (exit ")

    def test_nothing_too_much_and_nonsense(self, bridge: Bridge) -> None:
        refused(bridge.http.post(f"{bridge.url}/hydrate"), 400, "invalid_request", "Empty tar payload")
        answer = bridge.http.post(f"{bridge.url}/hydrate", content=bytes((32 << 20) + 1))
        refused(answer, 400, "invalid_request", "tar payload too large: ")
        answer = bridge.http.post(f"{bridge.url}/hydrate", content=b"this is no archive")
        refused(answer, 502, "workspace_archive_write_error", "tar extract failed (exit ")


class TestTunnels:
    def test_made_once_and_given_again(self, bridge: Bridge) -> None:
        made = bridge.http.post(f"{bridge.url}/tunnel/8080")
        assert made.status_code == 200
        tunnel = made.json()
        assert set(tunnel) == {"id", "port", "url", "hostname", "createdAt"}
        assert tunnel["port"] == 8080
        assert tunnel["hostname"] in tunnel["url"]
        assert bridge.http.post(f"{bridge.url}/tunnel/8080", json={}).json() == tunnel
        assert bridge.http.delete(f"{bridge.url}/tunnel/8080").status_code == 204
        assert bridge.http.delete(f"{bridge.url}/tunnel/8080").status_code == 204
        assert bridge.http.post(f"{bridge.url}/tunnel/8080").json()["url"] != tunnel["url"]

    def test_with_a_name(self, bridge: Bridge) -> None:
        assert bridge.http.post(f"{bridge.url}/tunnel/8081", json={"name": "app"}).json()["name"] == "app"

    @pytest.mark.parametrize("port", ["3000", "80", "0", "65536", "x", "-1", "80.5"])
    def test_what_is_no_port(self, bridge: Bridge, port: str) -> None:
        for method in ("POST", "DELETE"):
            answer = bridge.http.request(method, f"{bridge.url}/tunnel/{port}")
            refused(answer, 400, "invalid_request", "Invalid port")

    def test_what_is_no_name(self, bridge: Bridge) -> None:
        url = f"{bridge.url}/tunnel/8082"
        refused(
            bridge.http.post(url, json={"name": 123}),
            400,
            "invalid_request",
            "name must be a string when provided",
        )
        refused(bridge.http.post(url, json={"name": "Bad.Name"}), 400, "invalid_request", "valid DNS label")
        refused(bridge.http.post(url, json={"name": ""}), 400, "invalid_request", "1–63 characters")
        refused(bridge.http.post(url, content=b"{"), 400, "invalid_request", "Invalid JSON body")
        assert bridge.http.post(url, json=["x"]).status_code == 200


class TestLife:
    def test_running(self, bridge: Bridge) -> None:
        assert bridge.http.get(f"{bridge.url}/running").json() == {"running": True}

    def test_any_id_is_a_sandbox(self, bridge: Bridge) -> None:
        if bridge.http.get(bridge.url).json()["provider"] == "process":
            return  # without isolation nothing is made unasked
        body = {"argv": ["hostname"]}
        answer = bridge.http.post("/v1/sandbox/neverseenbefore/exec", json=body)
        assert events(answer.text)[-1] == ("exit", {"exit_code": 0})
        assert bridge.http.get("/v1/sandbox/neverseenbefore").json()["provider"] == "bubblewrap"
        assert bridge.http.delete("/v1/sandbox/neverseenbefore").status_code == 204

    def test_deleting_what_was_never_there(self, bridge: Bridge) -> None:
        assert bridge.http.delete("/v1/sandbox/aaaabbbbcccc").status_code == 204
        assert bridge.http.get("/v1/sandbox/aaaabbbbcccc").status_code == 404

    def test_deleted(self, bridge: Bridge) -> None:
        body = {"name": "short life", "provider": "process", "unsafe": True}
        id = bridge.http.post("/v1/sandbox", json=body).json()["id"]
        assert bridge.http.delete(f"/v1/sandbox/{id}").status_code == 204
        assert bridge.http.get(f"/v1/sandbox/{id}").status_code == 404
        assert bridge.http.get("/v1/sandbox", params={"name": "short life"}).json()["sandboxes"] == []


class TestTerminal:
    def test_a_terminal_wants_a_websocket(self, bridge: Bridge) -> None:
        refused(bridge.http.get(f"{bridge.url}/pty"), 400, "invalid_request", "WebSocket upgrade required")


class TestPool:
    def test_there_is_none_to_keep_warm(self, bridge: Bridge) -> None:
        stats = bridge.http.get("/v1/pool/stats").json()
        assert set(stats) >= {"warm", "assigned", "total", "config", "maxInstances"}
        for verb in ("prime", "shutdown-prewarmed"):
            assert bridge.http.post(f"/v1/pool/{verb}").json() == {"ok": True}
