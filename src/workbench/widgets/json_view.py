"""A JSON value as a folded tree. Lines are made as they are opened; a document of any size opens at once."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.tagged import dumps

from .json_parse import Number, Pairs
from .json_tree import Line, Node, Rest
from .palette import Palette

OPEN_AT_FIRST = 200
"""Lines a document may have and still be shown wholly open."""
OPEN_MOST = 20_000


class JsonView(ScrollView, can_focus=True):
    """`show` a value; arrows move and fold."""

    DEFAULT_CSS = """
    JsonView { height: 1fr; width: 1fr; background: $surface; scrollbar-size: 1 1; overflow-x: hidden; }
    JsonView > .json--cursor { background: $boost; }
    JsonView:focus > .json--cursor { background: $primary-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"json--cursor"}
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "Cursor up", show=False),
        Binding("down,j", "move(1)", "Cursor down", show=False),
        Binding("pageup", "leap(-1)", "Page up", show=False),
        Binding("pagedown", "leap(1)", "Page down", show=False),
        Binding("home", "move(-1_000_000_000)", "Cursor to the first line", show=False),
        Binding("end", "move(1_000_000_000)", "Cursor to the last line", show=False),
        Binding("left", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("enter,space", "fold_or_unfold", "Fold/unfold"),
        Binding("asterisk", "open_all", "Unfold all below", show=False),
        Binding("y", "copy", "Copy"),
    ]

    class Moved(Message):
        """The cursor is on another line; `path` from the root, `$.items[3]`."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lines: list[Node] = []
        self.cursor = 0
        self._palette = Palette(self)

    def show(self, value: Any, *, tagged: bool = False, keep: bool = False) -> None:
        """value: what `json_tree.parse` gave, or tagged JSON. keep: what is open stays open, and the cursor where it is."""
        before, here = self.lines, self.node
        root = Node(value, tagged=tagged)
        self.lines, self.cursor = [root], 0
        if keep and before and root.opens:
            self._open_again({node.path() for node in before if node.opened})
            place = here.path() if here is not None else "$"
            self.cursor = next((at for at, node in enumerate(self.lines) if node.path() == place), 0)
        else:
            self._open_small(root)
            if not root.opened and root.opens:
                self._open(0)
            self.scroll_to(0, 0, animate=False)
        self._grown()

    def _open_again(self, paths: set[str]) -> None:
        """Open the lines of these paths, as far as they are still there."""
        at = 0
        while at < len(self.lines) < OPEN_MOST:
            node = self.lines[at]
            if node.opens and node.path() in paths:
                self._open(at)
            at += 1

    def _open_small(self, root: Node) -> None:
        """Open everything where that gives few lines; else only the root."""
        at = 0
        while at < len(self.lines):
            node = self.lines[at]
            if node.opens and not (isinstance(node.value, str) and node is not root):
                self._open(at)
                if len(self.lines) > OPEN_AT_FIRST:
                    self.lines = [root]
                    root.opened = False
                    return
            at += 1

    def _open(self, at: int) -> None:
        node = self.lines[at]
        node.opened = True
        self.lines[at + 1 : at + 1] = node.children()

    def _end(self, at: int) -> int:
        """Where the lines below line `at` end."""
        depth = self.lines[at].depth
        end = at + 1
        while end < len(self.lines) and self.lines[end].depth > depth:
            end += 1
        return end

    def _grown(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.lines))
        self.refresh()

    def on_resize(self) -> None:
        self._grown()

    # Drawing

    def render_line(self, y: int) -> Strip:
        at = int(self.scroll_offset.y) + y
        width = self.size.width
        base = self.rich_style
        if at >= len(self.lines):
            return Strip.blank(width, base)
        node = self.lines[at]
        if at == self.cursor:
            base += self.get_component_rich_style("json--cursor", partial=True)
        mark = "▾ " if node.opened else "▸ " if node.opens else "  "
        segments = [Segment("  " * node.depth + mark, base + self._palette["muted"])]
        segments += [Segment(text, base + self._palette[kind]) for text, kind in node.pieces(width)]
        strip = Strip(segments)
        if strip.cell_length > width:
            strip = Strip([*strip.crop(0, width - 1), Segment("…", base + self._palette["muted"])])
        return strip.adjust_cell_length(width, base)

    # Moving and folding

    @property
    def node(self) -> Node | None:
        return self.lines[self.cursor] if self.lines else None

    def action_move(self, by: int) -> None:
        if self.lines:
            self.cursor = max(0, min(len(self.lines) - 1, self.cursor + by))
            self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)
            self.refresh()
            self.post_message(self.Moved(self.lines[self.cursor].path()))

    def action_leap(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_fold_or_unfold(self) -> None:
        if self.node is not None and self.node.opened:
            self.action_fold()
        else:
            self.action_unfold()

    def action_unfold(self) -> None:
        if self.node is not None and self.node.opens:
            if self.node.opened:
                self.action_move(1)
            else:
                self._open(self.cursor)
                self._grown()

    def action_fold(self) -> None:
        """Fold the line; a folded one goes to the line it lies under."""
        node = self.node
        if node is None:
            return
        if node.opened:
            del self.lines[self.cursor + 1 : self._end(self.cursor)]
            node.opened = False
            self._grown()
        elif node.parent is not None:
            self.action_move(self.lines.index(node.parent, 0, self.cursor) - self.cursor)

    def action_open_all(self) -> None:
        """Unfold everything below the cursor, as far as 20,000 lines go."""
        at, end = self.cursor, self._end(self.cursor)
        while at < end and end - self.cursor < OPEN_MOST:
            if self.lines[at].opens and not self.lines[at].opened:
                before = len(self.lines)
                self._open(at)
                end += len(self.lines) - before
            at += 1
        self._grown()

    def action_copy(self) -> None:
        """The value under the cursor as JSON; a string as its text, all of it where its end is not shown."""
        node = self.node
        if node is not None:
            value = node.parent.value if isinstance(node.value, Rest) and node.parent else node.value
            text = value if isinstance(value, str) else dumps(native(value), indent=2)
            self.app.copy_to_clipboard(str(text).encode("utf-8", "replace").decode())

    def on_click(self, event: events.Click) -> None:
        at = int(self.scroll_offset.y) + event.y
        if at < len(self.lines):
            on_mark = event.x < 2 * self.lines[at].depth + 2
            again = at == self.cursor
            self.action_move(at - self.cursor)
            if on_mark or again:
                self.action_fold_or_unfold()


def native(value: Any) -> Any:
    """What `parse` gave as data json.dumps takes."""
    if isinstance(value, Pairs):
        return {name: native(item) for name, item in value}
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, Number):
        return float(value) if any(sign in value for sign in ".eE") else int(value)
    return str(value) if isinstance(value, Line) else value
