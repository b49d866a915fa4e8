"""What is sent to a running dev server: requests, cron triggers, e-mails."""

from typing import Annotated, Any, NamedTuple

from workbench.model.errors import UsageError
from workbench.model.servers import Answered, Asked, Delivered, Fired

from . import READS, WRITES, operation
from .parameters import Content, Limit, Param, Source
from .resolve import State

Path = Annotated[str, Param("path and query", positional=True, metavar="PATH")]
Method = Annotated[str | None, Param("the method (default: GET, with a body POST)", metavar="METHOD")]
Header = Annotated[tuple[str, ...], Param("a header; again for more", repeat=True, metavar="'NAME: VALUE'")]
Cron = Annotated[
    str | None, Param("the schedule (default: the only one there is)", positional=True, metavar="CRON")
]
ScheduledMs = Annotated[
    int | None,
    Param("the time the Worker is told, in milliseconds since 1970 (default: now)", "integer", metavar="MS"),
]
Sender = Annotated[str, Param("who sends it", metavar="ADDRESS")]
Recipient = Annotated[str, Param("whom it is for", metavar="ADDRESS")]
Subject = Annotated[str, Param("its subject", metavar="TEXT")]
Text = Annotated[str | None, Param("its plain text", metavar="TEXT")]
Html = Annotated[str | None, Param("its HTML", metavar="HTML")]


class Trigger(NamedTuple):
    """A cron trigger of a Worker that a dev server runs."""

    worker: str
    cron: str
    server: str


@operation(
    "servers.requests.send",
    effect=WRITES,
    examples=[
        "cfwb servers requests send /api/cart",
        "cfwb servers requests send /api/cart --request PUT --header 'Content-Type: application/json' --value '{\"n\": 1}'",
        "cfwb servers requests send /logo.png --raw > logo.png",
    ],
    capability="servers",
)
async def send_request(
    state: State,
    path: Path,
    request: Method = None,
    header: Header = (),
    value: Content = None,
    file: Source = None,
) -> Answered:
    """Send the project's dev server a request; it is kept in the history.

    Redirects are not followed. A body is given by --value or --file. --server URL names a server by its address.
    """
    from .files import read_whole

    if value is not None and file is not None:
        raise UsageError("give only one of --value, --file")
    given = value if file is None else read_whole(file)
    body = given.encode("utf-8") if isinstance(given, str) else bytes(given or b"")
    method = (request or ("POST" if value is not None or file is not None else "GET")).upper()
    headers = tuple(_header(text) for text in header)
    return await state.backend.servers.send(method, path, headers, body, state.worker)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(f"{text!r} is no header", "it looks like 'Content-Type: application/json'")
    return name.strip(), value.strip()


@operation(
    "servers.requests.list",
    effect=READS,
    examples=["cfwb servers requests list --limit 10"],
    alone=True,
    capability="servers",
)
async def list_requests(state: State, limit: Limit = None) -> list[Asked]:
    """Requests that were sent from here, the newest first, with what came back.

    Values of headers that are credentials by their name are not kept.
    """
    found = await state.backend.servers.history()
    return found if limit is None else found[:limit]


@operation("servers.crons.list", effect=READS, examples=["cfwb servers crons list"], capability="servers")
async def list_crons(state: State) -> list[Trigger]:
    """Cron triggers of the Workers that the project's dev server runs."""
    found = await state.backend.servers.crons()
    return [Trigger(worker, cron, server) for server, worker, cron in found]


@operation(
    "servers.crons.run",
    effect=WRITES,
    examples=["cfwb servers crons run", "cfwb servers crons run '*/5 * * * *' --worker shop-api"],
    capability="servers",
)
async def run_cron(state: State, cron: Cron = None, scheduled_ms: ScheduledMs = None) -> Fired:
    """Run a Worker's scheduled handler now, as a cron trigger would."""
    return await state.backend.servers.fire(cron, state.worker, scheduled_ms)


@operation(
    "servers.emails.send",
    effect=WRITES,
    examples=[
        "cfwb servers emails send --sender ann@example.com --recipient shop@example.com --subject Hello --text 'Is it in stock?'",
        "cfwb servers emails send --sender ann@example.com --recipient shop@example.com --file message.eml",
    ],
    capability="servers",
)
async def send_email(
    state: State,
    sender: Sender,
    recipient: Recipient,
    subject: Subject = "",
    text: Text = None,
    html: Html = None,
    header: Header = (),
    file: Source = None,
) -> Delivered:
    """Deliver an e-mail to a Worker's email handler.

    Of a whole message (--file) the addresses are the envelope's, and it goes to the server's first Worker.
    """
    from .files import read_whole

    message: dict[str, Any] = {"from": sender, "to": [recipient], "subject": subject}
    raw = None
    if file is not None:
        if subject or text is not None or html is not None or header:
            raise UsageError("a whole message (--file) has its own subject, text and headers")
        raw = read_whole(file)
    else:
        message |= {name: said for name, said in (("text", text), ("html", html)) if said is not None}
        if header:
            message["headers"] = dict(map(_header, header))
    return await state.backend.servers.deliver(message, raw, state.worker)
