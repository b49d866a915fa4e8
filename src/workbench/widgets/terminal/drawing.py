"""Lines of a terminal as strips: its colours on the theme's, and what lies over a line (cursor, selection, matches)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color as TextualColor
from textual.filter import LineFilter
from textual.strip import Strip

from workbench.terminal import Line, Run, Style, Terminal
from workbench.terminal.palette import BACKGROUND, CURSOR, FOREGROUND, standard
from workbench.terminal.styles import (
    BLINK,
    BOLD,
    CONCEAL,
    DEFAULT,
    DIM,
    DOUBLE,
    ITALIC,
    OVERLINE,
    PLAIN,
    REVERSE,
    RGB,
    STRIKE,
)

STYLES = 8192  # rich styles kept; more are made again


class Colours:
    """The viewer's own colours, 0xrrggbb by index (0 to 15, FOREGROUND, BACKGROUND, CURSOR), and what overlays look like."""

    def __init__(self, shown: dict[int, int], selection: int, match: int, current: int) -> None:
        self.shown = shown
        self.selection = selection
        self.match = match
        self.current = current


class Over:
    """A stretch of a line that looks otherwise: a selection, a match, the cursor. start and end: columns, end exclusive."""

    __slots__ = ("end", "start", "style")

    def __init__(self, start: int, end: int, style: RichStyle) -> None:
        self.start, self.end, self.style = start, end, style


