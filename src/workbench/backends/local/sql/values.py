"""Values on their way in and out of SQLite, types exact.

Out: apsw gives int, float, str, bytes and None as SQLite stores them, but raises where TEXT is not UTF-8. Only then is
the query run again in a form that hands such text over as bytes (`exact_form`): what nobody needs costs nothing.
In: parameters are taken statement by statement, as many as each asks for; a dict is by name.
"""

from collections.abc import Iterator

from workbench.model.errors import WorkbenchError
from workbench.model.sql import InvalidText, Params, Row, SqlValue

Bindings = tuple[SqlValue, ...] | dict[str, SqlValue] | None


class Parameters:
    """The parameters of one call, handed to its statements in turn."""

    def __init__(self, params: Params | None) -> None:
        self._list: list[SqlValue] = []
        self._names: dict[str, SqlValue] | None = None
        self._used = 0
        self._seen: set[str] = set()
        if isinstance(params, dict):
            self._names = {name.lstrip(":@$"): _checked(value) for name, value in params.items()}
        elif params is not None:
            self._list = [_checked(value) for value in params]

    def take(self, count: int, names: tuple[str | None, ...]) -> Bindings:
        """The bindings of a statement with `count` parameters of these names (None: positional)."""
        if not count:
            return None
        if self._names is not None:
            for place, name in enumerate(names, 1):
                if name is None or name not in self._names:
                    raise _bad(f"no value was given for the parameter {name or place}")
            self._seen.update(name for name in names if name is not None)
            return {name: self._names[name] for name in names if name is not None}
        values = tuple(self._list[self._used : self._used + count])
        if len(values) < count:
            raise _bad(f"too few values: a statement has {count} parameters, {len(values)} were left for it")
        self._used += count
        return values

    def finish(self) -> None:
        """Raise when a value was given that no statement asked for."""
        if self._names is not None:
            unknown = sorted(set(self._names) - self._seen)
            if unknown:
                raise _bad(f"no statement has the parameter {unknown[0]}")
        elif self._used < len(self._list):
            raise _bad(f"too many values: {len(self._list)} given, {self._used} parameters in the SQL")


def _bad(message: str, hint: str = "") -> WorkbenchError:
    return WorkbenchError("sql.bad_parameter", message, hint)


def _checked(value: object) -> SqlValue:
    if isinstance(value, InvalidText):
        raise _bad(
            "text that is not UTF-8 cannot be a parameter",
            f"write CAST(X'{value[:16].hex()}' AS TEXT) in the SQL",
        )
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _bad(f"{value} does not fit SQLite's 64-bit integers", "give it as text")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _bad("a text parameter holds half a surrogate pair, which UTF-8 cannot say") from None
        return value
    if value is None or isinstance(value, int | float | bytes):
        return value
    raise _bad(f"a {type(value).__name__} cannot be a parameter", "use text, a number, bytes or None")


def exact_form(statement: str, columns: int, skip: int) -> str:
    """A query whose TEXT and BLOB cells come as bytes behind a `t` or a `b`; the first `skip` rows are left out."""
    body = statement.rstrip().removesuffix(";")
    names = ",".join(f"c{place}" for place in range(columns))
    cells = ",".join(
        f"CASE typeof(c{place}) WHEN 'text' THEN CAST('t'||c{place} AS BLOB)"
        f" WHEN 'blob' THEN CAST('b'||c{place} AS BLOB) ELSE c{place} END"
        for place in range(columns)
    )
    return f"WITH exact_cells({names}) AS (\n{body}\n) SELECT {cells} FROM exact_cells LIMIT -1 OFFSET {skip}"


def from_exact(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of `exact_form` with their own types again."""
    for row in rows:
        yield tuple(_cell(value) if isinstance(value, bytes) else value for value in row)


def _cell(marked: bytes) -> SqlValue:
    if marked[:1] == b"b":
        return marked[1:]
    try:
        return marked[1:].decode()
    except UnicodeDecodeError:
        return InvalidText(marked[1:])


def quoted(name: str) -> str:
    """A name as SQL takes it anywhere."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: SqlValue) -> str:
    """A value as SQL text that gives the same value, type and all, on one piece of text any SQL tool takes."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return "-9223372036854775807-1" if value == -(2**63) else str(int(value))
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, InvalidText):
        return f"CAST(X'{value.hex()}' AS TEXT)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return _text(value)


def _real(value: float) -> str:
    if value != value:
        return "NULL"
    if value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)


def _text(value: str) -> str:
    """NUL would end the SQL, and a carriage return does not survive every tool that reads files of lines."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value if letter > "\ud7ff"):
        return f"CAST(X'{value.encode('utf-8', 'surrogatepass').hex()}' AS TEXT)"
    inner = value.replace("'", "''")
    if "\r" not in inner:
        return f"'{inner}'"
    mark = "\\r"
    while mark in inner:
        mark = "\\" + mark
    return f"replace('{inner.replace(chr(13), mark)}','{mark}',char(13))"
