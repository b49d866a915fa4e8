"""Asking: one httpx client for the account API and for a dev server's mirror of it.

A `Line` is what is shared for as long as a target is open: the connections, the credentials, the budget. An `Api` is a view of it
for one product and one call: where its paths begin, what stops it, who is told of a wait. Requests run on the portal's loop.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx

from workbench import __version__
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel

from .budget import Budget
from .credentials import Credentials
from .portal import Portal
from .refusals import ApiError, bad_answer, refused, text_of, unknown_outcome, unreachable
from .repeating import ATTEMPTS, LONGEST_WAIT, NO_WORD, PASSING, is_safe, pause

PIECE = 1 << 20
_UPLOAD_PIECE = 256 << 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Notice = Callable[[str], None]
Params = dict[str, str | int | None]


class Timeouts(NamedTuple):
    """Seconds: to connect; and for the other side to say or take something more."""

    connect: float = 10.0
    silence: float = 60.0


USUAL = Timeouts()


class Answer(NamedTuple):
    """What came back. result, info: of the envelope (`result`, `result_info`), or the body's bytes where it has none."""

    result: Any
    info: dict[str, Any]
    headers: httpx.Headers
    request_id: str


class Wanted(NamedTuple):
    """A request. product: whose error numbers its answer has. doing: what it does, for an error's sentence.
    safe: whether it may be sent twice. bare: it goes to an address that is signed or that the API gave, so it carries no
    credentials of ours and counts for nothing.

    content: bytes, or a file that is sent from its beginning.
    """

    method: str
    url: str
    params: Params = {}
    headers: dict[str, str] = {}
    content: bytes | IO[bytes] | None = None
    files: dict[str, Any] | None = None
    safe: bool = False
    doing: str = ""
    product: str = ""
    bare: bool = False


def host_of(url: str) -> str:
    """Where it goes, without what an address may hold that nobody is to see: a password, a signature."""
    place = urlsplit(url)
    return f"{place.hostname}:{place.port}" if place.port else str(place.hostname)


