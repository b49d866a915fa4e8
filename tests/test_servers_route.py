"""Writes beside a running dev server: through it where it can be told exactly, by hand else, and never lost without a word."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import OracleFactory
from tests.support.cli import cfwb
from tests.support.local import run
from tests.support.oracle import Oracle
from workbench.backends.cloudflare.api import Timeouts
from workbench.backends.servers.processes import OtherProcesses
from workbench.backends.servers.route import Route
from workbench.backends.servers.served import ServedBackend
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvValue
from workbench.operations.executor import State, execute
from workbench.project import load

CACHE = "cache-namespace"


@pytest.fixture(scope="module")
def state(oracle: Oracle) -> Iterator[State]:
    backend = ServedBackend(load(str(oracle.project)))
    yield State(backend.project, backend, backend.target)
    backend.close()


@pytest.fixture
def prefix(oracle: Oracle) -> Iterator[str]:
    mine = f"route-{uuid4().hex[:8]}/"
    yield mine
    for name in oracle.kv().names(mine):
        oracle.kv().delete(name)
    for row in oracle.r2().list(prefix=mine)["objects"]:
        oracle.r2().delete(row["key"])


def do(state: State, operation: str, **arguments: Any) -> tuple[Any, str]:
    """An operation's result, and the server it was written through."""
    one = state.watched()
    result = run(execute(one, operation, arguments, force=True))
    return result, one.answered.via


def put(state: State, key: str, value: object, **more: Any) -> str:
    return do(state, "kv.values.put", key=key, value=value, binding="CACHE", **more)[1]


def test_a_key_is_written_through_the_server_and_read_from_the_state(
    state: State, oracle: Oracle, prefix: str
) -> None:
    value = bytes(range(256))
    assert put(state, prefix + "a/ü", value, metadata={"by": ["ann", 0]}, ttl=600) == oracle.emulator.url
    assert oracle.kv().get(prefix + "a/ü") == value
    assert oracle.kv().metadata(prefix + "a/ü") == {"by": ["ann", 0]}
    found, via = do(state, "kv.values.get", key=prefix + "a/ü", binding="CACHE")
    assert (found.value, found.metadata, via) == (value, {"by": ["ann", 0]}, "")
    assert found.expiration is not None
    _, via = do(state, "kv.values.delete", key=(prefix + "a/ü", prefix + "none"), binding="CACHE")
    assert via == oracle.emulator.url
    assert oracle.kv().get(prefix + "a/ü") is None


def test_what_its_json_would_round_is_written_by_hand(state: State, oracle: Oracle, prefix: str) -> None:
    exact = {"n": [2**53 + 1], "real": 5.0}
    assert put(state, prefix + "big", "1", metadata=exact) == ""
    found, _ = do(state, "kv.values.get", key=prefix + "big", binding="CACHE")
    assert found.metadata == exact
    assert oracle.kv().get(prefix + "big") == b"1"


def test_a_namespace_that_no_server_has_bound_is_written_by_hand(
    state: State, oracle: Oracle, prefix: str
) -> None:
    kv = state.watched().backend.kv
    run(kv.put(f"unbound-{prefix[:-1]}", "key", b"value"))
    assert run(kv.get(f"unbound-{prefix[:-1]}", "key")).value == b"value"
    run(kv.delete_namespace(f"unbound-{prefix[:-1]}"))


