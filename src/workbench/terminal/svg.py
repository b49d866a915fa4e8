"""A terminal's screen as a picture in SVG: text stays text, colours as the program set them, nothing that a viewer would run or load."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from .characters import HALF
from .lines import Line
from .palette import standard
from .styles import BOLD, CONCEAL, DIM, ITALIC, OVERLINE, REVERSE, RGB, STRIKE, Style
from .terminal import Terminal

WIDTH, HEIGHT, SIZE = 8.4, 18, 14  # of a cell and of its letters, in pixels
MARGIN = 10
FOREGROUND, BACKGROUND = 0xD8DEE9, 0x16181D  # where the program set none
_FONTS = "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_NOT_SHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)  # not in XML, or turns text around
_UNDERLINES = {1: "", 2: "double", 3: "wavy", 4: "dotted", 5: "dashed"}


def svg(terminal: Terminal) -> Iterator[str]:
    """The screen with its cursor, in pieces."""
    width = terminal.columns * WIDTH + 2 * MARGIN
    height = terminal.lines * HEIGHT + 2 * MARGIN
    paint = _Paint(terminal)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
        f' font-family="{_FONTS}" font-size="{SIZE}">\n'
    )
    if terminal.title:
        yield f"<title>{_safe(terminal.title)}</title>\n"
    yield f'<rect width="100%" height="100%" rx="6" fill="{_hex(paint.background)}"/>\n'
    for y, line in enumerate(terminal.rows):
        yield from paint.line(line, y)
    yield from paint.cursor()
    yield "</svg>\n"


def _safe(text: str) -> str:
    return escape(_NOT_SHOWN.sub("", text))


def _hex(colour: int) -> str:
    return f"#{colour & 0xFFFFFF:06x}"


class _Paint:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        changed = terminal.palette.changed
        self._changed = changed
        self.foreground, self.background = changed.get(256, FOREGROUND), changed.get(257, BACKGROUND)
        if terminal.modes.reverse_video:
            self.foreground, self.background = self.background, self.foreground

    def _colour(self, colour: int, default: int) -> int:
        if colour < 0:
            return default
        return colour & 0xFFFFFF if colour >= RGB else self._changed.get(colour, standard(colour))

    def _colours(self, style: Style) -> tuple[int, int]:
        foreground = style.foreground
        if style.flags & BOLD and 0 <= foreground < 8:
            foreground += 8
        pair = self._colour(foreground, self.foreground), self._colour(style.background, self.background)
        return (pair[1], pair[0]) if style.flags & REVERSE else pair

    def line(self, line: Line, y: int) -> Iterator[str]:
        """One row: its backgrounds, then its text."""
        styles = self._terminal._screen.styles
        top = MARGIN + y * HEIGHT
        runs = [(start, end, styles[number]) for start, end, number in line.runs()]
        for start, end, style in runs:
            background = self._colours(style)[1]
            if background != self.background:
                yield (
                    f'<rect x="{MARGIN + start * WIDTH:g}" y="{top}" width="{(end - start) * WIDTH:g}" height="{HEIGHT}"'
                    f' fill="{_hex(background)}"/>\n'
                )
        for start, end, style in runs:
            if not style.flags & CONCEAL:
                for first, columns, text in self._pieces(line.text[start:end]):
                    if text.strip() or self._decoration(style):
                        yield self._text(text, start + first, columns, top, style)

    def _pieces(self, cells: str) -> Iterator[tuple[int, int, str]]:
        """(column, columns, text): a wide character or a cluster by itself, what is between in one, so that columns stay columns."""
        clusters = self._terminal._screen.clusters
        if cells.isascii():
            yield 0, len(cells), cells
            return
        first, text = 0, ""
        for index, cell in enumerate(cells):
            wide = cells[index + 1 : index + 2] == HALF
            if cell == HALF or wide or len(clusters.cluster(cell)) > 1:
                if text:
                    yield first, len(text), text
                if cell != HALF:
                    yield index, 1 + wide, clusters.cluster(cell)
                first, text = index + 1, ""
            else:
                text += clusters.cluster(cell)
        if text:
            yield first, len(text), text

    def _text(self, text: str, column: int, columns: int, top: float, style: Style) -> str:
        fields = f'x="{MARGIN + column * WIDTH:g}" y="{top + SIZE}" fill="{_hex(self._colours(style)[0])}" xml:space="preserve"'
        if len(text) == columns:
            fields += f' textLength="{columns * WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
        if style.flags & BOLD:
            fields += ' font-weight="bold"'
        if style.flags & ITALIC:
            fields += ' font-style="italic"'
        if style.flags & DIM:
            fields += ' opacity="0.6"'
        if decoration := self._decoration(style):
            simple = " ".join(
                word for word in decoration.split() if word.endswith("line") or word == "line-through"
            )
            fields += f' text-decoration="{simple}" style="text-decoration: {decoration}"'
        return f"<text {fields}>{_safe(text)}</text>\n"

    def _decoration(self, style: Style) -> str:
        lines = [
            name for flag, name in ((STRIKE, "line-through"), (OVERLINE, "overline")) if style.flags & flag
        ]
        if style.underline:
            lines.append("underline")
            if _UNDERLINES[style.underline]:
                lines.append(_UNDERLINES[style.underline])
            if style.underline_colour >= 0:
                lines.append(_hex(self._colour(style.underline_colour, self.foreground)))
        return " ".join(lines)

    def cursor(self) -> Iterator[str]:
        """The cursor, see-through; nothing where it is hidden."""
        cursor = self._terminal.cursor
        if not cursor.visible:
            return
        x, y = min(cursor.x, self._terminal.columns - 1), cursor.y
        text = self._terminal.rows[y].text
        wide = 2 if text[x + 1 : x + 2] == HALF else 1
        left, top, width, height = MARGIN + x * WIDTH, float(MARGIN + y * HEIGHT), wide * WIDTH, float(HEIGHT)
        if cursor.shape == "underline":
            top, height = top + height - 2, 2
        elif cursor.shape == "bar":
            width = 2
        colour = self._changed.get(258, self.foreground)
        yield f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="{_hex(colour)}" opacity="0.5"/>\n'
