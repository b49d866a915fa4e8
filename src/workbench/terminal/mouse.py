"""Mouse and focus to the bytes a program asked for (xterm's ctlseqs, "Mouse Tracking")."""

from typing import NamedTuple

from . import keys
from .modes import Modes

PRESS, RELEASE, MOVE = "press", "release", "move"
BUTTONS = {
    "left": 0,
    "middle": 1,
    "right": 2,
    "none": 3,
    "wheel_up": 64,
    "wheel_down": 65,
    "wheel_left": 66,
    "wheel_right": 67,
}
BUTTONS |= {"back": 128, "forward": 129}
_CELL = (8, 16)  # pixels of a cell, where the owner knows none


class MouseEvent(NamedTuple):
    """kind: PRESS, RELEASE or MOVE; button: of `BUTTONS`, the held one of a move or "none"; x and y: cells from 0.

    pixels: the place in pixels, where it is known. A wheel's step is a press without a release.
    """

    kind: str
    button: str
    x: int
    y: int
    shift: bool = False
    alt: bool = False
    ctrl: bool = False
    pixels: tuple[int, int] | None = None


def encode(event: MouseEvent, modes: Modes) -> bytes:
    """What the program gets for a mouse event; b"" where it did not ask for it or its encoding cannot say it."""
    button = BUTTONS[event.button]
    wheel = 64 <= button < 128
    if not _wanted(event, wheel, modes.mouse):
        return b""
    code = button
    if modes.mouse != 9:
        code += 4 * event.shift + 8 * event.alt + 16 * event.ctrl
    if event.kind == MOVE:
        code += 32
    x, y = event.x + 1, event.y + 1
    encoding = modes.mouse_encoding
    if encoding in (1006, 1016):
        if encoding == 1016:
            x, y = event.pixels or (event.x * _CELL[0] + _CELL[0] // 2, event.y * _CELL[1] + _CELL[1] // 2)
        return f"\x1b[<{code};{x};{y}{'m' if event.kind == RELEASE else 'M'}".encode()
    if event.kind == RELEASE:
        code += 3 - button
    if encoding == 1015:
        return f"\x1b[{code + 32};{x};{y}M".encode()
    limit = 2015 if encoding == 1005 else 223
    if not (0 < x <= limit and 0 < y <= limit):
        return b""
    return b"\x1b[M" + "".join(chr(number + 32) for number in (code, x, y)).encode(
        "utf-8" if encoding == 1005 else "latin-1"
    )


def _wanted(event: MouseEvent, wheel: bool, tracking: int) -> bool:
    if event.kind == PRESS:
        return tracking != 0
    if event.kind == RELEASE:
        return tracking >= 1000 and not wheel
    return tracking == 1003 or (tracking == 1002 and event.button != "none")


def wheel_keys(up: bool, steps: int, modes: Modes) -> bytes:
    """The wheel as cursor keys, for a program on the alternate screen that asked for no mouse (a pager, say)."""
    return keys.encode("up" if up else "down", modes) * max(0, min(steps, 100))


def focus(gained: bool, modes: Modes) -> bytes:
    """What the program gets when the pane gains or loses the focus."""
    return (b"\x1b[I" if gained else b"\x1b[O") if modes.focus_events else b""
