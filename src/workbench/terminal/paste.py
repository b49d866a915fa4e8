"""Pasted text: what is in it that a person should know of, and the bytes a program gets."""

import re
from typing import NamedTuple

from .modes import Modes

_SHOWN = "\N{SYMBOL FOR ESCAPE}"
_START, _END = "\x1b[200~", "\x1b[201~"
_END_MARKS = re.compile("(?:\x1b\\[|\x9b)201~")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile("\r\n|\n")


class Inspection(NamedTuple):
    """lines: how many lines would be entered. controls: the control characters in it, each once (tab and line ends are none).

    end_marks: how often it holds the end mark of a bracketed paste, which only an attack does.
    """

    lines: int
    controls: str
    end_marks: int

    @property
    def suspicious(self) -> bool:
        """Whether to ask before it is pasted."""
        return bool(self.controls)


def inspect(text: str) -> Inspection:
    """Look at a text before it is pasted."""
    lines = len(_LINE_ENDS.findall(text)) + 1
    return Inspection(lines, "".join(sorted(set(_CONTROLS.findall(text)))), len(_END_MARKS.findall(text)))


def without_controls(text: str) -> str:
    """The text with its control characters left out, but for tabs and line ends."""
    return _CONTROLS.sub("", text)


def encode(text: str, modes: Modes) -> bytes:
    """What the program gets: lines end in CR; marked as a paste where it asked for that, with no end mark in it.

    Of those the first character is replaced by a visible one: taking them out could join the halves of another.
    """
    if modes.bracketed_paste:
        text = _END_MARKS.sub(lambda mark: _SHOWN + mark[0][1:], text)
    text = _LINE_ENDS.sub("\r", text)
    if modes.bracketed_paste:
        text = _START + text + _END
    return text.encode("utf-8", "replace")
