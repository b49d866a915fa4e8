"""The ground the other tests stand on: the pinned emulator runs, and its oracle tells what the runtime reads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support import emulator as emulators
from tests.support.emulator import Emulator, EmulatorError
from tests.support.oracle import Oracle, OracleError, bigint, catalogue, js, plain


def _wait_for(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _has_status(oracle: Oracle, instance: str, status: str) -> bool:
    return bool(oracle.orders.status(instance)["status"] == status)


def test_the_pinned_versions_are_what_is_installed(emulator_install: Path) -> None:
    package = (emulator_install / "node_modules" / "wrangler" / "package.json").read_text()
    assert '"version": "4.164.0"' in package
    assert '"workerd": "1.20261117.1"' in package


def test_a_second_install_is_the_first_one(emulator_install: Path) -> None:
    before = os.stat(emulator_install).st_mtime_ns
    assert emulators.install() == emulator_install
    assert os.stat(emulator_install).st_mtime_ns == before


def test_the_emulator_gets_nothing_of_the_users_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "secret")
    environment = emulators.environment_of_emulator(tmp_path, {})
    assert "secret" not in environment.values()
    assert environment["HOME"].startswith(str(tmp_path))


def test_a_project_that_cannot_start_says_why(emulator_install: Path, tmp_path: Path) -> None:
    (tmp_path / "wrangler.json").write_text('{"name": "broken", "main": "missing.js"}')
    with pytest.raises(EmulatorError, match=r"missing\.js"):
        Emulator.start(tmp_path)


def test_stopping_leaves_no_process_behind(oracle_factory: Callable[[], Oracle]) -> None:
    running = oracle_factory()
    group = running.emulator.pid
    running.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_what_was_written_is_there_after_a_crash(oracle_factory: Callable[[], Oracle]) -> None:
    running = oracle_factory()
    running.kv().put("kept", b"yes")
    running.kill()
    running.emulator.run()
    assert running.kv().get("kept") == b"yes"


def test_two_workers_share_a_state_directory_in_turn(
    oracle_factory: Callable[..., Oracle], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    first = oracle_factory(shared)
    first.durable_object("Tenant", "acme").put("n", 4)
    first.stop()
    assert plain(oracle_factory(shared).durable_object("Tenant", "acme").get("n")) == 4


def test_kv_through_the_binding(oracle: Oracle) -> None:
    cache = oracle.kv("CACHE")
    cache.put("ground/binary", b"\0\xff", metadata={"a": [1]}, expiration=2_140_000_000)
    assert cache.get("ground/binary") == b"\0\xff"
    assert cache.list("ground/")["keys"] == [
        {"name": "ground/binary", "expiration": 2_140_000_000, "metadata": {"a": [1]}}
    ]
    cache.delete("ground/binary")
    assert cache.get("ground/binary") is None


def test_r2_through_the_binding(oracle: Oracle) -> None:
    files = oracle.r2()
    part = b"p" * (5 * 1024 * 1024)
    upload = files.create_upload("ground/big", httpMetadata={"contentType": "application/x-parts"})
    parts = [
        files.upload_part("ground/big", upload, number, data) for number, data in ((1, part), (2, b"end"))
    ]
    assert files.complete_upload("ground/big", upload, parts)["size"] == len(part) + 3
    found = files.get("ground/big", range={"suffix": 4})
    assert found is not None
    assert found["value"] == b"pend"
    assert files.list(prefix="ground/", include=["httpMetadata"])["objects"][0]["httpMetadata"] == {
        "contentType": "application/x-parts"
    }
    files.delete("ground/big")
    assert files.head("ground/big") is None
    files.abort_upload("ground/other", files.create_upload("ground/other"))


def test_d1_through_the_binding(oracle: Oracle) -> None:
    database = oracle.d1()
    database.exec("CREATE TABLE ground (id INTEGER PRIMARY KEY, body)")
    database.query("INSERT INTO ground (body) VALUES (?), (?), (?)", "text", b"\x01\x02", None)
    assert database.rows("SELECT * FROM ground") == [[1, "text"], [2, [1, 2]], [3, None]]
    assert database.batch("DELETE FROM ground", "DROP TABLE ground")[0]["meta"]["changes"] == 3
    with pytest.raises(OracleError, match="no such table: ground"):
        database.rows("SELECT * FROM ground")


def test_every_value_of_the_catalogue_reads_back_as_it_was_written(oracle: Oracle) -> None:
    room = oracle.durable_object("Tenant", "catalogue")
    names = room.put_catalogue()
    read = room.list()
    assert set(read) == set(names)
    assert len(names) > 70
    differing = {name for name in names if read[name] != oracle.describe(catalogue(name))}
    assert differing == set()


def test_objects_of_every_class_keep_their_values(oracle: Oracle) -> None:
    for class_name in ("Tenant", "AppRunner", "Unbound", "Legacy"):
        room = oracle.durable_object(class_name, "ground")
        room.async_put("answer", {"n": 42, "list": [1, "two", None]})
        assert plain(room.async_get("answer")) == {"n": 42, "list": [1, "two", None]}
        assert room.identity() == {"id": oracle.object_id(class_name, "ground"), "name": "ground"}
        room.delete_all()
        assert room.async_list() == {}


def test_code_from_the_loader_lives_in_facets_of_any_depth(oracle: Oracle) -> None:
    runner = oracle.durable_object("AppRunner", "facets")
    inner = runner.facet("app/ with: anything", "内")
    inner.put("big", bigint(2**70))
    inner.sql("CREATE TABLE notes (body)")
    inner.sql("INSERT INTO notes VALUES (?)", b"\x00\x01")
    assert inner.get("big") == {"type": "bigint", "value": str(2**70)}
    assert inner.sql("SELECT body FROM notes") == [[b"\x00\x01"]]
    assert runner.get("big") == {"type": "undefined"}
    runner.facet("temp").put("n", 1)
    runner.abort_facet("temp")
    assert plain(runner.facet("temp").get("n")) == 1
    runner.delete_facet("temp")
    index = oracle.state / "do" / "oracle-AppRunner" / f"{runner.identity()['id']}.facets"
    assert index.read_bytes()[:8].hex() == "57efb0c55bcecdc4"


def test_an_alarm_fires(oracle: Oracle) -> None:
    room = oracle.durable_object("Tenant", "alarms")
    later = 4_000_000_000_000
    room.set_alarm(later)
    assert room.alarm() == later
    room.delete_alarm()
    assert room.alarm() is None
    room.set_alarm(int(time.time() * 1000) + 200)
    _wait_for(lambda: room.get("alarms fired") == js(1))


def test_workflows_end_as_their_kind_says(oracle: Oracle) -> None:
    ended = {"finish": "complete", "fail": "errored", "refuse": "errored"}
    for kind in (*ended, "wait", "sleep"):
        oracle.orders.create(f"ground-{kind}", kind, order=7)
    for kind, status in ended.items():
        _wait_for(partial(_has_status, oracle, f"ground-{kind}", status))
    assert oracle.orders.status("ground-finish")["output"] == {"shipped": 7}
    oracle.orders.act("ground-sleep", "terminate")
    assert oracle.orders.status("ground-sleep")["status"] == "terminated"
    _wait_for(lambda: oracle.orders.status("ground-wait")["status"] in ("waiting", "running"))
    oracle.orders.send_event("ground-wait", "payment", {"paid": True})
    _wait_for(lambda: oracle.orders.status("ground-wait")["status"] == "complete")


def test_the_queue_reaches_its_consumer(oracle: Oracle) -> None:
    oracle.send_to_queue({"job": 1})
    other = oracle.kv("OTHER")
    _wait_for(lambda: other.names("queue/"))
    assert other.get(other.names("queue/")[0]) == b'{"job":1}'


def test_the_explorer_answers(oracle: Oracle) -> None:
    workers = oracle.emulator.explorer("/local/workers")["result"]
    assert [worker["name"] for worker in workers] == ["oracle"]
