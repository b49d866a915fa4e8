"""Real programs, cell by cell against what tmux showed of the same bytes (scripts/record_terminal_programs.py recorded both).

tmux 3.3a is no judge of a few things, where xterm is followed, and which the recordings therefore do without: moving, erasing and
deleting while a wrap is pending; backspace in column 0; ICH at the right edge; REP past the margin or of anything but ASCII; `CSI a`,
`CSI e`, `CSI I`, DECSTR; lines inserted outside the margins; half of a wide character in the first columns; margins set in origin mode;
overline, which it prints as `5:3`.
"""

from __future__ import annotations

import base64
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from workbench.terminal import Style, Terminal
from workbench.terminal.styles import OVERLINE

FOLDER = Path(__file__).parent / "terminal"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "sequences")
Cells = list[list[tuple[str, Style]]]


def cells(terminal: Terminal) -> Cells:
    """Each row's cells, without the blanks at its end (a capture leaves erased ones out); a wide character is two cells."""
    found = []
    for row in terminal.rows:
        line = []
        for start, end, number in row.runs():
            style = terminal._screen.styles[number]
            style = style._replace(flags=style.flags & ~OVERLINE, link=None)
            line += [(terminal._screen.clusters.cluster(cell), style) for cell in row.text[start:end]]
        while line and line[-1][0] == " ":
            line.pop()
        found.append(line)
    return found


def shown_by_tmux(rows: list[str], columns: int) -> Cells:
    """The cells of a capture: its rows are text with SGR, and line drawing between SO and SI."""
    terminal = Terminal(columns, len(rows))
    terminal.feed(b"\x1b)0\x1b[?7l")
    for y, row in enumerate(rows):
        terminal.feed(f"\x1b[{y + 1}H{row}".encode())
    return cells(terminal)


def check(terminal: Terminal, rows: list[str], cursor: list[int], where: Any) -> None:
    ours, theirs = cells(terminal), shown_by_tmux(rows, terminal.columns)
    for y, (mine, other) in enumerate(zip(ours, theirs)):
        assert mine == other, (
            f"row {y} of {where}: {''.join(cell for cell, _ in mine)!r}, tmux {''.join(cell for cell, _ in other)!r}"
        )
    assert [terminal.cursor.x, terminal.cursor.y] == cursor, where


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_looks_as_in_tmux(name: str) -> None:
    kept = json.loads((FOLDER / f"{name}.json").read_text())
    output = lzma.decompress(base64.b85decode(kept["output"]))
    terminal = Terminal(kept["columns"], kept["lines"])
    done = 0
    for number, shown in enumerate(kept["checks"]):
        terminal.feed(output[done : shown["at"]])
        done = shown["at"]
        if shown["rows"] is not None:
            check(terminal, shown["rows"], shown["cursor"], f"{name}, screen {number}")


def screens(name: str) -> list[list[str]]:
    """The rows of a recording at each of its pauses."""
    kept = json.loads((FOLDER / f"{name}.json").read_text())
    output = lzma.decompress(base64.b85decode(kept["output"]))
    found = []
    for shown in kept["checks"]:
        terminal = Terminal(kept["columns"], kept["lines"])
        terminal.feed(output[: shown["at"]])
        found.append([terminal.text(row) for row in terminal.rows])
    return found


def test_where_tmux_fails_vttest_says_what_is_right() -> None:
    frame, wrapped, again = screens("vttest1")[2:5]
    assert all(row.startswith("*+ ") and row.endswith(" +*") and len(row) == 80 for row in frame[2:8])
    for rows in (wrapped, again):  # "the left/right margins should have letters in order"
        assert [row[0] + row[79] for row in rows[2:20]] == [
            chr(code) + chr(code + 32) for code in range(ord("I"), ord("Z") + 1)
        ]
    assert screens("vttest2")[11][23] == "Origin mode test. This line should be at the bottom of the screen."


def test_sequences_look_as_in_tmux() -> None:
    for kept in json.loads((FOLDER / "sequences.json").read_text()):
        terminal = Terminal(16, 6)
        terminal.feed(kept["output"].encode())
        check(terminal, kept["rows"], kept["cursor"], kept["output"])


def test_the_programs_that_people_use_are_there() -> None:
    assert {
        "bash",
        "vim",
        "less",
        "htop",
        "python",
        "tmux",
        "nano",
        "fzf",
        "cfwb",
        "vttest1",
        "sequences",
    } <= {
        *PROGRAMS,
        "sequences",
    }
