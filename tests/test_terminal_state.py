"""A terminal's whole state: kept as bytes and taken up again, resized, and bounded."""

from __future__ import annotations

import contextlib
import random
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.terminal import random_output, state
from workbench.model.errors import WorkbenchError
from workbench.terminal import Terminal

seeds = st.integers(0, 2**32)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, data=st.data())
def test_a_terminal_kept_and_restored_is_as_one_that_never_stopped(seed: int, data: Any) -> None:
    output = random_output(seed, 60)
    straight, stopped = Terminal(20, 6, scrollback=300), Terminal(20, 6, scrollback=300)
    straight.feed(output)
    start = 0
    for cut in sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=4))):
        stopped.feed(output[start:cut])
        start = cut
        stopped.take_answers()
        stopped = Terminal.restore(stopped.snapshot())
    stopped.feed(output[start:])
    assert state(stopped) == state(straight)


_BULK = [
    "a",
    "bc d",
    "\t",
    "x" * 9,
    "x" * 30,
    "\x1b[31m",
    "\x1b[44m",
    "\x1b[m",
    "\x1b[K",
    "中",
    "é",
    "e\u0301",
    "\x1b[3g",
    "\x1b[2;4r",
    "\x1b[r",
    "\x1b[A",
]


@settings(max_examples=80, deadline=None)
@given(
    lines=st.lists(st.lists(st.sampled_from(_BULK), max_size=5).map("".join), min_size=2, max_size=30),
    end=st.sampled_from(["\r\n", "\r\n", "\n"]),
)
def test_bulk_output_leaves_the_same_as_a_byte_at_a_time(lines: list[str], end: str) -> None:
    output = end.join(lines).encode()
    at_once, slowly = Terminal(20, 6, scrollback=300), Terminal(20, 6, scrollback=300)
    at_once.feed(output)
    for byte in output:
        slowly.feed(bytes([byte]))
    assert state(at_once) == state(slowly)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_a_snapshot_damaged_anywhere_is_refused_with_one_error(seed: int) -> None:
    chance = random.Random(seed)
    terminal = Terminal(20, 6)
    terminal.feed(random_output(seed, 40))
    whole = bytearray(terminal.snapshot())
    if chance.random() < 0.3:
        damaged = whole[: chance.randrange(len(whole))]
    else:
        damaged = whole[:]
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    with pytest.raises(WorkbenchError) as caught:
        Terminal.restore(bytes(damaged))
    assert caught.value.code in ("terminal.snapshot_damaged", "terminal.snapshot_newer")


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_a_snapshot_made_to_do_harm_is_refused_or_harmless(seed: int) -> None:
    """The checksum is right, and one value inside is another one."""
    import json

    chance = random.Random(seed)
    terminal = Terminal(12, 4)
    terminal.feed(random_output(seed, 30))
    whole = terminal.snapshot()
    frame = struct.Struct(">HII")
    magic = b"cfwb terminal\n"
    version, _, size = frame.unpack_from(whole, len(magic))
    body = whole[len(magic) + frame.size + 4 :]
    head = json.loads(zlib.decompress(body[:size]).decode("utf-8", "surrogatepass"))
    spoil(head, chance)
    packed = zlib.compress(json.dumps(head).encode())
    body = packed + body[size:]
    front = frame.pack(version, len(body), len(packed))
    forged = magic + front + zlib.crc32(front + body).to_bytes(4, "big") + body
    with contextlib.suppress(WorkbenchError):
        restored = Terminal.restore(forged)
        restored.feed(random_output(seed + 1, 30))
        restored.resize(9, 3)
        state(restored)


def spoil(value: Any, chance: random.Random) -> None:
    """Change one thing somewhere within lists and objects."""
    while True:
        key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.9:
            value = inner
            continue
        value[key] = chance.choice(
            [
                -1,
                10**9,
                10**30,
                1.5,
                None,
                "",
                "\x1b[31m",
                "\ud800",
                "\0",
                [],
                [[]],
                {},
                True,
                "x" * 3000,
                [1, 2, 3],
            ]
        )
        return


def test_a_newer_snapshot_is_refused_and_told_apart() -> None:
    whole = bytearray(Terminal().snapshot())
    whole[len(b"cfwb terminal\n") + 1] += 1
    with pytest.raises(WorkbenchError) as caught:
        Terminal.restore(bytes(whole))
    assert caught.value.code == "terminal.snapshot_newer"


def test_a_snapshot_can_leave_the_old_scrollback_out() -> None:
    terminal = Terminal(20, 4)
    terminal.feed(b"".join(b"%d\r\n" % number for number in range(2000)))
    for kept in (0, 5, 700, 5000):
        restored = Terminal.restore(terminal.snapshot(scrollback=kept))
        assert len(restored.scrollback) == min(kept, len(terminal.scrollback))
        assert restored.top_line == terminal.top_line
        assert restored.text(restored.line(restored.first_line)) == str(restored.first_line)


