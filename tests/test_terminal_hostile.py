"""Output that means harm: it never raises, hangs or grows without bound, and no answer to it can act in somebody's shell."""

from __future__ import annotations

import random
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.terminal import random_output, state
from workbench.terminal import ClipboardWrite, Terminal, WorkingDirectory
from workbench.terminal.svg import svg

ANSWER = re.compile(
    rb"(?:\x1b\[[?>]?[\d;]+(?:[cRnutx]|\$y|m)|\x1bP[01]\$r(?:[\d;:]+[mr]|\d q|\d\"q|62;1\"p)?\x1b\\|\x1bP0\+r\x1b\\"
    rb"|\x1bP!\|0{8}\x1b\\|\x1bP>\|cfwb\x1b\\|\x1b\](?:4;\d+|1[0-2]);rgb:[\da-f]{4}/[\da-f]{4}/[\da-f]{4}\x1b\\)*"
)


def survives(terminal: Terminal, output: bytes) -> None:
    """Feed it, and look at everything that a pane looks at."""
    terminal.feed(output)
    answers = terminal.take_answers()
    assert len(answers) <= 4096
    assert ANSWER.fullmatch(answers), answers
    terminal.take_events()
    terminal.take_dirty()
    state(terminal)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
@example(b"\x1b[?4m\x1b[>4;m\x1b[;;;;H\x1b[:::m\x1b[38:m\x1b[38;5m\x1b[4:m\x1b[58:2:m")
@example(
    b"\x1b]4;\x07\x1b]4;;;\x07\x1b]8\x07\x1b]8;;;;\x07\x1b]52\x07\x1b]52;;\x07\x1b]133\x07\x1b]104;;x\x07\x1b]\x07\x1bP\x1b\\"
)
def test_any_bytes_at_all(data: bytes) -> None:
    survives(Terminal(20, 6, scrollback=50), data)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "\x1b",
                "[",
                "]",
                "P",
                "?",
                ";",
                ":",
                "1",
                "38",
                "5",
                "m",
                "H",
                "h",
                "\x07",
                "\\",
                "中",
                "\u0301",
                "\r\n",
                "a",
                "\x18",
                " ",
                "$",
                "q",
            ]
        )
    )
)
def test_any_order_of_the_pieces_that_sequences_are_made_of(pieces: list[str]) -> None:
    survives(Terminal(6, 3, scrollback=50), "".join(pieces).encode())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), columns=st.integers(2, 30), lines=st.integers(1, 8))
def test_any_sequences_on_any_size(seed: int, columns: int, lines: int) -> None:
    terminal = Terminal(columns, lines, scrollback=30)
    survives(terminal, random_output(seed, 60))
    assert list(svg(terminal))


@pytest.mark.parametrize("seed", range(4))
def test_fifty_thousand_sequences(seed: int) -> None:
    run(seed, 12_500)


@pytest.mark.soak
def test_a_million_sequences() -> None:
    for seed in range(100):
        run(1000 + seed, 10_000)


