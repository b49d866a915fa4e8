"""Broken files on screen: each pane says what is wrong with its own, everything else works, nothing is raised."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.support.local import WITHOUT_PRIVILEGES, in_child
from tests.support.ui import Window, demo, home, window
from workbench.backends.local import naming
from workbench.screens.pane import Locator

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]

CACHE, SESSIONS = "5f0c1d2e8a7b4c3d9e6f1a2b3c4d5e6f", "sessions-preview"
SHOP = "3d5b8f4e-7c21-4a9b-9f60-1e2d3c4b5a69"
RUNNER = "shop-api-AppRunner"
MY_APP = naming.id_from_name(RUNNER, "my-app")
WORKFLOW = "workflows/miniflare-workflows-billing-flow"


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def _foreign(path: Path) -> None:
    path.write_bytes(b"this is a letter to my aunt\n" * 500)


WRONG = ("is cut off", "is not a SQLite database")


def _files(project: str) -> dict[str, Path]:
    """A database of each product, at rest, by what it is of."""
    state = Path(project) / ".wrangler/state/v3"
    for path in state.rglob("*.sqlite"):
        connection = apsw.Connection(str(path))
        connection.execute("PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL").fetchall()
        connection.close()
    root = str(state.parent)
    objects = state / "do" / RUNNER
    instances = sorted(path for path in (state / WORKFLOW).glob("*.sqlite") if path.name != naming.METADATA)
    return {
        "kv": Path(naming.database_path(root, "kv", naming.KV, CACHE)),
        "r2": Path(naming.database_path(root, "r2", naming.R2, "files")),
        "d1": Path(naming.database_path(root, "d1", naming.D1, SHOP)),
        "object": objects / f"{MY_APP}.sqlite",
        "facet": objects / f"{MY_APP}.1.sqlite",
        "workflow": instances[0],
    }


async def _says_what_is_wrong(w: Window, said: tuple[str, ...] = WRONG) -> None:
    # A long path breaks words anywhere, and the tree stands at the left of each line.
    wanted = ["".join(phrase.split()) for phrase in said]
    await w.until(lambda: any(phrase in _centre(w) for phrase in wanted))


def _centre(w: Window) -> str:
    """What the pane says, without the spaces and borders."""
    lines = [
        line.partition("▕")[2].rpartition("▏")[2] or line.partition("▕")[2] for line in w.text.splitlines()
    ]
    return "".join("".join(lines).split())


async def _open(w: Window, locator: Locator) -> Any:
    await w.until("billing-flow")
    return await w.app.workbench.open(locator)


async def _nothing_happens(w: Window, *keys: str) -> None:
    """Keys that read, edit, delete and go: what can't be done is said, and nothing breaks."""
    for key in (
        *keys,
        "down",
        "enter",
        "e",
        "escape",
        "n",
        "escape",
        "d",
        "escape",
        "r",
        "f3",
        "f3",
        "escape",
    ):
        await w.press(key)


async def test_every_pane_says_what_is_wrong_with_its_own_file(demo: str) -> None:
    for number, path in enumerate(_files(demo).values()):
        (_truncated, _foreign)[number % 2](path)
    async with window(demo, (150, 50)) as w:
        for name in ("CACHE", "FILES", "shop"):
            await w.until(lambda name=name: w.line(f"    {name} ").split("▕")[0].rstrip().endswith("!"))
        for locator in (Locator("kv", CACHE), Locator("r2", "files")):
            await _open(w, locator)
            await _says_what_is_wrong(w)
            await _nothing_happens(w)
        console = await _open(w, Locator("d1", SHOP))
        await _says_what_is_wrong(w)
        console.run_text("SELECT 1")
        await w.pilot.pause()
        await _says_what_is_wrong(w)
        await _open(w, Locator("do_object", RUNNER, MY_APP))
        await w.until(lambda: sum("║ /" in line and "│ /" in line for line in w.text.splitlines()) == 1)
        await w.until("invoices")
        await _nothing_happens(w)
        facet = await _open(w, Locator("do_facet", RUNNER, MY_APP, ("app",), "sql"))
        await _says_what_is_wrong(w)
        facet.run_text("SELECT 1")
        await w.pilot.pause()
        await _says_what_is_wrong(w)
        await _open(w, Locator("workflow", "billing-flow"))
        await w.until("? ")
        await w.until("complete")
        await _nothing_happens(w, "end")
        # The others.
        await _open(w, Locator("kv", SESSIONS))
        await w.until("60 keys")
        other = await _open(w, Locator("do_facet", RUNNER, MY_APP, ("billing",), "sql"))
        other.run_text("SELECT count(*) AS invoices FROM invoices")
        await w.until("Result 1 ─ 1 row")
        await _open(w, Locator("state", "all"))
        await w.until("observability")


