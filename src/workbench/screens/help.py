"""Help for what has the focus: its keys as they are bound now, and a few lines about the pane."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

EVERYWHERE = (
    ("?  f1", "this help"),
    (":  ctrl+p", "every command, by name"),
    ("f2", "fold the tree away, or bring it back"),
    ("f3", "details of the selection"),
    ("arrows", "move; also page up and down, home, end, the mouse"),
    ("f4", "the dev server: its log, requests, traces"),
    ("f6", "from the tree to the pane and back"),
    ("ctrl+o", "jump: a letter on everything that takes the focus"),
    ("[  ]", "previous, next tab    alt+1 … alt+9: that tab"),
    ("ctrl+w", "close the tab; alt+w where one types"),
    ("ctrl+r", "read everything on screen again"),
    ("ctrl+t", "dark or light"),
    ("ctrl+z", "to the shell; fg comes back (where one types: undo)"),
    ("ctrl+q", "leave; nothing is lost"),
)
# Moves that every list has, said once instead of ten times.
_MOVES = ("Cursor", "Page ", "Scroll ", "Toggle", "Press", "Move cursor")
# Keys that are known by what they write.
_NAMES = {
    "asterisk": "*",
    "comma": ",",
    "ctrl+@": "ctrl+space",
    "equals_sign": "=",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "less_than_sign": "<",
    "plus": "+",
    "right_curly_bracket": "}",
}
_SHELL = {"WorkbenchScreen", "WorkbenchApp", "App", "Screen"}


class HelpScreen(ModalScreen[None]):
    """Keys on the left, what they do on the right; scrolls."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > Vertical {
        width: 92%; max-width: 84; height: auto; max-height: 92%; padding: 0 1;
        background: $surface; border: round $primary;
    }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; }
    HelpScreen Static { height: auto; width: 1fr; }
    """
    BINDINGS: ClassVar[list[Any]] = [Binding("escape,question_mark,f1,q,enter", "dismiss(None)", "Back")]

    def __init__(self, title: str, about: str, keys: list[tuple[str, str]]) -> None:
        super().__init__()
        self.heading, self.text, self.keys = title, about, keys

    @classmethod
    def about(cls, screen: Screen[Any]) -> HelpScreen:
        """The help of whatever has the focus on `screen`."""
        chain = list(screen.focused.ancestors_with_self) if screen.focused else []
        owner = next((widget for widget in chain if getattr(widget, "HELP", "")), None)
        keys: dict[str, list[str]] = {}
        for active in screen.active_bindings.values():
            node, binding = active.node, active.binding
            moves = binding.description.startswith(_MOVES) and not binding.show
            if type(node).__name__ in _SHELL or binding.system or not binding.description or moves:
                continue
            key = binding.key_display or _NAMES.get(binding.key, binding.key.replace("_", " "))
            spoken = binding.tooltip or binding.description
            known = keys.setdefault(spoken, [])
            if key not in known and not key.startswith("super+"):
                known.append(key)
        title = getattr(owner, "title", "") or (type(owner).__name__ if owner else "cfwb")
        pairs = [("  ".join(found), spoken) for spoken, found in keys.items()]
        return cls(str(title), getattr(owner, "HELP", ""), pairs)

    def compose(self) -> ComposeResult:
        with Vertical(), VerticalScroll():
            yield Static(self._body())

    def _body(self) -> Content:
        from workbench.model.text import visible

        parts: list[tuple[str, str] | str] = [(visible(self.heading, limit=200) + "\n", "bold $primary")]
        if self.text:
            parts.append("\n" + self.text + "\n")
        if self.keys:
            parts.append(("\nHere\n", "bold"))
            parts.extend(self._lines(self.keys))
        parts.append(("\nEverywhere\n", "bold"))
        parts.extend(self._lines(list(EVERYWHERE)))
        return Content.assemble(*parts)

    @staticmethod
    def _lines(keys: list[tuple[str, str]]) -> list[tuple[str, str] | str]:
        lines: list[tuple[str, str] | str] = []
        for key, spoken in keys:
            if len(key) > 14:  # more keys than the column holds: as many as it does, the rest below them
                *above, last = _rows(key.split("  "))
                lines += [(f"  {row}\n", "$primary") for row in above]
                key = last
            lines.append((f"  {key:<14} ", "$primary"))
            lines.append(f"{spoken}\n")
        return lines

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def _rows(keys: list[str]) -> list[str]:
    """Keys in rows of the column's width."""
    rows: list[str] = []
    for key in keys:
        if rows and len(rows[-1]) + 2 + len(key) <= 14:
            rows[-1] += f"  {key}"
        else:
            rows.append(key)
    return rows
