"""The terminal against pyte's own screens on 6 MB of coloured `ls -lR`, the final screens equal; memory, snapshots, frames."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import pyte

from benchmarks.harness import Ratio, compare, of_pairs, seconds
from workbench.terminal import Style, Terminal

COLUMNS, LINES = 120, 40
SIZE = 6_000_000
_PIECE = 1 << 16
_COLOURS = ("default", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def listing(size: int = SIZE) -> bytes:
    """What `ls -lR --color` prints of a large tree, through a PTY (lines end in CR LF); the same on every run."""
    chance = random.Random(4)
    words = [
        "alpha",
        "beta",
        "core",
        "data",
        "edge",
        "graph",
        "host",
        "index",
        "job",
        "kernel",
        "lib",
        "main",
        "node",
    ]
    ends = (".py", ".so.1", "", ".tar.gz", "-dev", ".h", ".log")
    found: list[str] = []
    length = 0
    while length < size:
        folder = "/".join(chance.choices(words, k=chance.randrange(1, 5)))
        block = [f"./{folder}:\r\n", f"total {chance.randrange(4, 9000)}\r\n"]
        for _ in range(chance.randrange(3, 60)):
            name = "_".join(chance.choices(words, k=chance.randrange(1, 4))) + chance.choice(ends)
            kind = chance.random()
            if kind < 0.2:
                mode, name = "drwxr-xr-x", f"\x1b[01;34m{name}\x1b[0m"
            elif kind < 0.3:
                mode, name = "-rwxr-xr-x", f"\x1b[01;32m{name}\x1b[0m"
            elif kind < 0.4:
                mode, name = "lrwxrwxrwx", f"\x1b[01;36m{name}\x1b[0m -> \x1b[00m{name}.1\x1b[0m"
            elif kind < 0.5:
                mode, name = "-rw-r--r--", f"\x1b[01;31m{name}\x1b[0m"
            else:
                mode = "-rw-r--r--"
            block.append(
                f"{mode} {chance.randrange(1, 30):2} root root {chance.randrange(10**6):9} Nov {chance.randrange(1, 31):2} 12:00 {name}\r\n"
            )
        block.append("\r\n")
        found.append("".join(block))
        length += len(found[-1])
    return "".join(found).encode()[:size]


def pieces(data: bytes) -> Iterator[bytes]:
    """As a PTY gives it: 64 KiB at most."""
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def ours(data: bytes) -> Terminal:
    terminal = Terminal(COLUMNS, LINES)
    for piece in pieces(data):
        terminal.feed(piece)
    return terminal


def theirs(screen: pyte.Screen, data: bytes) -> pyte.Screen:
    stream = pyte.ByteStream(screen)
    for piece in pieces(data):
        stream.feed(piece)
    return screen


def check_equal(terminal: Terminal, screen: pyte.Screen) -> None:
    """The same characters, colours and weight in every cell, and the cursor in the same place."""
    plain = Style()
    for y, line in enumerate(terminal.rows):
        cells = [(character, run.style) for run in terminal.runs(line) for character in run.text]
        cells += [(" ", plain)] * (COLUMNS - len(cells))
        for x, (character, style) in enumerate(cells):
            char = screen.buffer[y][x]
            colour = (
                _COLOURS[style.foreground + 1]
                if style.foreground < 0
                else ("black", *_COLOURS[1:])[style.foreground]
            )
            if (char.data, char.fg, char.bold) != (character, colour, bool(style.flags & 1)):
                raise AssertionError(f"the screens differ at {x}, {y}: {char} and {character!r} {style}")
    if (screen.cursor.x, screen.cursor.y) != terminal.cursor[:2]:
        raise AssertionError("the cursors differ")


def run() -> list[Ratio]:
    data = listing()
    check_equal(ours(data), theirs(pyte.Screen(COLUMNS, LINES), data))
    note = f"{SIZE / seconds(lambda: ours(data)) / 1e6:.0f} MB/s with a scrollback of 50,000 lines"
    return [
        compare(
            "6 MB of coloured ls -lR, times faster than pyte.Screen",
            lambda: ours(data),
            lambda: theirs(pyte.Screen(COLUMNS, LINES), data),
            limit=15,
            at_most=False,
            runs=3,
            note=note,
        ),
        _history(data),
        _memory(data),
        _full_screen(),
        _snapshot(data),
        _frames(data),
    ]


def _history(data: bytes) -> Ratio:
    """Once: pyte needs the better part of a minute."""
    screen = pyte.HistoryScreen(COLUMNS, LINES, history=5000)
    peer = seconds(lambda: theirs(screen, data))
    check_equal(ours(data), screen)
    pairs = [(seconds(lambda: ours(data)), peer) for _ in range(3)]
    return of_pairs(
        "the same, times faster than pyte.HistoryScreen of 5,000 lines", pairs, limit=50, at_most=False
    )


_CHILD = """
import sys, pyte
from benchmarks.terminal import COLUMNS, LINES
from workbench.terminal import Terminal
what, path = sys.argv[1:]
screen = pyte.HistoryScreen(COLUMNS, LINES, history=5000)
feed = Terminal(COLUMNS, LINES).feed if what == "ours" else pyte.ByteStream(screen).feed
with open(path, "rb") as file:
    while piece := file.read(65536):
        feed(piece)
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""


