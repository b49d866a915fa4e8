"""Running a .sql file: D1's exports, dumps of the sqlite3 shell, scripts by hand; read in pieces, split as SQLite splits.

One transaction: all of it is there, or nothing. A dump's own BEGIN and COMMIT are therefore passed over, and so are pragmas
about the file or the connection, which mean nothing in here.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import apsw

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.sql import Row

from .errors import SqlError
from .splitter import Splitter
from .statements import Engine, first_word
from .values import quoted

_PRAGMAS = """
    foreign_keys defer_foreign_keys journal_mode synchronous encoding page_size cache_size auto_vacuum locking_mode
    temp_store user_version application_id writable_schema legacy_alter_table
"""
_PASSED_OVER = frozenset(_PRAGMAS.split())
_PRAGMA = re.compile(r"pragma\s+(?:main\s*\.\s*)?[\"'`\[]?(\w+)", re.IGNORECASE)
# How a dump begins: the shell's, and D1's own.
_CHECKS_LATER = re.compile(
    r"pragma\s+(foreign_keys\s*=\s*(off|0|false|no)|defer_foreign_keys\s*=\s*(on|1|true|yes))\b",
    re.IGNORECASE,
)
# How the sqlite3 shell writes a virtual table: a row for the schema itself, then the shadows' rows.
_SCHEMA_ROW = re.compile(r"\s*INSERT\s+INTO\s+sqlite_(?:schema|master)\s*\(", re.IGNORECASE)
_REPORT_EVERY = 500


def import_sql(
    engine: Engine, chunks: Iterable[str], progress: Progress | None = None, cancel: Cancel | None = None
) -> int:
    """Run every statement; how many ran. Errors: `sql.error` with line and column in the file, `sql.not_allowed`."""
    statements = _statements(chunks)
    head = list(islice(statements, 1))
    importing = _Import(engine, checks_later=bool(head) and _CHECKS_LATER.search(head[0]) is not None)
    engine.watch(cancel)
    try:
        importing.begin()
        for statement in chain(head, statements):
            if cancel is not None:
                cancel.check()
            importing.run(statement)
            if progress is not None and importing.count % _REPORT_EVERY == 0:
                progress(importing.read, None)
        importing.commit()
    except BaseException:
        engine.unwatch(cancel)
        if engine.connection.in_transaction:
            engine.trusted("ROLLBACK")
        raise
    engine.unwatch(cancel)
    if progress is not None:
        progress(importing.read, importing.read)
    return importing.count


def _statements(chunks: Iterable[str]) -> Iterator[str]:
    splitter = Splitter()
    first = True
    for chunk in chunks:
        if first:
            chunk, first = chunk.removeprefix("\ufeff"), False
        yield from splitter.feed(chunk)
    yield from splitter.rest()


class _Import:
    """How far it is, for errors that name the line of the whole file."""

    def __init__(self, engine: Engine, checks_later: bool) -> None:
        self.engine = engine
        self._checks_later = checks_later
        self._broken_before: set[Row] = set()
        self.count = 0
        self.read = 0
        self._line = 1
        self._column = 1
        engine.rules.functions |= {"unistr"}  # how newer shells dump control characters

    def begin(self) -> None:
        """A dump may fill a table before the one it points to exists, so its foreign keys are checked at the end."""
        if self._checks_later:
            self.engine.trusted("PRAGMA foreign_keys=OFF")
        self.engine.trusted("BEGIN IMMEDIATE")
        self.engine.trusted("PRAGMA defer_foreign_keys=ON")
        if self._checks_later:
            self._broken_before = self._broken()

    def _broken(self) -> set[Row]:
        """The rows that point nowhere: table, row id, table pointed to, number of the key."""
        return set(self.engine.trusted("PRAGMA foreign_key_check").fetchall())

    def run(self, statement: str) -> None:
        try:
            if self._meant(statement):
                self._execute(statement)
                self.count += 1
        except SqlError as error:
            raise self._placed(error, statement) from None
        except WorkbenchError as error:
            place = f"line {self._first_line(statement)}"
            raise WorkbenchError(error.code, f"{error.message} ({place})", error.hint) from None
        self._pass(statement)

    def _meant(self, statement: str) -> bool:
        """Whether it is to be run; ROLLBACK at the end of a dump says that the dump failed."""
        word = first_word(statement)
        if word in ("", "begin", "commit", "end"):
            return False
        if word == "rollback":
            raise SqlError("the file ends in ROLLBACK: the dump it is from had failed", "make the dump again")
        if word == "pragma":
            named = _PRAGMA.search(statement)
            return named is None or named.group(1).lower() not in _PASSED_OVER
        return True

    def _execute(self, statement: str) -> None:
        if _SCHEMA_ROW.match(statement):
            self._make_virtual_table(statement)
            return
        cursor = self.engine.connection.cursor()
        self.engine.rules.begin()
        try:
            with self.engine.writing(defines=first_word(statement) in ("create", "alter")):
                for _ in cursor.execute(statement, can_cache=False):
                    pass
            self.engine.tidy()
        except UnicodeDecodeError:
            pass  # rows of a SELECT in the file, which nobody looks at
        except UnicodeEncodeError as error:
            raise SqlError("half a surrogate pair", text=statement, offset=error.start) from None
        except apsw.BindingsError:
            raise SqlError("a file of SQL cannot have parameters") from None
        except apsw.Error as error:
            raise self.engine.explained(error, statement, 0, statement) from None

    def _make_virtual_table(self, statement: str) -> None:
        """Make the table that the schema row describes; its shadows are emptied for the rows that follow."""
        scratch = apsw.Connection(":memory:")
        scratch.execute("CREATE TABLE s(type, name, tbl_name, rootpage, sql)")
        scratch.execute(_SCHEMA_ROW.sub("INSERT INTO s(", statement, count=1))
        name, made = scratch.execute("SELECT name, sql FROM s").fetchone() or ("", "")
        if not str(made).lower().startswith("create virtual table"):
            raise SqlError("only virtual tables may be written into sqlite_schema", text=statement, offset=0)
        self._execute(str(made))
        found = self.engine.trusted(
            "SELECT name FROM pragma_table_list WHERE schema='main' AND type='shadow'"
        ).fetchall()
        self._shadows_open(True)
        for (shadow,) in found:
            if str(shadow).lower().startswith(str(name).lower() + "_"):
                self.engine.trusted(f"DELETE FROM {quoted(str(shadow))}")

    def _shadows_open(self, opened: bool) -> None:
        self.engine.connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0 if opened else 1)

    def commit(self) -> None:
        """COMMIT; where a foreign key says no, name a row that points nowhere."""
        self._shadows_open(False)
        if self._checks_later:
            for table, _, parent, _ in sorted(self._broken() - self._broken_before, key=repr):
                raise _points_nowhere("FOREIGN KEY constraint failed", table, parent)
        try:
            self.engine.trusted("COMMIT")
        except apsw.ConstraintError as error:
            for table, _, parent, _ in sorted(self._broken(), key=repr):
                raise _points_nowhere(str(error), table, parent) from None
            raise SqlError(str(error)) from None

    def _placed(self, error: SqlError, statement: str) -> SqlError:
        if error.line is None or error.column is None:
            return SqlError(f"{error.message} (line {self._first_line(statement)})", error.hint)
        message = error.message.rsplit(" (line ", 1)[0]
        column = error.column + (self._column - 1 if error.line == 1 else 0)
        placed = SqlError(f"{message} (line {self._line + error.line - 1}, column {column})", error.hint)
        placed.line, placed.column = self._line + error.line - 1, column
        return placed

    def _first_line(self, statement: str) -> int:
        """Where the statement itself begins, behind the line ends of the one before."""
        return self._line + statement[: len(statement) - len(statement.lstrip())].count("\n")

    def _pass(self, statement: str) -> None:
        self.read += len(statement)
        lines = statement.count("\n")
        self._line += lines
        if lines:
            self._column = len(statement) - statement.rfind("\n")
        else:
            self._column += len(statement)


def _points_nowhere(said: str, table: object, parent: object) -> SqlError:
    return SqlError(
        f"{said}: a row of {table} points to a row of {parent} that is not there", "nothing was imported"
    )
