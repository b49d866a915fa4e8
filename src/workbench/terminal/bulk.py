"""Bulk output: whole lines of text, tabs and SGR, each ended by CR LF, which is what large outputs are made of.

One regular expression finds a stretch of them; each line is split at its SGRs and put on the screen in one piece. The screen is the
same as if it had come character by character, which is the way taken for a line that does not lend itself to this.
"""

import re

from .characters import pieces
from .lines import Line
from .screen import Screen

_TEXT = r"[^\x00-\x08\x0a-\x1f\x7f-\x9f]"
_LINES = re.compile(rf"(?:{_TEXT}*+(?:\x1b\[[0-9;:]*+m{_TEXT}*+)*+\r\n)++")
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")


class Bulk:
    """Takes whole lines to a screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def take(self, data: str, position: int) -> int:
        """Put the whole lines that begin at a position, which is the beginning of a line, on the screen; where they end, or 0."""
        if self._possible() and (lines := _LINES.match(data, position)):
            self._take_lines(lines[0])
            return lines.end()
        return 0

    def _possible(self) -> bool:
        screen = self.screen
        within = screen.top <= screen.cursor.y <= screen.bottom
        return within and not screen.inserting and screen.charsets[screen.shift] == "B"

    def _take_lines(self, region: str) -> None:
        """Lines of text and SGR, each with its CR LF."""
        screen = self.screen
        columns = screen.columns
        blank = screen.styles.blank
        narrow, tabs = region.isascii(), "\t" in region
        ready: list[Line] = []
        screen.last = ""
        for raw in region[:-2].split("\r\n"):
            pen = screen.pen
            if "\x1b" in raw or (tabs and "\t" in raw):
                text, styles, pen = self._styled(raw, pen)
            else:
                text = raw
                styles = chr(pen) * len(raw)
            if (
                len(text) > columns
                or (pen and blank(pen))
                or (not narrow and not _narrow(text))
                or (screen.cursor.x and not ready)
                or (tabs and "\t" in raw and not self._leaves_gaps(len(ready)))
            ):
                if ready:
                    screen.write_lines(ready)
                    ready = []
                self._take_slowly(raw)
            else:
                screen.pen = pen
                ready.append(Line(text, styles))
        if ready:
            screen.write_lines(ready)

    def _styled(self, raw: str, pen: int) -> tuple[str, str, int]:
        """The cells of a line of text, tabs and SGR, their styles, and the style after it. A tab is a gap in the default style."""
        text = styles = ""
        end = 0  # of what is drawn: a tab behind it only moves the cursor
        rendered = self.screen.styles.rendered
        for index, part in enumerate(_SGR.split(raw)):
            if index % 2:
                pen = rendered(pen, part)
                continue
            for number, piece in enumerate(part.split("\t")):
                if number:
                    gap = 8 - len(text) % 8
                    text += " " * gap
                    styles += "\0" * gap
                if piece:
                    text += piece
                    styles += chr(pen) * len(piece)
                    end = len(text)
        return text[:end], styles[:end], pen

    def _leaves_gaps(self, ready: int) -> bool:
        """Whether a tab in the line after so many ready ones only moves over cells that are blank: it comes in at the bottom."""
        screen = self.screen
        y = screen.cursor.y + ready
        blank = y > screen.bottom or (y == screen.bottom and not screen.rows[y].text)
        return blank and screen.usual_tabs

    def _take_slowly(self, raw: str) -> None:
        """One line of text, tabs and SGR that needs a closer look: too long, in wide characters, on a background."""
        screen = self.screen
        for index, part in enumerate(_SGR.split(raw)):
            if index % 2:
                screen.pen = screen.styles.rendered(screen.pen, part)
            else:
                for number, piece in enumerate(part.split("\t")):
                    if number:
                        screen.tab()
                    if piece:
                        screen.draw(piece)
        screen.last = ""
        screen.carriage_return()
        screen.linefeed()


def _narrow(text: str) -> bool:
    """Whether every character takes one column."""
    if text.isascii():
        return True
    found = pieces().match(text)
    return found is not None and found.lastindex == 1 and found.end() == len(text)
