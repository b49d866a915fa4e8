"""Text on the screen: narrow, wide and combining characters, wrapping, inserting; and whole lines at once."""

from collections.abc import Sequence

from .characters import HALF, ZWJ, pieces, width
from .grid import CHARSETS, Grid
from .lines import Line


class Drawing(Grid):
    def draw(self, data: str) -> None:
        """Text without control characters, at the cursor."""
        self.last = data[-1:]
        charset = self.charsets[self.shift]
        if charset != "B":
            data = data.translate(CHARSETS[charset])
        if not data.isascii():
            self._draw_mixed(data)
            return
        cursor = self.cursor
        length = len(data)
        end = cursor.x + length
        if end < self.columns and not self.inserting:  # as _draw_narrow, in one step: most text is this
            y = cursor.y
            self.rows[y].write(cursor.x, data, chr(self.pen) * length)
            self.dirty.add(y)
            cursor.x = end
        else:
            self._draw_narrow(data)

    def _draw_narrow(self, text: str) -> None:
        """Characters of one column each."""
        cursor = self.cursor
        x = cursor.x
        end = x + len(text)
        if end <= self.columns:
            self._put(x, text, len(text))
            cursor.x = end
            if end == self.columns and not self.wrapping:
                cursor.x = end - 1
        elif self.wrapping:
            while text:
                if cursor.x >= self.columns:
                    self._wrap()
                part = text[: self.columns - cursor.x]
                text = text[len(part) :]
                self._put(cursor.x, part, len(part))
                cursor.x += len(part)
        else:
            x = self.column
            room = self.columns - x
            if len(text) > room:
                text = text[: room - 1] + text[-1]
            self._put(x, text, len(text))
            cursor.x = self.columns - 1

    def _put(self, x: int, cells: str, count: int) -> None:
        y = self.cursor.y
        row = self.rows[y]
        if self.inserting:
            row.insert(x, count, "\0", self.columns)
        row.write(x, cells, chr(self.pen) * count)
        self.dirty.add(y)

    def _wrap(self) -> None:
        """Go on in the next line."""
        self.rows[self.cursor.y].wrapped = True
        self.cursor.x = 0
        self.index()

    def _draw_mixed(self, text: str) -> None:
        """Text with characters that may be wide, combine, or join."""
        for match in pieces().finditer(text):
            piece = match[0]
            kind = match.lastindex
            if kind != 3 and piece[0] > "\x7f" and self._left().endswith(ZWJ):
                self._combine(piece[0])
                piece = piece[1:]
            if kind == 1:
                self._draw_narrow(piece)
            elif kind == 2:
                self._draw_wide(piece)
            else:
                for character in piece:
                    columns = width(character)
                    if columns == 0 or self._left().endswith(ZWJ):
                        self._combine(character)
                    elif columns == 1:
                        self._draw_narrow(self.clusters.cell(character))
                    else:
                        self._draw_wide(self.clusters.cell(character))

    def _draw_wide(self, text: str) -> None:
        """Characters of two columns each; one that would be split at the edge goes to the next line, or nowhere."""
        if self.columns < 2:
            return
        cursor = self.cursor
        while text:
            fit = (self.columns - cursor.x) // 2
            if fit < 1:
                if not self.wrapping:
                    return
                self._wrap()
                fit = self.columns // 2
            part = text[:fit]
            text = text[fit:]
            self._put(cursor.x, HALF.join(part) + HALF, 2 * len(part))
            cursor.x += 2 * len(part)
            if cursor.x == self.columns and not self.wrapping:
                cursor.x -= 1

    def _left(self) -> str:
        """The cluster in the cell before the cursor, "" at the left edge."""
        text = self.rows[self.cursor.y].text
        x = self._left_column(text)
        return self.clusters.cluster(text[x]) if 0 <= x < len(text) else ""

    def _left_column(self, text: str) -> int:
        x = self.cursor.x - 1
        if self.cursor.x == self.columns - 1 and not self.wrapping and self.columns - 1 < len(text):
            x += 1  # without autowrap the cursor stays on what it wrote last
        return x - 1 if 0 < x < len(text) and text[x] == HALF else x

    def _combine(self, mark: str) -> None:
        """Add a character to the cell before the cursor; at the left edge, or where the cell is full, it is dropped."""
        y = self.cursor.y
        row = self.rows[y]
        x = self._left_column(row.text)
        if x < 0:
            return
        row.pad(x + 1)
        cluster = self.clusters.cluster(row.text[x]) + mark
        if len(cluster) <= self.clusters.LONGEST:
            row.text = row.text[:x] + self.clusters.cell(cluster) + row.text[x + 1 :]
            row.cache = None
            self.dirty.add(y)

    def write_lines(self, lines: Sequence[Line]) -> None:
        """Whole lines, each followed by CR LF, from column 0 of the cursor's line on: what bulk output is made of.

        Only where the cursor is within the scrolling region, nothing is inserted, no line is longer than the screen is wide, and
        the background is the default one; the parser sees to that.
        """
        rows, y, top, bottom = self.rows, self.cursor.y, self.top, self.bottom
        above = min(bottom - y, len(lines))
        for line in lines[:above]:
            if line.text:
                rows[y].write(0, line.text, line.styles)
            rows[y].wrapped = False
            self.dirty.add(y)
            y += 1
        rest = lines[above:]
        if rest:
            if rest[0].text:
                rows[y].write(0, rest[0].text, rest[0].styles)
            rows[y].wrapped = False
            region = [*rows[top : bottom + 1], *rest[1:], Line()]
            gone = len(rest)
            if top == 0 and self.hidden_rows is None:
                self.scrollback.extend(region[:gone])
            rows[top : bottom + 1] = region[gone:]
            if bottom - top == self.lines - 1:
                self.everything = True
            else:
                self.dirty.update(range(top, bottom + 1))
        self.cursor.x = 0
        self.cursor.y = y
