"""Pages, folders and cursors of any keys, against the plain meaning of the words."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backends.local import keys
from workbench.backends.local.keys import Table

TABLE = Table("t", "n")
KEY = st.text(st.sampled_from("ab/é日🎉\U0010ffff\x00%_"), max_size=6)
DELIMITER = st.sampled_from(["/", "//", "a", "é", "\U0010ffff"])


def _filled(names: Iterable[str]) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (key TEXT PRIMARY KEY, n INTEGER)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(name, n) for n, name in enumerate(names)])
    return connection


def _walk(
    connection: apsw.Connection, prefix: str, delimiter: str, limit: int
) -> tuple[list[bytes], list[bytes], int]:
    """Every page: the keys, the folders, and how many pages there were."""
    rows: list[bytes] = []
    folders: list[bytes] = []
    after = None
    for pages in range(1, 1000):
        found = keys.page(connection, TABLE, prefix.encode(), delimiter.encode(), limit, after)
        assert len(found.rows) + len(found.folders) <= limit
        rows += [keys.to_bytes(row[0]) for row in found.rows]
        folders += found.folders
        if found.last is None:
            return rows, folders, pages
        after = keys.decode_cursor(keys.encode_cursor(found.last))
    raise AssertionError("the list does not end")


@given(st.sets(KEY, max_size=30), KEY, st.integers(1, 5))
def test_all_pages_together_are_the_keys_with_the_prefix(names: set[str], prefix: str, limit: int) -> None:
    rows, folders, pages = _walk(_filled(names), prefix, "", limit)
    assert rows == sorted(name.encode() for name in names if name.startswith(prefix))
    assert folders == [] and pages == max(1, -(-len(rows) // limit))


@settings(max_examples=300)
@given(st.sets(KEY, max_size=30), st.one_of(st.just(""), KEY), DELIMITER, st.integers(1, 5))
def test_all_pages_together_are_the_folders_and_the_keys_of_one_level(
    names: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    level, folders = set(), set()
    for name in names:
        if name.startswith(prefix):
            first, found, _ = name[len(prefix) :].partition(delimiter)
            if found:
                folders.add((prefix + first + delimiter).encode())
            else:
                level.add(name.encode())
    rows, seen, _ = _walk(_filled(names), prefix, delimiter, limit)
    assert rows == sorted(level)
    assert seen == sorted(folders)


@given(st.sets(KEY, max_size=30), st.one_of(st.just(""), KEY))
def test_a_count_is_the_length_of_the_list(names: set[str], prefix: str) -> None:
    expected = len([name for name in names if name.startswith(prefix)])
    assert keys.count(_filled(names), TABLE, prefix.encode()) == expected
    assert keys.count(_filled(names), TABLE, prefix.encode(), by_condition=True) == expected


@given(st.binary(max_size=50))
def test_a_cursor_is_its_key_in_base64(key: bytes) -> None:
    assert keys.decode_cursor(keys.encode_cursor(key)) == key
    assert keys.decode_cursor(keys.encode_cursor(key).rstrip("=")) == key


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_the_end_of_a_prefix_is_the_first_that_does_not_begin_with_it(prefix: bytes, other: bytes) -> None:
    end = keys.end_of(prefix)
    if other.startswith(prefix):
        assert other >= prefix and (end is None or other < end)
    elif other > prefix:
        assert end is not None and other >= end


@given(st.one_of(st.text(), st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))))
def test_a_key_is_stored_and_read_as_it_is(key: str) -> None:
    assert keys.to_text(keys.to_bytes(key)) == key
