"""A prepared operation of the API, sent: its one answer, a page of its list, or all pages."""

import json
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.tagged import text_or_bytes

from .api import Answer, Api
from .calling import Call
from .paging import MOST_PAGES, next_cursor

PLACE = {"number": "page", "token": "page_token", "cursor": "cursor"}
"""The parameter that says which page, by how a list goes on."""


async def sent(api: Api, call: Call, all_pages: bool) -> Any:
    """Send it; the envelope's result, or other bytes as text.

    Of a list that pages: all of it where that is asked for, else a page, its cursor what `call` is to be sent with for the next.
    """
    if call.operation.pages in ("", "single"):
        return _result(call, await _once(api, call, call.query))
    query = dict(call.query)
    if not all_pages:
        answer = await _once(api, call, query)
        result = _result(call, answer)
        if not isinstance(result, list):
            return result
        size = answer.info.get("per_page")
        before = (int(query.get("page", 1)) - 1) * size if isinstance(size, int) else 0
        # Where the API does not say how many there are, only who asks for all of them asks again.
        told = call.operation.pages != "number" or {"total_pages", "total_count"} & set(answer.info)
        more = result and told and _go_on(call, answer, query, before + len(result))
        return Page(result, str(query[PLACE[call.operation.pages]]) if more else None)
    found: list[Any] = []
    for _ in range(MOST_PAGES):
        answer = await _once(api, call, query)
        rows = _rows(answer.result)
        found += rows
        if not rows or not _go_on(call, answer, query, len(found)):
            return found
    raise WorkbenchError("remote.bad_answer", "the list has no end: each page leads to another")


def _go_on(call: Call, answer: Answer, query: dict[str, Any], have: int) -> bool:
    """Whether there is another page; the query is changed to ask for it. have: how many items there are so far."""
    info = answer.info
    if call.operation.pages == "number":
        page = int(query.get("page", 1))
        query["page"] = page + 1
        pages, total = info.get("total_pages"), info.get("total_count")
        return page < pages if isinstance(pages, int) else have < total if isinstance(total, int) else True
    if call.operation.pages == "token":
        query["page_token"] = info.get("next_page_token") or None
        return query["page_token"] is not None
    query["cursor"] = next_cursor(info)
    return query["cursor"] is not None


async def _once(api: Api, call: Call, query: dict[str, Any]) -> Answer:
    kind = call.operation.result[0]
    return await api.send(
        call.operation.method,
        call.path,
        params=query,
        headers=call.headers,
        json_body=call.body,
        content=call.content,
        files=call.files or None,
        doing=call.operation.name,
        enveloped=kind != "bytes",
    )


def _result(call: Call, answer: Answer) -> Any:
    if isinstance(answer.result, bytes):
        try:
            return (
                json.loads(answer.result)
                if "json" in answer.headers.get("content-type", "")
                else text_or_bytes(answer.result)
            )
        except ValueError:
            return text_or_bytes(answer.result)
    return answer.result


def _rows(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return next((value for value in result.values() if isinstance(value, list)), [])
    return result if isinstance(result, list) else []
