"""The whole screen: its parts put together, resets, and forgetting styles and clusters that nothing shows any more."""

from collections.abc import Iterator

from pyte.screens import Cursor

from .lines import Line
from .reflow import LONGEST, resize_plain, rewrap
from .strings import Strings


class Screen(Strings):
    """What the parser drives. Use it through `Terminal`."""

    def reset(self) -> None:
        """RIS."""
        self.initialise()

    def bell(self, *args: object) -> None:
        """BEL: counted."""
        self.bells += 1

    def debug(self, *args: object, **kwargs: object) -> None:
        """What pyte calls for a sequence it does not know: nothing happens."""

    # -- size

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Another size. The margins are the whole screen again."""
        lines, columns = lines or self.lines, columns or self.columns
        if (lines, columns) == (self.lines, self.columns):
            return
        if self.hidden_rows is None:
            self.rows = self._resize_main(self.rows, lines, columns, self.cursor)
        else:
            self.hidden_rows = self._resize_main(self.hidden_rows, lines, columns, None)
            self.rows, self.cursor.y = resize_plain(self.rows, columns, lines, self.cursor.y)
            self.cursor.x = min(self.cursor.x, columns - 1)
        self.lines, self.columns = lines, columns
        self.top, self.bottom = 0, lines - 1
        self.everything = True

    def _resize_main(self, rows: list[Line], lines: int, columns: int, cursor: Cursor | None) -> list[Line]:
        """The main screen's rows at another size; the cursor (where it is on this screen) and the saved one follow."""
        saved = self.saved[0]
        at = (cursor.y, cursor.x) if cursor else (min(saved.y, len(rows) - 1), saved.x)
        before: list[Line] = []
        while len(before) < LONGEST and (last := self.scrollback.last) is not None and last.wrapped:
            before[:0] = self.scrollback.pop(1)
        used = max([at[0], *(y for y, row in enumerate(rows) if row.text)])
        blank = len(rows) - used - 1  # below all that is used
        content = before + rows[: used + 1]
        if columns != self.columns:
            self.scrollback.rewrap(self.columns, columns)
        places = [(y + len(before), x) for y, x in (at, (min(saved.y, used), saved.x))]
        content, moved = rewrap(content, self.columns, columns, places)
        start = min(max(0, len(content) - lines), moved[0][0])
        self.scrollback.extend(content[:start])
        content = content[start:][:lines]
        missing = lines - len(content) - blank
        back = self.scrollback.pop(missing) if missing > 0 else []
        shift = len(back) - start
        content = back + content
        if cursor:
            cursor.y, cursor.x = moved[0][0] + shift, moved[0][1]
        saved.y = max(0, min(lines - 1, moved[1][0] + shift + max(0, saved.y - used)))
        saved.x = moved[1][1]
        return content + [Line() for _ in range(lines - len(content))]

    def _contents(self) -> Iterator[tuple[str, str]]:
        for row in self.rows:
            yield row.text, row.styles
        for row in self.hidden_rows or ():
            yield row.text, row.styles
        yield from self.scrollback.contents()

    @property
    def crowded(self) -> bool:
        """Whether styles, links or clusters are running out, so that `tidy` is due."""
        return self.styles.room < 1 / 16 or self.clusters.room < 1 / 4

    def tidy(self) -> None:
        """Forget the styles, links and clusters that are shown nowhere; old scrollback goes before new colours."""
        while True:
            numbers = {self.pen, *(saved.pen for saved in self.saved)}
            cells: set[str] = set()
            for text, styles in self._contents():
                numbers.update(map(ord, set(styles)))
                cells |= self.clusters.used((text,))
            self.styles.keep(numbers)
            self.clusters.keep(cells)
            if self.styles.room > 1 / 4 and self.clusters.room > 1 / 2:
                return
            if not self.scrollback.drop_oldest():
                return
            for _ in range(len(self.scrollback.pages) // 4):
                self.scrollback.drop_oldest()
