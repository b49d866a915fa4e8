"""The colours of one terminal: what a program changed by OSC 4, 10, 11, 12, and the 256 that xterm has.

Only colours are kept, at most one an index, so whatever comes the palette stays small, and nothing of what was sent is given back.
"""

import re

FOREGROUND, BACKGROUND, CURSOR = 256, 257, 258  # the colours of OSC 10, 11, 12, beside the indices 0 to 255

_ANSI = (
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
)  # fmt: skip
_STEPS = (0, 95, 135, 175, 215, 255)
_HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{9}|[0-9a-fA-F]{12})")
_RGB = re.compile(r"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})(?:/[0-9a-fA-F]{1,4})?")


def standard(index: int) -> int:
    """xterm's colour of an index 0 to 255, as 0xrrggbb: 16 of its own, a cube of 216, 24 greys."""
    if index < 16:
        return _ANSI[index]
    if index < 232:
        cell = index - 16
        return _STEPS[cell // 36] << 16 | _STEPS[cell // 6 % 6] << 8 | _STEPS[cell % 6]
    return (8 + 10 * (index - 232)) * 0x010101


def parsed(text: str) -> int | None:
    """`#rgb`, `#rrggbb` and longer, `rgb:r/g/b` with 1 to 4 digits each, as 0xrrggbb; None for anything else."""
    if match := _HEX.fullmatch(text):
        digits = match[1]
        size = len(digits) // 3
        return _joined([digits[start : start + size] for start in range(0, len(digits), size)])
    if match := _RGB.fullmatch(text):
        return _joined(match.groups())
    return None


def _joined(parts: list[str] | tuple[str, ...]) -> int:
    colour = 0
    for part in parts:
        colour = colour << 8 | int(part, 16) * 255 // (16 ** len(part) - 1)
    return colour


class Palette:
    """changed: the colours that differ from the viewer's own, 0xrrggbb by index (FOREGROUND, BACKGROUND and CURSOR too).

    shown: the viewer's own colours, as far as it told them; what queries are answered with before xterm's.
    """

    def __init__(self) -> None:
        self.changed: dict[int, int] = {}
        self.shown: dict[int, int] = {}

    def colour(self, index: int) -> int:
        """A colour as it is now, 0xrrggbb."""
        if index in self.changed:
            return self.changed[index]
        if index in self.shown:
            return self.shown[index]
        return standard(index) if index < 256 else (0x000000 if index == BACKGROUND else 0xE5E5E5)

    def set(self, index: int, text: str) -> bool:
        """Change a colour; False where the text is none."""
        colour = parsed(text)
        if colour is not None:
            self.changed[index] = colour
        return colour is not None

    def reset(self, index: int | None = None) -> None:
        """Take a change back; all of the 256 without an index."""
        if index is None:
            self.changed = {key: value for key, value in self.changed.items() if key > 255}
        else:
            self.changed.pop(index, None)
