"""Fields for text that may hold anything: what a terminal would obey is drawn as a stand-in, one cell a character.

The text itself stays as it is. (`model.text.visible` may make several characters of one; here the cursor must stay on its
character, so each becomes exactly one.)
"""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input, TextArea

from workbench.model.text import visible


def one_for_one(text: str, *, tabs: bool = False) -> str:
    """The text with every character a terminal would obey or hide replaced by exactly one visible one.

    tabs: keep tabs (a text area expands them itself).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() and not _hidden(letter) else _one(letter, tabs) for letter in text
    )


def _hidden(letter: str) -> bool:
    return not letter.isascii() and visible(letter) != letter


def _one(letter: str, tabs: bool) -> str:
    if tabs and letter == "\t":
        return letter
    shown = visible(letter)
    return shown if len(shown) == 1 else "\ufffd"


class SafeInput(Input):
    """A line of text from anywhere."""

    @property
    def _value(self) -> Text:
        if self.password:
            return Text("•" * len(self.value), no_wrap=True, overflow="ignore", end="")
        return Text(one_for_one(self.value), no_wrap=True, overflow="ignore", end="")


class SafeTextArea(TextArea):
    """Text of many lines from anywhere."""

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        return Text(one_for_one(line, tabs=True), end="", no_wrap=True)
