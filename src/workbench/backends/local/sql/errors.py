"""SQLite's errors about somebody's SQL, with the place in the text they wrote."""

import apsw

from workbench.model.errors import WorkbenchError


class SqlError(WorkbenchError):
    """SQL that SQLite refused. `offset` is the character in the user's whole text, or None; line and column from 1.

    platform_message: the words the runtime has for it.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        text: str = "",
        offset: int | None = None,
        platform_message: str = "",
    ) -> None:
        self.platform_message = platform_message or message
        self.offset = offset
        self.line: int | None = None
        self.column: int | None = None
        if offset is not None:
            before = text[:offset]
            self.line = before.count("\n") + 1
            self.column = offset - before.rfind("\n")
            message = f"{message} (line {self.line}, column {self.column})"
        super().__init__("sql.error", message, hint)


# What is wrong with the SQL or with what it asks, not with the file.
_ABOUT_SQL = (
    apsw.SQLError,
    apsw.ConstraintError,
    apsw.MismatchError,
    apsw.RangeError,
    apsw.TooBigError,
    apsw.AbortError,
    apsw.SchemaChangeError,
    apsw.MisuseError,
)


def about_sql(error: apsw.Error) -> bool:
    return isinstance(error, _ABOUT_SQL)


def sql_error(error: apsw.Error, text: str, start: int, statement: str) -> SqlError:
    """SQLite's own message, placed. statement begins at character `start` of `text`."""
    at = getattr(error, "error_offset", -1)
    offset = None
    if isinstance(error, apsw.SQLError) and isinstance(at, int) and at >= 0:
        offset = start + len(statement.encode("utf-8", "surrogatepass")[:at].decode("utf-8", "ignore"))
    return SqlError(str(error), text=text, offset=offset, platform_message=_as_the_runtime_says(error))


def _as_the_runtime_says(error: apsw.Error) -> str:
    """`near "SELEC": syntax error at offset 0: SQLITE_ERROR`; an extended code follows in brackets."""
    at = getattr(error, "error_offset", -1)
    place = f" at offset {at}" if isinstance(at, int) and at >= 0 else ""
    code, extended = getattr(error, "result", 1), getattr(error, "extendedresult", 1)
    said = f"{error}{place}: {apsw.mapping_result_codes.get(code, code)}"
    if extended != code:
        said += f" (extended: {apsw.mapping_extended_result_codes.get(extended, extended)})"
    return said


def not_allowed(reason: str) -> WorkbenchError:
    """The authorizer said no; reason is its sentence."""
    return WorkbenchError(
        "sql.not_allowed",
        reason,
        "SQL here has the rules of D1 and Durable Objects, so that it runs there too",
    )


def overtaken() -> WorkbenchError:
    """A transaction that began by reading cannot write any more once somebody else has written."""
    return WorkbenchError(
        "state.busy",
        "another process has written since this transaction first read, so it cannot write any more",
        "ROLLBACK, and begin again; BEGIN IMMEDIATE takes the lock from the start",
    )
