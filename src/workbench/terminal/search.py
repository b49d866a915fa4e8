"""Finding text in the scrollback and on the screen, across wrapped lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from workbench.model.errors import UsageError

from .logical import Position, lines

if TYPE_CHECKING:
    from .terminal import Terminal


class Found(NamedTuple):
    """Where something is: from the cell `start` to before the cell `end`, and the text itself."""

    start: Position
    end: Position
    text: str


def pattern(text: str, *, regex: bool = False, ignore_case: bool | None = None) -> re.Pattern[str]:
    """What to look for. ignore_case: None means where the text has no capital. Raises UsageError for a broken expression."""
    if ignore_case is None:
        ignore_case = text == text.lower()
    try:
        return re.compile(text if regex else re.escape(text), re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"{text!r} is no regular expression: {error}") from None


def find(
    terminal: Terminal, wanted: re.Pattern[str], first: int | None = None, end: int | None = None
) -> Iterator[Found]:
    """All there is, oldest first, found as it is asked for; between two rows, or everywhere."""
    first = terminal.first_line if first is None else first
    end = terminal.end_line if end is None else min(end, terminal.end_line)
    for line in lines(terminal, first, end):
        for match in wanted.finditer(line.text):
            if match.end() > match.start():
                yield Found(line.position(match.start()), line.end(match.end()), match[0])
