"""The theme's colours for terminals: `ansi-0` to `ansi-15` of its variables, the rest from what every theme has."""

from __future__ import annotations

from typing import Any

from textual.color import Color

from workbench.terminal.palette import BACKGROUND, CURSOR, FOREGROUND

from .drawing import Colours


def colours_of(app: Any) -> Colours:
    """What the app's theme shows a terminal in."""
    variables: dict[str, str] = app.theme_variables
    background = _number(variables.get("background"), 0x000000)
    shown = {
        FOREGROUND: _number(variables.get("foreground"), 0xE5E5E5),
        BACKGROUND: background,
        CURSOR: _number(variables.get("block-cursor-background"), 0xE5E5E5),
    }
    for index in range(16):
        if (said := variables.get(f"ansi-{index}")) is not None:
            shown[index] = _number(said, 0)
    return Colours(
        shown,
        selection=_number(variables.get("input-selection-background"), 0x3D5A80),
        match=_number(variables.get("text-warning"), 0xFFCB6B),
        current=_number(variables.get("primary"), 0xF6A04D),
    )


def _number(said: str | None, otherwise: int) -> int:
    """A colour as 0xrrggbb; `otherwise` where it is not said, or said in another way (`auto 87%`)."""
    try:
        colour = Color.parse(said or "")
    except Exception:
        return otherwise
    return colour.r << 16 | colour.g << 8 | colour.b
