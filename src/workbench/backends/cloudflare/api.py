"""Asking: what a product calls. A view of a line for one product and one call: where its paths begin, what stops it, who is told
of a wait."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any, NamedTuple

import httpx

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel

from .line import USUAL, Line, Notice, Params, Timeouts, Wanted, host_of, join, request_id
from .refusals import ApiError, bad_answer, refused, text_of
from .repeating import is_safe

PIECE = 1 << 20


class Answer(NamedTuple):
    """What came back. result, info: of the envelope (`result`, `result_info`), or the body's bytes where it has none."""

    result: Any
    info: dict[str, Any]
    headers: httpx.Headers
    request_id: str


class Api:
    """A view of a line. prefix: what its paths begin with (`/accounts/<id>`). product: whose errors these are."""

    def __init__(
        self,
        line: Line,
        prefix: str = "",
        product: str = "",
        cancel: Cancel | None = None,
        notice: Notice | None = None,
    ) -> None:
        self.line = line
        self.prefix = prefix
        self.product = product
        self.cancel = cancel
        self.notice = notice

    def of(self, product: str) -> "Api":
        """The same for a product."""
        return Api(self.line, self.prefix, product, self.cancel, self.notice)

    def watched(self, cancel: Cancel | None, notice: Notice | None) -> "Api":
        """The same for one call that may be stopped, and whose waits somebody is told of."""
        return Api(self.line, self.prefix, self.product, cancel or self.cancel, notice or self.notice)

    def outside(self) -> "Api":
        """The same for what lies beside the account: `/user`, `/accounts`."""
        return Api(self.line, "", self.product, self.cancel, self.notice)

    async def get(
        self, path: str, params: Params | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Ask for JSON."""
        return await self.send("GET", path, params=params, headers=headers)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: dict[str, str] | None = None,
        json_body: Any = None,
        content: bytes | IO[bytes] | None = None,
        files: dict[str, Any] | None = None,
        safe: bool | None = None,
        doing: str = "",
        enveloped: bool = True,
        bare: bool = False,
    ) -> Answer:
        """Ask; the envelope's result, or (enveloped False) the body's bytes. safe: None: as the method has it."""
        wanted = self._wanted(method, path, params, headers, json_body, content, files, safe, doing)
        wanted = wanted._replace(bare=bare)
        response = await self._on_the_loop(self.line.send(wanted, self.notice))
        return self._answer(response, enveloped)

    async def head_and_pieces(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        params: Params | None = None,
        bare: bool = False,
    ) -> tuple[httpx.Headers, Iterator[bytes]]:
        """Ask for a long body: the answer's headers at once, the bytes as they are wanted, in pieces of up to 1 MiB."""
        # An object may be stored compressed: its bytes are wanted as they are, so nothing more is to be compressed.
        headers = {"Accept-Encoding": "identity"} | (headers or {})
        wanted = self._wanted(method, path, params, headers, None, None, None, True, "")._replace(bare=bare)
        response = await self._on_the_loop(self.line.send(wanted, self.notice, stream=True))
        return response.headers, self.line.portal.iterate(_body(response, self.line.host), self.cancel)

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is stopped meanwhile."""
        await self.line.portal.call(asyncio.sleep(seconds), self.cancel)

    def _wanted(
        self,
        method: str,
        path: str,
        params: Params | None,
        headers: dict[str, str] | None,
        json_body: Any,
        content: bytes | IO[bytes] | None,
        files: dict[str, Any] | None,
        safe: bool | None,
        doing: str,
    ) -> Wanted:
        headers = dict(headers or {})
        if json_body is not None:
            content = json.dumps(json_body).encode()
            headers.setdefault("Content-Type", "application/json")
        url = path if "://" in path else f"{self.line.base}{self.prefix}{path}"
        if self.cancel is not None:
            self.cancel.check()
        return Wanted(
            method,
            url,
            params or {},
            headers,
            content,
            files,
            is_safe(method) if safe is None else safe,
            doing,
            self.product,
        )

    async def _on_the_loop(self, work: Any) -> httpx.Response:
        response: httpx.Response = await self.line.portal.call(work, self.cancel)
        return response

    def _answer(self, response: httpx.Response, enveloped: bool) -> Answer:
        trace = request_id(response.headers)
        if not enveloped:
            return Answer(response.content, {}, response.headers, trace)
        try:
            data = json.loads(response.content)
        except ValueError:
            if response.status_code == 204 or not response.content or response.status_code == 404:
                return Answer(None, {}, response.headers, trace)
            raise bad_answer(self.line.host, trace) from None
        if not isinstance(data, dict) or "result" not in data:
            return Answer(data, {}, response.headers, trace)
        if data.get("success") is False and response.status_code < 400:
            raise refused(self.product, 400, self.line.masked(response.text).encode(), trace)
        info = data.get("result_info")
        return Answer(data["result"], info if isinstance(info, dict) else {}, response.headers, trace)


async def _body(response: httpx.Response, host: str) -> AsyncIterator[bytes]:
    """The bytes of an answer as they were sent; what breaks in the middle is said to have."""
    try:
        async for piece in response.aiter_raw(PIECE):
            yield piece
    except httpx.HTTPError as error:
        raise WorkbenchError(
            "remote.cut_off", f"{host} broke off in the middle of the body: {text_of(error)}", "try again"
        ) from None
    finally:
        await response.aclose()


__all__ = ["USUAL", "Answer", "Api", "ApiError", "Line", "Params", "Timeouts", "host_of", "join"]