def run(seed: int, count: int) -> None:
    """So many random sequences, with a new size now and then; the state is looked at on the way, and after a snapshot."""
    chance = random.Random(seed)
    terminal = Terminal(40, 10, scrollback=200)
    for round in range(count // 500):
        survives(terminal, random_output(seed * 1000 + round, 500))
        if chance.random() < 0.3:
            terminal.resize(chance.randrange(2, 60), chance.randrange(1, 20))
        if chance.random() < 0.1:
            terminal = Terminal.restore(terminal.snapshot())


ENDLESS = {
    "a title": b"\x1b]2;" + b"a" * 50_000,
    "a link": b"\x1b]8;;http://" + b"a" * 50_000,
    "an OSC of nothing": b"\x1b]" + b"\n" * 50_000,
    "a DCS": b"\x1bP" + b"q~" * 25_000,
    "an APC": b"\x1b_G" + b"a" * 50_000,
    "a control sequence": b"\x1b[" + b"1;" * 25_000,
    "an escape sequence": b"\x1b" + b"(" * 50_000,
    "controls inside a sequence": b"\x1b[" + b"\r" * 50_000,
    "marks on one character": b"a" + "\u0301".encode() * 25_000,
    "joined emoji": "👩\u200d".encode() * 8000,
    "halves of characters": b"\xe4" * 50_000,
    "escapes": b"\x1b" * 50_000,
    "half strings": b"\x1b]2;a\x1b" * 10_000,
    "clusters": "".join(
        f"a{chr(0x300 + number % 0x60)}{chr(0x300 + number // 0x60 % 0x60)}" for number in range(9000)
    ).encode(),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_takes_no_more_than_its_bound(name: str) -> None:
    """Fed in small pieces, again and again: nothing grows, and the screen is usable afterwards."""
    output = ENDLESS[name]
    terminal = Terminal(20, 4, scrollback=100)
    for _ in range(3):
        for start in range(0, len(output), 999):
            terminal.feed(output[start : start + 999])
    assert held(terminal) < 1 << 20
    terminal.feed(b"\x18\x1b\\\x1bcok")
    assert terminal.text(terminal.rows[0]) == "ok"


@pytest.mark.parametrize(
    ("begin", "most"),
    [(b"\x1b_", 0), (b"\x1bX", 0), (b"\x1b^", 0), (b"\x1bk", 0), (b"\x1bP", 4096), (b"\x1b]", 2 << 20)],
)
def test_of_an_unfinished_string_no_more_is_kept_than_its_kind_may_have(begin: bytes, most: int) -> None:
    terminal = Terminal(20, 4)
    terminal.feed(begin)
    for _ in range(50):
        terminal.feed(b"a" * 65_000)
        assert sum(map(len, terminal._parser.parts)) <= most


def held(terminal: Terminal) -> int:
    """About how many bytes a terminal holds beside its lines."""
    screen, parser = terminal._screen, terminal._parser
    return sum(
        sys.getsizeof(value)
        for value in [
            parser.held, *parser.parts, screen.title, screen.icon_name, screen.outbox, *screen.clusters.table.values(),
            *(style.link.uri for style in screen.styles.styles if style.link),
        ]
    )  # fmt: skip


def test_a_long_unfinished_string_costs_its_length_once() -> None:
    """A megabyte in a string, a byte at a time (what was read is not read again), is quick enough for a test."""
    terminal = Terminal(20, 4)
    terminal.feed(b"\x1b]52;c;")
    for _ in range(200_000):
        terminal.feed(b"A")
    terminal.feed(b"\x07")
    assert terminal.take_events() == [ClipboardWrite("c", b"\0" * 150_000)]


def test_ever_new_colours_end_with_the_oldest_lines() -> None:
    terminal = Terminal(100, 10, scrollback=5000)
    terminal._screen.styles.LIMIT = 3000
    colours = [(number >> 8, number & 255, number % 251) for number in range(20_000)]
    for start in range(0, len(colours), 100):
        row = "".join(f"\x1b[38;2;{r};{g};{b}mx" for r, g, b in colours[start : start + 100])
        terminal.feed(row.encode() + b"\r\n")
    assert len(terminal._screen.styles.styles) <= 3000
    shown = [run.style.foreground for run in terminal.runs(terminal.rows[-2])]
    assert shown == [1 << 24 | r << 16 | g << 8 | b for r, g, b in colours[-100:]]
    assert len(terminal.scrollback) < 30


def test_a_screen_of_more_styles_than_there_may_be_loses_colours_only() -> None:
    terminal = Terminal(100, 20)
    terminal._screen.styles.LIMIT = 500
    terminal.feed("".join(f"\x1b[38;2;1;{number >> 8};{number & 255}mx" for number in range(1999)).encode())
    assert terminal.text(terminal.rows[0]) == "x" * 100
    terminal.feed(b"\x1bc")
    terminal.feed(b"\x1b[38;2;9;9;9mnew")
    assert next(terminal.runs(terminal.rows[0])).style.foreground == 1 << 24 | 0x090909


def test_ever_new_links_are_bounded() -> None:
    terminal = Terminal(20, 4, scrollback=50)
    for number in range(10_000):
        terminal.feed(b"\x1b]8;;http://x/%d\x07l\x1b]8;;\x07" % number)
    assert sum(style.link is not None for style in terminal._screen.styles.styles) <= 4200
    assert [run.style.link.uri for run in terminal.runs(terminal.rows[-1]) if run.style.link][
        -1
    ] == "http://x/9999"


def test_stacks_are_bounded() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b[>1u\x1b[22;0t\x1b7\x1b[?1s" * 10_000)
    assert max(map(len, terminal._screen.keyboards)) <= 16
    assert len(terminal._screen.titles) <= 10


def test_huge_counts_are_done_at_once() -> None:
    terminal = Terminal(80, 24)
    for final in "@ABCDEFGHIJKLMPSTXZ`abdegrstu":
        terminal.feed(f"a\x1b[65535;65535{final}\x1b[99999999999999999999{final}".encode() * 5)
    survives(terminal, b"")


def test_queries_are_answered_in_fixed_forms_and_not_for_ever() -> None:
    terminal = Terminal()
    queries = (
        b"\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[x\x1b[>q\x1b[?u\x1b[?4m\x1b[18t\x1b[?2026$p\x1b[4$p"
    )
    queries += b"\x1b]10;?\x07\x1b]4;1;?\x1b\\"
    queries += b"\x1bP$qm\x1b\\\x1bP$q q\x1b\\\x1bP$qz\x1b\\\x1bP+q544e\x1b\\"
    survives(terminal, queries)
    terminal.feed(queries * 1000)
    assert len(terminal.take_answers()) <= 4096


@pytest.mark.parametrize(
    "evil",
    [
        b"\x1b]2;$(touch x)\r\x07\x1b[21t",  # the title, told
        b"\x1b]1;$(touch x)\x07\x1b[20t",
        b"\x1b]52;c;JCh0b3VjaCB4KQ==\x07\x1b]52;c;?\x07",  # the clipboard
        b"\x1bP+q$(touch x)\x1b\\",  # a capability's name
        b"\x1bP$q$(touch x)\x1b\\",  # a setting's name
        b"\x1b]4;1;$(touch x)\x07\x1b]4;1;?\x07",
        b"\x1b]10;rgb:$(touch x)\x07\x1b]10;?\x07",
        b"\x1b[?$(touch x)$p",
        b"\x05",  # ENQ: an answerback
        b"\x1b]50;?\x07\x1b]3;?x=$(touch x)\x07\x1b]60\x07",
    ],
)
def test_nothing_a_program_said_comes_back_as_typed(evil: bytes) -> None:
    terminal = Terminal()
    terminal.feed(evil)
    answers = terminal.take_answers()
    assert b"touch" not in answers
    assert not set(answers) & set(b"\r\n")
    assert ANSWER.fullmatch(answers)


def test_a_reset_takes_back_what_was_changed_and_nothing_of_the_owner() -> None:
    terminal = Terminal(20, 4)
    terminal.palette.shown = {257: 0x102030}
    terminal.feed(
        b"\x1b]2;title\x07\x1b]4;1;#ff0000\x07\x1b]7;file:///x\x07\x1b[5n\x07\x1b[>1u\x1b[?1000h\x1b[5 q\x1bc\x1b]11;?\x07"
    )
    assert terminal.take_answers() == b"\x1b[0n\x1b]11;rgb:1010/2020/3030\x1b\\"
    assert terminal.take_events() == [WorkingDirectory("file:///x")]
    assert terminal.palette.changed == {}
    assert (terminal.modes, terminal.bells, terminal.title) == (Terminal().modes, 1, "title")
    assert terminal.cursor == Terminal().cursor


def test_text_for_the_owner_has_no_control_characters() -> None:
    terminal = Terminal()
    terminal.feed("\x1b]2;a\x01\x9b31m\u2028b\x07\x1b]7;file:///a\rb\x07\x1b]8;;http://x/\ny\x07z".encode())
    assert terminal.title == "a31mb"
    assert terminal.take_events() == [WorkingDirectory("file:///ab")]
    assert next(terminal.runs(terminal.rows[0])).style.link is None
    terminal.feed(b"\x1b]2;" + b"t" * 5000 + b"\x07")
    assert len(terminal.title) == 1024


def test_what_would_turn_text_around_is_not_shown() -> None:
    terminal = Terminal(20, 2)
    terminal.feed("a\u202eb\u2066c\u200bd".encode())
    assert [run.text for run in terminal.runs(terminal.rows[0])] == ["abcd"]
    assert terminal.text(terminal.rows[0]) == "a\u202eb\u2066c\u200bd"  # and is there for who copies it
