"""The rows of a running statement, a few at a time, whatever text they hold."""

from collections.abc import Iterator
from itertools import islice

import apsw

from workbench.model.sql import Row

from .errors import SqlError
from .statements import Compiled, Engine, first_word
from .values import Bindings, exact_form, from_exact


class Rows:
    """Runs a compiled statement of the user's `text` and gives its rows. Until `ended` it keeps its view of the data."""

    def __init__(self, engine: Engine, compiled: Compiled, bindings: Bindings, text: str) -> None:
        self._engine = engine
        self._compiled = compiled
        self._bindings = bindings
        self._text = text
        self._given = 0
        self.ended = False
        # Starting it also reads its first row.
        self._cursor: apsw.Cursor | None = None
        self._rows: Iterator[Row]
        try:
            self._cursor = engine.run(compiled, bindings, text)
            self._rows = self._cursor
        except UnicodeDecodeError:
            self._rows = self._exactly()

    def take(self, count: int | None = None) -> list[Row]:
        """The next `count` rows, or all that are left; fewer than asked means the end."""
        rows: list[Row] = []
        while not self.ended and (count is None or len(rows) < count):
            self._take(rows, None if count is None else count - len(rows))
        self._given += len(rows)
        return rows

    def _take(self, rows: list[Row], count: int | None) -> None:
        before = len(rows)
        try:
            # extend keeps what it got when the iterator raises
            rows.extend(islice(self._rows, count))
        except UnicodeDecodeError:
            self._rows = self._exactly(skip=self._given + len(rows))
            return
        except apsw.Error as error:
            raise self._engine.explained(
                error, self._text, self._compiled.start, self._compiled.text
            ) from None
        if count is None or len(rows) - before < count:
            self.ended = True

    def _exactly(self, skip: int = 0) -> Iterator[Row]:
        """Start again behind the `skip` rows given, asking for bytes where the text is not UTF-8."""
        if (
            first_word(self._compiled.text) not in ("select", "with", "values")
            or not self._compiled.read_only
        ):
            raise SqlError(
                "a value in the result is TEXT that is not UTF-8",
                "ask for it with CAST(... AS BLOB), or read it back with a SELECT",
                text=self._text,
                offset=self._compiled.start,
            )
        columns = len(self._compiled.columns)
        again = self._engine.compile(exact_form(self._compiled.text, columns, skip))
        before, self._cursor = self._cursor, self._engine.run(again, self._bindings, self._text)
        if before is not None:
            before.close(True)
        return from_exact(self._cursor)

    def close(self) -> None:
        self.ended = True
        if self._cursor is not None:
            self._cursor.close(True)
