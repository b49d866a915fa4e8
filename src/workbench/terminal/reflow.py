"""Lines at another width: those that were wrapped are joined and wrapped anew, and places in them are followed."""

from collections.abc import Iterable, Iterator, Sequence

from .characters import HALF
from .lines import Line

LONGEST = 4096  # lines that are joined to one at most

Place = tuple[int, int]  # (index of a line, column)


def rewrap(
    lines: Sequence[Line], old: int, new: int, places: Sequence[Place]
) -> tuple[list[Line], list[Place]]:
    """Lines that were wrapped at `old` columns, wrapped at `new`, and where the places in them have gone."""
    found: list[Line] = []
    moved = list(places)
    start = 0
    for group in _groups(lines):
        here = [index for index, (y, _) in enumerate(places) if start <= y < start + len(group)]
        if len(group) > 1 or len(group[0].text) > new or here:
            offsets = []
            for index in here:
                y, x = places[index]
                group[y - start].pad(x)
                offsets.append(sum(_length(group, row, old) for row in range(y - start)) + x)
            rows = _split(_joined(group, old), new)
            for index, offset in zip(here, offsets):
                y, x = _place(rows, offset, new)
                moved[index] = (len(found) + y, x)
            found += rows
        else:
            found += group
        start += len(group)
    return found, moved


def _groups(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Each line with those it is continued by."""
    group: list[Line] = []
    for line in lines:
        group.append(line)
        if not line.wrapped or len(group) >= LONGEST:
            yield group
            group = []
    if group:
        yield group


def _length(group: Sequence[Line], row: int, columns: int) -> int:
    """How many cells a line of a group is long. One that is continued is full, but for the cell that a wide character left."""
    length = len(group[row].text)
    if row == len(group) - 1:
        return length
    wide = group[row + 1].text[1:2] == HALF
    return max(length, columns - 1) if wide and length < columns else max(length, columns)


def _joined(group: Sequence[Line], columns: int) -> Line:
    """A group as one line of any length."""
    if len(group) == 1:
        return group[0]
    for row, line in enumerate(group[:-1]):
        line.pad(_length(group, row, columns))
    mark = next((line.mark for line in group if line.mark), 0)
    text = "".join([line.text for line in group])
    return Line(text, "".join([line.styles for line in group]), group[-1].wrapped, mark)


def _split(line: Line, columns: int) -> list[Line]:
    """One line as several of at most so many columns; a wide character is never cut."""
    text, styles = line.text, line.styles
    if len(text) <= columns:
        return [line]
    rows = []
    start, length = 0, len(text)
    while start < length:
        end = min(start + columns, length)
        if end < length and text[end] == HALF and columns > 1:
            end -= 1
        rows.append(Line(text[start:end], styles[start:end], True))
        start = end
    rows[-1].wrapped = line.wrapped
    rows[0].mark = line.mark
    return rows


def _place(rows: Sequence[Line], offset: int, columns: int) -> Place:
    """Where a cell of the joined line is now; the cell after the last one may be a pending wrap."""
    for y, row in enumerate(rows):
        if offset < len(row.text) or y == len(rows) - 1:
            return y, min(offset, columns)
        offset -= len(row.text)
    raise AssertionError("a line has rows")


def resize_plain(rows: list[Line], columns: int, lines: int, y: int) -> tuple[list[Line], int]:
    """Rows of the alternate screen at another size, cut and filled; the cursor's row stays, and where it is now."""
    for row in rows:
        row.cut(columns)
        row.wrapped = False
    surplus = len(rows) - lines
    if surplus > 0:
        above = max(0, y - lines + 1)
        rows = rows[above : above + lines]
        y -= above
    return rows + [Line() for _ in range(lines - len(rows))], y
