"""Finding text in a terminal while one reads: the matches in sight, and the one that is next."""

from __future__ import annotations

from workbench.terminal import Position, Terminal, search
from workbench.terminal.search import Found

MOST = 10_000


class Search:
    """What was looked for. found: the matches, oldest first, at most `MOST` of the newest; at: the one in focus, -1 for none."""

    def __init__(self, terminal: Terminal, text: str, *, regex: bool = False) -> None:
        """Raises UsageError for a broken expression."""
        self.text, self.regex = text, regex
        wanted = search.pattern(text, regex=regex)
        self.found: list[Found] = []
        for match in search.find(terminal, wanted):
            self.found.append(match)
            if len(self.found) >= 2 * MOST:
                del self.found[:MOST]
        del self.found[:-MOST]
        self.at = -1
        self._rows: dict[int, list[int]] = {}
        for index, match in enumerate(self.found):
            for line in range(match.start.line, match.end.line + 1):
                self._rows.setdefault(line, []).append(index)

    def before(self, place: Position) -> Found | None:
        """Focus the last match that begins before a place, or the last of all."""
        earlier = [index for index, match in enumerate(self.found) if match.start < place]
        return self._focus(earlier[-1] if earlier else len(self.found) - 1)

    def step(self, by: int) -> Found | None:
        """Focus the next one (1: newer, -1: older), round and round."""
        return self._focus((self.at + by) % len(self.found) if self.found else -1)

    def _focus(self, at: int) -> Found | None:
        self.at = at
        return self.found[at] if at >= 0 else None

    def on_row(self, line: int, columns: int) -> list[tuple[int, int, bool]]:
        """(start, end, whether it has the focus) of what is on a row."""
        spans = []
        for index in self._rows.get(line, ()):
            start, end = self.found[index].start, self.found[index].end
            spans.append(
                (
                    start.column if line == start.line else 0,
                    end.column if line == end.line else columns,
                    index == self.at,
                )
            )
        return spans
