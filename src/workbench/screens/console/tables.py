"""The console whole: the schema at its side, what one does with a table of it, the plan of a statement."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Table
from workbench.screens.pane import Locator
from workbench.screens.session import Session
from workbench.widgets.schema_tree import SchemaTree
from workbench.widgets.sql_completion import Completion, complete, name_in_sql

from .pane import Querying
from .plan import plan_text

WIDE = 80
"""Columns from which the schema stands beside the editor; below, it takes its place."""


class SqlConsole(Querying):
    """A D1 database, an object's or a facet's, by SQL."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("f5,ctrl+enter,ctrl+j", "run", "Run", key_display="f5"),
        Binding("f9", "run_all", "Run all"),
        Binding("f4", "schema", "Schema"),
        Binding("f7", "plan", "Plan", show=False),
        Binding("f8", "history", "History"),
        Binding("ctrl+s", "export", "To a file", show=False),
        Binding("ctrl+l", "lock", "Read only", show=False),
        Binding("ctrl+g", "editor", "Editor/result", show=False),
        Binding("ctrl+pageup,left_curly_bracket", "result(-1)", "Previous result", show=False),
        Binding("ctrl+pagedown,right_curly_bracket", "result(1)", "Next result", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self._schema_chosen: bool | None = None

    def on_mount(self) -> None:
        self.editor.completer = self.completion
        self.read_schema()

    def on_resize(self) -> None:
        narrow = self.size.width < WIDE
        self.set_class(narrow, "-narrow")
        wanted = self._schema_chosen if self._schema_chosen is not None else not narrow
        self.set_class(wanted and not (narrow and self._schema_chosen is None), "-schema")

    def action_result(self, by: int) -> None:
        """The next result, or the one before."""
        self.results.step(by)

    @work(exclusive=True, group="schema")
    async def read_schema(self) -> None:
        """Read the schema again; the counts of rows when they are there."""
        try:
            for counts in (False, True):
                self.schema = await self.connection.schema(counts)
                self.query_one(SchemaTree).fill(self.schema)
        except WorkbenchError as error:
            self.draw_status(error.message)

    async def refresh_data(self) -> None:
        self.read_schema()

    def completion(self, text: str, cursor: int) -> Completion:
        """What could be typed at the cursor."""
        return complete(text, cursor, self.schema)

    @on(SchemaTree.Chosen)
    def name_chosen(self, event: SchemaTree.Chosen) -> None:
        event.stop()
        self.editor.insert(event.insert)
        if self.has_class("-narrow"):
            self.action_schema()
        self.editor.focus()

    @on(SchemaTree.Asked)
    def table_asked(self, event: SchemaTree.Asked) -> None:
        event.stop()
        if event.what == "drop":
            self.drop(event.table)
            return
        if self.has_class("-narrow"):
            self.action_schema()
        if event.what == "open":
            self.open_table(event.table)
        else:
            self.edits.new_row_of(event.table)

    def open_table(self, table: Table) -> None:
        """Its rows, with what names them, so that they can be edited."""
        names = {column.name.lower() for column in table.columns if not column.hidden}
        missing = [name for name in table.identity if name.lower() not in names]
        columns = ", ".join([*missing, "*"])
        self.run_text(f"SELECT {columns} FROM {name_in_sql(table.name)}", focus=True)

    def go_to(self, part: str) -> None:
        """Open a table by its name."""
        self._open_named(part)

    @work(group="part")
    async def _open_named(self, name: str) -> None:
        try:
            schema = self.schema or await self.connection.schema(False)
        except WorkbenchError as error:
            self.draw_status(error.message)
            return
        table = next((table for table in schema.tables if table.name == name), None)
        if table is not None:
            self.open_table(table)

    @work(group="run")
    async def drop(self, table: Table) -> None:
        """Ask, then drop a table or a view."""
        from workbench.screens.dialogs import Confirm

        kind = "VIEW" if table.kind == "view" else "TABLE"
        sql = f"DROP {kind} {name_in_sql(table.name)}"
        lines = [sql] + ([f"{table.rows:,} rows go with it"] if table.rows else [])
        question = Confirm(
            f"Drop {table.name} of {self.title}", target=self.session.target, lines=lines, action="Drop"
        )
        if await self.app.push_screen_wait(question):
            await self.runs.run_all(sql, [(0, len(sql), "destroys")])

    def wrote(self) -> None:
        """Something was written: counts and schema are read again."""
        super().wrote()
        self.read_schema()

    # The keys

    def action_schema(self) -> None:
        """Show the schema and go there; from there, hide it."""
        tree = self.query_one(SchemaTree)
        showing = self.has_class("-schema")
        self._schema_chosen = not (showing and (tree.has_focus or self.has_class("-narrow")))
        self.set_class(self._schema_chosen, "-schema")
        (tree if self._schema_chosen else self.editor).focus()

    @work(group="run")
    async def action_plan(self) -> None:
        """How SQLite would run the statement at the cursor."""
        editor = self.editor
        parts = await self._parts(editor.text, editor.cursor_index)
        if not parts:
            return
        sql = editor.text[parts[0][0] : parts[0][1]]
        await self.results.clear()
        view = await self.results.add(sql, parts[0][0])
        try:
            plan = await self.connection.explain(sql)
            view.text(plan_text(plan), "plan; nothing was run")
        except WorkbenchError as error:
            view.failed(error)
        self.results.draw_tabs()
