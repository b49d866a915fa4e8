"""The console's pane: editor above, results below, schema at the side; what they ask of each other goes through here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Effect, Schema
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.widgets.grid import Grid
from workbench.widgets.schema_tree import SchemaTree
from workbench.widgets.sql_editor import SqlEditor

from .connection import Connection
from .draft import Draft
from .edit_bar import EditBar
from .history import History
from .result_area import ResultArea
from .results import ResultView, details_of
from .row_edits import RowEdits
from .runs import Runs


class Querying(Pane):
    """The editor and what its statements gave. What one does with the schema is in `tables.py`."""

    TCSS = "console.tcss"
    HELP = (
        "f5 runs the statement at the cursor (or the selection), f9 all of them; each has its own result. "
        "{ and } go from result to result, ctrl+pageup and ctrl+pagedown also while one types. "
        "Rows are read as you go down; Escape stops a statement.\n"
        "f4 shows the schema, f7 a statement's plan, f8 what was run before.\n"
        "In a result: enter shows a value, e edits a cell, i adds a row, d deletes one; the statement is shown before it "
        "runs. / finds, c goes to a column, y copies, Y copies in another form (CSV, JSON, SQL), ctrl+s writes a file.\n"
        "BEGIN opens a transaction of your own; until COMMIT or ROLLBACK a Worker's writes to this database may fail.\n"
        "ctrl+l locks the console for reading only. What is in the editor is kept."
    )

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.connection = Connection(session, locator)
        self.history = History(session.state.project.state_directory, locator)
        self.runs = Runs(self, self.connection, self.history)
        self.edits = RowEdits(self)
        self.schema: Schema | None = None
        self.draft = Draft(self)
        self._status = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="work"):
            yield Static(id="banner")
            yield SqlEditor(id="editor")
            yield Static(id="status")
            yield ResultArea(self.runs.let_go, id="results")
        with Vertical(id="schema"):
            yield SchemaTree()

    @property
    def editor(self) -> SqlEditor:
        return self.query_one(SqlEditor)

    @property
    def results(self) -> ResultArea:
        return self.query_one(ResultArea)

    @property
    def view(self) -> ResultView | None:
        """The result in front."""
        return self.results.front

    def on_mount(self) -> None:
        self.draw_status()
        self.run_worker(self.draft.load(), group="draft")

    def focus_first(self) -> None:
        self.editor.focus()

    @on(TextArea.Changed)
    def text_changed(self) -> None:
        self.draft.changed()

    async def closing(self) -> None:
        await self.draft.save()
        self.runs.stop()
        await self.results.let_go()
        try:
            await self.connection.close()
        except WorkbenchError as error:
            self.tell_error(error)

    def why_stay(self) -> str:
        return "a transaction is open; closing rolls it back" if self.connection.in_transaction else ""

    def concerns(self, paths: Collection[str]) -> bool:
        folder = "d1/" if self.locator.kind == "d1" else "do/"
        return any(path.startswith(folder) for path in paths)

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
        await self.draft.save()
        parts = await self._parts(text, at)
        if not parts:
            if parts is not None:
                self.draw_status("there is no statement here")
            return
        if self.results.has_focus_within:
            focus = True
            self.editor.focus()  # what had the focus goes: the keyboard waits here for what comes instead
        await self.results.clear()
        await self.runs.run_all(text, parts, shift)
        view = self.view
        here = self.has_focus_within or self.app.focused is None
        if view is not None and (focus or view.pinned) and here:
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
        """Something was written: the tree counts again."""
        self.post_message(self.Changed())

    def warn(self, text: str) -> None:
        """Something to know before a statement that writes."""
        self.app.notify(visible(text, limit=500), severity="warning", markup=False)

    # Results

    @on(Grid.Wanted)
    def rows_wanted(self, event: Grid.Wanted) -> None:
        event.stop()
        view = self.results.of(event.grid)
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
        self.show_details(Details(f"row {grid.row + 1:,}", details_of(grid)))

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
            self.results.draw_tabs()
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
