"""The API's errors as the one family: its envelope, what the network did, and what nobody can know.

An envelope is `{"success": false, "errors": [{"code", "message", "error_chain"}], "messages": [], "result": null}`; the
numbers are the product's own (10006 is a bucket to R2), so the product is part of the table.
"""

import json
import re

from workbench.model.errors import WorkbenchError

# (product, number) -> our code. Numbers: miniflare's explorer ("matching Cloudflare API"), wrangler's sources, the API's pages.
_CODES: dict[tuple[str, int], str] = {
    ("kv", 10009): "kv.key_not_found",
    ("kv", 10013): "kv.namespace_not_found",
    ("kv", 10011): "kv.namespace_not_found",
    ("kv", 10014): "kv.namespace_exists",
    ("r2", 10006): "r2.bucket_not_found",
    ("r2", 10007): "r2.object_not_found",
    ("r2", 10004): "r2.bucket_exists",
    ("r2", 10008): "r2.bucket_not_empty",
    ("r2", 10042): "r2.not_enabled",
    ("d1", 7404): "d1.database_not_found",
    ("d1", 7502): "d1.database_exists",
    ("d1", 7500): "sql.error",
    ("d1", 10001): "sql.error",
    ("do", 10066): "do.namespace_not_found",
    ("do", 10001): "sql.error",
    ("workflows", 10200): "workflows.workflow_not_found",
    ("workflows", 10201): "workflows.workflow_not_found",
    ("workflows", 10400): "workflows.instance_not_found",
    ("workflows", 10501): "workflows.workflow_not_found",
    ("queues", 10206): "queues.queue_not_found",
    ("queues", 11000): "queues.queue_not_found",
    ("workers", 10007): "workers.script_not_found",
    ("workers", 10090): "workers.script_not_found",
}
_XML = re.compile(r"<Message>([^<]*)</Message>")
_AUTHENTICATION = {6003, 6111, 9106, 9107, 9109, 10000, 10001, 9103}
_BY_STATUS = {
    400: "remote.bad_request",
    401: "remote.not_authenticated",
    403: "remote.not_allowed",
    404: "remote.not_found",
    405: "remote.not_offered",
    409: "remote.conflict",
    410: "remote.not_found",
    413: "remote.too_large",
    429: "remote.rate_limited",
}
_HINTS = {
    "remote.not_authenticated": "the credentials were not accepted: cfwb auth get says which they are",
    "remote.not_allowed": "the credentials may not do this: cfwb auth get says whose they are and their scopes",
}


class ApiError(WorkbenchError):
    """The API said no. status: HTTP's; numbers: the API's own codes; request_id: what Cloudflare's support asks for."""

    def __init__(
        self, code: str, message: str, hint: str, status: int, numbers: tuple[int, ...], request_id: str
    ) -> None:
        super().__init__(code, message, hint)
        self.status = status
        self.numbers = numbers
        self.request_id = request_id


def refused(
    product: str, status: int, body: bytes, request_id: str, retry_after: str | None = None
) -> ApiError:
    """The error that an answer of 4xx or 5xx (or `success: false`) means."""
    said = _errors(body)
    numbers = tuple(number for number, _ in said)
    code = next((_CODES[product, number] for number in numbers if (product, number) in _CODES), "")
    if status in (401, 403) or not code:
        code = _by_status(status, numbers)
    message = "; ".join(dict.fromkeys(text for _, text in said)) or f"the API answered {status}"
    hint = _HINTS.get(code, "")
    if retry_after and status == 429:
        hint = (
            f"it says to try again after {retry_after} s"
            if retry_after.isdecimal()
            else f"not before {retry_after}"
        )
    traces = [f"error {', '.join(map(str, numbers))}" if numbers else f"status {status}"]
    if request_id:
        traces.append(f"request id {request_id}")
    return ApiError(
        code,
        message,
        f"{hint} ({', '.join(traces)})" if hint else ", ".join(traces),
        status,
        numbers,
        request_id,
    )


def _by_status(status: int, numbers: tuple[int, ...]) -> str:
    if status in (400, 401, 403) and _AUTHENTICATION & set(numbers) - ({10001} if status == 400 else set()):
        return "remote.not_authenticated" if status != 403 else "remote.not_allowed"
    return _BY_STATUS.get(status, "remote.failed")


def _errors(body: bytes) -> list[tuple[int, str]]:
    """The numbers and texts of an envelope, those of its chains included; of another body its first line."""
    try:
        data = json.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace").strip()
        if said := _XML.search(text):  # the S3 API's errors
            return [(0, said.group(1))]
        text = text[:300].partition("\n")[0]
        return [(0, text)] if text and not text.startswith("<") else []
    found: list[tuple[int, str]] = []
    entries = data.get("errors") if isinstance(data, dict) else None
    pending = list(entries) if isinstance(entries, list) else []
    while pending:
        entry = pending.pop(0)
        if isinstance(entry, dict):
            number = entry.get("code")
            found.append((number if isinstance(number, int) else 0, str(entry.get("message") or "")))
            chain = entry.get("error_chain")
            pending += chain if isinstance(chain, list) else []
        else:
            found.append((0, str(entry)))
    if not found and isinstance(data, dict) and isinstance(data.get("error"), str):
        found.append((0, str(data["error"])))
    return [(number, text) for number, text in found if number or text]


def unknown_outcome(doing: str, why: str) -> WorkbenchError:
    """A write was sent and no answer came: it may have been done. It is not sent again."""
    return WorkbenchError(
        "remote.outcome_unknown",
        f"{doing}: {why} after it was sent, so it may or may not have been done",
        "look before you do it again",
    )


def unreachable(where: str, why: str) -> WorkbenchError:
    """Nothing was done: the other side did not answer."""
    return WorkbenchError("remote.unreachable", f"{where} does not answer: {why}", "try again later")


def bad_answer(where: str, request_id: str) -> WorkbenchError:
    """An answer that is no JSON of the API's."""
    trace = f"request id {request_id}" if request_id else ""
    return WorkbenchError(
        "remote.bad_answer", f"{where} answered with something that is not the API's JSON", trace
    )


def text_of(error: Exception) -> str:
    """What a network error says; its kind where it says nothing (time-outs)."""
    text = str(error).strip()
    return text or type(error).__name__


__all__ = ["ApiError", "bad_answer", "refused", "text_of", "unknown_outcome", "unreachable"]
