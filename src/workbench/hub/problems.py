"""What goes wrong, as the bridge says it: a status and `{"error": sentence, "code": word}` (ours add `hint` where there is one)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.model.errors import WorkbenchError

_STATUSES = {
    "not_found": 404,
    "exists": 409,
    "busy": 409,
    "not_available": 501,
    "refused": 403,
    "too_large": 413,
}


class Problem(Exception):
    """A request that cannot be done. status: HTTP's; code: a stable word."""

    def __init__(self, status: int, code: str, error: str, hint: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.code = code
        self.error = error
        self.hint = hint

    @property
    def body(self) -> dict[str, Any]:
        body = {"error": self.error, "code": self.code}
        return body | {"hint": self.hint} if self.hint else body


def invalid(error: str, status: int = 400) -> Problem:
    """The request is not of the shape it must have."""
    return Problem(status, "invalid_request", error)


def problem_of(error: Exception) -> Problem:
    """Any error as one: those of the family keep their code."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, WorkbenchError):
        last = error.code.rpartition(".")[2]
        status = next((found for end, found in _STATUSES.items() if last.endswith(end)), 502)
        return Problem(400 if error.code == "usage" else status, error.code, error.message, error.hint)
    return Problem(500, "internal_error", f"something went wrong in the hub: {error!r}"[:500])


async def respond(request: Request, error: Exception) -> Response:
    """Starlette's handler for both families."""
    problem = problem_of(error)
    return JSONResponse(problem.body, status_code=problem.status)
