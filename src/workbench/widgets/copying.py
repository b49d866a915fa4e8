"""Cells as text for the clipboard: TSV, CSV, JSON or SQL, values exact."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from workbench.backends.local.sql.values import literal, quoted
from workbench.model.sql import InvalidText, Row, SqlValue
from workbench.model.tagged import dumps, from_sql

Form = Literal["tsv", "csv", "json", "sql"]
FORMS: tuple[Form, ...] = ("tsv", "csv", "json", "sql")


def as_text(columns: Sequence[str], rows: Iterable[Row], form: Form, table: str = "result") -> str:
    """Rows in a form. TSV of one cell is the bare value; CSV has a header; JSON is tagged; SQL is INSERTs into `table`."""
    if form == "json":
        return dumps([as_object(columns, row) for row in rows], indent=1)
    if form == "sql":
        names = ", ".join(map(quoted, columns))
        head = f"INSERT INTO {quoted(table)} ({names}) VALUES "
        return "".join(f"{head}({', '.join(map(literal, row))});\n" for row in rows)
    out = io.StringIO(newline="")
    if form == "csv":
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows([plain(value) for value in row] for row in rows)
        return out.getvalue()
    held = list(rows)
    if len(held) == 1 and len(held[0]) == 1:
        return plain(held[0][0])
    return "\n".join("\t".join(_tab(plain(value)) for value in row) for row in held)


def as_object(columns: Sequence[str], row: Row) -> dict[str, Any]:
    """A row as tagged JSON; columns of the same name get a number behind it, so that none is lost."""
    found: dict[str, Any] = {}
    for name, value in zip(columns, row):
        unique, again = name, 2
        while unique in found:
            unique, again = f"{name}_{again}", again + 1
        found[unique] = from_sql(value)
    return found


def plain(value: SqlValue) -> str:
    """A value as bare text: NULL is empty, a blob x'..', numbers with every digit."""
    if value is None:
        return ""
    if isinstance(value, InvalidText):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return repr(value) if isinstance(value, float) else str(value)


def _tab(text: str) -> str:
    return (
        text.replace("\t", " ").replace("\r\n", " ").replace("\n", " ")
        if "\t" in text or "\n" in text
        else text
    )
