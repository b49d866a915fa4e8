"""The cursor of the terminal one sits at, lent to a program that asks for a bar: no cell can be drawn with a bar in it."""

from __future__ import annotations

from typing import Any

from textual.geometry import Offset

SHAPES = {None: 6, False: 6, True: 5}
"""DECSCUSR of a bar, by whether it blinks."""


class OuterCursor:
    """Shown at one place at a time, hidden otherwise, as Textual has it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._shown: bool | None = None
        self.visible = False

    def show(self, place: Offset, blinking: bool | None) -> None:
        """A bar at a place of the window."""
        self._app.cursor_position = place
        move = f"\x1b[{place.y + 1};{place.x + 1}H"
        if not self.visible or self._shown != blinking:
            self.visible, self._shown = True, blinking
            move += f"\x1b[{SHAPES[blinking]} q\x1b[?25h"
        self._write(move)

    def hide(self) -> None:
        """Away, and its shape as it was."""
        if self.visible:
            self.visible = False
            self._app.cursor_position = Offset(0, 0)
            self._write("\x1b[?25l\x1b[0 q")

    def _write(self, sequence: str) -> None:
        if self._app._driver is not None:
            self._app._driver.write(sequence)
