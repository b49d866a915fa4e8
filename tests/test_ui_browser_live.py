"""The browser beside a running emulator: each sees what the other wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.ui import demo, home, window
from tests.test_ui_browser import at_cache, keys, to
from workbench.operations.executor import open_state

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]


def namespace_id(folder: str) -> str:
    """The id of CACHE."""
    state = open_state(folder)
    found = next(one.resource_id for one in state.bindings("kv") if one.name == "CACHE")
    state.backend.close()
    return str(found)


async def test_a_key_edited_in_the_browser_is_what_the_emulator_reads_and_its_writes_appear(
    demo: str, emulator_install: Path
) -> None:
    namespace = namespace_id(demo)
    with await asyncio.to_thread(Emulator.start, demo) as emulator:
        async with window(demo, (140, 40)) as w:
            await w.until(f"wrangler dev :{emulator.port} up")
            await at_cache(w, "config/")
            await to(w, "features")
            await w.press("e")
            await w.until("ctrl+s write")
            w.app.screen.query_one("#text").text = '{"edited": "while it runs"}'  # type: ignore[attr-defined]
            await w.press("ctrl+s")
            await w.gone("ctrl+s write")
            await w.press("f3")
            await w.until("last written through")
            await w.until(f"http://127.0.0.1:{emulator.port}")
            await w.press("f3")
            path = f"storage/kv/namespaces/{namespace}/values/config%2Ffeatures"
            _, body = await asyncio.to_thread(emulator.request, "GET", f"/cdn-cgi/explorer/api/{path}")
            assert body == b'{"edited": "while it runs"}'

            other = f"/cdn-cgi/explorer/api/storage/kv/namespaces/{namespace}/values/config%2Fby-the-emulator"
            status, _ = await asyncio.to_thread(emulator.request, "PUT", other, b"hello")
            assert status == 200
            await w.until("by-the-emulator")
            await to(w, "by-the-emulator")
            await w.until("hello")
            assert keys(w).current is not None
