"""Outputs for terminals to be fed, and all that can be seen of one."""

import random
from typing import Any

from workbench.terminal import Terminal

_TEXTS = [
    "a",
    "hello ",
    "x" * 33,
    "中文",
    "e\u0301",
    "👩‍👧",
    "─│",
    "ü",
    "\u200d",
    "\ufe0f",
    "\U00100001",
    "\u202e",
    "é\0",
    "\x9b",
    "\x7f",
]
_CONTROLS = ["\r\n", "\n", "\r", "\b", "\t", "\x07", "\x0e", "\x0f", "\x0b", "\x18", "\x1a"]
_STRINGS = [
    "\x1b]0;title\x07", "\x1b]2;a\nb\x1b\\", "\x1b]8;id=1;https://example.com/{n}\x1b\\", "\x1b]8;;\x07", "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]52;c;?\x07", "\x1b]4;{n};#ff0000\x07", "\x1b]4;{n};?\x07", "\x1b]104\x07", "\x1b]10;?\x07", "\x1b]11;rgb:11/22/33\x07",
    "\x1b]7;file:///x\x07",
    "\x1b]133;A\x07", "\x1b]133;D;{n}\x07", "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\", "\x1b_Gx\x1b\\", "\x1bXs\x07s\x1b\\", "\x1b]unfinished",
    "\x1bPq#0~",
]  # fmt: skip
_ESCAPES = [
    "7",
    "8",
    "c",
    "D",
    "E",
    "H",
    "M",
    "=",
    ">",
    "(0",
    ")0",
    "(B",
    "#8",
    "Z",
    "n",
    "%G",
    "\\",
    "(",
    " F",
    "N",
    "k",
]
_RENDITIONS = [
    "0",
    "1",
    "3",
    "4",
    "7",
    "9",
    "21",
    "31",
    "42",
    "38;5;9",
    "48;2;1;2;3",
    "38:2::9:8:7",
    "4:3",
    "58:5:1",
    "53",
    "39",
    "49",
]
_FINALS = "@ABCDEFGHIJKLMPSTXZ`abcdefghijklmnpqrstux"
_SETTINGS = [
    1,
    3,
    4,
    5,
    6,
    7,
    9,
    12,
    20,
    25,
    40,
    45,
    47,
    66,
    69,
    1000,
    1002,
    1003,
    1004,
    1005,
    1006,
    1007,
    1015,
    1016,
    1047,
    1048,
    1049,
    2004,
    2026,
]


def random_output(seed: int, pieces: int) -> bytes:
    """Output of about so many pieces: text, controls and sequences, some of them malformed, some of them only bytes."""
    chance = random.Random(seed)
    return b"".join(_piece(chance) for _ in range(pieces))


def _number(chance: random.Random) -> str:
    return chance.choice(
        ["", "0", "1", "2", "3", str(chance.randrange(30)), str(chance.randrange(300)), "4:3", "99999999999"]
    )


def _piece(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.3:
        return (chance.choice(_TEXTS) * chance.randrange(1, 4)).encode()
    if kind < 0.42:
        return chance.choice(_CONTROLS).encode()
    if kind < 0.52:
        parameters = ";".join(chance.choice(_RENDITIONS) for _ in range(chance.randrange(3)))
        return f"\x1b[{parameters}m".encode()
    if kind < 0.75:
        parameters = ";".join(_number(chance) for _ in range(chance.randrange(3)))
        prefix = chance.choice(["", "", "", "", "?", ">", "<", "=", "!"])
        between = chance.choice(["", "", "", "", "", " ", '"', "$", "'"])
        return f"\x1b[{prefix}{parameters}{between}{chance.choice(_FINALS)}".encode()
    if kind < 0.85:
        return (
            f"\x1b[{chance.choice(['?', '?', ''])}{chance.choice(_SETTINGS)}{chance.choice('hhlsr')}".encode()
        )
    if kind < 0.9:
        return ("\x1b" + chance.choice(_ESCAPES)).encode()
    if kind < 0.96:
        return chance.choice(_STRINGS).replace("{n}", str(chance.randrange(300))).encode()
    return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 6)))


