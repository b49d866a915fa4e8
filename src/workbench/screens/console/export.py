"""A result to a file: every row of it, not only those a grid holds."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

from workbench.backends import RowStream
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.sql import Row
from workbench.model.tagged import dumps
from workbench.operations.executor import drive
from workbench.widgets.copying import Form, as_object, as_text, plain

FORMS: dict[str, Form] = {".csv": "csv", ".json": "json", ".sql": "sql", ".tsv": "tsv", ".txt": "tsv"}
BATCH = 1_000


def form_of(path: str) -> Form:
    """The form a file's name asks for. Raises WorkbenchError for another."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMS:
        raise WorkbenchError("file.unknown_form", "the name must end in .csv, .json, .sql or .tsv")
    return FORMS[ending]


def batches(stream: RowStream, cancel: Cancel) -> Iterator[list[Row]]:
    """All rows of a stream that never suspends, some at a time."""
    while True:
        cancel.check()
        rows = drive(stream.fetch(BATCH))
        if rows:
            yield rows
        if len(rows) < BATCH:
            return


def write(
    path: str, columns: Sequence[str], rows: Iterator[list[Row]], table: str, progress: Progress
) -> int:
    """Write rows to a file that is complete or not there; how many. Blocks: call it in a thread."""
    pieces = {"csv": _csv, "json": _json, "sql": _other, "tsv": _other}[form_of(path)]
    fresh = f"{path}.part"
    count = 0

    def counted() -> Iterator[list[Row]]:
        nonlocal count
        for batch in rows:
            count += len(batch)
            yield batch
            progress(count, None)

    try:
        with open(fresh, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            for piece in pieces(columns, counted(), form_of(path), table):
                file.write(piece)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
    return count


Pieces = Callable[[Sequence[str], Iterator[list[Row]], Form, str], Iterator[str]]


def _csv(columns: Sequence[str], rows: Iterator[list[Row]], form: Form, table: str) -> Iterator[str]:
    def text(lines: Iterator[Sequence[str]]) -> str:
        out = StringIO(newline="")
        csv.writer(out).writerows(lines)
        return out.getvalue()

    yield text(iter([columns]))
    for batch in rows:
        yield text([plain(value) for value in row] for row in batch)


def _json(columns: Sequence[str], rows: Iterator[list[Row]], form: Form, table: str) -> Iterator[str]:
    before = "[\n"
    for batch in rows:
        yield before + ",\n".join(dumps(as_object(columns, row)) for row in batch)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _other(columns: Sequence[str], rows: Iterator[list[Row]], form: Form, table: str) -> Iterator[str]:
    if form == "tsv":
        yield "\t".join(columns) + "\n"
    for batch in rows:
        text = as_text(columns, batch, form, table)
        yield text if text.endswith("\n") else text + "\n"
