"""Terminals. Rendering what a program printed needs no project: it is the terminal itself, given a file."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from workbench.model.errors import UsageError

from . import READS, operation
from .files import pieces, write_pieces
from .outcomes import Written
from .parameters import Param
from .results import Document

if TYPE_CHECKING:
    from workbench.terminal import Terminal

Output = Annotated[
    Any,
    Param(
        "a program's raw output, or an asciicast (- for standard input)",
        "file",
        positional=True,
        metavar="FILE",
    ),
]
Columns = Annotated[
    int | None, Param("columns (default: 80, or as recorded)", "integer", metavar="N", minimum=2)
]
Rows = Annotated[int | None, Param("rows (default: 24, or as recorded)", "integer", metavar="N", minimum=1)]
Picture = Annotated[
    str | None,
    Param("a picture: to this file, or to standard output", "path", metavar="FILE", alone="-"),
]
LARGEST_SIZE = 2000
_LONGEST_LINE = 16 << 20


class Rendered(NamedTuple):
    """A screen. lines: one text a row, without blanks at its end. cursor: x and y from 0; x is the width while a wrap is pending."""

    lines: list[str]
    cursor: tuple[int, int]
    title: str
    alternate: bool


@operation(
    "terminals.render",
    effect=READS,
    text_with="svg",
    examples=[
        "cfwb terminals render output.bin --cols 120 --rows 40 --json",
        "cfwb terminals render session.cast --svg screen.svg",
    ],
)
async def render(
    file: Output, cols: Columns = None, rows: Rows = None, svg: Picture = None
) -> Rendered | Document | Written:
    """The screen that a program's output leaves, as text or as a picture.

    The file is what the program wrote to its terminal, byte by byte, or a recording of it in asciicast v2; a recording's own size
    holds, and changes, unless one is given.
    """
    for flag, size in (("--cols", cols), ("--rows", rows)):
        if size is not None and size > LARGEST_SIZE:
            raise UsageError(f"{flag} is at most {LARGEST_SIZE}, not {size}")
    terminal = _replayed(pieces(file), cols, rows)
    if svg is None:
        lines = [terminal.text(row) for row in terminal.rows]
        return Rendered(
            lines, (terminal.cursor.x, terminal.cursor.y), terminal.title, terminal.modes.alternate
        )
    from workbench.terminal.svg import svg as picture

    return (
        Document(picture(terminal), "image/svg+xml") if svg == "-" else write_pieces(svg, picture(terminal))
    )


def _replayed(parts: Iterator[bytes], columns: int | None, lines: int | None) -> "Terminal":
    """The terminal after all of it."""
    from workbench.terminal import Terminal, cast

    first = next(parts, b"")
    whole = chain([first], parts)
    if not cast.is_header(first.partition(b"\n")[0]):
        terminal = Terminal(columns or 80, lines or 24, scrollback=0)
        for part in whole:
            terminal.feed(part)
            terminal.take_answers()
        return terminal
    header, events = cast.read(_lines(whole))
    terminal = Terminal(columns or header.columns, lines or header.lines, scrollback=0)
    for event in events:
        if event.code == cast.OUTPUT:
            terminal.feed(event.data.encode("utf-8", "replace"))
        elif event.size and not (columns or lines):
            terminal.resize(*event.size)
    return terminal


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces as lines; one that is too long comes cut, which makes it no event."""
    rest = b""
    for part in parts:
        *whole, last = part.split(b"\n")
        for line in whole:
            yield rest + line
            rest = b""
        rest = (rest + last)[: _LONGEST_LINE + 1]
    yield rest
