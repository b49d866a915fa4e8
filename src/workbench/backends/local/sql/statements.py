"""One statement at a time: cut, compiled by SQLite under the rules, run. All SQL a user wrote passes through here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import apsw

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel
from workbench.model.sql import Effect

from . import authorizer
from .authorizer import Action, Rules
from .errors import SqlError, about_sql, not_allowed, overtaken, sql_error
from .splitter import cut
from .values import Bindings

# The longest row the emulator takes, and reads again (tried: one byte more is SQLITE_TOOBIG).
_WRITING_LIMITS = {apsw.SQLITE_LIMIT_LENGTH: 8_388_642}
# workerd's limits for whatever defines something (src/workerd/util/sqlite.c++). One table, view, index or trigger beyond
# them, and the emulator cannot open the database any more (tried). Reading knows no such limit.
_DEFINING_LIMITS = {
    apsw.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 127,
    **_WRITING_LIMITS,
}
_COUNT = re.compile(r"has (\d+) bindings")
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$)|;)*([A-Za-z]*)", re.DOTALL)
# Steps of SQLite's machine between two looks at the cancel switch: about a millisecond.
_STEPS = 20_000


class Compiled(NamedTuple):
    """A statement as SQLite understood it. text: what of the SQL it took, from character `start` of the user's text."""

    text: str
    start: int
    columns: list[str]
    origins: list[tuple[str, str] | None]
    read_only: bool
    explain: bool
    empty: bool
    parameters: int
    names: tuple[str | None, ...]
    actions: list[Action]

    @property
    def effect(self) -> Effect:
        return authorizer.effect(self.actions, self.read_only, self.explain)

    @property
    def defines(self) -> bool:
        return authorizer.defines(self.actions) and not self.explain


def first_word(statement: str) -> str:
    """The first keyword, lower case, comments skipped."""
    match = _FIRST_WORD.match(statement)
    return match.group(1).lower() if match else ""


def guessed_effect(statement: str) -> Effect:
    """What a statement that does not compile yet (its table is made by one before it) may do, at worst."""
    word = first_word(statement)
    if word in ("select", "values", "explain", ""):
        return "reads"
    return "writes" if word in ("insert", "create") else "destroys"


