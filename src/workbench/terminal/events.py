"""What a program asked for or told beside its text: for the owner of the terminal to act on, or not.

All text in here comes from the program: it is bounded, has no control characters, and is not to be trusted.
"""

from typing import NamedTuple


class ClipboardWrite(NamedTuple):
    """OSC 52. selection: the letters it named ("c", "p", ...); data: what it wants there (b"" empties it).

    Nothing is written unless the owner does, and the clipboard is never given to the program.
    """

    selection: str
    data: bytes


class WorkingDirectory(NamedTuple):
    """OSC 7 (and 1337;CurrentDir, 9;9): a file URI or a path."""

    uri: str


class PromptMark(NamedTuple):
    """OSC 133. kind: PROMPT, COMMAND, OUTPUT or FINISHED of `lines`; line: its number; status: what a command ended with."""

    kind: int
    line: int
    status: int | None = None


class Notification(NamedTuple):
    """OSC 9 and 777: a text to be shown to the user."""

    title: str
    body: str


Event = ClipboardWrite | WorkingDirectory | PromptMark | Notification