class Drawing:
    """Makes strips for one terminal. `line` keeps them in `Line.cache`, so that a line that only scrolls is made once."""

    def __init__(self, terminal: Terminal, colours: Colours, filters: Sequence[LineFilter] = ()) -> None:
        self.terminal = terminal
        self.colours = colours
        self.filters = tuple(filters)
        self._styles: dict[tuple[Style, bool], RichStyle] = {}
        self._palette: tuple[object, ...] = ()
        self._generation: object = object()
        self._reversed = False
        terminal.palette.shown = dict(colours.shown)

    def current(self) -> bool:
        """Whether strips made before still hold; where the palette or the whole screen's reversal changed, they do not."""
        palette = tuple(sorted(self.terminal.palette.changed.items()))
        reversed_screen = self.terminal.modes.reverse_video
        if (palette, reversed_screen) == (self._palette, self._reversed):
            return True
        self._palette, self._reversed = palette, reversed_screen
        self._styles.clear()
        self._generation = object()
        return False

    def line(self, line: Line, width: int) -> Strip:
        """A line's strip, `width` cells wide."""
        cached = line.cache
        if isinstance(cached, _Drawn) and cached.generation is self._generation and cached.width == width:
            return cached.strip
        strip = self._strip(self.terminal.runs(line), width)
        line.cache = _Drawn(strip, self._generation, width)
        return strip

    def beyond(self, width: int) -> Strip:
        """Cells that are none of the terminal's: its size is another than its room."""
        ground = self._colour(DEFAULT, BACKGROUND)
        dots = RichStyle(
            color=_rich_colour(_blended(ground, self._colour(DEFAULT, FOREGROUND))),
            bgcolor=_rich_colour(ground),
        )
        return self._filtered(Strip([Segment("·" * width, dots)], width))

    def _strip(self, runs: Iterable[Run], width: int) -> Strip:
        segments = []
        used = 0
        for text, style, columns in runs:
            room = width - used
            if columns > room:
                text, columns = set_cell_size(text, room), room
            elif not text.isascii() and cell_len(text) != columns:
                text = set_cell_size(text, columns)
            if columns > 0:
                segments.append(Segment(text, self._rich(style)))
                used += columns
        if used < width:
            segments.append(Segment(" " * (width - used), self._rich(Style())))
        return self._filtered(Strip(segments, width))

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self.filters:
            strip = strip.apply_filter(line_filter, _textual(self._colour(DEFAULT, BACKGROUND)))
        return strip

    def over(self, strip: Strip, overs: Iterable[Over]) -> Strip:
        """The strip with stretches of it restyled; later ones lie above earlier ones."""
        width = strip.cell_length
        for over in overs:
            start, end = max(0, over.start), min(width, over.end)
            if start >= end:
                continue
            before, middle, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, width)
            changed = [
                Segment(segment.text, (segment.style or RichStyle()) + over.style) for segment in middle
            ]
            strip = Strip([*before, *changed, *after], width)
        return strip

    def cursor(self, shape: str, focused: bool) -> RichStyle:
        """What the cursor's cell looks like: a block where the keyboard is here, else an underline; a bar is an underline too."""
        colour = self.terminal.palette.changed.get(CURSOR, self.colours.shown.get(CURSOR, 0xFFFFFF))
        if focused and shape == "block":
            return RichStyle(
                color=_rich_colour(self._colour(DEFAULT, BACKGROUND)),
                bgcolor=_rich_colour(colour),
                bold=False,
            )
        return RichStyle(underline=True, bold=focused, color=_rich_colour(colour))

    @property
    def selected(self) -> RichStyle:
        return RichStyle(bgcolor=_rich_colour(self.colours.selection))

    @property
    def matched(self) -> RichStyle:
        return RichStyle(
            bgcolor=_rich_colour(self.colours.match), color=_rich_colour(self._colour(DEFAULT, BACKGROUND))
        )

    @property
    def match_in_focus(self) -> RichStyle:
        return RichStyle(
            bgcolor=_rich_colour(self.colours.current), color=_rich_colour(self._colour(DEFAULT, BACKGROUND))
        )

    # Colours

    def _colour(self, colour: int, otherwise: int) -> int:
        """A style's colour as 0xrrggbb; `otherwise` is the palette's index of the default."""
        if colour >= RGB:
            return colour & 0xFFFFFF
        index = otherwise if colour == DEFAULT else colour
        changed = self.terminal.palette.changed.get(index)
        if changed is not None:
            return changed
        shown = self.colours.shown.get(index)
        return shown if shown is not None else standard(index)

    def _rich(self, style: Style) -> RichStyle:
        key = (style, self._reversed)
        found = self._styles.get(key)
        if found is None:
            if len(self._styles) >= STYLES:
                self._styles.clear()
            found = self._styles[key] = self._made(style)
        return found

    def _made(self, style: Style) -> RichStyle:
        defaults = (BACKGROUND, FOREGROUND) if self._reversed else (FOREGROUND, BACKGROUND)
        foreground = self._colour(style.foreground, defaults[0])
        background = self._colour(style.background, defaults[1])
        flags = style.flags
        if flags & REVERSE:
            foreground, background = background, foreground
        if flags & DIM:
            foreground = _blended(foreground, background)
        if flags & CONCEAL:
            foreground = background
        return RichStyle(
            color=_rich_colour(foreground),
            bgcolor=_rich_colour(background),
            bold=bool(flags & BOLD),
            italic=bool(flags & ITALIC),
            blink=bool(flags & BLINK),
            strike=bool(flags & STRIKE),
            overline=bool(flags & OVERLINE),
            underline=style.underline not in (PLAIN, DOUBLE) or style.link is not None,
            underline2=style.underline == DOUBLE,
        )


class _Drawn:
    """What `Line.cache` holds."""

    __slots__ = ("generation", "strip", "width")

    def __init__(self, strip: Strip, generation: object, width: int) -> None:
        self.strip, self.generation, self.width = strip, generation, width


def _rich_colour(colour: int) -> Color:
    return Color.from_rgb(colour >> 16, colour >> 8 & 255, colour & 255)


def _textual(colour: int) -> TextualColor:
    return TextualColor(colour >> 16, colour >> 8 & 255, colour & 255)


def _blended(colour: int, other: int) -> int:
    """Two thirds of one colour, a third of the other."""
    return sum((2 * (colour >> shift & 255) + (other >> shift & 255)) // 3 << shift for shift in (16, 8, 0))