async def test_a_schema_of_another_version_is_named_and_not_touched(demo: str) -> None:
    files = _files(demo)
    for product in ("kv", "r2"):
        connection = apsw.Connection(str(files[product]))
        table = {"kv": "_mf_entries", "r2": "_mf_objects"}[product]
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN blob_id TO chunk_ids").fetchall()
        connection.close()
    before = {product: files[product].read_bytes() for product in ("kv", "r2")}
    async with window(demo, (150, 50)) as w:
        for locator in (Locator("kv", CACHE), Locator("r2", "files")):
            pane = await _open(w, locator)
            if locator.kind == "kv":
                pane.go("config/")
            await _says_what_is_wrong(w, ("is not laid out as",))
    assert {product: files[product].read_bytes() for product in ("kv", "r2")} == before


async def test_a_damaged_index_of_facets_costs_the_facets_and_not_the_object(demo: str) -> None:
    index = Path(demo) / ".wrangler/state/v3/do" / RUNNER / f"{MY_APP}.facets"
    _foreign(index)
    async with window(demo, (150, 50)) as w:
        await _open(w, Locator("do_object", RUNNER, MY_APP))
        await w.until("its facets are not known")
        await _says_what_is_wrong(w, ("the facet index is of a format that is not known",))
        await w.until("audit")
        await w.until("codeId")
        await _nothing_happens(w)
        await _open(w, Locator("do_facet", RUNNER, MY_APP, ("app",), "sql"))
        await _says_what_is_wrong(w, ("the facet index is of a format",))


async def test_a_value_whose_file_is_gone_is_said_to_be_missing(demo: str) -> None:
    for product, name in (("kv", CACHE), ("r2", "files")):
        shutil.rmtree(Path(demo) / ".wrangler/state/v3" / product / name / "blobs")
    async with window(demo, (150, 50)) as w:
        cache = await _open(w, Locator("kv", CACHE))
        cache.go("config/")
        await _says_what_is_wrong(w, ("is missing: its file in",))
        await w.press("e")
        await w.pilot.pause()
        await w.press("escape")
        bucket = await _open(w, Locator("r2", "files"))
        bucket.action_flat()
        await w.press("down")
        await _says_what_is_wrong(w, ("is missing",))


LOOKING = (
    WITHOUT_PRIVILEGES
    + """
import asyncio, json, sys
from tests.support.ui import window
from workbench.screens.pane import Locator
async def look():
    found = []
    async with window(sys.argv[1], (150, 50)) as w:
        await w.until("billing-flow")
        for words in json.loads(sys.argv[2]):
            await w.app.workbench.open(Locator(*words))
            await w.until(lambda: w.says("may not be read"))
            w.app.workbench.tabs.close_active()
            await w.gone("may not be read")
            found.append(words)
        await w.app.workbench.open(Locator("kv", "sessions-preview"))
        await w.until("60 keys")
    print(json.dumps(found))
asyncio.run(look())
"""
)


async def test_what_may_not_be_read_is_said_to_be_so_on_screen(demo: str) -> None:
    import json

    files = _files(demo)
    places = [["kv", CACHE], ["r2", "files"], ["d1", SHOP]]
    hidden = [files[product] for product in ("kv", "r2", "d1")]
    for path in hidden:
        path.chmod(0)
    try:
        assert in_child(LOOKING, demo, json.dumps(places)) == places
    finally:
        for path in hidden:
            path.chmod(0o644)