def test_many_keys_go_in_a_few_requests(
    state: State, oracle: Oracle, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.backends.servers.kv.MOST_KEYS", 20)
    backend = state.watched().backend
    steps: list[int] = []
    entries = [KvValue(f"{prefix}{number:04}", b"%d" % number, None, None) for number in range(50)]
    assert run(backend.kv.put_many(CACHE, entries, lambda done, total: steps.append(done))) == 50
    assert (steps, backend.via) == ([20, 40, 50], oracle.emulator.url)
    assert len(oracle.kv().names(prefix)) == 50
    names = [entry.name for entry in entries] + [prefix + "not there"]
    assert run(backend.kv.delete_many(CACHE, names)) == 50
    assert not oracle.kv().names(prefix)


def test_the_same_is_refused_with_a_server_as_without(state: State, prefix: str) -> None:
    for key, more in ((prefix + "x" * 600, {}), (prefix + "soon", {"ttl": 5})):
        with pytest.raises(WorkbenchError) as caught:
            put(state, key, "1", **more)
        assert caught.value.code in ("kv.key_too_long", "kv.bad_expiration")


def test_an_object_is_written_through_the_server_unless_it_would_lose_something(
    state: State, oracle: Oracle, prefix: str
) -> None:
    def write(key: str, body: bytes, **more: Any) -> tuple[Any, str]:
        return do(state, "r2.objects.put", key=prefix + key, bucket="files", file=[body], **more)

    made, via = write("small", b"hello", content_type="text/plain")
    assert via == oracle.emulator.url
    seen = oracle.r2().get(prefix + "small")
    assert seen is not None
    assert (seen["value"], seen["etag"], seen["version"]) == (b"hello", made.etag, made.version)
    assert made.http_metadata == {"contentType": "text/plain"}
    made, via = write("cached", b"hello", cache_control="max-age=60")
    assert (via, made.http_metadata) == ("", {"cacheControl": "max-age=60"})
    made, via = write("large", bytes(9 << 20))
    assert (via, made.size) == ("", 9 << 20)
    backend = state.watched().backend
    names = [prefix + name for name in ("small", "cached", "large", "none")]
    assert run(backend.r2.delete_many("files", names)) == 3
    assert backend.via == oracle.emulator.url
    assert not oracle.r2().list(prefix=prefix)["objects"]


def test_the_command_line_says_which_way_it_went(oracle: Oracle, prefix: str, tmp_path: Path) -> None:
    argv = ("kv", "values", "put", prefix + "cli", "--value", "1", "--binding", "CACHE")
    written = cfwb(*argv, cwd=oracle.project, home=tmp_path)
    assert written.json["target"] == {
        "kind": "local",
        "source": str(oracle.emulator.persist_to),
        "via": oracle.emulator.url,
    }
    read = cfwb("kv", "keys", "list", "--binding", "CACHE", cwd=oracle.project, home=tmp_path)
    assert set(read.json["target"]) == {"kind", "source"}


def test_an_instance_is_driven_through_the_server(state: State, oracle: Oracle) -> None:
    made, via = do(state, "workflows.instances.create", workflow="orders", params={"kind": "wait"})
    assert via == oracle.emulator.url
    for step, status in (("pause", "paused"), ("resume", "running"), ("terminate", "terminated")):
        driven, _ = do(state, f"workflows.instances.{step}", id=made.id, workflow="orders")
        assert driven.status in (status, "waiting", "waitingForPause"), step
    assert oracle.orders.status(made.id)["status"] == "terminated"


def test_ps_and_lsof_find_the_same_servers(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.backends.servers import finding

    project = load(str(oracle.project))
    seen = finding.on_state(project)
    assert [server.url for server in seen] == [oracle.emulator.url]
    monkeypatch.setattr(finding, "look", OtherProcesses)
    if not OtherProcesses().holders(project.state_directory):
        pytest.skip("lsof is not here")
    assert [(one.url, one.pid, one.kind, one.folder) for one in finding.on_state(project)] == [
        (one.url, one.pid, one.kind, one.folder) for one in seen
    ]


def test_a_server_that_says_nothing_and_one_that_goes_away(oracle_factory: OracleFactory) -> None:
    oracle = oracle_factory()
    project = load(str(oracle.project))
    backend = ServedBackend(project)
    backend._shared.append(Route(project, Timeouts(connect=2.0, silence=0.5)))
    state = State(project, backend, backend.target)
    assert put(state, "before", "1") == oracle.emulator.url

    group = oracle.emulator.pid
    os.killpg(group, signal.SIGSTOP)
    try:
        with pytest.raises(WorkbenchError) as caught:
            put(state, "frozen", "1")
        assert caught.value.code == "live.outcome_unknown"
        with pytest.raises(WorkbenchError) as caught:
            do(state, "r2.objects.put", key="frozen", bucket="files", file=[b"1"])
        assert caught.value.code == "live.outcome_unknown"
        with pytest.raises(WorkbenchError) as caught:
            do(state, "workflows.instances.create", workflow="orders", id="frozen", params={})
        assert caught.value.code in ("remote.unreachable", "remote.outcome_unknown")
    finally:
        os.killpg(group, signal.SIGCONT)
    oracle.kill()
    assert put(state, "after", "2") == ""
    assert run(backend.kv.get(CACHE, "after")).value == b"2"
    capability = state.backend.capability("workflow_control")
    assert not capability.available and "cfwb servers start" in capability.why_not
    oracle.emulator.run()
    assert oracle.kv().get("after") == b"2"
    assert put(state, "again", "3") == oracle.emulator.url
    backend.close()
