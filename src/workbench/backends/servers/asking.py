"""A request to a dev server, as a browser or curl would send it, and what came back."""

from time import perf_counter

from workbench.backends.cloudflare.portal import Portal
from workbench.backends.web import httpx
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.servers import Answered

PATIENCE = httpx.Timeout(120.0, connect=5.0)
LARGEST_BODY = 25 << 20
"""Bytes of an answer that are kept."""

Headers = tuple[tuple[str, str], ...]


async def ask(
    portal: Portal,
    server: str,
    method: str,
    path: str,
    headers: Headers = (),
    body: bytes = b"",
    cancel: Cancel | None = None,
) -> Answered:
    """Send it once; redirects are not followed. server: its address. Raises `servers.unreachable`, `live.outcome_unknown`."""
    url = server + (path if path.startswith("/") else "/" + path)
    try:
        # Bodies as they are: nobody here reads a compression that was not asked for.
        said = {name.lower() for name, _ in headers}
        added = [("accept-encoding", "identity")] if "accept-encoding" not in said else []
        request = httpx.Request(method, url, headers=[*headers, *added], content=body or None)
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise UsageError(f"that cannot be sent: {error}") from None
    return await portal.call(_sent(request), cancel)


async def _sent(request: httpx.Request) -> Answered:
    began = perf_counter()
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False) as client:
        try:
            response = await client.send(request, stream=True)
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_BODY:
                    break
            await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise WorkbenchError(
                "servers.unreachable",
                f"nobody answers at {request.url.host}:{request.url.port}: {error}",
                "cfwb servers list shows what runs",
            ) from None
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise WorkbenchError(
                "live.outcome_unknown",
                f"{request.method} {request.url.path}: no answer came ({why}), so the Worker may have done it or not",
                "look before you send it again; cfwb servers logs get shows what it printed",
            ) from None
    body = b"".join(pieces)
    return Answered(
        response.status_code,
        response.reason_phrase,
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw),
        body[:LARGEST_BODY],
        round((perf_counter() - began) * 1000, 1),
        str(request.url),
        len(body) > LARGEST_BODY,
    )
