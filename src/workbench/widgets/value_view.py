"""A value shown as what it is: JSON, text, a picture or bytes, with keys to look at it another way."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel
from workbench.model.sql import InvalidText, SqlValue
from workbench.model.tagged import dumps
from workbench.model.text import visible

from .cells import size
from .hex_view import HexView
from .image_header import describe, image_kind
from .image_view import ImageView
from .json_parse import MOST_VALUES, TooMany, parse
from .json_view import JsonView
from .text_view import TextView

W = TypeVar("W", bound=Widget)

Way = Literal["json", "text", "image", "hex"]
WAYS: tuple[Way, ...] = ("json", "text", "image", "hex")
HEAD = 64 * 1024
"""Bytes shown at once of a value that takes time to read."""


class Looked(NamedTuple):
    """What a value turned out to be. ways: how it can be shown, the best first. problem: why not as JSON, if it looks so."""

    ways: tuple[Way, ...]
    text: str | None
    json: Any
    facts: str
    problem: str = ""


def look(data: bytes, media: str = "", cancel: Cancel | None = None) -> Looked:
    """Find out what some bytes are; takes as long as reading them does (call it in a thread where they are many)."""
    kind = image_kind(data)
    facts = size(len(data))
    if kind:
        return Looked(("image", "hex"), None, None, f"{facts} · {describe(data)}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Looked(("hex",), None, None, f"{facts} · not UTF-8 (byte {error.start:,})")
    if "\0" in text[:4096] and not media.startswith("text/"):
        return Looked(("hex", "text"), text, None, f"{facts} · holds NUL")
    if text.lstrip()[:1] in ("{", "[") or media.split(";")[0].strip() == "application/json":
        try:
            return Looked(("json", "text", "hex"), text, parse(text, cancel), f"{facts} · JSON")
        except ValueError as error:
            problem = f"not JSON: {visible(str(error), limit=120)}"
        except RecursionError:
            problem = "JSON nested too deep to fold"
        except TooMany:
            problem = f"more than {MOST_VALUES:,} values are not folded"
        return Looked(("text", "hex"), text, None, f"{facts} · text", problem)
    return Looked(("text", "hex"), text, None, f"{facts} · text" if text else "empty")


def _look_long(data: bytes, media: str, cancel: Cancel) -> Looked:
    """`look` without the collector of cycles: it would stop the window for seconds to walk millions of new values,
    none of which can be part of a cycle, so they are also taken out of its sight."""
    gc.disable()
    try:
        looked = look(data, media, cancel)
        gc.freeze()
        return looked
    finally:
        gc.enable()


class ValueView(Vertical):
    """`show` bytes, `show_tagged` a stored JavaScript value, `show_sql` a cell. A line above says what it is."""

    DEFAULT_CSS = """
    ValueView { height: 1fr; width: 1fr; background: $surface; }
    ValueView > #ways { height: 1; width: 1fr; background: $panel; }
    ValueView > ContentSwitcher { height: 1fr; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("v", "next_way", "View as"),
        Binding("J", "show_way('json')", "View as JSON", show=False),
        Binding("T", "show_way('text')", "View as text", show=False),
        Binding("X", "show_way('hex')", "View as hex", show=False),
        Binding("I", "show_way('image')", "View as a picture", show=False),
    ]

    class Shown(Message):
        """The value is looked at and on screen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.data = b""
        self.looked = Looked((), None, None, "")
        self.way: Way | None = None
        self.path = ""
        self._name = ""
        self._again = False
        self._tagged: Any = None
        self._filled: set[Way] = set()
        self._looking = Cancel()

    def compose(self) -> ComposeResult:
        yield Static(id="ways")
        with ContentSwitcher(initial="text"):
            yield JsonView(id="json")
            yield TextView(id="text")
            yield ImageView(id="image")
            yield HexView(id="hex")

    # What is shown

    def show(self, data: bytes, *, media: str = "", name: str = "") -> None:
        """Show some bytes. media: their type where one is known. A large value shows its head first.

        name: whose value it is; one of the same name again is shown the same way, at the same place.
        """
        self._begin(data, name)
        if len(data) <= HEAD:
            self._take(look(data, media))
        else:
            head = data[:HEAD].decode("utf-8", "ignore")
            self._take(Looked((), head, None, f"{size(len(data))} · reading …"))
            self._view("text", TextView).show(head, keep=self._again)
            self.query_one(ContentSwitcher).current = "text"
            self._look(data, media, self._looking)

    def show_tagged(self, value: Any, raw: bytes = b"", *, name: str = "") -> None:
        """Show tagged JSON as JavaScript would say it; raw: the stored bytes, for the hex view; name: as in `show`."""
        self._begin(raw, name)
        text = dumps(value, indent=2)
        ways: tuple[Way, ...] = ("json", "text", "hex") if raw else ("json", "text")
        self._tagged = value
        self._take(Looked(ways, text, value, size(len(raw)) if raw else ""))

    def show_sql(self, value: SqlValue) -> None:
        """Show a value of a SQL result."""
        if isinstance(value, str):
            self.show(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, bytes):
            self.show(bytes(value), media="text/invalid" if isinstance(value, InvalidText) else "")
        else:
            self._begin(b"")
            said = "NULL" if value is None else repr(value)
            kind = {int: "INTEGER", float: "REAL"}.get(type(value), "NULL")
            self._take(Looked(("text",), said, None, kind))

    def _begin(self, data: bytes, name: str = "") -> None:
        self._again, self._name = bool(name) and name == self._name, name
        self.data, self._tagged = data, None
        self.path = self.path if self._again else ""
        if "json" in self._filled:
            self._view("json", JsonView).show(
                None
            )  # lets go of the value before: it may be hundreds of megabytes
        self._filled.clear()
        self._looking.cancel()
        self._looking = Cancel()

    @work(exclusive=True, group="look")
    async def _look(self, data: bytes, media: str, cancel: Cancel) -> None:
        with suppress(Cancelled):
            looked = await asyncio.to_thread(_look_long, data, media, cancel)
            if not cancel.cancelled:
                self._take(looked)

    def _take(self, looked: Looked) -> None:
        self.looked = looked
        before, self.way = self.way, None
        if looked.ways:
            self.show_way(before if self._again and before in looked.ways else looked.ways[0])
            self.post_message(self.Shown())
        else:
            self._draw()

    # Ways to look

    def focus_value(self) -> None:
        """Put the focus on the value."""
        self.query_one(f"#{self.way or 'text'}").focus()

    def show_way(self, way: Way) -> None:
        """Look at the value this way, where it can be."""
        if way not in self.looked.ways:
            return
        focused = self.has_focus_within
        self.way = way
        if way not in self._filled:
            self._filled.add(way)
            self._fill(way)
        switcher = self.query_one(ContentSwitcher)
        switcher.current = way
        if focused:
            self.query_one(f"#{way}").focus()
        self._draw()

    def _fill(self, way: Way) -> None:
        keep = self._again
        if way == "json":
            tagged = self._tagged is not None
            self._view(way, JsonView).show(self.looked.json, tagged=tagged, keep=keep)
        elif way == "text":
            self._view(way, TextView).show(self.looked.text or "", keep=keep)
        elif way == "hex":
            self._view(way, HexView).show(self.data, keep=keep)
        else:
            self._view(way, ImageView).show(self.data)

    def _view(self, way: Way, kind: type[W]) -> W:
        return self.query_one(f"#{way}", kind)

    def action_show_way(self, way: Way) -> None:
        self.show_way(way)

    def action_next_way(self) -> None:
        ways = [way for way in WAYS if way in self.looked.ways]
        if self.way in ways:
            self.show_way(ways[(ways.index(self.way) + 1) % len(ways)])

    @on(JsonView.Moved)
    def json_moved(self, event: JsonView.Moved) -> None:
        event.stop()
        self.path = event.path
        self._draw()

    # The line above

    def _draw(self) -> None:
        parts: list[Any] = []
        self._spans: list[tuple[int, int, Way]] = []
        x = 0
        for way in WAYS:
            if way in self.looked.ways:
                chosen = way == self.way
                name = {"json": " JSON ", "text": " text ", "hex": " hex ", "image": " picture "}[way]
                parts.append((name, "bold $primary on $surface" if chosen else "$text-muted"))
                self._spans.append((x, x + len(name), way))
                x += len(name)
        parts.append((f" {self.looked.facts}", "$text-muted"))
        if self.looked.problem:
            parts.append((f" · {self.looked.problem}", "$text-warning"))
        if self.path and self.way == "json":
            parts.append(f"  {visible(self.path, limit=200)}")
        self.query_one("#ways", Static).update(Content.assemble(*parts))

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "ways":
            for start, end, way in self._spans:
                if start <= event.x < end:
                    self.show_way(way)