class Engine:
    """A connection, the rules that guard it, and the statements run on it. One thread at a time."""

    def __init__(self, connection: apsw.Connection, *, transactions: bool = False) -> None:
        self.connection = connection
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.execute("PRAGMA foreign_keys=ON")
        self.rules = Rules(connection, transactions=transactions)

    def close(self) -> None:
        self.connection.close()

    def trusted(self, sql: str, bindings: Bindings = None) -> apsw.Cursor:
        """Run a statement of ours to its end before anything of the user's runs."""
        with self.rules.trusted():
            return self.connection.cursor().execute(sql, bindings)

    def compile(self, statement: str, text: str | None = None, start: int = 0) -> Compiled:
        """Compile the first statement of `statement`, which begins at `start` of the user's `text`. Nothing runs."""
        text = statement if text is None else text
        if "\0" in statement:
            raise SqlError("SQL cannot hold a NUL character", text=text, offset=start + statement.index("\0"))
        try:
            compiled = self._compile(statement, start)
            if compiled.defines:
                with self.writing(defines=True):
                    compiled = self._compile(statement, start)
            return compiled
        except UnicodeEncodeError as error:
            raise SqlError(
                "the SQL holds half a surrogate pair", text=text, offset=start + error.start
            ) from error
        except UnicodeDecodeError:
            raise SqlError("a column's name in the result is not UTF-8", text=text, offset=start) from None
        except apsw.Error as error:
            raise self.explained(error, text, start, statement) from None

    @contextmanager
    def writing(self, defines: bool) -> Iterator[None]:
        """The emulator's limits for what is written, so that it can read it; defines: for a statement of the schema."""
        limits = _DEFINING_LIMITS if defines else _WRITING_LIMITS
        before = {limit: self.connection.limit(limit, most) for limit, most in limits.items()}
        try:
            yield
        finally:
            for limit, most in before.items():
                self.connection.limit(limit, most)

    def _compile(self, statement: str, start: int) -> Compiled:
        cursor = self.connection.cursor()
        found: list[Compiled] = []
        self.rules.begin()

        def stop(cursor: apsw.Cursor, sql: str, _: object) -> bool:
            full = cursor.description_full
            found.append(
                Compiled(
                    text=sql,
                    start=start,
                    columns=[column[0] for column in full],
                    origins=[(column[3], column[4]) if column[3] and column[4] else None for column in full],
                    read_only=cursor.is_readonly,
                    explain=bool(cursor.is_explain),
                    empty=not cursor.has_vdbe,
                    parameters=cursor.bindings_count,
                    names=cursor.bindings_names,
                    actions=self.rules.actions,
                )
            )
            return False

        cursor.exec_trace = stop
        try:
            try:
                cursor.execute(statement, can_cache=False)
            except apsw.BindingsError as error:
                count = _COUNT.search(str(error))
                if count is None:
                    raise
                self.rules.begin()
                cursor.execute(statement, (None,) * int(count.group(1)), can_cache=False)
        except apsw.ExecTraceAbort:
            pass
        return found[0]

    def run(self, compiled: Compiled, bindings: Bindings, text: str) -> apsw.Cursor:
        """Start a compiled statement: its first row is there, or all of it is done if it gives no rows."""
        cursor = self.connection.cursor()
        self.rules.begin()
        try:
            if authorizer.renames(compiled.actions) and not compiled.explain:
                return self._rename(cursor, compiled)
            if compiled.effect == "reads":
                return cursor.execute(compiled.text, bindings, can_cache=False)
            with self.writing(compiled.defines):
                cursor.execute(compiled.text, bindings, can_cache=False)
            self.tidy()
            return cursor
        except apsw.Error as error:
            raise self.explained(error, text, compiled.start, compiled.text) from None

    def tidy(self) -> None:
        """Take away what ANALYZE makes here and not in the emulator, whose SQLite is built without STAT4."""
        if any(
            made == apsw.SQLITE_CREATE_TABLE and name == "sqlite_stat4"
            for made, name, *_ in self.rules.actions
        ):
            self.trusted("DROP TABLE IF EXISTS sqlite_stat4")

    def _rename(self, cursor: apsw.Cursor, compiled: Compiled) -> apsw.Cursor:
        """ALTER TABLE, undone when it gave something a name of the runtime's (no authorizer is told the new name)."""
        before = self._reserved_names()
        self.trusted("SAVEPOINT cfwb_rename")
        try:
            with self.writing(defines=True):
                cursor.execute(compiled.text, can_cache=False)
            if self._reserved_names() != before:
                raise not_allowed("names that begin with _cf_ or __miniflare_ belong to the runtime")
        except BaseException:
            self.trusted("ROLLBACK TO cfwb_rename")
            raise
        finally:
            self.trusted("RELEASE cfwb_rename")
        return cursor

    def _reserved_names(self) -> list[object]:
        found = self.trusted(
            "SELECT CAST(name AS BLOB) FROM sqlite_schema"
            " WHERE lower(substr(name,1,4))='_cf_' OR lower(substr(name,1,12))='__miniflare_' ORDER BY 1"
        )
        return [row[0] for row in found]

    def explained(self, error: apsw.Error, text: str, start: int, statement: str) -> Exception:
        """The error a person can act on; one about the file (busy, full, damaged) comes back as it is."""
        if self.rules.refused:
            return not_allowed(self.rules.refused)
        if isinstance(error, apsw.InterruptError):
            return Cancelled()
        if isinstance(error, apsw.AuthError):
            return not_allowed(str(error))
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_BUSY_SNAPSHOT:
            return overtaken()
        return sql_error(error, text, start, statement) if about_sql(error) else error

    def watch(self, cancel: Cancel | None) -> None:
        """Stop whatever runs on this connection, and all that follows, once the switch is thrown."""
        if cancel is None:
            return
        cancel.check()
        self.connection.set_progress_handler(lambda: cancel.cancelled, _STEPS)
        cancel.on(self.connection.interrupt)

    def unwatch(self, cancel: Cancel | None) -> None:
        if cancel is not None:
            cancel.off(self.connection.interrupt)
            self.connection.set_progress_handler(None)


def parts(engine: Engine, text: str) -> list[tuple[int, int, Compiled | None]]:
    """Each statement of `text`: where it begins and ends, and what SQLite makes of it.

    None where it does not compile yet but may once those before it have run. An error in SQL that no statement before it
    could mend is raised.
    """
    found: list[tuple[int, int, Compiled | None]] = []
    changed = False  # whether a statement so far may have changed the schema
    for begin, end in cut(text):
        while begin < end:
            piece = text[begin:end]
            try:
                compiled = engine.compile(piece, text, begin)
            except SqlError:
                if not changed:
                    raise
                found.append((*_trimmed(text, begin, end), None))
                break
            taken = begin + len(compiled.text)
            if not compiled.empty:
                found.append((*_trimmed(text, begin, taken), compiled))
                changed = changed or compiled.effect != "reads"
            if taken <= begin:
                break
            begin = taken
    return found


def _trimmed(text: str, begin: int, end: int) -> tuple[int, int]:
    """Without the spaces around it, so that the editor marks what a person would call the statement."""
    piece = text[begin:end]
    return begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip())
