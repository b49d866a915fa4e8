"""The time from starting the process to what it first paints on its terminal, against an empty Textual application.

Nothing in the application helps: this is the terminal, 80x24, and reads what is written to it.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time

from benchmarks.harness import Ratio, of_pairs, ordinary, script
from workbench.demo import unpack

COLUMNS, ROWS = 80, 24
RUNS = 15
SECONDS = 30
LAST_ROW = f"\x1b[{ROWS};".encode()
"""Textual moves the cursor to the start of each row that it paints: after this one the frame is whole."""
TREE = b"AppRunner"
"""In the sample's tree, so the project was read."""
EMPTY = "from textual.app import App\nApp().run()\n"


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        project = unpack(folder)
        environment = ordinary(
            {
                "XDG_STATE_HOME": os.path.join(folder, "state"),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            }
        )
        ours = [script("cfwb"), "--project", project]
        empty = [sys.executable, "-c", EMPTY]
        taken = [
            (painted(ours, environment, LAST_ROW, TREE), painted(empty, environment, LAST_ROW))
            for _ in range(RUNS + 1)
        ][1:]
        return [
            of_pairs(name, [(ours[mark], empty[0]) for ours, empty in taken], limit=limit)
            for name, mark, limit in (
                ("first painted screen against an empty Textual application", 0, 1.5),
                ("the tree of the project painted, against the first paint of the empty one", 1, 2),
            )
        ]


def painted(words: list[str], environment: dict[str, str], *marks: bytes) -> list[float]:
    """Seconds from the start until the output holds each mark; the process is ended then."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execve(words[0], words, environment)
    try:
        return _watch(terminal, began, marks)
    finally:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _watch(terminal: int, began: float, marks: tuple[bytes, ...]) -> list[float]:
    output = b""
    seen: list[float] = []
    while len(seen) < len(marks):
        ready, _, _ = select.select([terminal], [], [], max(0.0, began + SECONDS - time.perf_counter()))
        if not ready:
            raise RuntimeError(f"not painted within {SECONDS} s: {output[-2000:]!r}")
        output += os.read(terminal, 65536)
        while len(seen) < len(marks) and marks[len(seen)] in output:
            seen.append(time.perf_counter() - began)
    return seen
