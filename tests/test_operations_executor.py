"""The one door: what it checks, what it asks, and what the user's words mean."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.sample import sample
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.operations.executor import State, drive, execute, open_state, sql_session


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(sample(tmp_path))


def run(state: State | None, operation: str, /, **arguments: Any) -> Any:
    options = {name: arguments.pop(name) for name in ("force", "dry_run", "confirm") if name in arguments}
    return drive(execute(state, operation, arguments, **options))


def two_workers(tmp_path: Path) -> Path:
    """Two Workers that share a folder's state, with the same binding on different namespaces."""
    for name, id in (("wrangler.jsonc", "first"), ("wrangler.b.jsonc", "second")):
        config = {
            "name": f"worker-{id}",
            "kv_namespaces": [
                {"binding": "KV", "id": id},
                {"binding": f"ONLY_{id.upper()}", "id": f"only-{id}"},
            ],
            "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
            "migrations": [{"tag": "v1", "new_sqlite_classes": ["Room"]}],
        }
        (tmp_path / name).write_text(json.dumps(config))
    return tmp_path


def test_arguments_are_checked_before_anything_runs(state: State) -> None:
    for arguments, message in (
        ({"binding": "CACHE", "nope": 1}, "no parameter 'nope'"),
        ({"binding": 5}, "--binding wants text, not int"),
        ({"binding": "CACHE", "limit": True}, "--limit wants a whole number"),
        ({"binding": "CACHE", "limit": 0}, "--limit is at least 1"),
        ({"binding": "CACHE", "prefix": "\ud800"}, "--prefix is not valid Unicode"),
    ):
        with pytest.raises(UsageError, match=message):
            run(state, "kv.keys.list", **arguments)
    with pytest.raises(UsageError, match="KEY is missing"):
        run(state, "kv.values.get", binding="CACHE")
    with pytest.raises(UsageError, match="wants a list"):
        run(state, "kv.values.delete", binding="CACHE", key="config/motd", force=True)
    with pytest.raises(UsageError, match="no operation"):
        run(state, "kv.keys.eat")
    with pytest.raises(UsageError, match="one of sql, csv, json"):
        run(state, "d1.export", format="xml")


def test_what_destroys_asks_and_takes_no_for_an_answer(state: State) -> None:
    asked = []

    def refuse(question: Any) -> bool:
        asked.append((question.operation, question.target.kind, question.removal.removed))
        return False

    with pytest.raises(WorkbenchError, match="needs --force"):
        run(state, "kv.values.delete", binding="CACHE", key=["config/motd"])
    with pytest.raises(WorkbenchError, match="nothing was changed"):
        run(state, "kv.values.delete", binding="CACHE", key=["config/motd"], confirm=refuse)
    assert asked == [("kv.values.delete", "local", ["key config/motd"])]
    assert run(state, "kv.values.get", binding="CACHE", key="config/motd").value
    assert run(state, "kv.values.delete", binding="CACHE", key=["config/motd"], dry_run=True).dry_run
    assert run(state, "kv.values.get", binding="CACHE", key="config/motd").value
    removal = run(
        state, "kv.values.delete", binding="CACHE", key=["config/motd"], confirm=lambda question: True
    )
    assert (removal.total, removal.dry_run) == (1, False)
    with pytest.raises(WorkbenchError, match="config/motd"):
        run(state, "kv.values.get", binding="CACHE", key="config/motd")


def test_only_what_destroys_has_a_dry_run(state: State) -> None:
    with pytest.raises(UsageError, match="has no dry run"):
        run(state, "kv.values.put", binding="CACHE", key="k", value="v", dry_run=True)


def test_a_thing_is_named_by_binding_name_or_id(state: State) -> None:
    cache = state.bindings("kv")[0]
    assert drive(state.kv("CACHE")) == drive(state.kv(cache.resource_id)) == cache.resource_id
    assert (
        drive(state.bucket("FILES")) == drive(state.bucket("files")) == drive(state.bucket(None)) == "files"
    )
    database = state.bindings("d1")[0].resource_id
    assert (
        drive(state.database("DB"))
        == drive(state.database("shop"))
        == drive(state.database(database))
        == database
    )
    for name in ("Tenant", "TENANT", "shop-api-Tenant"):
        assert drive(state.namespace(name)) == "shop-api-Tenant"
    assert drive(state.namespace("Auditor")) == "shop-api-Auditor"
    assert (
        drive(state.workflow("BILLING"))
        == drive(state.workflow("billing-flow"))
        == drive(state.workflow())
        == "billing-flow"
    )


