"""Where the editor sees statements begin and end is where SQLite does."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.backends.local.sql.splitter import Splitter, cut

_PIECES = st.sampled_from(
    [
        "create ",
        "temp ",
        "temporary ",
        "trigger ",
        "end",
        "END;",
        ";",
        "'",
        '"',
        "`",
        "[",
        "]",
        "--",
        "/*",
        "*/",
    ]
    + [
        "\n",
        " ",
        "a",
        "explain ",
        "query ",
        "plan ",
        "select",
        "-",
        "/",
        "é",
        "x'",
        "''",
        "\t",
        "begin",
        "$",
        "1",
    ]
)
sql_like = st.lists(_PIECES, max_size=25).map("".join)


def _ends_by_sqlite(text: str) -> list[int]:
    """The positions behind the semicolons at which SQLite calls the text so far complete."""
    ends = []
    begin = 0
    for place, letter in enumerate(text, 1):
        if letter == ";" and apsw.complete(text[begin:place]):
            ends.append(place)
            begin = place
    return ends


@given(sql_like)
@example("explain plan *//create trigger END;''\n\"temp")
@example('e/*-/*/*;"s')
@settings(max_examples=1500, deadline=None)
def test_statements_end_where_sqlite_says_they_end(text: str) -> None:
    splitter = Splitter()
    ends = []
    at = 0
    for part in splitter.feed(text):
        at += len(part)
        ends.append(at)
    # A statement whose last word is still in doubt at the edge comes with the rest.
    assert ends == _ends_by_sqlite(text)


@given(sql_like, st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=800, deadline=None)
def test_a_file_read_in_pieces_gives_the_same_statements(text: str, places: list[int]) -> None:
    splitter = Splitter()
    found = []
    at = 0
    for place in sorted(places):
        found += list(splitter.feed(text[at:place]))
        at = max(at, place)
    found += [*splitter.feed(text[at:]), *splitter.rest()]
    assert found == [text[begin:end] for begin, end in cut(text)]


def test_a_trigger_with_statements_inside_is_one_statement() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM b; END;"
    text = f"SELECT ';'; -- one;\n{trigger} SELECT 2"
    assert [text[begin:end].strip() for begin, end in cut(text)] == [
        "SELECT ';';",
        f"-- one;\n{trigger}",
        "SELECT 2",
    ]


@pytest.mark.parametrize("text", ["", "  \n", "-- only a comment", "/* open"])
def test_blank_text_has_no_statement(text: str) -> None:
    assert cut(text) == []


def test_a_value_of_many_megabytes_in_small_pieces_is_split_in_one_pass() -> None:
    splitter = Splitter()
    value = "x" * 5_000_000
    text = f"INSERT INTO t VALUES('{value}');"
    found = []
    for at in range(0, len(text), 65_536):
        found += list(splitter.feed(text[at : at + 65_536]))
    assert [len(part) for part in found] == [len(text)]
