"""Edit a value with what hangs on it. What was typed stays until it is written or thrown away on purpose."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from workbench.model.errors import WorkbenchError
from workbench.model.target import Target
from workbench.model.text import visible
from workbench.screens.outside import edit_outside
from workbench.widgets.safe_input import SafeInput, SafeTextArea
from workbench.widgets.target_badge import TargetBadge

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "y": 31_557_600}
KEYS = "ctrl+s write · ctrl+e $EDITOR · tab next field · esc back"


class Edited(NamedTuple):
    """What the dialog holds. metadata and expiration: None where there is none."""

    key: str
    data: bytes
    metadata: Any = None
    expiration: int | None = None


class NotValid(ValueError):
    """A field that can't be taken as it is; the message says why."""


def read_expiration(text: str, now: float | None = None) -> int | None:
    """Unix seconds from what a person types: nothing, seconds since 1970, a date, or a time from now (`3 d`, `90 min`)."""
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"\d{9,12}", text):
        return int(text)
    ahead = re.fullmatch(r"\+?\s*(\d+)\s*(s|min|h|d|y)", text)
    if ahead:
        return int((time.time() if now is None else now) + int(ahead[1]) * _UNITS[ahead[2]])
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC").replace("Z", "+00:00"))
    except ValueError:
        raise NotValid("expires: nothing, 3 d, 90 min, 2030-01-31 or Unix seconds") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def read_metadata(text: str) -> Any:
    """JSON, or None for nothing."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotValid(f"metadata is not JSON: {error}") from None


def json_error(text: str) -> str:
    """Where text stops being JSON, or ""."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"no longer JSON: {error.msg}, line {error.lineno} column {error.colno}"
    except RecursionError:
        return ""
    return ""


class EntryEditor(ModalScreen[Edited | None]):
    """A key, its value, and for KV its metadata and expiry. `write` does the writing; its error is shown, and nothing is lost."""

    CSS_PATH = "editor.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "save", "Write", priority=True),
        Binding("ctrl+e", "external", "$EDITOR", priority=True),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(
        self,
        entry: Edited,
        *,
        target: Target,
        resource: str,
        new: bool,
        write: Callable[[Edited], Awaitable[None]],
        has_metadata: bool,
    ) -> None:
        super().__init__()
        self.entry, self.target, self.resource, self.new = entry, target, resource, new
        self._write, self.has_metadata = write, has_metadata
        self._text = entry.data.decode("utf-8")
        self._was_json = bool(self._text.strip()) and not json_error(self._text)
        self._warned = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            title = f"New in {self.resource}" if self.new else f"{self.resource}: {self.entry.key}"
            yield Static(Content(visible(title, limit=300)), id="heading")
            yield TargetBadge(self.target)
            if self.new:
                yield SafeInput(
                    self.entry.key, placeholder="key", id="key", compact=True, select_on_focus=False
                )
            yield SafeTextArea(self._text, id="text", show_line_numbers=False, tab_behavior="focus")
            if self.has_metadata:
                metadata = (
                    "" if self.entry.metadata is None else json.dumps(self.entry.metadata, ensure_ascii=False)
                )
                yield from self._field("metadata", metadata, "JSON, or nothing")
                yield from self._field("expires", self._expires(), "never, or 3 d, 90 min, 2030-01-31")
            yield Static("", id="wrong")
            yield Static(Content(KEYS), id="keys")

    def _field(self, name: str, value: str, example: str) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label(name)
            yield SafeInput(value, placeholder=example, id=name, compact=True, select_on_focus=False)

    def _expires(self) -> str:
        if self.entry.expiration is None:
            return ""
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.entry.expiration))

    def on_mount(self) -> None:
        self._began = self._typed()
        (self.query_one("#key") if self.new else self.query_one("#text")).focus()

    def _typed(self) -> tuple[str, ...]:
        fields = [field.value for field in self.query(Input)]
        return (self.query_one(SafeTextArea).text, *fields)

    def _edited(self) -> Edited:
        """What the fields hold. Raises NotValid."""
        key = self.query_one("#key", Input).value if self.new else self.entry.key
        if not key:
            raise NotValid("a key needs a name")
        area = self.query_one(SafeTextArea)
        text = area.text
        if text == self._began[0]:
            text = self._text  # untouched: exactly the bytes there were
        metadata, expiration = self.entry.metadata, self.entry.expiration
        if self.has_metadata:
            metadata = read_metadata(self.query_one("#metadata", Input).value)
            shown = self.query_one("#expires", Input).value
            expiration = expiration if shown == self._expires() else read_expiration(shown)
        return Edited(key, text.encode("utf-8", "surrogatepass"), metadata, expiration)

    def _wrong(self, text: str) -> None:
        self.query_one("#wrong", Static).update(Content(visible(text, lines=True, limit=1000)))

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Write it. A value that was JSON and is not any more is written at the second ctrl+s."""
        try:
            edited = self._edited()
        except NotValid as error:
            self._wrong(str(error))
            return
        broken = json_error(edited.data.decode("utf-8", "replace")) if self._was_json else ""
        if broken and broken != self._warned:
            self._warned = broken
            self._wrong(f"{broken}; ctrl+s again writes it as it is")
            return
        try:
            await self._write(edited)
        except WorkbenchError as error:
            self._wrong(f"{error.message} {error.hint}".strip())
            return
        self.dismiss(edited)

    @work
    async def action_leave(self) -> None:
        if self._typed() != self._began:
            from workbench.screens.dialogs import Confirm

            question = Confirm(
                "Throw away what you typed?", target=self.target, question=self.entry.key, action="Throw away"
            )
            if not await self.app.push_screen_wait(question):
                return
        self.dismiss(None)

    def action_external(self) -> None:
        """The text in the user's own editor, in a file only its owner can read."""
        area = self.query_one(SafeTextArea)
        try:
            text = edit_outside(self.app, area.text, os.path.splitext(self.entry.key)[1])
        except WorkbenchError as error:
            self._wrong(f"{error.message} {error.hint}".strip())
            return
        if text != area.text:
            area.text = text
