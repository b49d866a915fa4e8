"""What the hub costs on top of a sandbox: a command through it, a fork through it, and coming back to a full-screen program."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.support.hubs import Home, a_home

from benchmarks.harness import Ratio, of_pairs
from workbench.backends.sandboxes import SandboxServer
from workbench.sandbox.machine import Machine
from workbench.terminal import Terminal

RUNS = 20
FLOOD = 2 << 20  # bytes a full-screen program has written before somebody comes back


def run() -> list[Ratio]:
    found: list[Ratio] = []
    with pytest.MonkeyPatch.context() as patch:
        for home in a_home(patch):
            found += asyncio.run(_measured(home))
    return found


async def _measured(home: Home) -> list[Ratio]:
    server = home.server()
    await server.create({"name": "it", "sleep_after": None})
    try:
        return [await _executed(server), await _made(server), await _forked(server), await _come_back(server)]
    finally:
        await server.close()


def _bare() -> float:
    """Seconds of `bwrap --ro-bind / / true`."""
    found = Machine().bubblewrap
    assert found is not None
    began = time.perf_counter()
    subprocess.run([found.path, "--unshare-all", "--ro-bind", "/", "/", "true"], check=True)
    return time.perf_counter() - began


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def _true(server: SandboxServer, sandbox: str = "it") -> None:
    running = await server.exec(sandbox, ["true"])
    async for _ in running:
        pass
    assert running.exit_code == 0


async def _executed(server: SandboxServer) -> Ratio:
    pairs = [(await _timed(lambda: _true(server)), _bare()) for _ in range(RUNS + 1)]
    return of_pairs("exec true through the hub, against bwrap true", pairs[1:], limit=4)


async def _made(server: SandboxServer) -> Ratio:
    pairs = []
    for number in range(RUNS // 2 + 1):
        name = f"made-{number}"
        pairs.append((await _timed(lambda name=name: server.create({"name": name})), _bare()))  # type: ignore[misc]
        await server.delete(name)
    return of_pairs("a sandbox made through the hub and ready, against bwrap true", pairs[1:], limit=40)


async def _forked(server: SandboxServer) -> Ratio:
    """Four at once from a snapshot, against one made anew: what one of them costs."""
    await server.snapshots.create("it", "state")
    pairs = []
    for number in range(RUNS // 4 + 1):
        names = [f"fork-{number}-{each}" for each in range(4)]
        four = await _timed(lambda names=names: server.fork("it", names, "state"))  # type: ignore[misc]
        one = await _timed(lambda number=number: server.create({"name": f"one-{number}"}))  # type: ignore[misc]
        pairs.append((four / 4, one))
        for name in [*names, f"one-{number}"]:
            await server.delete(name)
    return of_pairs("a fork of four at once, against a new sandbox", pairs[1:], limit=2)


async def _shows(server: SandboxServer, terminal: str, text: str) -> None:
    """Wait until a terminal's screen holds a text."""
    link = await server.terminals.connect("it", terminal, 120, 40, policy="watch")
    screen = Terminal()
    async for item in link:
        if isinstance(item, bytes):
            screen = Terminal.restore(item) if item.startswith(b"cfwb terminal") else screen
            screen.feed(b"" if item.startswith(b"cfwb terminal") else item)
        if any(text in screen.text(row) for row in screen.rows):
            await link.aclose()
            return


async def _come_back(server: SandboxServer) -> Ratio:
    """The exact screen of a program that has painted for a while, against feeding all that it wrote to a screen again."""
    script = f"import sys, random; random.seed(1); size = 0\nwhile size < {FLOOD}:\n"
    script += " text = '\\033[%d;%dH\\033[3%dmcell %d' % (random.randrange(40), random.randrange(120), size % 8, size)\n"
    script += " size += len(text); sys.stdout.write(text)\nsys.stdout.flush(); print('the end', flush=True); input()"
    made = await server.terminals.create("it", ["python3", "-c", script], cols=120, rows=40)
    await _shows(server, made.id, "the end")
    held = b"".join([piece async for piece in server.terminals.recording("it", made.id)])
    events = [json.loads(line) for line in held.decode().splitlines()[1:]]
    written = b"".join(event[2].encode("utf-8", "surrogateescape") for event in events if event[1] == "o")

    async def back() -> Terminal:
        link = await server.terminals.connect("it", made.id, 120, 40)
        async for item in link:
            if isinstance(item, bytes):
                await link.aclose()
                return Terminal.restore(item)
        raise AssertionError

    def again() -> float:
        began = time.perf_counter()
        screen = Terminal(120, 40)
        screen.feed(written)
        return time.perf_counter() - began

    pairs = [(await _timed(back), again()) for _ in range(RUNS)]
    note = f"{os.path.basename(made.argv[0])} wrote {len(written) >> 10} KiB"
    return of_pairs("back to a full-screen program, against its output again", pairs[1:], limit=1, note=note)
