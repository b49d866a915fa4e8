"""A database's schema as a tree: tables with their columns, keys, indexes and triggers; views; what is internal, folded."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from workbench.model.sql import Column, ForeignKey, Index, Schema, Table
from workbench.model.text import visible

from .palette import Palette

NAME = 200


class Item(NamedTuple):
    """kind: table, column, index, trigger, more or group. insert: the name that enter writes into the editor."""

    kind: str
    name: str
    insert: str = ""
    table: Table | None = None


class SchemaTree(Tree[Item]):
    """`fill` with a schema. A table's lines are made when it is opened, so 2,000 columns cost nothing before."""

    DEFAULT_CSS = """
    SchemaTree { background: $surface; height: 1fr; width: 1fr; scrollbar-size: 1 1; padding: 0; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("enter", "select_cursor", "Insert name"),
        Binding("o", "open_table", "Open table"),
        Binding("i", "new_row", "New row", show=False),
        Binding("d,delete,D", "drop", "Drop"),
        Binding("left", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
    ]

    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "

    class Chosen(Message):
        """Enter: the name is wanted in the editor."""

        def __init__(self, insert: str) -> None:
            super().__init__()
            self.insert = insert

    class Asked(Message):
        """Something is wanted with a table: `open`, `insert` or `drop`."""

        def __init__(self, what: str, table: Table) -> None:
            super().__init__()
            self.what, self.table = what, table

    def __init__(self, **options: Any) -> None:
        super().__init__("schema", **options)
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = False
        self._palette = Palette(self)

    # Content

    def fill(self, schema: Schema) -> None:
        """Show a schema; what was open stays open, the cursor stays on its line."""
        opened = {node.data.name for node in self._all(self.root) if node.data and node.is_expanded}
        line = self.cursor_line
        self.clear()
        shadows: dict[str, list[Table]] = {}
        internal: list[Table] = []
        for table in schema.tables:
            if table.kind == "shadow" and table.shadow_of:
                shadows.setdefault(table.shadow_of, []).append(table)
        for table in schema.tables:
            if table.reserved:
                internal.append(table)
            elif table.kind != "shadow":
                self._add_table(self.root, table, shadows.get(table.name, []))
        if internal:
            group = self.root.add(Text("internal", self._palette["muted"]), Item("group", "\0internal"))
            for table in internal:
                self._add_table(group, table, [])
        if not schema.tables:
            self.root.add_leaf(Text("no tables yet", self._palette["muted"]), Item("group", "\0none"))
        self.root.expand()
        for node in self._all(self.root):
            if node.data and node.data.name in opened and node.allow_expand:
                self._make_lines(node)
                node.expand()
        self.cursor_line = max(0, line)

    def _all(self, node: TreeNode[Item]) -> list[TreeNode[Item]]:
        found: list[TreeNode[Item]] = []
        for child in node.children:
            found += [child, *self._all(child)]
        return found

    def _add_table(self, parent: TreeNode[Item], table: Table, shadows: list[Table]) -> None:
        from .sql_completion import name_in_sql

        label = Text(visible(table.name, limit=NAME))
        kind = {"view": "view", "virtual": "virtual", "shadow": "shadow"}.get(table.kind, "")
        extra = " ".join(
            part
            for part in (kind, "strict" if table.strict else "", "no rowid" if table.without_rowid else "")
            if part
        )
        if table.rows is not None:
            label.append(f"  {table.rows:,}", self._palette["number"])
        if extra:
            label.append(f"  {extra}", self._palette["type"])
        node = parent.add(label, Item("table", table.name, name_in_sql(table.name), table), allow_expand=True)
        for shadow in shadows:
            self._add_table(node, shadow, [])

    @on(Tree.NodeExpanded)
    def opened(self, event: Tree.NodeExpanded[Item]) -> None:
        self._make_lines(event.node)

    def _make_lines(self, node: TreeNode[Item]) -> None:
        """The lines of a table, in front of its shadow tables; once."""
        data = node.data
        if (
            data is None
            or data.table is None
            or any(child.data and child.data.table is None for child in node.children)
        ):
            return
        shadows = [child.data.table for child in node.children if child.data and child.data.table]
        node.remove_children()
        table = data.table
        arrows = {
            column: key for key in table.foreign_keys if len(key.columns) == 1 for column in key.columns
        }
        for column in table.columns:
            self._add_column(node, column, arrows.get(column.name))
        for key in table.foreign_keys:
            if len(key.columns) > 1:
                self._leaf(node, "key", f"({', '.join(key.columns)}) → {key.table}", "type")
        for index in table.indexes:
            self._leaf(node, "index", _index(index), "muted")
        for trigger in table.triggers:
            self._leaf(node, "trigger", f"trigger {trigger.name}", "muted")
        for shadow in shadows:
            self._add_table(node, shadow, [])

    def _leaf(self, node: TreeNode[Item], kind: str, text: str, style: str) -> None:
        node.add_leaf(Text(visible(text, limit=NAME), self._palette[style]), Item(kind, text))

    def _add_column(self, node: TreeNode[Item], column: Column, arrow: ForeignKey | None) -> None:
        from .sql_completion import name_in_sql

        label = Text(visible(column.name, limit=NAME))
        if arrow is not None:
            to = f".{visible(arrow.references[0], limit=60)}" if arrow.references[0] else ""
            label.append(f" → {visible(arrow.table, limit=60)}{to}", self._palette["number"])
        if column.type:
            label.append(f" {visible(column.type, limit=40)}", self._palette["muted"])
        if column.key:
            label.append(" key", self._palette["key"] + Style(bold=True))
        for said, word in (
            (column.not_null and not column.key, "not null"),
            (column.generated, "generated"),
            (column.hidden and not column.generated, "hidden"),
        ):
            if said:
                label.append(f" {word}", self._palette["type" if word == "generated" else "muted"])
        node.add_leaf(label, Item("column", column.name, name_in_sql(column.name)))

    # Keys

    @on(Tree.NodeSelected)
    def selected(self, event: Tree.NodeSelected[Item]) -> None:
        event.stop()
        data = event.node.data
        if data is not None and data.insert:
            self.post_message(self.Chosen(data.insert))
        elif data is not None and event.node.allow_expand:
            event.node.toggle()

    @property
    def table(self) -> Table | None:
        """The table the cursor is on or in."""
        node = self.cursor_node
        while node is not None:
            if node.data is not None and node.data.table is not None:
                return node.data.table
            node = node.parent
        return None

    def _ask(self, what: str) -> None:
        if self.table is not None:
            self.post_message(self.Asked(what, self.table))

    def action_open_table(self) -> None:
        self._ask("open")

    def action_new_row(self) -> None:
        self._ask("insert")

    def action_drop(self) -> None:
        self._ask("drop")

    def action_fold(self) -> None:
        node = self.cursor_node
        if node is None:
            return
        if node.is_expanded and node.allow_expand:
            node.collapse()
        elif node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)

    def action_unfold(self) -> None:
        node = self.cursor_node
        if node is not None and node.allow_expand and not node.is_expanded:
            node.expand()
        else:
            self.action_cursor_down()


def _index(index: Index) -> str:
    columns = ", ".join(column or "expression" for column in index.columns)
    name = "" if index.name.startswith("sqlite_autoindex") else f" {index.name}"
    return f"{'unique' if index.unique else 'index'}{name} ({columns}){' partial' if index.partial else ''}"
