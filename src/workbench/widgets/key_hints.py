"""The last line: the keys that work now, for what has the focus. Help and commands are always among them."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.content import Content
from textual.widget import Widget

ALWAYS = ("help", "commands")
"""Actions whose keys stand at the right, however little room there is."""


# Keys that Textual names by a word it does not know as a letter.
_LETTERS = {"slash": "/", "space": " "}


class KeyHints(Widget):
    """One line, drawn at once (Textual's Footer makes a widget a key). A click does what the key does."""

    DEFAULT_CSS = """
    KeyHints { dock: bottom; height: 1; width: 1fr; background: $panel; color: $foreground; }
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._spans: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def _hints(self) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
        """(key, what it does, the key to press) of those at the left and those at the right."""
        left: dict[str, tuple[str, str, str]] = {}
        right: dict[str, tuple[str, str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not binding.description or not active.enabled:
                continue
            if self._is_typed(binding.key):
                continue
            shown = self.app.get_key_display(binding)
            side = right if binding.action in ALWAYS else left
            side.setdefault(binding.action, (shown, binding.description, binding.key))
        return list(left.values()), list(right.values())

    def _is_typed(self, key: str) -> bool:
        """Whether the key, pressed now, is a letter for the field that has the focus."""
        focused, letter = self.screen.focused, _LETTERS.get(key, key)
        return focused is not None and len(letter) == 1 and focused.check_consume_key(key, letter)

    def render(self) -> Content:
        left, right = self._hints()
        room = self.size.width - sum(len(key) + len(text) + 3 for key, text, _ in right) - 1
        parts: list[tuple[str, str] | str] = []
        self._spans = []
        x = 0
        for key, text, press in left:
            width = len(key) + len(text) + 3
            if x + width > room:
                break
            parts += self._hint(x, key, text, press)
            x += width
        gap = max(0, room + 1 - x)
        parts.append(" " * gap)
        x += gap
        for key, text, press in right:
            parts += self._hint(x, key, text, press)
            x += len(key) + len(text) + 3
        return Content.assemble(*parts)

    def _hint(self, x: int, key: str, text: str, press: str) -> list[tuple[str, str] | str]:
        self._spans.append((x, x + len(key) + len(text) + 2, press))
        return [(f" {key}", "bold $footer-key-foreground"), f" {text} "]

    def on_click(self, event: events.Click) -> None:
        for start, end, press in self._spans:
            if start <= event.x < end:
                self.app.simulate_key(press)
                return
