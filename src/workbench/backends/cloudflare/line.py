"""The connections to one side of the API, and how a request is sent over them: as whom, how often, and again where that is safe.

A `Line` is what is shared for as long as a target is open; its requests run on the portal's loop. `api` is what products ask through.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from io import BytesIO
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx

from workbench import __version__
from workbench.model.errors import WorkbenchError

from .budget import Budget
from .credentials import Credentials
from .portal import Portal
from .refusals import refused, text_of, unknown_outcome, unreachable
from .repeating import ATTEMPTS, LONGEST_WAIT, NO_WORD, PASSING, pause

_UPLOAD_PIECE = 256 << 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Notice = Callable[[str], None]
Params = dict[str, str | int | None]


class Timeouts(NamedTuple):
    """Seconds: to connect; and for the other side to say or take something more."""

    connect: float = 10.0
    silence: float = 60.0


USUAL = Timeouts()


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
    """The connections to one side. base: `https://api.cloudflare.com/client/v4`, or a dev server's mirror. headers: of each request.
    attempts: how often one is sent at most, where that is safe."""

    def __init__(
        self,
        base: str,
        credentials: Credentials | None = None,
        *,
        budget: Budget | None = None,
        timeouts: Timeouts = USUAL,
        headers: dict[str, str] | None = None,
        attempts: int = ATTEMPTS,
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
        self._attempts = attempts
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeouts.silence, connect=timeouts.connect),
            headers={"User-Agent": f"cfwb/{__version__}"} | (headers or {}),
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
                        # It holds its stream, which holds it; so a part of an upload would stay in memory until a collection.
                        response.stream = httpx.ByteStream(b"")
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
        if wanted.content is None or (
            isinstance(wanted.content, bytes) and len(wanted.content) <= _UPLOAD_PIECE
        ):
            content = wanted.content
        else:  # in pieces: whole, it would be copied on its way
            file = BytesIO(wanted.content) if isinstance(wanted.content, bytes) else wanted.content
            headers["Content-Length"] = str(file.seek(0, 2))
            content = _pieces(file)
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
        if attempt < self._attempts and (wanted.safe or not sent):
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
        if attempt >= self._attempts or not (status == 429 or (status in PASSING and wanted.safe)):
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


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file from its beginning."""
    file.seek(0)
    while piece := file.read(_UPLOAD_PIECE):
        yield piece


def request_id(headers: httpx.Headers) -> str:
    """What Cloudflare's support asks for."""
    return str(headers.get("cf-ray") or headers.get("x-request-id") or headers.get("cf-auditlog-id") or "")
