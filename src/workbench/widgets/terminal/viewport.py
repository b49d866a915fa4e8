"""The part of a terminal's screen that is in sight where the screen is larger than its room: others decided on its size."""

from __future__ import annotations

from workbench.terminal import Terminal


class Viewport:
    """left, above: how many columns and rows of the screen lie outside on those sides; 0 and 0 where it fits.

    It goes along with the cursor, moving as little as it can, until a reader moves it (`held`).
    """

    def __init__(self) -> None:
        self.left = self.above = 0
        self.held = False

    def follow(self, terminal: Terminal, width: int, height: int) -> bool:
        """Keep within the screen, and the cursor in sight; whether it moved."""
        before = self.left, self.above
        beyond, below = max(0, terminal.columns - width), max(0, terminal.lines - height)
        if not self.held and width > 0 and height > 0:
            cursor = terminal.cursor
            x = min(cursor.x, terminal.columns - 1)
            if not self.left <= x < self.left + width:
                # Half a room further, so that typing along a line does not move it at every letter.
                self.left = x - width // 2
            self.above = min(cursor.y, max(self.above, cursor.y - height + 1))
        self.left, self.above = max(0, min(beyond, self.left)), max(0, min(below, self.above))
        return (self.left, self.above) != before

    def pan(self, terminal: Terminal, width: int, columns: int) -> bool:
        """To the right by so many columns (negative: to the left), as far as there are some; whether it moved."""
        left = max(0, min(terminal.columns - width, self.left + columns))
        moved = left != self.left
        if moved:
            self.left, self.held = left, True
        return moved

    def let_go(self) -> bool:
        """Follow the cursor again; whether it had not."""
        held, self.held = self.held, False
        return held
