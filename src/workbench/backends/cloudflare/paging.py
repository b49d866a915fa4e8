"""Lists of the API, a page after the other: with its cursors where it has them, by page numbers where it counts.

Its pages have a smallest and a largest size that ours have not, so a cursor of ours says where in a page of theirs it points.
"""

import json
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page

from .api import Answer, Api, Params

T = TypeVar("T")
MOST_PAGES = 10_000
"""A list that never ends is an error of the other side's."""


class Place(NamedTuple):
    """A point in a list: the API's cursor of a page, how many items of that page are past, and the folder that was given last."""

    cursor: str | None = None
    skip: int = 0
    folder: str | None = None

    def written(self) -> str:
        """As the opaque cursor that a user gets."""
        text = json.dumps([self.cursor, self.skip, self.folder], separators=(",", ":"))
        return b2a_base64(text.encode(), newline=False).decode().rstrip("=")


def place(cursor: str | None) -> Place:
    """The point that a cursor of ours means. Raises `remote.bad_cursor`."""
    if cursor is None:
        return Place()
    try:
        data = json.loads(a2b_base64(cursor + "=" * (-len(cursor) % 4)))
        their, skip, folder = data
    except (Error, ValueError, TypeError):
        raise WorkbenchError("remote.bad_cursor", "the cursor is none of this list's") from None
    if not isinstance(skip, int) or not all(
        item is None or isinstance(item, str) for item in (their, folder)
    ):
        raise WorkbenchError("remote.bad_cursor", "the cursor is none of this list's")
    return Place(their, skip, folder)


def next_cursor(info: dict[str, Any]) -> str | None:
    """The API's cursor to the next page, wherever this product puts it; None at the end."""
    cursors = info.get("cursors")
    found = info.get("cursor") or (cursors.get("after") if isinstance(cursors, dict) else None)
    if str(info.get("is_truncated", "")).lower() == "false":
        return None
    return found if isinstance(found, str) and found else None


class Cursored(Generic[T]):
    """A list whose pages go on with a cursor. make: a page's rows as values. size: the name of the parameter for a page's
    size, and its bounds."""

    def __init__(
        self,
        api: Api,
        path: str,
        make: Callable[[list[Any]], list[T]],
        params: Params | None = None,
        *,
        size: str = "limit",
        least: int = 1,
        most: int = 1000,
        default: int = 1000,
    ) -> None:
        self._api = api
        self._path = path
        self._make = make
        self._params = params or {}
        self._size = size
        self._least = least
        self._most = most
        self._default = default

    async def fetch(self, cursor: str | None, count: int) -> Answer:
        """One page of the API's, of about `count` items."""
        wanted = min(max(count, self._least), self._most)
        return await self._api.get(self._path, self._params | {self._size: wanted, "cursor": cursor})

    async def page(self, limit: int | None, cursor: str | None) -> Page[T]:
        """A page of ours: `limit` items, however many of the API's that takes."""
        limit = self._default if limit is None else limit
        at = place(cursor)
        found: list[T] = []
        for _ in range(MOST_PAGES):
            answer = await self.fetch(at.cursor, limit - len(found) + at.skip)
            rows = _rows(answer.result)
            taken = rows[at.skip : at.skip + limit - len(found)]
            found += self._make(taken)
            done = at.skip + len(taken)
            after = next_cursor(answer.info)
            if done < len(rows):
                return Page(found, Place(at.cursor, done).written())
            if after is None:
                return Page(found)
            at = Place(after)
            if len(found) >= limit:
                return Page(found, at.written())
        raise _endless()

    async def all(self) -> list[T]:
        """The whole list."""
        found: list[T] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            answer = await self.fetch(cursor, self._most)
            found += self._make(_rows(answer.result))
            cursor = next_cursor(answer.info)
            if cursor is None:
                return found
        raise _endless()


async def numbered(api: Api, path: str, params: Params | None = None, *, per_page: int = 100) -> list[Any]:
    """A whole list whose pages are counted (`page`, `per_page`, `total_pages` or `total_count`)."""
    found: list[Any] = []
    for page in range(1, MOST_PAGES):
        answer = await api.get(path, (params or {}) | {"page": page, "per_page": per_page})
        rows = _rows(answer.result)
        found += rows
        info = answer.info
        if not rows or _is_last(info, page, len(found), len(rows)):
            return found
    raise _endless()


def _is_last(info: dict[str, Any], page: int, have: int, on_page: int) -> bool:
    pages, total = info.get("total_pages"), info.get("total_count")
    if isinstance(pages, int):
        return page >= pages
    if isinstance(total, int):
        return have >= total
    size = info.get("per_page")
    return not (isinstance(size, int) and on_page >= size)


def _rows(result: Any) -> list[Any]:
    """The items of a list's answer; R2 has its buckets in a field."""
    if isinstance(result, dict):
        lists = [value for value in result.values() if isinstance(value, list)]
        return lists[0] if lists else []
    return result if isinstance(result, list) else []


def _endless() -> WorkbenchError:
    return WorkbenchError("remote.bad_answer", "the list has no end: each page leads to another")
