"""The console's pane: editor above, results below, schema at the side; what they ask of each other goes through here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import ContentSwitcher, Static, TextArea

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Effect, Schema, Table
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.widgets.cells import kind_of, size
from workbench.widgets.grid import Grid
from workbench.widgets.schema_tree import SchemaTree
from workbench.widgets.sql_completion import Completion, complete, name_in_sql
from workbench.widgets.sql_editor import SqlEditor
from workbench.widgets.tab_strip import TabLabel, TabStrip

from .connection import Connection
from .edit_bar import EditBar
from .history import History
from .plan import plan_text
from .results import ResultView
from .row_edits import RowEdits
from .runs import Runs

WIDE = 80
"""Columns from which the schema stands beside the editor; below, it takes its place."""
HINT = """\
f5    run the statement at the cursor
f9    run all of them
f4    schema: enter inserts a name, o opens a table
f8    what was run before
f7    the plan of a statement
tab   complete a name
esc   stop what runs, or go to the result

In a result enter shows a cell whole, e edits it;
ctrl+s writes all of it to a file. ctrl+g comes back."""


class SqlConsole(Pane):
    """A D1 database, an object's or a facet's, by SQL."""

    TCSS = "console.tcss"
    HELP = (
        "f5 runs the statement at the cursor (or the selection), f9 all of them; each has its own result. Rows are read\n"
        "as you go down; Escape stops a statement. f4 shows the schema, f7 a statement's plan, f8 what was run before.\n"
        "In a result: enter shows a value, e edits a cell, i adds a row, d deletes one; the statement is shown before it\n"
        "runs. / finds, c goes to a column, y copies, Y copies in another form (CSV, JSON, SQL), ctrl+s writes a file.\n"
        "BEGIN opens a transaction of your own; until COMMIT or ROLLBACK a Worker's writes to this database may fail.\n"
        "ctrl+l locks the console for reading only. What is in the editor is kept."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("f5,ctrl+enter,ctrl+j", "run", "Run", key_display="f5"),
        Binding("f9", "run_all", "Run all"),
        Binding("f4", "schema", "Schema"),
        Binding("f7", "plan", "Plan", show=False),
        Binding("f8", "history", "History"),
        Binding("ctrl+s", "export", "To a file", show=False),
        Binding("ctrl+l", "lock", "Read only", show=False),
        Binding("ctrl+g", "editor", "Editor/result", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.connection = Connection(session, locator)
        self.history = History(session.state.project.state_directory, locator)
        self.runs = Runs(self, self.connection, self.history)
        self.edits = RowEdits(self)
        self.schema: Schema | None = None
        self._views: list[ResultView] = []
        self._serial = 0
        self._save: Timer | None = None
        self._unsaved = False
        self._schema_chosen: bool | None = None
        self._status = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="work"):
            yield Static(id="banner")
            yield SqlEditor(id="editor")
            yield Static(id="status")
            with Vertical(id="results"):
                yield TabStrip(id="result-tabs")
                with ContentSwitcher(id="result", initial="hint"):
                    yield Static(Content(HINT), id="hint")
        with Vertical(id="schema"):
            yield SchemaTree()

    @property
    def editor(self) -> SqlEditor:
        return self.query_one(SqlEditor)

    @property
    def view(self) -> ResultView | None:
        """The result in front."""
        current = self.query_one("#result", ContentSwitcher).current
        return next((view for view in self._views if view.id == current), None)

    def on_mount(self) -> None:
        self.editor.completer = self.completion
        self.draw_status()
        self.load_draft()
        self.read_schema()

    def on_resize(self) -> None:
        narrow = self.size.width < WIDE
        self.set_class(narrow, "-narrow")
        wanted = self._schema_chosen if self._schema_chosen is not None else not narrow
        self.set_class(wanted and not (narrow and self._schema_chosen is None), "-schema")

    def focus_first(self) -> None:
        self.editor.focus()

    # The text in the editor is never lost

    @work(group="draft")
    async def load_draft(self) -> None:
        """Bring back what was in the editor."""
        kept = await self.history.draft()
        if kept is not None and not self.editor.text:
            with self.editor.prevent(TextArea.Changed):
                self.editor.load_text(kept[0])
            self.editor.move_cursor(self.editor.location_of(kept[1]))

    @on(TextArea.Changed)
    def text_changed(self) -> None:
        self._unsaved = True
        if self._save is not None:
            self._save.stop()
        self._save = self.set_timer(0.4, self.save_draft)

    async def save_draft(self) -> None:
        """Keep what is in the editor now."""
        if self._unsaved:
            self._unsaved = False
            await self.history.save_draft(self.editor.text, self.editor.cursor_index)

    async def closing(self) -> None:
        await self.save_draft()
        self.runs.stop()
        for view in self._views:
            await self.runs.let_go(view)
        try:
            await self.connection.close()
        except WorkbenchError as error:
            self.tell_error(error)

    def why_stay(self) -> str:
        return "a transaction is open; closing rolls it back" if self.connection.in_transaction else ""

    # Schema

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

    def concerns(self, paths: Collection[str]) -> bool:
        folder = "d1/" if self.locator.kind == "d1" else "do/"
        return any(path.startswith(folder) for path in paths)

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

    # Running

    def action_run(self) -> None:
        """Run the selection, or the statement at the cursor."""
        editor = self.editor
        if editor.selected_text:
            first = min(editor.selection.start, editor.selection.end)
            self.run_text(editor.selected_text, shift=editor.index_of(first))
        else:
            self.run_text(editor.text, at=editor.cursor_index)

    def action_run_all(self) -> None:
        self.run_text(self.editor.text)

    @work(group="run", exclusive=True)
    async def run_text(self, text: str, at: int | None = None, shift: int = 0, focus: bool = False) -> None:
        """Run all statements of a text, or the one at a place."""
        self.runs.stop()
        self.editor.close_completion()
        await self.save_draft()
        parts = await self._parts(text, at)
        if not parts:
            if parts is not None:
                self.draw_status("there is no statement here")
            return
        await self.clear_results()
        await self.runs.run_all(text, parts, shift)
        view = self.view
        if view is not None and (focus or view.pinned):
            view.focus_content()

    async def _parts(self, text: str, at: int | None) -> list[tuple[int, int, Effect]] | None:
        """Where the statements are; with a place only the one there, or the last before it. None after an error is told."""
        try:
            parts = await self.connection.statements(text)
        except WorkbenchError as error:
            self.tell_error(error)
            return None
        if at is None or not parts:
            return parts
        before = [part for part in parts if part[0] <= at]
        return [before[-1] if before else parts[0]]

    def action_stop(self) -> None:
        """Stop what runs."""
        view = self.view
        if not self.runs.stop() and view is not None and view.running is not None and not view.running.ended:
            view.running.cancel.cancel()

    @on(SqlEditor.Escaped)
    def editor_escaped(self) -> None:
        """Escape in the editor: stop what runs, else go to the result."""
        if not self.runs.stop() and self.view is not None:
            self.view.focus_content()

    def action_editor(self) -> None:
        if self.editor.has_focus and self.view is not None:
            self.view.focus_content()
        else:
            self.editor.focus()

    def mark_error(self, view: ResultView, offset: int) -> None:
        """Show where an error is, if that text is still there."""
        at = offset + view.shift
        if self.editor.text[view.start : view.start + len(view.sql)] == view.sql:
            self.editor.mark_error(at)

    def wrote(self) -> None:
        """Something was written: counts and schema are read again."""
        self.post_message(self.Changed())
        self.read_schema()

    def warn(self, text: str) -> None:
        """Something to know before a statement that writes."""
        self.app.notify(visible(text, limit=500), severity="warning", markup=False)

    # Results

    async def add_result(self, sql: str, start: int, shift: int = 0) -> ResultView:
        """A result of its own for a statement, in front. start: where it begins in the editor; shift: where what was run does."""
        self._serial += 1
        view = ResultView(len(self._views) + 1, sql, start, shift, id=f"result-{self._serial}")
        self._views.append(view)
        switcher = self.query_one("#result", ContentSwitcher)
        await switcher.mount(view)
        switcher.current = view.id
        self._draw_tabs()
        return view

    async def clear_results(self) -> None:
        """Take away the results that are not kept."""
        for view in [view for view in self._views if not view.pinned]:
            await self._remove(view)
        for number, view in enumerate(self._views, 1):
            view.number = number
        self._draw_tabs()

    async def _remove(self, view: ResultView) -> None:
        self._views.remove(view)
        await self.runs.let_go(view)
        switcher = self.query_one("#result", ContentSwitcher)
        if switcher.current == view.id:
            switcher.current = self._views[-1].id if self._views else "hint"
        await view.remove()

    def _draw_tabs(self) -> None:
        strip = self.query_one(TabStrip)
        strip.tabs = tuple(
            TabLabel(view.id or "", view.title, " •" if view.pinned else "") for view in self._views
        )
        strip.active = self.query_one("#result", ContentSwitcher).current or ""
        strip.refresh()
        self.set_class(len(self._views) > 1, "-several")

    @on(TabStrip.Picked)
    async def result_picked(self, event: TabStrip.Picked) -> None:
        event.stop()
        if isinstance(event, TabStrip.CloseAsked):
            view = next((view for view in self._views if view.id == event.tab_id), None)
            if view is not None:
                await self._remove(view)
        else:
            self.query_one("#result", ContentSwitcher).current = event.tab_id
        self._draw_tabs()
        if self.view is not None:
            self.view.focus_content()

    @on(Grid.Wanted)
    def rows_wanted(self, event: Grid.Wanted) -> None:
        event.stop()
        view = next((view for view in self._views if view.grid is event.grid), None)
        if view is not None and view.running is not None and view.state == "running":
            self.run_worker(self.runs.wanted(view, event.grid, event.count), group="rows")

    @on(Grid.Moved)
    def cell_moved(self, event: Grid.Moved) -> None:
        event.stop()
        grid = event.grid
        if isinstance(event, Grid.Opened):
            self.edits.open_value(grid)
            return
        if grid.empty:
            return
        names, values = grid.columns.names, grid.held.rows[grid.row]
        rows = tuple((f"{name} ({kind_of(value)})", _said(value)) for name, value in zip(names[:200], values))
        self.post_message(self.DetailsChanged(Details(f"row {grid.row + 1:,}", rows), self))

    @on(ResultView.Want)
    async def row_wanted(self, event: ResultView.Want) -> None:
        event.stop()
        if event.what == "back":
            stopped = event.view.grid.stop_chasing() or event.view.grid_view.stop_finding()
            if not (stopped or self.runs.stop()):
                self.editor.focus()
        elif event.what == "pin":
            event.view.pinned = not event.view.pinned
            event.view.draw()
            self._draw_tabs()
        else:
            self.edits.begin(event.view, event.what)

    @on(EditBar.Run)
    def edit_run(self, event: EditBar.Run) -> None:
        event.stop()
        self.edits.run(event)

    @on(EditBar.Back)
    def edit_back(self, event: EditBar.Back) -> None:
        event.stop()
        if self.view is not None:
            self.view.focus_content()

    # The rest of the keys

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
        await self.clear_results()
        view = await self.add_result(sql, parts[0][0])
        try:
            plan = await self.connection.explain(sql)
            view.text(plan_text(plan), "plan; nothing was run")
        except WorkbenchError as error:
            view.failed(error)
        self._draw_tabs()

    @work(group="ask")
    async def action_history(self) -> None:
        """Choose a statement that was run before; it is put behind what is in the editor."""
        from .history_screen import HistoryScreen

        sql = await self.app.push_screen_wait(HistoryScreen(self.history))
        if sql:
            editor = self.editor
            gap = "" if not editor.text.strip() else "\n" if editor.text.endswith("\n") else "\n\n"
            editor.insert(gap + sql, editor.document.end)
            editor.move_cursor(editor.document.end)
            editor.focus()

    @work(group="ask")
    async def action_export(self) -> None:
        """Write the result in front to a file, every row of it."""
        if self.view is not None and self.view.has_class("-rows"):
            from .exporting import export

            await export(self, self.view)

    @work(group="ask")
    async def action_lock(self) -> None:
        """Refuse writes, or allow them again."""
        if self.connection.in_transaction:
            self.tell("a transaction is open: COMMIT or ROLLBACK first", error=True)
            return
        await self.connection.set_read_only(not self.connection.read_only)
        self.draw_status()

    # The line between editor and results

    def show_transaction(self) -> None:
        """The banner is there while a transaction of the user's is open."""
        opened = self.connection.in_transaction
        if opened and not self.has_class("-transaction"):
            text = (
                "BEGIN is open: until COMMIT or ROLLBACK the Worker's own writes to this database may fail, "
                "and nothing here is kept yet."
            )
            self.query_one("#banner", Static).update(Content(text))
        self.set_class(opened, "-transaction")

    def draw_status(self, said: str = "") -> None:
        """Whether it is locked, and a passing word; not there with nothing to say."""
        parts: list[Any] = []
        if self.connection.read_only:
            parts.append(("READ ONLY  ", "bold $text-warning"))
        if said:
            parts.append((visible(said, limit=300), "$text-warning"))
        status = self.query_one("#status", Static)
        status.display = bool(parts)
        status.update(Content.assemble(*parts))


def _said(value: Any) -> str:
    """A value for the details: text as it is, a blob as hex with its size."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"{size(len(value))} {value[:512].hex()}"
    return value if isinstance(value, str) else repr(value)
