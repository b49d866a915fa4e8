"""Colours for kinds of values, from the theme's `value-*` variables, or from what every theme has."""

from __future__ import annotations

from rich.color import Color
from rich.style import Style
from textual.color import Color as TextualColor
from textual.widget import Widget

# Kind: the theme's variable, the variable instead, and what tells it apart without colour.
_KINDS: dict[str, tuple[str, str, str]] = {
    "null": ("value-null", "text-muted", "italic"),
    "integer": ("value-number", "text-secondary", ""),
    "real": ("value-number", "text-secondary", ""),
    "text": ("foreground", "foreground", ""),
    "blob": ("value-blob", "text-accent", ""),
    "invalid": ("value-invalid", "text-warning", "underline"),
    "string": ("value-string", "text-success", ""),
    "number": ("value-number", "text-secondary", ""),
    "constant": ("value-constant", "text-accent", ""),
    "key": ("value-key", "text-primary", ""),
    "type": ("value-type", "text-accent", "italic"),
    "keyword": ("sql-keyword", "text-primary", "bold"),
    "function": ("sql-function", "text-accent", ""),
    "name": ("foreground", "foreground", ""),
    "comment": ("value-null", "text-muted", "italic"),
    "variable": ("value-blob", "text-accent", ""),
    "muted": ("text-muted", "text-muted", ""),
    "error": ("text-error", "text-error", "bold"),
    "warning": ("text-warning", "text-warning", ""),
}


class Palette:
    """Rich styles by kind for a widget; made again when the theme changes (`current`)."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._theme = ""
        self._styles: dict[str, Style] = {}

    def __getitem__(self, kind: str) -> Style:
        if self._theme != self._widget.app.theme:
            self._theme = self._widget.app.theme
            self._styles.clear()
        found = self._styles.get(kind)
        if found is None:
            found = self._styles[kind] = self._made(kind)
        return found

    def _made(self, kind: str) -> Style:
        wanted, instead, attributes = _KINDS[kind]
        variables = self._widget.app.theme_variables
        colour = variables.get(wanted) or variables.get(instead)
        flags = dict.fromkeys(attributes.split(), True)
        return Style(color=self._colour(colour), **flags)  # type: ignore[arg-type]

    def _colour(self, said: str | None) -> Color | None:
        """A theme's colour on this widget's background (`auto 87%` means readable on it)."""
        if not said:
            return None
        background = self._widget.background_colors[1]
        if said.startswith("auto"):
            share = float(said.removeprefix("auto").strip().rstrip("%") or 100) / 100
            return background.blend(background.get_contrast_text(1.0), share).rich_color
        try:
            return (background + TextualColor.parse(said)).rich_color
        except Exception:
            return None
