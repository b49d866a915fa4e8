"""What a cell looks like, and the table that gives every distinct look of one terminal a small number.

A colour is an int: `DEFAULT`, a palette index 0 to 255, or `RGB | 0xrrggbb`. A line keeps the numbers of its cells' styles as the
code points of a string (see `lines`), so the table's size is bounded by `Styles.LIMIT`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .sgr import rendition

DEFAULT = -1
RGB = 1 << 24

BOLD = 1
DIM = 2
ITALIC = 4
BLINK = 8
REVERSE = 16
CONCEAL = 32
STRIKE = 64
OVERLINE = 128
PROTECTED = 256

# Values of `Style.underline`, as SGR 4:n counts them.
PLAIN, SINGLE, DOUBLE, CURLY, DOTTED, DASHED = range(6)


class Link(NamedTuple):
    """An OSC 8 hyperlink. id: what its author named it (cells of one link that are apart share it), or ""."""

    uri: str
    id: str = ""


class Style(NamedTuple):
    """One look. flags: BOLD | DIM | ...; underline: PLAIN to DASHED; underline_colour: DEFAULT means the foreground's."""

    foreground: int = DEFAULT
    background: int = DEFAULT
    flags: int = 0
    underline: int = PLAIN
    underline_colour: int = DEFAULT
    link: Link | None = None


PLAIN_STYLE = Style()


class Styles:
    """The styles of one terminal by number; number 0 is the default.

    Where there is no room left, a new style loses its colours and link, and as a last resort is the default.
    """

    LIMIT = 1 << 17
    LINKS = 4096
    LINK_LENGTH = 2083  # the longest URI kept, as in other terminals (VTE)

    def __init__(self) -> None:
        self.styles: list[Style] = [PLAIN_STYLE]
        self._numbers: dict[Style, int] = {PLAIN_STYLE: 0}
        self._free: list[int] = []
        self._links: dict[Link, Link] = {}
        self._sgr: dict[tuple[int, str], int] = {}
        self._blank: dict[int, int] = {0: 0}

    def __getitem__(self, number: int) -> Style:
        return self.styles[number]

    @property
    def room(self) -> float:
        """The part of the numbers, or of the links, that is free. Low means that `keep` is due: one piece of output may take 1/16."""
        numbers = (len(self._free) + self.LIMIT - len(self.styles)) / self.LIMIT
        return min(numbers, 1 - len(self._links) / self.LINKS)

    def number(self, style: Style) -> int:
        """The number of a style."""
        found = self._numbers.get(style)
        if found is None:
            if self._free:
                found = self._free.pop()
                self.styles[found] = style
            elif len(self.styles) < self.LIMIT:
                found = len(self.styles)
                self.styles.append(style)
            else:
                return self._numbers.get(Style(flags=style.flags, underline=style.underline), 0)
            self._numbers[style] = found
        return found

    def rendered(self, number: int, parameters: str) -> int:
        """The style after `CSI parameters m`. Links and protection stay: SGR says nothing about them."""
        key = (number, parameters)
        found = self._sgr.get(key)
        if found is None:
            if len(self._sgr) >= 8192:
                self._sgr.clear()
            found = self._sgr[key] = self.number(rendition(self.styles[number], parameters))
        return found

    def blank(self, number: int) -> int:
        """The style of what is erased while `number` is current: its background and nothing else."""
        found = self._blank.get(number)
        if found is None:
            if len(self._blank) >= 8192:
                self._blank = {0: 0}
            background = self.styles[number].background
            found = self._blank[number] = self.number(Style(background=background)) if background >= 0 else 0
        return found

    def linked(self, number: int, uri: str, id: str = "") -> int:
        """The same style within a hyperlink; `uri` "" ends it. One that is too long, or one too many, is no link."""
        link = None
        if uri and len(uri) + len(id) <= self.LINK_LENGTH:
            link = Link(uri, id)
            if link not in self._links and len(self._links) < self.LINKS:
                self._links[link] = link
            link = self._links.get(link)
        return self.number(self.styles[number]._replace(link=link))

    def flagged(self, number: int, flag: int, on: bool) -> int:
        """The same style with one flag set or cleared."""
        style = self.styles[number]
        return self.number(style._replace(flags=style.flags | flag if on else style.flags & ~flag))

    def load(self, styles: list[Style]) -> None:
        """Take styles by their numbers, the default one first; other default ones are numbers that are free."""
        self.styles = styles
        self.keep({number for number, style in enumerate(styles) if style != PLAIN_STYLE})

    def keep(self, used: Iterable[int]) -> None:
        """Forget every style that is not in `used`; the numbers of the others stay."""
        kept = {0, *used}
        self._free = [number for number in range(len(self.styles)) if number not in kept]
        for number in self._free:
            self.styles[number] = PLAIN_STYLE
        self._numbers = {self.styles[number]: number for number in kept}
        links = {style.link for style in self._numbers if style.link is not None}
        self._links = {link: link for link in links}
        self._sgr.clear()
        self._blank = {0: 0}
