"""What lies in the state directory is listed as what it is, down to the last file; starting over removes it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import OracleFactory
from tests.support.oracle import Oracle
from tests.support.sample import sample
from workbench.backends.local import LocalBackend
from workbench.backends.local.inventory import LEFTOVER
from workbench.model.errors import WorkbenchError
from workbench.model.state import StateEntry
from workbench.project import load


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return Path(sample(tmp_path))


def backend_of(folder: Path, **options: Any) -> LocalBackend:
    return LocalBackend(load(str(folder), **options))


async def entries_of(folder: Path) -> list[StateEntry]:
    return await backend_of(folder).state.entries()


def files_below(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return [path for path in found if not path.name.endswith("-shm")]  # SQLite's own scratch file


def by_resource(entries: list[StateEntry], kind: str) -> dict[str | None, StateEntry]:
    return {entry.resource: entry for entry in entries if entry.kind == kind}


async def test_every_product_of_the_demo_is_listed_and_every_byte_once(demo: Path) -> None:
    state = demo / ".wrangler" / "state"
    files = files_below(state / "v3")
    sizes = sum(path.stat().st_size for path in files)
    entries = await entries_of(demo)
    assert sum(entry.files for entry in entries) == len(files)
    assert sum(entry.size_bytes for entry in entries) == sizes
    assert all((state / entry.path).exists() for entry in entries)
    assert {"kv", "r2", "d1", "durable_object", "workflow", "cache", "observability"} <= {
        entry.kind for entry in entries
    }
    assert by_resource(entries, "kv")["sessions-preview"].bound
    assert by_resource(entries, "r2")["files"].bound
    assert by_resource(entries, "workflow")["billing-flow"].bound
    assert "ctx.exports" in by_resource(entries, "durable_object")["shop-api-Auditor"].note
    assert "foreign" not in {entry.kind for entry in entries}


async def test_looking_changes_nothing(demo: Path) -> None:
    def look() -> dict[str, tuple[int, int]]:
        found = files_below(demo / ".wrangler" / "state")
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}

    before = look()
    await entries_of(demo)
    assert look() == before


async def test_state_that_the_config_dropped_is_listed_as_not_bound(demo: Path) -> None:
    (demo / "wrangler.jsonc").write_text('{"name": "shop-api", "main": "src/index.js"}')
    entries = await entries_of(demo)
    assert not by_resource(entries, "kv")["sessions-preview"].bound
    assert "no configuration names this class" in by_resource(entries, "durable_object")["shop-api-Cart"].note
    d1 = by_resource(entries, "d1")
    assert list(d1) == [None]
    assert "name is not known" in d1[None].note


async def test_foreign_and_unknown_things_are_listed_as_such(demo: Path) -> None:
    root = demo / ".wrangler" / "state" / "v3"
    (root / "notes.txt").write_text("mine")
    (root / "photos" / "2026").mkdir(parents=True)
    (root / "photos" / "2026" / "a.png").write_bytes(b"png")
    (root / "teleport" / "miniflare-Teleport").mkdir(parents=True)
    (root / "teleport" / "miniflare-Teleport" / "a.sqlite").write_bytes(b"")
    (root / "kv" / "miniflare-KVNamespaceObject" / "copy.bak").write_text("mine")
    (root / "kv" / "gone" / "blobs").mkdir(parents=True)
    (root / "kv" / "gone" / "blobs" / "ab").write_text("value")
    (root / "link").symlink_to("/")
    found = {entry.path.removeprefix("v3/"): entry for entry in await entries_of(demo)}
    assert found["notes.txt"].kind == found["photos"].kind == "foreign"
    assert found["photos"].size_bytes == 3
    assert found["teleport"].kind == "unknown"
    assert found["kv/miniflare-KVNamespaceObject/copy.bak"].kind == "foreign"
    assert "database is missing" in found["kv/gone"].note
    assert found["link"].note == "a link, not followed"
    assert found["link"].files == 1


async def test_a_broken_database_is_said_to_be_broken_and_the_others_are_listed(demo: Path) -> None:
    r2 = next((demo / ".wrangler/state/v3/r2/miniflare-R2BucketObject").glob("[0-9a-f]*[0-9a-f].sqlite"))
    d1 = next((demo / ".wrangler/state/v3/d1/miniflare-D1DatabaseObject").glob("[0-9a-f]*[0-9a-f].sqlite"))
    r2.write_bytes(r2.read_bytes()[:1000])
    d1.write_bytes(b"not a database at all. " * 512)
    entries = await entries_of(demo)
    assert "cut short" in by_resource(entries, "r2")["files"].note
    assert "not a SQLite database" in next(entry for entry in entries if entry.kind == "d1").note
    assert "; " not in by_resource(entries, "kv")["sessions-preview"].note


async def test_no_state_yet_is_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "wrangler.jsonc").write_text('{"name": "shop"}')
    assert await entries_of(tmp_path) == []
    assert (await backend_of(tmp_path).state.delete()).total == 0


async def test_a_dry_run_names_what_goes_and_removes_nothing(demo: Path) -> None:
    before = files_below(demo)
    removal = await backend_of(demo).state.delete(dry_run=True)
    assert files_below(demo) == before
    assert removal.dry_run
    assert removal.total == len(removal.removed) == len(await entries_of(demo))
    assert any("billing-flow" in line for line in removal.removed)


async def test_without_a_server_the_files_go_and_foreign_ones_stay(demo: Path) -> None:
    root = demo / ".wrangler" / "state" / "v3"
    (root / "notes.txt").write_text("mine")
    (root / "photos").mkdir()
    (root / "photos" / "a.png").write_bytes(b"png")
    (root / f"{LEFTOVER}ab-kv").mkdir()
    removal = await backend_of(demo).state.delete()
    assert sorted(path.name for path in root.iterdir()) == ["notes.txt", "photos"]
    assert "notes.txt" in removal.note
    assert not removal.needs_restart
    assert (demo / "wrangler.jsonc").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="not on this machine: root may remove anything")
async def test_what_cannot_be_removed_is_an_error_that_names_it(demo: Path) -> None:
    root = demo / ".wrangler" / "state" / "v3"
    root.chmod(0o500)
    with pytest.raises(WorkbenchError) as raised:
        await backend_of(demo).state.delete()
    root.chmod(0o700)
    assert raised.value.code == "state.not_removed"


def fill(oracle: Oracle) -> None:
    oracle.kv().put("a", b"value")
    oracle.kv("OTHER").put("b", b"value")
    oracle.r2().put("file", b"body")
    oracle.d1().exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    oracle.durable_object("Tenant", "acme").put("key", 1)
    oracle.durable_object("AppRunner", "app").facet("inner").put("key", 2)


def is_empty(oracle: Oracle) -> bool:
    return (
        oracle.kv().get("a") is None
        and oracle.kv("OTHER").get("b") is None
        and oracle.r2().head("file") is None
        and not oracle.d1().rows("SELECT name FROM sqlite_master WHERE name = 't'")
        and oracle.durable_object("Tenant", "acme").list() == {}
    )


@pytest.fixture
def filled(oracle_factory: OracleFactory) -> Oracle:
    oracle = oracle_factory()
    fill(oracle)
    return oracle


async def test_beside_a_running_server_everything_is_emptied_and_the_worker_goes_on(filled: Oracle) -> None:
    backend = backend_of(filled.project)
    assert backend.server_running()
    kinds = {entry.kind for entry in await backend.state.entries()}
    assert {"kv", "r2", "d1", "durable_object"} <= kinds
    dry = await backend.state.delete(dry_run=True)
    assert not is_empty(filled)
    removal = await backend.state.delete()
    assert removal.total == dry.total
    assert is_empty(filled)
    assert "could not" not in removal.note, removal.note
    filled.kv().put("a", b"again")
    filled.r2().put("file", b"again")
    filled.d1().exec("CREATE TABLE t (a)")
    assert filled.kv().get("a") == b"again"


async def test_after_the_files_went_the_server_starts_on_an_empty_state(filled: Oracle) -> None:
    filled.stop()
    backend = backend_of(filled.project)
    assert not backend.server_running()
    removal = await backend.state.delete()
    assert removal.total
    assert files_below(filled.state) == []
    filled.restart()
    assert is_empty(filled)
    fill(filled)
    assert not is_empty(filled)


async def test_a_state_copied_elsewhere_is_listed_there(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo / ".wrangler" / "state", tmp_path / "kept")
    there = await backend_of(demo, persist_to=str(tmp_path / "kept")).state.entries()
    assert there == await entries_of(demo)
