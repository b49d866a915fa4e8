"""The lines above the screen: kept in bounds, found, and copied."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.model.errors import UsageError
from workbench.terminal import Link, Position, Terminal, search, selection


def numbered(count: int, limit: int = 50_000) -> Terminal:
    terminal = Terminal(20, 4, scrollback=limit)
    terminal.feed(b"".join(b"line %d\r\n" % number for number in range(count)))
    return terminal


def test_lines_keep_their_numbers_while_output_goes_on() -> None:
    terminal = numbered(5000)
    assert terminal.first_line == 0
    for number in (0, 255, 256, 300, 4000, 4996):
        assert terminal.text(terminal.line(number)) == f"line {number}"
    terminal.feed(b"more\r\n" * 100)
    assert terminal.text(terminal.line(4000)) == "line 4000"
    with pytest.raises(IndexError):
        terminal.line(terminal.end_line)


@pytest.mark.parametrize("limit", [0, 1, 100, 300, 1000])
def test_no_more_lines_are_kept_than_were_asked_for(limit: int) -> None:
    terminal = numbered(3000, limit)
    assert len(terminal.scrollback) <= limit
    assert len(terminal.scrollback) >= min(limit, limit - 256)
    for number in range(terminal.first_line, terminal.top_line):
        assert terminal.text(terminal.line(number)) == f"line {number}"
    assert terminal.top_line == 3000 - 3


def test_fifty_thousand_lines_take_a_few_megabytes() -> None:
    terminal = Terminal(120, 40)
    for start in range(0, 60_000, 1000):
        terminal.feed(
            b"".join(
                b"\x1b[32m%06d\x1b[0m some ordinary output of a build, 80 columns or so of it: ok\r\n"
                % number
                for number in range(start, start + 1000)
            )
        )
    assert 49_000 < len(terminal.scrollback) <= 50_000
    assert terminal.scrollback.size < 4 << 20


def test_incompressible_lines_are_bounded_by_bytes() -> None:
    import random

    chance = random.Random(1)
    terminal = Terminal(500, 4)
    terminal._screen.scrollback._most = 1 << 20
    for _ in range(40):
        text = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(50_000))
        terminal.feed(text.encode())
    assert terminal.scrollback.size < 3 << 20
    assert terminal.first_line > 0


def test_the_scrollback_is_cleared_by_the_program_and_by_hand() -> None:
    terminal = numbered(1000)
    terminal.feed(b"\x1b[3J")
    assert len(terminal.scrollback) == 0
    assert terminal.first_line == 997
    terminal.feed(b"\r\n" * 10)
    terminal.clear_scrollback()
    assert terminal.first_line == terminal.top_line == 1007


def test_a_screen_that_is_cleared_is_kept_above() -> None:
    terminal = Terminal(20, 4)
    terminal.feed(b"a\r\nb\x1b[H\x1b[2J$ ")
    assert [terminal.text(line) for line in terminal.scrollback] == ["a", "b"]
    terminal.feed(b"\x1b[?1049hfull\x1b[2J\x1b[?1049l")
    assert len(terminal.scrollback) == 2


def test_the_alternate_screen_leaves_no_lines() -> None:
    terminal = Terminal(20, 4)
    terminal.feed(b"\x1b[?1049h" + b"x\r\n" * 50 + b"\x1b[?1049l")
    assert len(terminal.scrollback) == 0


def test_a_region_from_the_top_scrolls_into_the_scrollback() -> None:
    terminal = Terminal(20, 4)
    terminal.feed(b"a\r\nb\r\nc\r\nstatus\x1b[1;3r\x1b[3;1H\nd")
    assert [terminal.text(line) for line in terminal.scrollback] == ["a"]
    assert [terminal.text(row) for row in terminal.rows] == ["b", "c", "d", "status"]


# -- search


def found(terminal: Terminal, text: str, **how: bool) -> list[tuple[tuple[int, int], tuple[int, int], str]]:
    return [
        (tuple(f.start), tuple(f.end), f.text) for f in search.find(terminal, search.pattern(text, **how))
    ]  # type: ignore[misc]


def test_text_is_found_in_the_scrollback_and_on_the_screen() -> None:
    terminal = numbered(1000)
    assert found(terminal, "line 99") == [
        ((number, 0), (number, 7), "line 99") for number in [99, *range(990, 1000)]
    ]
    assert found(terminal, "LINE 7") == []
    assert len(found(terminal, "LINE 7", ignore_case=True)) == 111
    assert [f[0][0] for f in found(terminal, r"\b(4)\1$", regex=True)] == [44]
    assert found(terminal, "", regex=True) == []


def test_what_is_wrapped_is_found_whole_and_in_columns() -> None:
    terminal = Terminal(8, 4)
    terminal.feed("中文 needle and 中needle".encode())
    assert found(terminal, "needle") == [((0, 5), (1, 3), "needle"), ((2, 2), (2, 8), "needle")]
    assert found(terminal, "中") == [((0, 0), (0, 2), "中"), ((2, 0), (2, 2), "中")]


def test_clusters_are_found_as_text() -> None:
    terminal = Terminal(20, 4)
    terminal.feed("a e\u0301x 👩‍👧b".encode())
    assert found(terminal, "e\u0301x") == [((0, 2), (0, 4), "e\u0301x")]
    assert found(terminal, "👧b") == [((0, 5), (0, 8), "👧b")]


def test_a_broken_expression_says_so() -> None:
    with pytest.raises(UsageError):
        search.pattern("(", regex=True)


# -- selection


def test_a_selection_joins_wrapped_lines_and_leaves_blanks_out() -> None:
    terminal = Terminal(8, 5)
    terminal.feed(b"one two three   \x1b[K\r\nfour  \r\n\r\nfive")
    assert selection.text(terminal, Position(0, 4), Position(4, 8)) == "two three\nfour\n\nfive"
    assert selection.text(terminal, Position(4, 2), Position(3, 0)) == "\nfi"
    assert selection.text(terminal, Position(0, 0), Position(0, 3)) == "one"
    assert selection.text(terminal, Position(0, 1), Position(2, 3), rectangle=True) == "ne\nhr\nou"


def test_half_a_wide_character_is_the_whole() -> None:
    terminal = Terminal(8, 2)
    terminal.feed("a中b文c".encode())
    assert selection.text(terminal, Position(0, 2), Position(0, 5)) == "中b文"


def test_a_word_is_a_path_or_a_url_too_across_rows() -> None:
    terminal = Terminal(10, 4)
    terminal.feed(b"see https://example.com/a?b=c (here)")
    start, end = selection.word(terminal, Position(1, 3))
    assert selection.text(terminal, start, end) == "https://example.com/a?b=c"
    start, end = selection.word(terminal, Position(0, 3))
    assert (start, end) == (Position(0, 3), Position(0, 4))
    assert selection.whole_line(terminal, Position(1, 3)) == (Position(0, 0), Position(3, 10))


def test_the_link_at_a_place() -> None:
    terminal = Terminal(20, 2)
    terminal.feed(b"\x1b]8;id=x;https://example.com/\x1b\\here\x1b]8;;\x1b\\ not")
    assert selection.link(terminal, Position(0, 1)) == Link("https://example.com/", "x")
    assert selection.link(terminal, Position(0, 5)) is None
    assert selection.link(terminal, Position(0, 19)) is None


@settings(max_examples=80, deadline=None)
@given(text=st.text(st.sampled_from("ab 中e\u0301\n"), min_size=1, max_size=120), columns=st.integers(2, 15))
def test_all_that_is_selected_is_all_that_was_printed(text: str, columns: int) -> None:
    terminal = Terminal(columns, 4)
    terminal.feed(text.replace("\n", "\r\n").encode())
    everything = selection.text(terminal, Position(0, 0), Position(terminal.end_line - 1, columns))
    printed = "\n".join(line.lstrip("\u0301").rstrip(" ") for line in text.split("\n"))
    assert everything.rstrip("\n") == printed.rstrip("\n")
