"""Answers: the envelope `{success, errors, messages, result, result_info}`, or bytes as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from workbench.model.tagged import dumps

from .errors import ApiError

JSON = "application/json"


class Reply(NamedTuple):
    """What goes back. body: bytes, or pieces that are made while they are sent. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes] = b""


def envelope(result: Any, info: Mapping[str, Any] | None = None, status: int = 200) -> Reply:
    """A result. info: `result_info`, left out for None."""
    said: dict[str, Any] = {"success": True, "errors": [], "messages": [], "result": result}
    if info is not None:
        said["result_info"] = info
    return json_reply(said, status)


def failure(error: ApiError) -> Reply:
    """An error in the envelope; our own name for it in the header `x-cfwb-error`."""
    errors = [{"code": error.code, "message": message} for message in (error.message, *error.others)]
    said = {"success": False, "errors": errors, "messages": [], "result": error.result}
    reply = json_reply(said, error.status)
    headers = dict(reply.headers)
    if error.name:
        headers["x-cfwb-error"] = error.name
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return reply._replace(headers=headers)


def json_reply(value: Any, status: int = 200) -> Reply:
    """Any JSON."""
    return Reply(status, {"content-type": JSON}, dumps(value).encode())


def listed(items: list[Any], info: Mapping[str, Any], page: int | None, per_page: int | None) -> Reply:
    """A whole list, or the page of it that was asked for, as the account API pages. info beside count, page and per_page."""
    if page is None and per_page is None:
        return envelope(items, {"count": len(items), **info})
    size = per_page or max(len(items), 1)
    number = page or 1
    part = items[(number - 1) * size : number * size]
    pages = -(-len(items) // size)
    paging = {"page": number, "per_page": size, "total_count": len(items), "total_pages": pages}
    return envelope(part, {"count": len(part), **info, **paging})
