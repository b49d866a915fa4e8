"""What went wrong, as the API says it: a status, a number and a sentence in the envelope."""

from __future__ import annotations

from typing import Any

from workbench.model.errors import WorkbenchError

INVALID = 10001
GENERAL = 10000


class ApiError(Exception):
    """An answer that is an error. name: our own stable code, sent as a header. others: further errors of the same request."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        result: Any = None,
        name: str = "",
        others: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.result = result
        self.name = name
        self.others = others


def invalid(message: str, *others: str) -> ApiError:
    """A request that does not look as it must."""
    return ApiError(400, INVALID, message, others=others)


# Our code -> status, number, and the words the emulator has for it ("": ours are said).
_KNOWN: dict[str, tuple[int, int, str]] = {
    "kv.key_not_found": (404, 10009, "Not Found"),
    "kv.value_missing": (404, 10009, "Not Found"),
    "kv.namespace_not_found": (404, 10013, ""),
    "kv.bad_key": (400, GENERAL, ""),
    "kv.key_too_long": (414, GENERAL, ""),
    "kv.value_too_large": (413, GENERAL, ""),
    "kv.metadata_too_large": (413, GENERAL, ""),
    "kv.bad_expiration": (400, GENERAL, ""),
    "r2.object_not_found": (404, 10007, "The specified key does not exist."),
    "r2.body_missing": (404, 10007, "The specified key does not exist."),
    "r2.bucket_not_found": (404, 10006, "The specified bucket does not exist."),
    "r2.object_too_large": (
        400,
        100100,
        "Your proposed upload exceeds the maximum allowed object size.",
    ),
    "r2.metadata_too_large": (
        400,
        10012,
        "Your metadata headers exceed the maximum allowed metadata size.",
    ),
    "r2.bad_key": (400, 10020, "The specified object name is not valid."),
    "r2.key_too_long": (400, 10020, "The specified object name is not valid."),
    "d1.database_not_found": (404, 7404, ""),
    "do.namespace_not_found": (404, 10066, ""),
    "workflows.workflow_not_found": (404, 10501, ""),
    "workflows.instance_not_found": (404, 10501, ""),
    "sql.bad_parameter": (500, INVALID, "Wrong number of parameter bindings for SQL query."),
    "sql.error": (500, INVALID, ""),
    "sql.not_allowed": (500, INVALID, ""),
    "usage": (400, INVALID, ""),
    "confirmation.needed": (409, INVALID, ""),
    "target.not_capable": (501, GENERAL, ""),
    "target.not_available": (501, GENERAL, ""),
    "state.busy": (503, GENERAL, ""),
    "state.locked": (503, GENERAL, ""),
    "cancelled": (499, GENERAL, ""),
}


def status_of(error: WorkbenchError) -> int:
    """The HTTP status that an error of ours means."""
    known = _KNOWN.get(error.code)
    if known is not None:
        return known[0]
    if error.code.endswith("_not_found"):
        return 404
    return 500 if error.code.startswith(("state.", "internal.")) else 400


def api_error(error: WorkbenchError) -> ApiError:
    """The same error as the API says it; where the emulator has words of its own, in those."""
    _, code, words = _KNOWN.get(error.code, (0, INVALID, ""))
    message = words or getattr(error, "platform_message", "") or error.message
    if not words and error.hint and error.code not in ("sql.error",):
        message = f"{message}. {error.hint}" if message[-1:].isalnum() else f"{message} {error.hint}"
    return ApiError(status_of(error), code, message, name=error.code)
