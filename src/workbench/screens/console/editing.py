"""Statements that change one row of a result: made to be read before they run, and run as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from workbench.backends.local.sql.values import literal, quoted
from workbench.model.errors import WorkbenchError
from workbench.model.sql import Column, Editable, InvalidText, Row, SqlValue, Table
from workbench.widgets.sql_completion import name_in_sql

ValueType = Literal["text", "integer", "real", "blob", "null"]
TYPES: tuple[ValueType, ...] = ("text", "integer", "real", "blob", "null")


class Cell(NamedTuple):
    """A cell that can be written: its table and column, and the columns and values that name its row."""

    table: str
    column: str
    key: tuple[tuple[str, SqlValue], ...]

    @property
    def where(self) -> str:
        """The condition that is true of this row alone."""
        return " AND ".join(
            f"{name_in_sql(name)} IS NULL" if value is None else f"{name_in_sql(name)} = {literal(value)}"
            for name, value in self.key
        )

    def update(self, value: SqlValue) -> str:
        return f"UPDATE {name_in_sql(self.table)} SET {name_in_sql(self.column)} = {literal(value)} WHERE {self.where}"

    def delete(self) -> str:
        return f"DELETE FROM {name_in_sql(self.table)} WHERE {self.where}"


def cell(editable: Editable, row: Row, column: int) -> Cell:
    """The cell of a result. Raises WorkbenchError (`sql.not_editable`) that says why it can't be written."""
    origin = editable.origins[column] if column < len(editable.origins) else None
    if "" in editable.reasons:
        raise _not(editable.reasons[""])
    if origin is None:
        raise _not("this column is computed, it comes from no table")
    table, name = origin
    if table not in editable.keys:
        raise _not(editable.reasons.get(table, f"the rows of {table} can't be told apart"))
    return Cell(table, name, _key(editable, table, row))


def only_table(editable: Editable, row: Row) -> Cell:
    """The row of the one table a result shows, for deleting it."""
    if "" in editable.reasons:
        raise _not(editable.reasons[""])
    tables = list(dict.fromkeys(origin[0] for origin in editable.origins if origin))
    if len(tables) != 1:
        raise _not(
            "the result shows rows of several tables" if tables else "the result shows no table's rows"
        )
    if tables[0] not in editable.keys:
        raise _not(editable.reasons.get(tables[0], f"the rows of {tables[0]} can't be told apart"))
    return Cell(tables[0], "", _key(editable, tables[0], row))


def _key(editable: Editable, table: str, row: Row) -> tuple[tuple[str, SqlValue], ...]:
    key = tuple((name, row[place]) for name, place in editable.keys[table])
    if all(value is None for _, value in key):
        raise _not(f"no row of {table} is behind this one (an outer join)")
    return key


def _not(reason: str) -> WorkbenchError:
    return WorkbenchError("sql.not_editable", f"not editable: {reason}")


def reading(editable: Editable, target: Cell) -> tuple[list[int], str]:
    """Result columns that come from the cell's table, and the query that reads them again for its row."""
    places = [at for at, origin in enumerate(editable.origins) if origin and origin[0] == target.table]
    names = ", ".join(quoted(origin[1]) for at in places if (origin := editable.origins[at]))
    return places, f"SELECT {names} FROM {quoted(target.table)} WHERE {target.where}"


def insert(table: Table) -> str:
    """An INSERT to fill in: every column that has no value of its own, with a value of its type."""
    columns = [
        column
        for column in table.columns
        if not column.generated
        and not column.hidden
        and not (column.key and column.type.upper() == "INTEGER")
    ]
    if not columns:
        return f"INSERT INTO {name_in_sql(table.name)} DEFAULT VALUES"
    names = ", ".join(name_in_sql(column.name) for column in columns)
    return f"INSERT INTO {name_in_sql(table.name)} ({names}) VALUES ({', '.join(map(_placeholder, columns))})"


def _placeholder(column: Column) -> str:
    if column.default is not None:
        return column.default if column.default.upper() != "CURRENT_TIMESTAMP" else "CURRENT_TIMESTAMP"
    if not column.not_null and not column.key:
        return "NULL"
    return {"text": "''", "integer": "0", "real": "0.0", "blob": "x''"}[type_of_column(column.type)]


def type_of_column(declared: str) -> ValueType:
    """The type a declared type prefers, by SQLite's rules of affinity."""
    name = declared.upper()
    if "INT" in name:
        return "integer"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if "BLOB" in name:
        return "blob"
    return "real" if any(part in name for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")) else "text"


def type_of(value: SqlValue) -> ValueType:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "integer"
    return "real" if isinstance(value, float) else "blob"


def typed(value: SqlValue) -> str:
    """A value as it is typed in the field of its type."""
    if value is None:
        return ""
    if isinstance(value, bytes | InvalidText):
        return value.hex()
    return repr(value) if isinstance(value, float) else str(value)


def read(text: str, kind: ValueType) -> SqlValue:
    """What was typed, as a value. Raises ValueError that says what is wrong."""
    if kind == "null":
        return None
    if kind == "text":
        return text
    bare = text.strip().replace(",", "").replace("_", "") if kind == "integer" else text.strip()
    if kind == "integer":
        try:
            number = int(bare)
        except ValueError:
            raise ValueError("not an integer") from None
        if not -(2**63) <= number < 2**63:
            raise ValueError("an integer here has at most 64 bits")
        return number
    if kind == "real":
        try:
            return float(bare)
        except ValueError:
            raise ValueError("not a number") from None
    try:
        return bytes.fromhex(bare)
    except ValueError:
        raise ValueError("not hex digits, two a byte") from None


def changed_key(target: Cell, value: SqlValue) -> Cell:
    """The cell after it was written: where it is part of its row's key, the key has the new value."""
    key: Sequence[tuple[str, SqlValue]] = [
        (name, value if name.lower() == target.column.lower() else old) for name, old in target.key
    ]
    return target._replace(key=tuple(key))