def test_it_is_restored_in_the_midst_of_anything() -> None:
    for before, after, row in [
        (b"a\xe4\xb8", b"\xadb", "a中b"),
        (b"a\x1b[3", b"Cb", "a   b"),
        (b"a\x1b]2;ti", b"tle\x07b", "ab"),
        (b"a\x1b]2;title\x1b", b"\\b", "ab"),
        (b"\x1b(", b"0q", "─"),
        (b"a" * 20, b"b", "a" * 20),
    ]:
        terminal = Terminal(20, 4)
        terminal.feed(before)
        restored = Terminal.restore(terminal.snapshot())
        restored.feed(after)
        assert restored.text(restored.rows[0]) == row
        assert restored.title == ("title" if b"]2" in before else "")


# -- resizing


def everything(terminal: Terminal) -> str:
    """All text there is, wrapped lines joined, without blank lines at the end."""
    found = ""
    for number in range(terminal.first_line, terminal.end_line):
        line = terminal.line(number)
        found += line.text.replace("\0", "")
        found = found if line.wrapped else found.rstrip(" ") + "\n"
    return found.rstrip("\n ")


def test_wrapped_lines_join_again_and_the_cursor_stays_on_its_character() -> None:
    terminal = Terminal(10, 4)
    terminal.feed("one two three four\r\n中文中文中文x\r\nlast line".encode())
    before = everything(terminal)
    terminal.resize(5, 4)
    assert [terminal.text(row) for row in terminal.rows] == ["中文", "中文x", "last", "line"]
    assert (terminal.cursor.x, terminal.cursor.y) == (4, 3)
    terminal.resize(30, 6)
    assert [terminal.text(row) for row in terminal.rows] == [
        "one two three four",
        "中文中文中文x",
        "last line",
        "",
        "",
        "",
    ]
    assert (terminal.cursor.x, terminal.cursor.y) == (9, 2)
    assert everything(terminal) == before


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.sampled_from("ab 中é\n"), max_size=200),
    sizes=st.lists(st.tuples(st.integers(2, 30), st.integers(1, 12)), min_size=1, max_size=6),
)
def test_no_text_is_lost_by_any_resizing(text: str, sizes: list[tuple[int, int]]) -> None:
    terminal = Terminal(12, 5)
    terminal.feed(text.replace("\n", "\r\n").encode())
    before = everything(terminal)
    for columns, lines in sizes:
        terminal.resize(columns, lines)
        assert everything(terminal) == before
        assert len(terminal.rows) == terminal.lines == lines
        assert all(len(row.text) <= columns for row in terminal.rows)
        assert 0 <= terminal.cursor.x <= columns and 0 <= terminal.cursor.y < lines
    marked = terminal.cursor
    terminal.feed("▲".encode())
    assert everything(terminal).endswith("▲"), marked


@settings(max_examples=60, deadline=None)
@given(seed=seeds, sizes=st.lists(st.tuples(st.integers(2, 40), st.integers(1, 12)), min_size=1, max_size=5))
def test_any_screen_can_be_resized_at_any_time(seed: int, sizes: list[tuple[int, int]]) -> None:
    terminal = Terminal(20, 6, scrollback=100)
    for index, (columns, lines) in enumerate(sizes):
        terminal.feed(random_output(seed + index, 20))
        terminal.resize(columns, lines)
        state(terminal)


def test_lines_come_back_from_the_scrollback_when_there_is_room() -> None:
    terminal = Terminal(10, 3)
    terminal.feed(b"1\r\n2\r\n3\r\n4\r\n5")
    terminal.resize(10, 5)
    assert [terminal.text(row) for row in terminal.rows] == ["1", "2", "3", "4", "5"]
    terminal.resize(10, 2)
    assert [terminal.text(row) for row in terminal.rows] == ["4", "5"]
    terminal.feed(b"\x1b[H\x1b[2J$ ")
    terminal.resize(10, 4)  # and stay where they are when the screen was cleared to make room below
    assert (terminal.cursor.x, terminal.cursor.y) == (2, 2)


def test_the_alternate_screen_is_cut_and_the_main_one_comes_back_whole() -> None:
    terminal = Terminal(10, 3)
    terminal.feed(b"a long line\r\n$ vim\x1b[?1049h\x1b[Hfull-screen\x1b[3;10H#")
    terminal.resize(6, 2)
    assert [terminal.text(row) for row in terminal.rows] == ["n", ""]
    terminal.feed(b"\x1b[?1049l")
    assert [terminal.text(row) for row in terminal.rows] == [" line", "$ vim"]
    assert (terminal.cursor.x, terminal.cursor.y) == (5, 1)
    terminal.resize(20, 4)
    assert [terminal.text(row) for row in terminal.rows] == ["a long line", "$ vim", "", ""]
