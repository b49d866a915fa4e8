"""The tree at the left: Workers, kinds, resources, objects, facets. It shows items; the explorer fetches them."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text, TextType
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from workbench.model.text import visible

LABEL_LIMIT = 300
LEAST_LABEL = 6
"""Cells of a label that its note leaves."""
MOST_FOUND = 500
"""Lines below one that a filter finds; the rest is a number, until more of the name is typed."""
_NO_LABEL = Text("")


class Item:
    """A line of the tree.

    key: stable over refreshes, so that folds and the cursor stay. label: untrusted text. note: the count at the right.
    mark: "", "unbound", "remote", "problem", "deleted", "heading", "more". what: the explorer's own (a locator, a binding).
    expandable: it has, or may turn out to have, children; `loaded` says whether they were fetched.
    """

    def __init__(
        self,
        key: str,
        label: str,
        *,
        kind: str = "",
        what: Any = None,
        note: str = "",
        mark: str = "",
        expandable: bool = False,
        loaded: bool = True,
        children: list[Item] | None = None,
        locator: Any = None,
    ) -> None:
        self.key, self.label, self.kind, self.what = key, label, kind, what
        self.note, self.mark, self.locator = note, mark, locator
        self.children = children if children is not None else []
        self.expandable = expandable or bool(self.children)
        self.loaded = loaded

    def matches(self, wanted: str) -> bool:
        return wanted in self.label.casefold()


_SIGNS = {"unbound": "○ ", "problem": "▲ ", "deleted": "× ", "remote": "▲▲ ", "more": "… "}


class BindingTree(Tree[Item]):
    """Items with their counts at the right edge. Folded or not is kept by key."""

    DEFAULT_CSS = """
    BindingTree { background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    BindingTree > .binding-tree--note { color: $text-muted; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"binding-tree--note"}
    BINDINGS: ClassVar[list[Any]] = [
        Binding("enter", "select_cursor", "Open"),
        Binding("space", "toggle_node", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("left", "fold", "Fold", show=False),
    ]

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "

    class About(Message):
        """Something about an item; handlers take one of those below."""

        def __init__(self, item: Item) -> None:
            super().__init__()
            self.item = item

    class Opened(About):
        """Enter, or a click, on an item."""

    class Unfolded(About):
        """An item was unfolded; its children may not be loaded yet."""

    class Moved(About):
        """The cursor is on another item."""

    def __init__(self, **options: Any) -> None:
        super().__init__("", **options)
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.auto_expand = False
        self.items: list[Item] = []
        self.open_keys: set[str] = set()
        self._filter = ""
        self._by_key: dict[str, TreeNode[Item]] = {}

    # What is shown

    def show(self, items: list[Item], wanted: str = "") -> None:
        """Show these items, only those that hold `wanted` where it is given; the cursor stays where it was."""
        here = self.cursor_node.data.key if self.cursor_node and self.cursor_node.data else ""
        top = self.scroll_offset.y
        self.items, self._filter = items, wanted.casefold()
        self._by_key = {}
        self.clear()
        for item in items:
            self._add(self.root, item)
        if self._filter and not self.root.children:
            self._add(self.root, Item("none", "none of what is unfolded", mark="more"), True)
        self.root.expand()
        if self.last_line >= 0:
            node = self._by_key.get(here)
            if node is None or (self._filter and node.data and not node.data.matches(self._filter)):
                node = self._first_choice()
            if node is not None:
                self.move_cursor(node)
        self.scroll_to(y=top, animate=False)

    def _first_choice(self) -> TreeNode[Item] | None:
        """Where the cursor begins: the first thing that can be opened, or that the filter asks for."""
        for node in self._by_key.values():
            item = node.data
            if item and item.locator is not None and item.kind != "worker" and item.matches(self._filter):
                return node
        return next(iter(self._by_key.values()), None)

    def _add(self, parent: TreeNode[Item], item: Item, inherited: bool = False) -> None:
        hit = inherited or item.matches(self._filter)
        holds = bool(self._filter) and self._holds(item)
        if self._filter and not (hit or holds):
            return
        # All of what is found is shown, unless something more exact is found in it: a Worker's name is in many of its bindings'.
        whole = bool(self._filter) and hit and not holds
        unfolded = item.key in self.open_keys or holds
        node = parent.add("", item, expand=unfolded, allow_expand=item.expandable)
        self._by_key[item.key] = node
        for at, child in enumerate(item.children):
            if self._filter and len(node.children) >= MOST_FOUND:
                rest = Item(
                    f"{item.key}/rest",
                    f"{len(item.children) - at:,} more: type on",
                    mark="more",
                )
                self._add(node, rest, True)
                break
            self._add(node, child, whole)

    def _holds(self, item: Item) -> bool:
        return any(child.matches(self._filter) or self._holds(child) for child in item.children)

    def redraw(self, item: Item) -> None:
        """Draw one line again: its count came in."""
        node = self._by_key.get(item.key)
        if node is not None:
            node.refresh()

    def in_sight(self) -> list[Item]:
        """Every item whose ancestors are all unfolded, from the top."""
        found: list[Item] = []

        def walk(node: TreeNode[Item]) -> None:
            for child in node.children:
                if child.data is not None:
                    found.append(child.data)
                if child.is_expanded:
                    walk(child)

        walk(self.root)
        return found

    def go_to(self, key: str) -> None:
        """Put the cursor on an item that is shown."""
        if (node := self._by_key.get(key)) is not None:
            self.move_cursor(node)

    # Drawing

    def process_label(self, label: TextType) -> Text:
        return _NO_LABEL  # what a line says is drawn from its item

    def render_label(self, node: TreeNode[Item], base_style: Style, style: Style) -> Text:
        item = node.data
        if item is None:
            return Text("")
        depth = 0
        above = node.parent
        while above is not None and above.parent is not None:
            depth, above = depth + 1, above.parent
        room = max(6, self.size.width - depth * self.guide_depth)
        if item.expandable:
            fold = self.ICON_NODE_EXPANDED if node.is_expanded else self.ICON_NODE
        else:
            fold = "  "
        sign = _SIGNS.get(item.mark, "")
        label = visible(item.label, limit=LABEL_LIMIT)
        note = visible(item.note, limit=40)
        wanted = min(LEAST_LABEL, cell_len(label))
        free = room - len(fold) - cell_len(sign) - 1
        while note and free - cell_len(note) - 1 < wanted:
            note = note.rpartition(" · ")[0]  # what matters less stands further back
        if note:
            free -= cell_len(note) + 1
        if cell_len(label) > free:
            label = set_cell_size(label, max(1, free - 1)) + "…"
        text = Text(fold, style=base_style, no_wrap=True, end="")
        text.append(sign + label, style=style + self._colour(item))
        here = node is self.cursor_node
        plain = style if here else base_style
        text.append(" " * max(1, room - cell_len(text.plain) - cell_len(note) - 1), style=plain)
        if note:
            muted = self.get_component_rich_style("binding-tree--note", partial=True)
            text.append(note, style=style if here else base_style + muted)
        text.append(" ", style=plain)
        return text

    @staticmethod
    def _colour(item: Item) -> Style:
        if item.mark == "heading":
            return Style(bold=True)
        if item.mark in ("deleted", "more"):
            return Style(dim=True)
        if item.mark == "unbound":
            return Style(italic=True)
        if item.mark in ("problem", "remote"):
            return Style(bold=True)
        return Style()

    def get_label_width(self, node: TreeNode[Item]) -> int:
        return 1  # the label is cut to the widget's width, so the tree never scrolls sideways

    # Keys and mouse

    def action_unfold(self) -> None:
        node = self.cursor_node
        if node is not None and node.allow_expand and not node.is_expanded:
            node.expand()
        else:
            self.action_cursor_down()

    def action_fold(self) -> None:
        node = self.cursor_node
        if node is None:
            return
        if node.allow_expand and node.is_expanded:
            node.collapse()
        elif node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Item]) -> None:
        item = event.node.data
        if item is not None:
            self.open_keys.add(item.key)
            self.post_message(self.Unfolded(item))

    def on_tree_node_collapsed(self, event: Tree.NodeCollapsed[Item]) -> None:
        if event.node.data is not None:
            self.open_keys.discard(event.node.data.key)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Item]) -> None:
        item = event.node.data
        if item is None:
            return
        if item.locator is None and item.expandable:
            event.node.toggle()
        else:
            self.post_message(self.Opened(item))

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Item]) -> None:
        if event.node.data is not None:
            self.post_message(self.Moved(event.node.data))
