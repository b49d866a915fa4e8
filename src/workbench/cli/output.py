"""The JSON a program reads: one envelope on standard output, and nothing else there. Lists go out page by page."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.page import Page
from workbench.model.tagged import dumps
from workbench.model.target import Target
from workbench.operations import Operation
from workbench.operations.results import Document, to_json


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


def envelope(target: Target, operation: Operation, result: Any) -> None:
    """The envelope of a whole result; `result_info` where it is a list."""
    if isinstance(result, Document):
        _document(target, operation, result)
        return
    data = to_json(result, operation.fields)
    info = ""
    if isinstance(result, list | Page):
        info = f', "result_info": {dumps(_info(len(data), result))}'
    write(f'{_head(target, operation.name)}, "result": {dumps(data)}{info}}}\n')


def _info(count: int, result: Any) -> dict[str, Any]:
    info: dict[str, Any] = {"count": count, "cursor": getattr(result, "cursor", None)}
    if getattr(result, "prefixes", ()):
        info["prefixes"] = list(result.prefixes)
    return info


def _document(target: Target, operation: Operation, document: Document) -> None:
    head = f'{_head(target, operation.name)}, "result": '
    is_json = document.media == "application/json"
    chunks: Iterator[str] = iter(document.chunks)
    first = next(chunks, "")  # what fails at once fails before anything was written
    write(head if is_json else head + '"')
    for chunk in _chain(first, chunks):
        write(chunk if is_json else dumps(chunk)[1:-1])
    write("}\n" if is_json else '"}\n')


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def stream(target: Target, operation: Operation, pages: Iterator[Page[Any]]) -> WorkbenchError | None:
    """A whole list, one page in memory. An error after the first page closes the envelope with it, and is given back."""
    page = next(pages)
    write(f'{_head(target, operation.name)}, "result": [')
    count = 0
    prefixes: list[str] = []
    failed: WorkbenchError | None = None
    while True:
        if page.items:
            write((", " if count else "") + dumps(to_json(page, operation.fields))[1:-1])
        count += len(page.items)
        prefixes += page.prefixes
        try:
            page = next(pages)
        except StopIteration:
            break
        except WorkbenchError as error:
            failed = error
            break
        except KeyboardInterrupt:
            failed = Cancelled()
            break
    info = _info(count, Page([], None if failed is None else page.cursor, tuple(prefixes)))
    end = f', "error": {_error(failed)}' if failed else ""
    write(f'], "result_info": {dumps(info)}{end}}}\n')
    return failed
