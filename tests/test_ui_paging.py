"""The pages of a list too long to hold: whatever changes on disk, what is shown in the end is what is there."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.widgets.paging import KEPT, Entry, Pages

SIZE = 3
keys = st.lists(st.integers(0, 200).map(lambda n: f"{n:03}"), unique=True, max_size=40)


def read(stored: list[str], cursor: str | None) -> tuple[list[Entry], str | None]:
    """A page as a store gives it: the keys after the cursor, and the last one where there are more."""
    rest = stored[bisect_right(stored, cursor) if cursor is not None else 0 :]
    page = [Entry(key, key) for key in rest[:SIZE]]
    return page, page[-1].key if len(rest) > SIZE else None


def read_all(pages: Pages, stored: list[str]) -> list[str]:
    """Scroll from the first row to the last, fetching what is wanted; the keys seen."""
    for _ in range(500):
        wanted = pages.wanted(0, pages.rows)
        if not wanted:
            break
        entries, cursor = read(stored, pages.cursors[wanted[0]])
        pages.supply(wanted[0], entries, cursor)
    return [entry.key for row in range(pages.rows) if (entry := pages.get(row)) is not None]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(keys)
def test_scrolling_to_the_end_shows_every_key_once_in_order(found: list[str]) -> None:
    stored = sorted(found)
    pages = Pages()
    assert read_all(pages, stored) == stored
    assert pages.rows == len(stored)
    assert pages.ended


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(keys, keys, st.integers(0, 12))
def test_after_a_change_on_disk_reading_again_shows_what_is_there(
    before: list[str], after: list[str], seen: int
) -> None:
    pages = Pages()
    first = sorted(before)
    for _ in range(seen):
        number = pages.next_page
        if number is None:
            break
        entries, cursor = read(first, pages.cursors[number])
        pages.supply(number, entries, cursor)
    pages.stale()
    assert read_all(pages, sorted(after)) == sorted(after)


def test_memory_stays_flat_however_far_one_scrolls() -> None:
    stored = [f"{number:06}" for number in range(SIZE * KEPT * 5)]
    pages = Pages()
    while (number := pages.next_page) is not None:
        entries, cursor = read(stored, pages.cursors[number])
        pages.supply(number, entries, cursor)
    assert pages.rows == len(stored)
    assert len(list(pages.kept())) <= SIZE * KEPT
    assert pages.get(0) is None
    assert pages.wanted(0, 0) == [0]
    pages.supply(0, *read(stored, pages.cursors[0]))
    assert pages.get(0) == Entry("000000", "000000")
    assert pages.rows == len(stored)


def test_what_comes_late_from_an_older_reading_is_out_of_date() -> None:
    pages = Pages()
    first, second = pages.begin(0), pages.begin(0)
    assert pages.latest(0, second) and not pages.latest(0, first)