def join(*segments: str) -> str:
    """Names as a path, each of them one segment whatever is in it. Raises `remote.bad_name` for what no URL can say."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise WorkbenchError(
                "remote.bad_name",
                f"{segment!r} cannot be asked for by name through the API: no URL can hold it",
            )
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


class Line:
    """The connections to one side. base: `https://api.cloudflare.com/client/v4`, or a dev server's mirror."""

    def __init__(
        self,
        base: str,
        credentials: Credentials | None = None,
        *,
        budget: Budget | None = None,
        timeouts: Timeouts = USUAL,
    ) -> None:
        self.base = base.rstrip("/")
        place = urlsplit(self.base)
        self.host = host_of(self.base)
        self.loopback = place.hostname in _LOOPBACK
        if credentials is not None and place.scheme != "https" and not self.loopback:
            raise WorkbenchError(
                "remote.not_encrypted", f"credentials are not sent to {self.host} without TLS", "use https"
            )
        self.credentials = credentials
        self.budget = budget
        self.portal = Portal()
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeouts.silence, connect=timeouts.connect),
            headers={"User-Agent": f"cfwb/{__version__}"},
            # A proxy of the user's is for the world outside, not for this machine.
            trust_env=not self.loopback,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=30),
        )

    def close(self) -> None:
        """Close the connections and end the loop."""
        with suppress(RuntimeError, OSError):
            self.portal.wait(self._http.aclose())
        self.portal.close()

    def masked(self, text: str) -> str:
        """A text without our credentials."""
        return text if self.credentials is None else self.credentials.masked(text)

    # --- on the loop

    async def send(self, wanted: Wanted, notice: Notice | None, *, stream: bool = False) -> httpx.Response:
        """Ask, wait, ask again where that is safe; an answer below 400. stream: its body is still to be read (and closed)."""
        attempt = 0
        while True:
            attempt += 1
            if self.budget is not None and not wanted.bare:
                await self.budget.take(notice)
            try:
                response = await self._http.send(await self._request(wanted), stream=True)
                try:
                    if not stream or response.status_code >= 400:
                        await response.aread()
                except BaseException:
                    await response.aclose()
                    raise
            except httpx.InvalidURL:
                raise WorkbenchError("remote.bad_name", "the API has no address for that name") from None
            except httpx.HTTPError as error:
                await self._after_a_break(wanted, attempt, error)
                continue
            if response.status_code < 400:
                return response
            if not await self._again(wanted, attempt, response, notice):
                self._refuse(wanted, attempt, response)
                return response  # a DELETE that was repeated finds nothing: it was done the first time

    async def _request(self, wanted: Wanted) -> httpx.Request:
        headers = dict(wanted.headers)
        if self.credentials is not None and not wanted.bare:
            if self.credentials.expired:
                self.credentials = await self.credentials.renewed(self._exchange)
            headers |= self.credentials.headers()
        content: bytes | AsyncIterator[bytes] | None
        if wanted.content is None or isinstance(wanted.content, bytes):
            content = wanted.content
        else:
            headers["Content-Length"] = str(wanted.content.seek(0, 2))
            content = _pieces(wanted.content)
        params = {name: value for name, value in wanted.params.items() if value is not None}
        return self._http.build_request(
            wanted.method,
            wanted.url,
            params=params or None,
            headers=headers,
            content=content,
            files=wanted.files,
        )

    async def _after_a_break(self, wanted: Wanted, attempt: int, error: httpx.HTTPError) -> None:
        """The connection failed: wait and go on, or raise what is known."""
        sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if attempt < ATTEMPTS and (wanted.safe or not sent):
            await asyncio.sleep(pause(attempt))
            return
        host, why = host_of(wanted.url), self.masked(text_of(error))
        if sent and wanted.method not in ("GET", "HEAD"):
            raise unknown_outcome(
                wanted.doing or wanted.method, f"the connection to {host} failed ({why})"
            ) from None
        raise unreachable(host, why) from None

    async def _again(
        self, wanted: Wanted, attempt: int, response: httpx.Response, notice: Notice | None
    ) -> bool:
        """Whether the request is to be sent again; waits before it says so."""
        status = response.status_code
        asked = response.headers.get("Retry-After")
        if status == 401 and attempt == 1 and not wanted.bare and self.credentials and self.credentials.login:
            before = self.credentials.secret
            self.credentials = await self.credentials.renewed(self._exchange, refused=True)
            return self.credentials.secret != before
        if attempt >= ATTEMPTS or not (status == 429 or (status in PASSING and wanted.safe)):
            return False
        wait = pause(attempt, asked)
        if wait > LONGEST_WAIT:
            return False
        if notice is not None and (status == 429 or wait >= 2):
            why = "allows no more requests now" if status == 429 else f"answered {status}"
            notice(f"{self.host} {why}: again in {wait:.0f} s")
        await asyncio.sleep(wait)
        return True

    def _refuse(self, wanted: Wanted, attempt: int, response: httpx.Response) -> None:
        """Raise what the answer means; returns for a repeated DELETE that finds nothing any more."""
        status = response.status_code
        if status == 404 and wanted.method == "DELETE" and attempt > 1:
            return
        enveloped = response.content.lstrip().startswith(b"{")
        if status in NO_WORD and not enveloped and wanted.method not in ("GET", "HEAD"):
            raise unknown_outcome(wanted.doing or wanted.method, f"{host_of(wanted.url)} answered {status}")
        raise refused(
            wanted.product,
            status,
            self.masked(response.text).encode(),
            request_id(response.headers),
            response.headers.get("Retry-After"),
        )

    async def _exchange(self, url: str, form: dict[str, str]) -> tuple[int, Any]:
        """Post a form for fresh credentials. Never repeated: a refresh token works once."""
        place = urlsplit(url)
        if place.scheme != "https" and place.hostname not in _LOOPBACK:
            raise WorkbenchError(
                "remote.not_encrypted", f"credentials are not sent to {host_of(url)} without TLS"
            )
        try:
            response = await self._http.post(url, data=form)
        except httpx.HTTPError as error:
            raise unreachable(host_of(url), self.masked(text_of(error))) from None
        try:
            return response.status_code, response.json()
        except ValueError:
            return response.status_code, None


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


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file from its beginning."""
    file.seek(0)
    while piece := file.read(_UPLOAD_PIECE):
        yield piece


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


def request_id(headers: httpx.Headers) -> str:
    """What Cloudflare's support asks for."""
    return str(headers.get("cf-ray") or headers.get("x-request-id") or headers.get("cf-auditlog-id") or "")


__all__ = ["Answer", "Api", "ApiError", "Line", "Timeouts", "Wanted", "join", "request_id"]
