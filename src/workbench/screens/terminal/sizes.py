"""Whose size a terminal takes, as a person chooses it for this window."""

from __future__ import annotations

from typing import Any

from textual.app import App

from workbench.screens.choosing import Choosing
from workbench.screens.dialogs import Ask
from workbench.terminal import Terminal

from .connection import Connection

LARGEST = 1000
CHOICES = {
    "fit": "this pane's: it is as large as it is seen here",
    "smallest": "the smallest: never larger than this pane, whoever types",
    "fixed": "one of its own: columns and rows that stay",
    "watch": "the others': this pane only looks",
}
SHORT = {"fit": "", "smallest": " the smallest", "fixed": " fixed", "watch": " as others have it"}
"""Behind the size, in the line above a terminal."""


async def ask(
    app: App[Any], connection: Connection, terminal: Terminal
) -> tuple[str, tuple[int, int] | None] | None:
    """A policy, with the size that `fixed` fixes; None for no change. In a worker."""
    now = f" (now {terminal.columns}x{terminal.lines})"
    lines = [f"{'●' if policy == connection.policy else ' '} {words}" for policy, words in CHOICES.items()]
    chosen = await app.push_screen_wait(Choosing(f"Whose size does the terminal take?{now}", lines))
    if chosen is None:
        return None
    policy = list(CHOICES)[chosen]
    if policy != "fixed":
        return policy, None
    asked = Ask(
        "A size of its own",
        target=connection.session.target,
        label="Columns x rows:",
        value=f"{terminal.columns}x{terminal.lines}",
        check=wrong,
    )
    said = await app.push_screen_wait(asked)
    return None if said is None else (policy, _size(said))


def wrong(text: str) -> str:
    """What is wrong with a size, or ""."""
    size = _size(text)
    if size is None or not all(0 < part <= LARGEST for part in size):
        return f"such as 132x43, each up to {LARGEST}"
    return ""


def _size(text: str) -> tuple[int, int] | None:
    columns, _, rows = text.replace(" ", "").lower().partition("x")
    if not (columns.isdecimal() and rows.isdecimal()):
        return None
    return int(columns), int(rows)
