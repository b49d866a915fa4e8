"""The facet index by itself: what the runtime accepts, no more and no less."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.backends.local.facets import MAGIC, below, find, parse, path_of, read_index, serialize
from workbench.model.errors import WorkbenchError

names = st.text(min_size=1, max_size=30).filter(lambda name: not any("\ud800" <= c <= "\udfff" for c in name))


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[int, str]]:
    """Entries as the runtime appends them: a parent that is there, a name once in it."""
    entries: list[tuple[int, str]] = []
    for _ in range(draw(st.integers(0, 12))):
        entry = (draw(st.integers(0, len(entries))), draw(names))
        if entry not in entries:
            entries.append(entry)
    return entries


@given(trees())
def test_any_tree_of_names_reads_back(tree: list[tuple[int, str]]) -> None:
    entries = parse(serialize(tree))
    assert [(entry.parent, entry.name) for entry in entries] == tree
    assert [entry.id for entry in entries] == list(range(1, len(tree) + 1))
    for entry in entries:
        assert find(entries, path_of(entries, entry)) == entry


@given(trees(), st.integers(0, 400))
def test_an_index_cut_short_loses_its_last_entry_only(tree: list[tuple[int, str]], length: int) -> None:
    entries = parse(serialize(tree)[: max(length, len(MAGIC))])
    assert [(entry.parent, entry.name) for entry in entries] == tree[: len(entries)]


@given(trees(), st.binary(max_size=20))
def test_a_tail_of_garbage_never_hides_what_is_before_it(tree: list[tuple[int, str]], tail: bytes) -> None:
    entries = parse(serialize(tree) + tail)
    assert [(entry.parent, entry.name) for entry in entries[: len(tree)]] == tree


@pytest.mark.parametrize(
    "tail",
    [
        struct.pack("<HH", 0, 0),
        struct.pack("<HH", 2, 1) + b"x",
        struct.pack("<HH", 0, 1) + b"a",
        struct.pack("<HH", 0, 99) + b"short",
        b"\x00",
    ],
    ids=["empty name", "parent not there", "name twice", "cut off", "half a number"],
)
def test_reading_stops_where_the_runtime_stops(tail: bytes) -> None:
    good = serialize([(0, "a")])
    after = struct.pack("<HH", 0, 1) + b"b"
    assert [entry.name for entry in parse(good + tail + after)] == ["a"]


def test_an_index_that_is_only_begun_is_empty_and_a_foreign_file_is_refused(tmp_path: Path) -> None:
    assert parse(b"") == parse(MAGIC[:3]) == parse(MAGIC) == []
    assert read_index(str(tmp_path / "none.facets")) == []
    with pytest.raises(WorkbenchError) as caught:
        parse(b"not an index at all")
    assert caught.value.code == "do.facet_index"


def test_what_lies_inside_a_facet_is_found_at_any_depth() -> None:
    entries = parse(serialize([(0, "app"), (1, "inner"), (0, "billing"), (2, "deep"), (3, "inner")]))
    assert [entry.id for entry in below(entries, 1)] == [2, 4]
    assert [entry.id for entry in below(entries, 0)] == [1, 2, 3, 4, 5]
    assert path_of(entries, entries[3]) == ("app", "inner", "deep")
    assert find(entries, ("billing", "deep")) is None


def test_a_name_that_is_not_utf8_is_carried_exactly() -> None:
    data = MAGIC + struct.pack("<HH", 0, 3) + b"a\xffb"
    (entry,) = parse(data)
    assert serialize([(entry.parent, entry.name)]) == data
