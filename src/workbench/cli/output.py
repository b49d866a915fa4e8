"""The JSON a program reads: one envelope on standard output, and nothing else there. Lists go out page by page."""

import sys
from collections.abc import Iterator
from typing import Any

from workbench.model.errors import LeftOut, WorkbenchError
from workbench.model.page import Page
from workbench.model.target import Target
from workbench.operations import Operation
from workbench.operations.envelopes import Envelope, refusal
from workbench.operations.results import Stream


def write(text: str) -> None:
    """Text to standard output; JSON is ASCII, so any terminal or pipe takes it."""
    sys.stdout.write(text)


def error_envelope(target: Target, operation: str | None, error: WorkbenchError) -> None:
    """`{"target", "operation", "error": {"code", "message", "hint"}}`."""
    write(refusal(target, operation, error))


def envelope(target: Target, operation: Operation, result: Any) -> WorkbenchError | None:
    """The envelope of a result. What cut it short is said at its end, and is given back."""
    made = Envelope(target, operation, _unexpected)
    # Whoever reads us has each piece of a stream before the next is waited for.
    return _written(made, made.pieces(result), at_once=isinstance(result, Stream))


def left_out_envelope(target: Target, operation: Operation, error: LeftOut) -> None:
    """An envelope with both: what was done, and what was left out of it."""
    write(Envelope(target, operation, _unexpected).left_out(error))


def stream(target: Target, operation: Operation, pages: Iterator[Page[Any]]) -> WorkbenchError | None:
    """A whole list, one page in memory. An error after the first page closes the envelope with it, and is given back."""
    made = Envelope(target, operation, _unexpected)
    return _written(made, made.stream(pages))


def _written(made: Envelope, pieces: Iterator[str], at_once: bool = False) -> WorkbenchError | None:
    """Write an envelope to its end, also when Ctrl-C comes between two pieces: it is one JSON value whatever happens."""
    for piece in pieces:
        try:
            write(piece)
            if at_once:
                sys.stdout.flush()
        except KeyboardInterrupt:
            made.stopped = True
    return made.failed


def _unexpected(error: Exception) -> WorkbenchError:
    from .log import unexpected

    return unexpected(error)
