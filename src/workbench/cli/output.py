"""The JSON a program reads: one envelope on standard output, and nothing else there. Lists go out page by page."""

import sys
from collections.abc import Iterator
from typing import Any

from workbench.model.errors import Cancelled, LeftOut, WorkbenchError
from workbench.model.page import Page
from workbench.model.tagged import dumps
from workbench.model.target import Target
from workbench.operations import Operation
from workbench.operations.results import Document, Rows, Stream, to_json


def write(text: str) -> None:
    """Text to standard output; JSON is ASCII, so any terminal or pipe takes it."""
    sys.stdout.write(text)


def _head(target: Target, operation: str | None) -> str:
    return f'{{"target": {dumps(target._asdict())}, "operation": {dumps(operation)}'


def _error(error: WorkbenchError) -> str:
    return dumps({"code": error.code, "message": error.message, "hint": error.hint})


def error_envelope(target: Target, operation: str | None, error: WorkbenchError) -> None:
    """`{"target", "operation", "error": {"code", "message", "hint"}}`."""
    write(f'{_head(target, operation)}, "error": {_error(error)}}}\n')


def envelope(target: Target, operation: Operation, result: Any) -> WorkbenchError | None:
    """The envelope of a whole result; `result_info` where it is a list. What cut a document short closes it, and is given back."""
    if isinstance(result, Document):
        return _document(target, operation, result)
    if isinstance(result, Stream):
        return stream(target, operation, (Page([item]) for item in result), as_it_comes=True)
    if isinstance(result, Rows):
        return _rows(target, operation, result)
    data = to_json(result, operation.fields)
    info = ""
    if isinstance(result, list | Page):
        info = f', "result_info": {dumps(_info(len(data), result))}'
    write(f'{_head(target, operation.name)}, "result": {dumps(data)}{info}}}\n')
    return None


def left_out_envelope(target: Target, operation: Operation, error: LeftOut) -> None:
    """An envelope with both: what was done, and what was left out of it."""
    result = dumps(to_json(error.result, operation.fields))
    write(f'{_head(target, operation.name)}, "result": {result}{_ending(error)}}}\n')


def _info(count: int, result: Any) -> dict[str, Any]:
    info: dict[str, Any] = {"count": count, "cursor": getattr(result, "cursor", None)}
    if getattr(result, "prefixes", ()):
        info["prefixes"] = list(result.prefixes)
    return info


def _document(target: Target, operation: Operation, document: Document) -> WorkbenchError | None:
    """A text as the result: JSON as it is (whole, so that it is all there or not at all), other text as a string in pieces."""
    head = f'{_head(target, operation.name)}, "result": '
    if document.media == "application/json":
        whole: list[str] = []
        left = None
        try:
            for chunk in document.chunks:
                whole.append(chunk)
        except LeftOut as error:
            left = error
        write(f"{head}{''.join(whole)}{_ending(left)}}}\n")
        return left
    chunks = (dumps(chunk)[1:-1] for chunk in document.chunks)
    write(f'{head}"{next(chunks, "")}')  # what fails at once fails before anything was written
    failed = _pour(chunks)
    write(f'"{_ending(failed)}}}\n')
    return failed


def _rows(target: Target, operation: Operation, rows: Rows) -> WorkbenchError | None:
    """A query's one result, a batch of its rows in memory. An error after the first closes the envelope, and is given back."""
    texts = (dumps(to_json(batch))[1:-1] for batch in rows)
    first = next(texts, "")
    write(f'{_head(target, operation.name)}, "result": [{{"columns": {dumps(rows.columns)}, "rows": [{first}')
    failed = _pour(f", {text}" for text in texts)
    figures = rows.figures
    last = {
        "rows_read": figures and figures.rows_read,
        "rows_written": figures and figures.rows_written,
        "changes": figures.changes if figures else 0,
        "duration_ms": figures and figures.duration_ms,
    }
    info = dumps({"count": 1, "cursor": None})
    write(f'], {dumps(last)[1:-1]}}}], "result_info": {info}{_ending(failed)}}}\n')
    return failed


def _ending(failed: WorkbenchError | None) -> str:
    return f', "error": {_error(failed)}' if failed else ""


def _pour(texts: Iterator[str]) -> WorkbenchError | None:
    """Write them all. The envelope is open by now, so what goes wrong is given back to be said at its end."""
    while True:
        try:
            text = next(texts)
        except StopIteration:
            return None
        except WorkbenchError as error:
            return error
        except KeyboardInterrupt:
            return Cancelled()
        except Exception as error:
            from .log import unexpected

            return unexpected(error)
        write(text)


def stream(
    target: Target, operation: Operation, pages: Iterator[Page[Any]], *, as_it_comes: bool = False
) -> WorkbenchError | None:
    """A whole list, one page in memory. as_it_comes: each page is sent on at once.

    An error after the first page closes the envelope with it, and is given back.
    """
    listed = _Listed()
    texts = listed.texts(pages, operation.fields)
    if as_it_comes:
        texts = _sent_on(texts)
    write(f'{_head(target, operation.name)}, "result": [{next(texts, "")}')
    failed = _pour(texts)
    info: dict[str, Any] = {"count": listed.count, "cursor": listed.cursor if failed else None}
    if listed.prefixes:
        info["prefixes"] = listed.prefixes
    write(f'], "result_info": {dumps(info)}{_ending(failed)}}}\n')
    return failed


def _sent_on(texts: Iterator[str]) -> Iterator[str]:
    """The same; whoever reads us has each before the next is waited for."""
    for text in texts:
        yield text
        sys.stdout.flush()


class _Listed:
    """What has been seen of a list while it went by."""

    def __init__(self) -> None:
        self.count = 0
        self.cursor: str | None = None
        self.prefixes: list[str] = []

    def texts(self, pages: Iterator[Page[Any]], fields: tuple[str, ...]) -> Iterator[str]:
        """Each page as the inside of a JSON list."""
        for page in pages:
            text = dumps(to_json(page, fields))[1:-1]
            yield ", " + text if self.count and text else text
            self.count += len(page.items)
            self.cursor = page.cursor
            self.prefixes += page.prefixes
