"""A hub killed again and again in the middle of everything it does; whatever is left must be whole, and nothing must be left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path

import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.backends.sandboxes import SandboxServer, launch
from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk import Disk

home = pytest.fixture(a_home)


async def busy(server: SandboxServer, number: int) -> None:
    """One client that makes, uses, pictures, forks and deletes, for ever."""
    step = 0
    while True:
        step += 1
        name = f"w{number}-{step}"
        with contextlib.suppress(WorkbenchError):
            await server.create({"name": name})
            await server.files.put(name, "file", [name.encode()])
            await server.processes.start(name, ["sleep", "1000"], id="p")
            await server.snapshots.create(name, f"s-{name}")
            if step % 2:
                await server.stop(name)
                await server.snapshots.create(name)
            await server.fork(name, [f"{name}-fork"])
            await server.previews.create(name, 8000 + number)
            await server.delete(f"{name}-fork")
            if step % 3:
                await server.delete(name)


async def checked(home: Home) -> None:
    """What a new hub finds is whole: every sandbox runs, has its file or is new, and no folder, layer or process is anybody else's."""
    server = home.server()
    found = (await server.list()).items
    assert {row.state for row in found} <= {"running", "stopped", "asleep"}, found
    folders = set(os.listdir(home.places.sandboxes))
    assert folders == {row.id[:8] for row in found}
    for row in found:
        running = await server.exec(row.name, ["sh", "-c", "cat file 2>/dev/null || true"])
        said = b"".join([data async for _, data in running]).decode()
        assert running.exit_code == 0
        assert said in ("", row.name, row.name.removesuffix("-fork"))
    layers = [name for name in os.listdir(home.places.layers) if not name.startswith(".")]
    if not found and not await server.snapshots.list():
        assert layers == []
    for picture in await server.snapshots.list():
        await server.snapshots.get(picture.id)
    await server.close()


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.soak)])
async def test_it_is_killed_in_the_middle_of_everything(home: Home, rounds: int) -> None:
    needs_bubblewrap()
    chance = random.Random(rounds)
    for _ in range(rounds):
        server = home.server()
        await server.list()
        found = launch.find(home.places)
        assert found is not None
        working = [asyncio.ensure_future(busy(server, number)) for number in range(3)]
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        os.kill(found.pid, signal.SIGKILL)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await server.close()
        await asyncio.to_thread(launch.wait_until_gone, home.places, asyncio.get_running_loop().time() + 30)
        await checked(home)
    server = home.server()
    for row in (await server.list()).items:
        await server.delete(row.name)
    for picture in await server.snapshots.list():
        await server.snapshots.delete(picture.id)
    await server.close()
    gone = [Disk(str(Path(home.places.sandboxes) / name)) for name in os.listdir(home.places.sandboxes)]
    assert gone == []
    assert [name for name in os.listdir(home.places.layers) if not name.startswith(".")] == []
    assert not _with_open_files_in(home.places.data)


def _with_open_files_in(folder: str) -> list[str]:
    """Processes other than the hub whose working folder or root lies there: nothing of a deleted sandbox runs."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if folder in line and "workbench.hub" not in line:
                    found.append(line)
    return found
