"""Every operation over HTTP: `POST /cdn-cgi/cfwb/api/<operation>` with its arguments as JSON; the answer is the command line's envelope.

Made from the registry: what an operation takes, what it needs, whether it writes. What a command line reads from a file is given here as
text or `{"$bytes": base64}`; nothing here reads or writes a file that a caller names.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.errors import LeftOut, UsageError, WorkbenchError
from workbench.operations import READS, Operation, get
from workbench.operations.envelopes import Envelope, refusal
from workbench.operations.results import Document, Rows, Stream

from .door import Admission, refuse_reading, refuse_writing
from .errors import ApiError, status_of
from .replies import JSON, Reply

if TYPE_CHECKING:
    from workbench.model.target import Target

    from .call import Call

PAGE = 1000
Unexpected = Callable[[Exception], WorkbenchError]


class Generic:
    """Answers for all operations on one target."""

    def __init__(self, target: Target, unexpected: Unexpected) -> None:
        self._target = target
        self._unexpected = unexpected

    def admit(self, name: str, admission: Admission) -> Operation:
        """The operation that is asked for. Raises WorkbenchError where there is none, ApiError where it may not be run."""
        operation = get(name)
        if operation.effect == READS or _may_only_read(operation):
            refuse_reading(admission)
        else:
            refuse_writing(admission)
        return operation

    def handle(self, operation: Operation, call: Call) -> Reply:
        """Run it; the answer, also where it fails. A long one is made while it is sent."""
        try:
            arguments = _given(operation, _arguments(call.body))
            if _may_only_read(operation) and not call.authorized:
                arguments["read_only"] = True
            result = call.run_as_typed(operation.name, arguments)
            made = Envelope(call.state.answered, operation, self._unexpected)
            pieces = made.pieces(result)
            first = next(pieces)  # what fails at once fails before anything was sent
        except LeftOut as error:
            made = Envelope(call.state.answered, operation, self._unexpected)
            return Reply(status_of(error), _headers(error.code), made.left_out(error).encode())
        except WorkbenchError as error:
            if error.code == "sql.read_only" and not call.authorized:
                error = WorkbenchError(
                    "serve.token_needed", f"{error.message}: writing needs the token", error.hint
                )
                return self.error(operation.name, error, 401)
            return self.error(operation.name, error)
        except Exception as error:
            return self.error(operation.name, self._unexpected(error))
        if isinstance(result, Document | Rows | Stream):
            return Reply(200, {"content-type": JSON}, _encoded(first, pieces, result))
        return Reply(200, {"content-type": JSON}, first.encode())

    def error(self, name: str | None, error: WorkbenchError | ApiError, status: int | None = None) -> Reply:
        """An error in this envelope; what the door says, too."""
        if isinstance(error, ApiError):
            status, error = error.status, WorkbenchError(error.name or "serve.refused", error.message)
        text = refusal(self._target, name, error)
        return Reply(status or status_of(error), _headers(error.code), text.encode())


def _encoded(first: str, pieces: Iterator[str], result: Any) -> Iterator[bytes]:
    """The pieces as bytes; broken off, what gives them ends too."""
    try:
        yield first.encode()
        for piece in pieces:
            yield piece.encode()
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()


def _headers(code: str) -> dict[str, str]:
    found = {"content-type": JSON, "x-cfwb-error": code}
    return found | {"www-authenticate": "Bearer"} if code == "serve.token_needed" else found


def _may_only_read(operation: Operation) -> bool:
    """Whether it can be told to refuse what writes, as SQL can."""
    return any(parameter.name == "read_only" for parameter in operation.parameters)


def _arguments(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError("the body is a JSON object of arguments")
    return found


def _given(operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with bytes for what a command line reads from files, and a page's length where none is given."""
    kinds = {parameter.name: parameter.type for parameter in operation.parameters}
    for name, value in arguments.items():
        kind = kinds.get(name)
        if value is None:
            continue
        if kind == "path":
            raise UsageError(
                f"{name} names a file, which nothing here writes", "without it the answer holds all"
            )
        if kind == "file":
            arguments[name] = [_bytes(name, value)]
        elif kind == "content" and isinstance(value, dict):
            arguments[name] = _bytes(name, value)
    if operation.pages and arguments.get("limit") is None:
        arguments["limit"] = PAGE
    return arguments


def _bytes(name: str, value: Any) -> bytes:
    """Text or `$bytes`."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict) and isinstance(value.get("$bytes"), str):
        try:
            return a2b_base64(value["$bytes"])
        except Base64Error:
            pass
    raise UsageError(f'{name} is text or {{"$bytes": base64}}')