def test_what_is_not_there_is_said_with_what_is(state: State) -> None:
    for call, code, choice in (
        (state.kv("NOPE"), "kv.namespace_not_found", "CACHE"),
        (state.bucket("nope"), "r2.bucket_not_found", "files"),
        (state.database("nope"), "d1.database_not_found", "DB"),
        (state.namespace("Nope"), "do.namespace_not_found", "Tenant"),
        (state.workflow("nope"), "workflows.workflow_not_found", "billing-flow"),
    ):
        with pytest.raises(WorkbenchError) as caught:
            drive(call)
        assert caught.value.code == code
        assert choice in caught.value.hint


def test_a_flag_left_out_with_several_to_choose_from_lists_them(state: State) -> None:
    with pytest.raises(UsageError) as caught:
        run(state, "kv.keys.list")
    assert "CACHE, SESSIONS" in caught.value.message


def test_a_binding_of_two_workers_is_ambiguous_until_one_is_named(tmp_path: Path) -> None:
    state = open_state(str(two_workers(tmp_path)))
    assert len(state.project.workers) == 2
    with pytest.raises(UsageError) as caught:
        drive(state.kv("KV"))
    assert "first" in caught.value.message and "second" in caught.value.message
    named = State(state.project, state.backend, state.target, worker="worker-second")
    assert drive(named.kv("KV")) == "second"
    assert drive(state.kv("ONLY_FIRST")) == "only-first"


def test_a_binding_to_remote_data_is_not_the_local_one(tmp_path: Path) -> None:
    config = {"name": "w", "kv_namespaces": [{"binding": "KV", "id": "far", "remote": True}]}
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    state = open_state(str(tmp_path))
    with pytest.raises(WorkbenchError) as caught:
        drive(state.kv("KV"))
    assert caught.value.code == "kv.bound_to_remote"


def test_without_credentials_the_account_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("CLOUDFLARE_", "CF_", "XDG_"))]:
        monkeypatch.delenv(name)
    with pytest.raises(WorkbenchError) as caught:
        open_state(remote=True)
    assert caught.value.code == "remote.no_credentials"


def test_what_a_backend_cannot_do_is_refused_in_its_words(state: State) -> None:
    class Less:
        def capability(self, name: str) -> Any:
            from workbench.model.target import Capability

            return Capability(False, f"no {name} here")

    with pytest.raises(WorkbenchError, match="no kv here"):
        run(State(state.project, Less(), state.target), "kv.keys.list", binding="CACHE")  # type: ignore[arg-type]


def test_a_coroutine_that_waits_is_not_driven() -> None:
    import asyncio

    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(WorkbenchError) as caught:
        drive(waits())
    assert caught.value.code == "internal.suspended"


def test_long_work_is_watched_and_stopped(state: State, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(5):
        (tmp_path / "in" / str(number)).write_bytes(b"x" * 1000)
    cancel = Cancel()
    seen: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None) -> None:
        seen.append((done, total))
        if len(seen) == 2:
            cancel.cancel()

    with pytest.raises(WorkbenchError) as caught:
        run(state.watched(cancel, progress), "r2.objects.import", folder=str(tmp_path / "in"), prefix="up/")
    assert caught.value.code == "cancelled"
    assert seen == [(1000, 5000), (2000, 5000)]
    assert len(run(state, "r2.objects.list", prefix="up/").items) == 2


def test_a_console_keeps_its_transaction(state: State) -> None:
    session = drive(sql_session(state, "d1", database="shop"))
    for statement in ("BEGIN", "CREATE TABLE mine (a)", "INSERT INTO mine VALUES (1)"):
        stream = drive(session.stream(statement))
        drive(stream.fetch(10))
        drive(stream.close())
    assert session.in_transaction
    drive(session.close())
    with pytest.raises(WorkbenchError, match="mine"):
        run(state, "d1.query", sql="SELECT * FROM mine")
    with pytest.raises(UsageError):
        drive(sql_session(state, "kv"))


def test_a_null_is_a_value_of_an_entry_and_nothing_is_not(state: State) -> None:
    where = {"namespace": "AppRunner", "object": "my-app", "facet": ["app"]}
    assert run(state, "do.storage.put", key="n", value=None, **where).value is None
    assert run(state, "do.storage.get", key="n", **where).value is None
    with pytest.raises(UsageError, match="exactly one"):
        run(state, "do.storage.put", key="n", **where)
