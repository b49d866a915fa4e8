"""SGR: what the parameters of `CSI ... m` do to a style (ECMA-48 8.3.117, xterm's and kitty's extensions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .styles import Style

_RGB = 1 << 24
_BOLD, _DIM, _ITALIC, _BLINK, _REVERSE, _CONCEAL, _STRIKE, _OVERLINE = (1 << bit for bit in range(8))
_PROTECTED = 256
_ON = {
    1: _BOLD,
    2: _DIM,
    3: _ITALIC,
    5: _BLINK,
    6: _BLINK,
    7: _REVERSE,
    8: _CONCEAL,
    9: _STRIKE,
    53: _OVERLINE,
}
_OFF = {
    22: _BOLD | _DIM,
    23: _ITALIC,
    25: _BLINK,
    27: _REVERSE,
    28: _CONCEAL,
    29: _STRIKE,
    55: _OVERLINE,
}
_UNDERLINE = {4: 1, 21: 2, 24: 0}
_FOREGROUND = (
    {39: -1} | {30 + index: index for index in range(8)} | {90 + index: 8 + index for index in range(8)}
)
_BACKGROUND = (
    {49: -1} | {40 + index: index for index in range(8)} | {100 + index: 8 + index for index in range(8)}
)
_SET = {38, 48, 58}  # foreground, background, underline colour


def rendition(style: Style, parameters: str) -> Style:
    """The style after these parameters; unknown ones are skipped, and a broken colour ends the list (as in xterm)."""
    foreground, background, flags, underline, underline_colour, link = style
    fields = parameters.split(";")[:64]
    index = 0
    while index < len(fields):
        field = fields[index]
        index += 1
        colour: int | None = None
        if ":" in field:
            head, *rest = field.split(":")
            code = _number(head)
            if code == 4:
                kind = _number(rest[0])
                underline = kind if 0 <= kind <= 5 else underline
            elif code in _SET:
                colour = _colon_colour(rest)
        else:
            code = _number(field)
            if code in _SET:
                colour, index = _semicolon_colour(fields, index)
            elif code == 0:
                flags &= _PROTECTED
                underline = 0
                foreground = background = underline_colour = -1
            elif code in _ON:
                flags |= _ON[code]
            elif code in _OFF:
                flags &= ~_OFF[code]
            elif code in _UNDERLINE:
                underline = _UNDERLINE[code]
            elif code in _FOREGROUND:
                foreground = _FOREGROUND[code]
            elif code in _BACKGROUND:
                background = _BACKGROUND[code]
            elif code == 59:
                underline_colour = -1
        if colour is not None:
            if code == 38:
                foreground = colour
            elif code == 48:
                background = colour
            else:
                underline_colour = colour
    return type(style)(foreground, background, flags, underline, underline_colour, link)


def _number(text: str) -> int:
    """A parameter's number; 0 where it is left out, -1 where it is none."""
    if not text:
        return 0
    return int(text) if text.isdecimal() and len(text) < 6 else -1


def _rgb(red: int, green: int, blue: int) -> int | None:
    if 0 <= red <= 255 and 0 <= green <= 255 and 0 <= blue <= 255:
        return _RGB | red << 16 | green << 8 | blue
    return None


def _colon_colour(rest: list[str]) -> int | None:
    """`38:5:n`, `38:2::r:g:b` (with the colour space, which is ignored) and the older `38:2:r:g:b`."""
    numbers = [_number(field) for field in rest]
    if numbers[0] == 5 and len(numbers) >= 2:
        return numbers[1] if 0 <= numbers[1] <= 255 else None
    if numbers[0] == 2 and len(numbers) >= 5:
        return _rgb(numbers[2], numbers[3], numbers[4])
    if numbers[0] == 2 and len(numbers) == 4:
        return _rgb(numbers[1], numbers[2], numbers[3])
    return None


def _semicolon_colour(fields: list[str], index: int) -> tuple[int | None, int]:
    """`38;5;n` and `38;2;r;g;b` from `index` on: the colour, and where the list goes on."""
    numbers = [_number(field) for field in fields[index : index + 4]]
    if numbers[:1] == [5] and len(numbers) >= 2:
        return (numbers[1] if 0 <= numbers[1] <= 255 else None), index + 2
    if numbers[:1] == [2] and len(numbers) == 4:
        return _rgb(numbers[1], numbers[2], numbers[3]), index + 4
    return None, len(fields)
