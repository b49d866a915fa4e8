"""The envelope that every face writes: `{"target", "operation", "result", "result_info"}`, or with `"error"`; in pieces, however long.

What fails before the first piece is raised. Afterwards the envelope is open: what cuts it short is said at its end, and kept in `failed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.errors import Cancelled, LeftOut, WorkbenchError
from workbench.model.page import Page
from workbench.model.tagged import dumps

from .results import Document, Rows, Stream, to_json

if TYPE_CHECKING:
    from workbench.model.target import Target

    from . import Operation


def head(target: Target, operation: str | None) -> str:
    """The open envelope, as far as what was touched and what was asked."""
    shown = {"kind": target.kind, "source": target.source} | ({"via": target.via} if target.via else {})
    return f'{{"target": {dumps(shown)}, "operation": {dumps(operation)}'


def refusal(target: Target, operation: str | None, error: WorkbenchError) -> str:
    """`{"target", "operation", "error": {"code", "message", "hint"}}`."""
    return f'{head(target, operation)}, "error": {_error(error)}}}\n'


def _error(error: WorkbenchError) -> str:
    return dumps({"code": error.code, "message": error.message, "hint": error.hint})


class Envelope:
    """One answer. unexpected: makes of an error that nobody foresaw one that can be told. failed: what cut it short, or None."""

    def __init__(
        self, target: Target, operation: Operation, unexpected: Callable[[Exception], WorkbenchError]
    ) -> None:
        self._fields = operation.fields
        self._begin = f'{head(target, operation.name)}, "result": '
        self._unexpected = unexpected
        self.failed: WorkbenchError | None = None
        self.stopped = False  # set by whoever writes the pieces: no more of them, only the end

    def pieces(self, result: Any) -> Iterator[str]:
        """The whole answer."""
        if isinstance(result, Document):
            return self._json(result) if result.media == "application/json" else self._text(result)
        if isinstance(result, Rows):
            return self._rows(result)
        if isinstance(result, Stream):
            return self.stream(Page([item]) for item in result)
        return self._whole(result)

    def left_out(self, error: LeftOut) -> str:
        """An answer with both: what was done, and what was left out of it."""
        self.failed = error
        return f"{self._begin}{dumps(to_json(error.result, self._fields))}{self._end()}"

    def stream(self, pages: Iterator[Page[Any]]) -> Iterator[str]:
        """A list, one page in memory."""
        listed = _Listed()
        texts = listed.texts(pages, self._fields)
        yield f"{self._begin}[{next(texts, '')}"
        yield from self._guarded(texts)
        info: dict[str, Any] = {"count": listed.count, "cursor": listed.cursor if self.failed else None}
        if listed.prefixes:
            info["prefixes"] = listed.prefixes
        yield f'], "result_info": {dumps(info)}{self._end()}'

    def _whole(self, result: Any) -> Iterator[str]:
        data = to_json(result, self._fields)
        info = ""
        if isinstance(result, list | Page):
            info = f', "result_info": {dumps(_info(len(data), result))}'
        yield f"{self._begin}{dumps(data)}{info}}}\n"

    def _json(self, document: Document) -> Iterator[str]:
        """JSON as it is, whole, so that it is all there or not at all."""
        whole: list[str] = []
        try:
            for chunk in document.chunks:
                whole.append(chunk)
        except LeftOut as error:
            self.failed = error
        yield f"{self._begin}{''.join(whole)}{self._end()}"

    def _text(self, document: Document) -> Iterator[str]:
        """Other text as one string."""
        chunks = (dumps(chunk)[1:-1] for chunk in document.chunks)
        yield f'{self._begin}"{next(chunks, "")}'
        yield from self._guarded(chunks)
        yield f'"{self._end()}'

    def _rows(self, rows: Rows) -> Iterator[str]:
        """A query's one result, a batch of its rows in memory."""
        texts = (dumps(to_json(batch))[1:-1] for batch in rows)
        first = next(texts, "")
        yield f'{self._begin}[{{"columns": {dumps(rows.columns)}, "rows": [{first}'
        yield from self._guarded(f", {text}" for text in texts)
        figures = rows.figures
        last = {
            "rows_read": figures and figures.rows_read,
            "rows_written": figures and figures.rows_written,
            "changes": figures.changes if figures else 0,
            "duration_ms": figures and figures.duration_ms,
        }
        info = dumps({"count": 1, "cursor": None})
        yield f'], {dumps(last)[1:-1]}}}], "result_info": {info}{self._end()}'

    def _guarded(self, texts: Iterator[str]) -> Iterator[str]:
        """The texts, until something goes wrong, or whoever writes them was told to stop."""
        while True:
            if self.stopped:
                self.failed = Cancelled()
                return
            try:
                text = next(texts)
            except StopIteration:
                return
            except WorkbenchError as error:
                self.failed = error
                return
            except KeyboardInterrupt:
                self.failed = Cancelled()
                return
            except Exception as error:
                self.failed = self._unexpected(error)
                return
            yield text

    def _end(self) -> str:
        return f', "error": {_error(self.failed)}}}\n' if self.failed else "}\n"


def _info(count: int, result: Any) -> dict[str, Any]:
    info: dict[str, Any] = {"count": count, "cursor": getattr(result, "cursor", None)}
    if getattr(result, "prefixes", ()):
        info["prefixes"] = list(result.prefixes)
    return info


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
