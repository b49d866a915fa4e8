"""The terminal pane end to end: a program in a sandbox, the hub, the window as a process of its own on a PTY; against tmux there.

6 MB of coloured listing until its last line is seen, and from a key to its echo while a program floods the screen: the slowest
hundredth, as that is what a hand feels. What either writes to its PTY is read by the same screen here.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable

import pytest
from tests.support.hubs import Home, a_home

from benchmarks.harness import Ratio, of_pairs, ordinary, script
from benchmarks.terminal import listing
from workbench.terminal import Terminal

WINDOW, TMUX = (160, 50), (120, 46)
"""Columns and lines: in both the program has 120x45."""
SERVER = f"bench-{os.getpid()}"
"""The name of tmux's socket."""
RUNS = 3
KEYS = 100
"""Keys of a round: the slowest hundredth is the second slowest."""
SYNCHRONIZED = b"\x1b[?2026h"
"""Begins a frame of the window."""

FLOOD = """
import os, select, sys, termios, tty
kept = termios.tcgetattr(0)
tty.setraw(0)
lines = os.get_terminal_size().lines
data, at, keys = open(sys.argv[1], "rb").read(), 0, 0
def status():
    os.write(1, b"\\x1b7\\x1b[%d;1H\\x1b[0mkeys: %d.\\x1b8" % (lines, keys))
os.write(1, b"\\x1b[2J\\x1b[1;%dr" % (lines - 1))
status()
while True:
    if select.select([0], [], [], 0)[0]:
        typed = os.read(0, 100)
        if b"q" in typed:
            break
        keys += len(typed)
        status()
    os.write(1, data[at : at + 4096])
    at = (at + 4096) % len(data)
os.write(1, b"\\x1b[r\\x1b[2J\\x1b[H")
termios.tcsetattr(0, termios.TCSADRAIN, kept)
"""


def run() -> list[Ratio]:
    found: list[Ratio] = []
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for home in a_home(patch):
            found = _measured(home, folder)
    return found


def _measured(home: Home, folder: str) -> list[Ratio]:
    files = {"listing": listing(), "flood.py": FLOOD.encode()}
    asyncio.run(_prepared(home, files))
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    ours = Outer([script("cfwb"), "--project", str(home.project)], str(home.project), WINDOW)
    theirs = Outer(["tmux", "-L", SERVER, "-f", "/dev/null", "new", "sh"], folder, TMUX)
    try:
        _to_a_terminal(ours)
        for side in (ours, theirs):
            side.type("PS1=ben'ch> '; clear\r")
            side.until(lambda side=side: side.shows("bench>"))  # type: ignore[misc]
        return [_throughput(ours, theirs), _echo(ours, theirs)]
    finally:
        subprocess.run(["tmux", "-L", SERVER, "kill-server"], check=False)
        theirs.end()
        ours.end()


async def _prepared(home: Home, files: dict[str, bytes]) -> None:
    server = home.server()
    await server.create({"name": "it", "sleep_after": None})
    for name, data in files.items():
        await server.files.put("it", f"/tmp/{name}", [data])
    await server.close()


def _to_a_terminal(window: "Outer") -> None:
    """From the start to a shell in the sandbox that has the keyboard."""
    window.until(lambda: window.shows("Sandboxes"))
    window.type("\x1b[F\x1b[A\r")
    window.until(lambda: window.shows("t opens one"))
    window.type("t")
    window.until(lambda: window.shows("you type"))


def _throughput(ours: "Outer", theirs: "Outer") -> Ratio:
    pairs, frames, gaps = [], [], []
    for _ in range(RUNS + 1):
        taken = []
        for side in (ours, theirs):
            folder = "/tmp" if side is ours else side.folder
            side.type("clear\r")
            side.until(lambda side=side: not side.shows("the end"))  # type: ignore[misc]
            side.frames.clear()
            began = time.perf_counter()
            side.type(f"cat {folder}/listing; printf 'the %s\\n' end\r")
            side.until(lambda side=side: side.shows("the end"))  # type: ignore[misc]
            taken.append(time.perf_counter() - began)
        frames.append(len(ours.frames) / taken[0])
        gaps.append(max(after - before for before, after in zip(ours.frames, ours.frames[1:], strict=False)))
        pairs.append((taken[0], taken[1]))
    note = f"{statistics.median(frames):.0f} frames a second, {max(gaps[1:]) * 1000:.0f} ms the longest without one"
    return of_pairs(
        "6 MB of coloured listing in a sandbox's pane, against tmux", pairs[1:], limit=5, note=note
    )


def _echo(ours: "Outer", theirs: "Outer") -> Ratio:
    pairs, middle = [], []
    for _ in range(RUNS + 1):
        taken = []
        for side in (ours, theirs):
            folder = "/tmp" if side is ours else side.folder
            side.type(f"python3 {folder}/flood.py {folder}/listing\r")
            side.until(lambda side=side: side.shows("keys: 0."))  # type: ignore[misc]
            taken.append(sorted(_keys(side)))
            side.type("q")
            side.until(lambda side=side: side.shows("bench>") and not side.shows("keys:"))  # type: ignore[misc]
        pairs.append((taken[0][-2], taken[1][-2]))
        middle.append((taken[0][KEYS // 2], taken[1][KEYS // 2]))
    here, there = (statistics.median(one[side] for one in middle[1:]) * 1000 for side in (0, 1))
    note = f"the middle one {here:.0f} ms, {there:.0f} ms"
    return of_pairs(
        "a key's echo under a flood, the slowest hundredth, against tmux", pairs[1:], limit=15, note=note
    )


def _keys(side: "Outer") -> list[float]:
    """Seconds from each key to the screen that counts it."""
    chance = random.Random(7)
    found = []
    for number in range(1, KEYS + 1):
        began = time.perf_counter()
        side.type("k")
        side.until(lambda number=number: side.shows(f"keys: {number}."))  # type: ignore[misc]
        found.append(time.perf_counter() - began)
        side.read_for(chance.uniform(0.01, 0.05))
    return found


class Outer:
    """The terminal that a person would sit at: a PTY of its own, its output on a screen. frames: when each began."""

    def __init__(self, argv: list[str], folder: str, size: tuple[int, int]) -> None:
        self.folder = folder
        self.screen = Terminal(*size)
        self.frames: list[float] = []
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.chdir(folder)
            environment = ordinary({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"})
            environment.pop("TMUX", None)
            os.execvpe(argv[0], argv, environment)
        os.set_blocking(self.master, False)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self, within: float) -> bool:
        """Take what has come, or wait for it; whether something came."""
        if not select.select([self.master], [], [], within)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            raise RuntimeError(f"it has ended:\n{self.text}") from None
        if SYNCHRONIZED in data:
            self.frames.append(time.perf_counter())
        self.screen.feed(data)
        self.screen.take_events()
        answers = self.screen.take_answers()
        if answers:
            os.write(self.master, answers)
        return True

    def read_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def until(self, seen: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not seen():
            self.read(1)
            if time.monotonic() > end:
                raise TimeoutError(self.text)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.text(row) for row in self.screen.rows)

    def shows(self, text: str) -> bool:
        return any(text in self.screen.text(row) for row in self.screen.rows)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        os.close(self.master)
        os.waitpid(self.pid, 0)
