"""A text area for text from anywhere: what would be a control code on the terminal is drawn as a sign, and stays what it is in the text."""

from __future__ import annotations

import re

from rich.text import Text
from textual.widgets import TextArea

from workbench.model.text import visible

_HIDDEN = re.compile(r"[^\x20-\x7e\t]")


def one_for_one(match: re.Match[str]) -> str:
    """A stand-in of one character for a character the terminal must not get, so that columns stay what they are."""
    shown = visible(match.group())
    return shown if len(shown) == 1 else "�"


class SafeTextArea(TextArea):
    """Draws control codes, bidi controls and lone surrogates as one sign each."""

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if line.plain.isascii() and line.plain.isprintable():
            return line
        shown = _HIDDEN.sub(one_for_one, line.plain)
        return line if shown == line.plain else Text(shown, spans=line.spans, end="", no_wrap=True)
