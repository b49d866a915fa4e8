"""What a person at a terminal sees: tables, errors, questions. Untrusted text is made visible on its way."""

import os
import sys
from collections.abc import Iterable
from time import monotonic
from typing import Any

from workbench.model.bindings import Problem
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.sql import SqlResult
from workbench.model.text import visible
from workbench.operations import Operation
from workbench.operations.outputs import Output
from workbench.operations.results import Body, Document, Stream, to_json

FIRST = 200  # rows of a list a person gets without asking for more
SHOWN = 64 << 10  # bytes of an object that are shown as they are


def coloured(stream: Any) -> bool:
    """Whether colours are wanted there: a terminal, and neither NO_COLOR nor TERM=dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, code: str, stream: Any) -> str:
    """Text in a colour (an SGR code), where there are colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if coloured(stream) else text


def note(text: str) -> None:
    """A dim line beside the result, on standard error, where a person sees it."""
    if sys.stdout.isatty() or sys.stderr.isatty():
        print(paint(visible(text), "2", sys.stderr), file=sys.stderr)


class Meter:
    """A line on standard error that says how far long work is; nothing where it is done within half a second."""

    def __init__(self) -> None:
        self.next = monotonic() + 0.5
        self.shown = False

    def __call__(self, done: int, total: int | None) -> None:
        now = monotonic()
        if now >= self.next:
            self.next = now + 0.1
            self.shown = True
            print(
                f"\r\x1b[K{done:,}" + (f" of {total:,}" if total else ""), end="", file=sys.stderr, flush=True
            )

    def clear(self) -> None:
        """Take the line away."""
        if self.shown:
            self.shown = False
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def warn(problems: list[Problem], notice: str = "") -> None:
    """What is wrong in a config, each with its place, on standard error; the command goes on with what could be read.

    notice: what is good to know besides (`Project.notice`), also where no person looks: a program may have meant another Worker.
    """
    for problem in problems:
        parts = (problem.file, problem.line, problem.column)
        place = ":".join(str(part) for part in parts if part is not None)
        print(paint(visible(f"{place}: {problem.message}"), "33", sys.stderr), file=sys.stderr)
    if notice:
        print(paint(visible(notice), "2", sys.stderr), file=sys.stderr)


def show_error(error: WorkbenchError) -> None:
    """The message and the way out, on standard error."""
    message = visible(error.message, lines=True, limit=4000)
    print(
        f"{paint('error', '1;31', sys.stderr)} {message} {paint(f'({error.code})', '2', sys.stderr)}",
        file=sys.stderr,
    )
    if error.hint:
        print(f"  {visible(error.hint, lines=True, limit=4000)}", file=sys.stderr)


def ask(question: Any) -> bool:
    """Show what would go and ask; only a typed `yes` or `y` is one, or the name where that is asked for."""
    removal = question.removal
    for line in removal.removed[:10]:
        print(f"  {visible(line)}", file=sys.stderr)
    if removal.total > 10:
        print(f"  … {removal.total:,} in all", file=sys.stderr)
    if removal.note:
        note(removal.note)
    target = f"{question.target.kind.upper()} {visible(question.target.source)}".strip()
    if question.resource:
        target += f", {visible(question.resource)}"
    begin = f"{question.operation} on {paint(target, '1', sys.stderr)}: "
    if question.typed is not None:
        count = f"delete {removal.total:,}; " if removal.total else "this may destroy data; "
        asked = f"{count}type {visible(question.typed)} to go on: "
    else:
        asked = f"delete {removal.total:,}? [y/N] " if removal.total else "go on? [y/N] "
    print(begin + asked, end="", file=sys.stderr, flush=True)
    said = sys.stdin.readline().strip()
    return said == question.typed if question.typed is not None else said.lower() in ("y", "yes")


def show_result(state: Any, operation: Operation, arguments: dict[str, Any], run: Any, *, raw: bool) -> int:
    """Run it and show what comes of it, the target last."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    cut = "limit" not in arguments and any(parameter.name == "limit" for parameter in operation.parameters)
    try:
        result = run({"limit": FIRST} if cut else None)
    finally:
        if state is not None and isinstance(state.progress, Meter):
            state.progress.clear()
    if raw and not isinstance(result, Output):
        _raw(operation, result)
        return 0
    if isinstance(result, Output):
        from .running import show

        return show(result)
    if isinstance(result, Stream):
        from .running import follow

        follow(result)
    elif isinstance(result, Document):
        for chunk in result.chunks:
            text = visible(chunk, lines=True) if sys.stdout.isatty() else chunk
            sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
        sys.stdout.flush()
    else:
        _show(operation, result)
    if isinstance(result, Page) and result.cursor is not None and operation.pages:
        note(f"more: --cursor {result.cursor}, or --json for the whole list")
    if state is not None:
        note(f"{state.answered.kind.upper()} {state.answered.source}".strip())
    return 0


def _show(operation: Operation, result: Any) -> None:
    from . import table

    if isinstance(result, Body) and result.length > SHOWN:
        note(f"{result.length:,} bytes: --output FILE or --raw gives them")
        result = result.object
    if isinstance(result, list) and result and isinstance(result[0], SqlResult):
        for statement in result:
            _show_sql(statement)
        return
    if type(result).__name__ == "Rendered":  # by name: its module is on no other command's way
        print("\n".join(visible(line) for line in result.lines))
        return
    if isinstance(result, Page) and result.prefixes:
        print("\n".join(paint(visible(prefix), "1;34", sys.stdout) for prefix in result.prefixes))
    data = to_json(result, operation.fields)
    if isinstance(data, list):
        text = table.rows(data) if data else ""
        note_empty = not data and not getattr(result, "prefixes", ())
    else:
        text, note_empty = table.record(data), False
    if text:
        print(text)
    if note_empty:
        note("none")


def _show_sql(result: SqlResult) -> None:
    from . import table

    if result.columns:
        print(table.grid(result.columns, [list(row) for row in result.rows]))
    count = (
        f"{len(result.rows):,} row{'s' if len(result.rows) != 1 else ''}"
        if result.columns
        else f"changed {result.changes:,}"
    )
    if len(result.rows) == FIRST:
        count = f"the first {FIRST:,} rows (--limit N shows more, --json all)"
    figures = [count, f"{result.duration_ms:.1f} ms"]
    if result.rows_read is not None:
        figures.append(f"read {result.rows_read:,}")
    if result.changes and result.columns:
        figures.append(f"changed {result.changes:,}")
    note(" · ".join(figures))


def _raw(operation: Operation, result: Any) -> None:
    """A value's own bytes and nothing else."""
    for piece in _own_bytes(operation, result):
        if sys.stdout.isatty() and _moves_the_cursor(piece):
            raise WorkbenchError(
                "output.not_for_a_terminal",
                "the value holds bytes that would act on this terminal",
                "send it to a file or a pipe, or leave --raw out",
            )
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _own_bytes(operation: Operation, result: Any) -> Iterable[bytes]:
    if isinstance(result, Body):
        return result.chunks
    if isinstance(result, Document):
        return (chunk.encode("utf-8", "surrogatepass") for chunk in result.chunks)
    data = result.raw if hasattr(result, "raw") else getattr(result, "value", None)
    if not isinstance(data, bytes):
        raise UsageError(f"{operation.name} has no raw value", "--raw is for operations that get one value")
    return (data,)


def _moves_the_cursor(piece: bytes) -> bool:
    text = piece.decode("utf-8", "replace").replace("\r\n", "\n").strip("\ufffd")
    return visible(text, lines=True) != text