def state(terminal: Terminal) -> dict[str, Any]:
    """All that can be seen of a terminal, and what decides on how it goes on; its invariants are checked on the way."""
    screen = terminal._screen
    for row in [*terminal.rows, *(screen.hidden_rows or ()), *terminal.scrollback]:
        assert len(row.text) == len(row.styles)
        assert not any(
            (character < " " and character != "\0") or "\x7f" <= character < "\xa0" for character in row.text
        ), row
        assert not any(
            half == "\0" and (not x or row.text[x - 1].isascii()) for x, half in enumerate(row.text)
        ), row
    for rows in (terminal.rows, screen.hidden_rows or terminal.rows):
        assert len(rows) == terminal.lines
        assert all(len(row.text) <= terminal.columns for row in rows)
    assert 0 <= terminal.cursor.x <= terminal.columns
    assert 0 <= terminal.cursor.y < terminal.lines
    return {
        "size": (terminal.columns, terminal.lines),
        "rows": [_line(terminal, row) for row in terminal.rows],
        "hidden": [_line(terminal, row) for row in screen.hidden_rows or ()],
        "scrollback": (terminal.first_line, [_line(terminal, row) for row in terminal.scrollback]),
        "cursor": terminal.cursor,
        "modes": terminal.modes,
        "mode": screen.mode,
        "pen": screen.styles[screen.pen],
        "margins": (screen.top, screen.bottom),
        "tabs": screen.tabstops,
        "charsets": (screen.charsets, screen.shift, screen.last),
        "saved": [(s.x, s.y, screen.styles[s.pen], s.shift, s.charsets, s.origin) for s in screen.saved],
        "saved modes": screen.saved_modes,
        "keyboards": screen.keyboards,
        "titles": (terminal.title, terminal.icon_title, screen.titles),
        "palette": terminal.palette.changed,
        "bells": terminal.bells,
        "parser": (
            terminal._parser.held,
            terminal._parser.string,
            "".join(terminal._parser.parts),
            terminal._parser.length,
        ),
        "decoder": terminal._parser.utf8_decoder.getstate(),
    }


def _line(terminal: Terminal, line: Any) -> Any:
    return list(terminal.runs(line)), line.wrapped, line.mark


_TMUX_RENDITIONS = [
    "0",
    "1",
    "2",
    "4",
    "7",
    "9",
    "31",
    "42",
    "93",
    "104",
    "38;5;99",
    "48;2;1;2;3",
    "4:3",
    "22",
    "27",
    "39",
]
_TMUX_SEQUENCES = [
    "\x1b[#nA", "\x1b[#nB", "\x1b[#nD", "\x1b[J", "\x1b[1J", "\x1b[2J", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1bM", "\x1bD",
    "\x1b[#nS",
    "\x1b[#nT",
    "\x1b[?6l\x1b[r\x1b[#nL", "\x1b[?6l\x1b[2;5r\x1b[3;1H\x1b[#nM", "\x1b[?6l\x1b[2;5r", "\x1b[?6l\x1b[r", "\x1b7", "\x1b[?6h", "\x1b[?6l",
    "\x1b[4l", "\x1b#8",
]  # fmt: skip


def tmux_sequences(chance: random.Random) -> str:
    """A few pieces of output for 16 by 6 cells that tmux 3.3a shows as xterm does; test_terminal_programs names the rest."""
    found = ""
    column = 0  # of the cursor at most, so that no wrap is ever pending when something but text comes
    for _ in range(chance.randrange(2, 14)):
        kind = chance.random()
        number = chance.choice(["", "0", "1", "2", "3", "5"])
        if kind < 0.4:
            text = "".join(chance.choice("abcdefgXYZ中é─") for _ in range(chance.randrange(1, 7)))
            if column + 2 * len(text) >= 16:
                text = "\r\n" + text
                column = 0
            column += 2 * len(text)
            found += text
        elif kind < 0.5:
            found += chance.choice(["\r\n", "\r", "\n"])
        elif kind < 0.65:
            found += f"\x1b[{chance.choice(_TMUX_RENDITIONS)}m"
        elif kind < 0.75:
            column = chance.randrange(0, 9)
            found += f"\x1b[{chance.randrange(1, 7)};{column + 1}H"
        else:
            found += chance.choice(_TMUX_SEQUENCES).replace("#n", number)
            if "r" in found[-16:] or found.endswith(("h", "l", "8")):
                column = 0
    return found
