"""From a cell of a result to the statement that changes it, and back to the result as it is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.sql import Column, SqlValue, Table
from workbench.widgets.grid_lines import GridLines

from . import editing
from .edit_bar import EditBar

if TYPE_CHECKING:
    from .pane import Querying
    from .results import ResultView

LONG = 300
"""Characters of text from which a value is edited in a window of its own."""


class RowEdits:
    """Editing for one console."""

    def __init__(self, console: Querying) -> None:
        self._console = console

    def begin(self, view: ResultView, what: str) -> None:
        """edit, insert or delete at the cursor of a result."""
        self._console.run_worker(self._begin(view, what), group="edit", exclusive=True)

    async def _begin(self, view: ResultView, what: str) -> None:
        grid = view.grid
        if not view.has_class("-rows") or not len(grid.columns) or (grid.empty and what != "insert"):
            return
        try:
            if view.editable is None:
                view.editable = await self._console.connection.editable(view.sql)
            if what == "insert":
                self._insert(view)
                return
            row = grid.held.rows[grid.row]
            if what == "delete":
                target = editing.only_table(view.editable, row)
                view.edit_bar.ask(target.delete(), target)
                return
            target = editing.cell(view.editable, row, grid.column)
            column = self._column(target.table, target.column)
            if column is not None and column.generated:
                raise WorkbenchError("sql.not_editable", f"not editable: {target.column} is generated")
            await self._edit(view, target, grid.value, column)
        except WorkbenchError as error:
            view.say(error.message)

    async def _edit(
        self, view: ResultView, target: editing.Cell, value: SqlValue, column: Column | None
    ) -> None:
        if isinstance(value, str) and (len(value) > LONG or "\n" in value or "\r" in value):
            from .text_editor import CellTextEditor

            screen = CellTextEditor(target, value, self._console.session.target)
            written = await self._console.app.push_screen_wait(screen)
            if written is not None and written != value:
                await self._write(EditBar.Run(target.update(written), target, written, "update"))
            return
        view.edit_bar.edit(target, value, editing.type_of_column(column.type) if column else "text")

    def _column(self, table: str, name: str) -> Column | None:
        found = self._table(table)
        columns = found.columns if found else ()
        return next((column for column in columns if column.name.lower() == name.lower()), None)

    def _table(self, name: str) -> Table | None:
        tables = self._console.schema.tables if self._console.schema else ()
        return next((table for table in tables if table.name.lower() == name.lower()), None)

    def _insert(self, view: ResultView) -> None:
        origins = view.editable.origins if view.editable else ()
        names = list(dict.fromkeys(origin[0] for origin in origins if origin))
        table = self._table(names[0]) if len(names) == 1 else None
        if table is None:
            raise WorkbenchError(
                "sql.not_editable", "a new row needs a result of one table; i in the schema also makes one"
            )
        view.edit_bar.write(editing.insert(table))

    def new_row_of(self, table: Table) -> None:
        """A row for a table, from the schema: its statement is put into the editor, to fill in and run."""
        editor = self._console.editor
        gap = "" if not editor.text.strip() else "\n" if editor.text.endswith("\n") else "\n\n"
        editor.insert(gap + editing.insert(table) + ";", editor.document.end)
        editor.focus()

    # Running

    def run(self, event: EditBar.Run) -> None:
        """Run the statement that was shown."""
        self._console.run_worker(self._write(event), group="edit", exclusive=True)

    async def _write(self, event: EditBar.Run) -> None:
        console, view = self._console, self._console.view
        if view is None:
            return
        try:
            note = await console.connection.may_block(event.sql)
            if note:
                console.warn(note)
            figures = await console.runs.quietly(event.sql)
        except WorkbenchError as error:
            view.say(error.message)
            return
        view.edit_bar.close()
        view.focus_content()
        changes = figures.changes if figures else 0
        await console.history.add(event.sql, figures.duration_ms if figures else None, changes)
        if event.target is not None and not changes:
            view.say("no row was changed: it is gone, or its key is another now")
            return
        if event.what == "update" and event.target is not None:
            await self._read_again(view, event.target, event.value)
            view.say("written")
        elif event.what == "delete":
            view.grid.remove_row(view.grid.row)
            view.say("deleted")
        else:
            view.say(f"done · {changes:,} row{'' if changes == 1 else 's'} changed; f5 reads again")
        console.wrote()

    async def _read_again(self, view: ResultView, target: editing.Cell, value: SqlValue) -> None:
        """The row as SQLite has it now: a column's type or a trigger may have changed what was written."""
        grid, editable = view.grid, view.editable
        if editable is None:
            return
        places, sql = editing.reading(editable, editing.changed_key(target, value))
        found = await self._console.runs.quietly(sql)
        if found is not None and found.rows:
            row = list(grid.held.rows[grid.row])
            for place, fresh in zip(places, found.rows[0], strict=True):
                row[place] = fresh
            grid.replace_row(grid.row, tuple(row))

    # Looking

    def open_value(self, grid: GridLines) -> None:
        """The whole value under the cursor, in a window."""
        from .value_screen import ValueScreen

        column = grid.columns.names[grid.column]
        self._console.app.push_screen(ValueScreen(f"{column}, row {grid.row + 1:,}", grid.value))