def _memory(data: bytes) -> Ratio:
    """What 50,000 lines take, against what pyte's 5,000 do."""
    with tempfile.TemporaryDirectory() as folder:

        def peak(what: str, size: int) -> float:
            path = os.path.join(folder, f"{size}")
            with open(path, "wb") as file:
                file.write(data[:size])
            done = subprocess.run([sys.executable, "-c", _CHILD, what, path], capture_output=True, check=True)
            return int(done.stdout) / 1024

        bare = peak("ours", 1000)
        mine, pyte_history = peak("ours", SIZE) - bare, peak("pyte", 500_000) - bare
    name = "memory of 50,000 lines against pyte.HistoryScreen's 5,000 (MiB for ms)"
    return of_pairs(name, [(mine / 1000, pyte_history / 1000)], limit=0.2)


def redraws(frames: int = 1500) -> bytes:
    """A full-screen program at work: cursor addressing, short pieces of coloured text, erasing."""
    chance = random.Random(5)
    found = []
    for _ in range(frames):
        y = chance.randrange(1, LINES + 1)
        colour = chance.randrange(256)
        found.append(
            f"\x1b[{y};1H\x1b[7m{chance.randrange(10**5):5}\x1b[27m \x1b[38;5;{colour}m│ cpu {'█' * chance.randrange(40)}\x1b[0m\x1b[K"
        )
        found.append(
            f"\x1b[{y};80H\x1b[1;32m{chance.random():.3f}\x1b[m \x1b[2mload\x1b[22m\x1b[1G\x1b[?25l\x1b[?25h"
        )
    return "".join(found).encode()


def _full_screen() -> Ratio:
    data = redraws()
    return compare(
        "a full-screen program redrawing, times faster than pyte.Screen",
        lambda: ours(data),
        lambda: theirs(pyte.Screen(COLUMNS, LINES), data),
        limit=3,
        at_most=False,
        runs=5,
        note=f"{len(data) / seconds(lambda: ours(data)) / 1e6:.1f} MB/s",
    )


def _snapshot(data: bytes) -> Ratio:
    """Coming back to a terminal with 50,000 lines, against feeding it all again."""
    kept = ours(data).snapshot()
    return compare(
        "a snapshot taken up again, times faster than the output fed again",
        lambda: Terminal.restore(kept),
        lambda: ours(data),
        limit=2,
        at_most=False,
        runs=3,
        note=f"{len(kept) / 1024:.0f} KiB",
    )


def _frames(data: bytes) -> Ratio:
    """Frames of a flood: the runs of every dirty line after each 64 KiB, on top of the feeding."""

    def drawn() -> None:
        terminal = Terminal(COLUMNS, LINES)
        for piece in pieces(data):
            terminal.feed(piece)
            draw(terminal)

    return compare(
        "a flood with a frame each 64 KiB, against the flood alone",
        drawn,
        lambda: ours(data),
        limit=1.5,
        runs=5,
    )


def draw(terminal: Terminal, render: Callable[[list[object]], object] = tuple) -> None:
    """What a pane does at each frame, up to its own strips."""
    for y in terminal.take_dirty():
        line = terminal.rows[y]
        if line.cache is None:
            line.cache = render(list(terminal.runs(line)))
