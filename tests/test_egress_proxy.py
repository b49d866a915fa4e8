"""The way out as HTTP clients see it: streams, keep-alive, odd messages, slow sides, TLS, SOCKS, and the record of it all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.outside import Origin, names_on_loopback, origin, relay, secret_of
from tests.support.proxied import Client, get
from workbench.model.network import CredentialRule, NetworkPolicy, OutboundRequest
from workbench.sandbox.egress import Egress, Limits
from workbench.sandbox.egress.authority import Authority
from workbench.sandbox.egress.client_hello import read_client_hello
from workbench.sandbox.egress.streams import PlainStream, TlsStream
from workbench.sandbox.egress.upstream import trusting

EVERYTHING = NetworkPolicy("all", private=("127.0.0.1", "*.test"))


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the servers outside have their certificates from."""
    return Authority(tmp_path_factory.mktemp("public") / "ca.pem", "public")


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "net" / "egress.sock"


@pytest.fixture
async def egress(tmp_path: Path, public: Authority) -> AsyncIterator[Egress]:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(public.certificate)
    running = await Egress.open(
        tmp_path / "data",
        keyring=False,
        trust=trusting(str(roots)),
        limits=Limits(connections=20, connect=3, resolve=3, handshake=5),
    )
    await running.attach("sbx", tmp_path / "net")
    await running.set_policy("sbx", EVERYTHING)
    yield running
    await running.close()


@pytest.fixture
def server() -> Iterator[Origin]:
    with origin() as running:
        yield running


@pytest.fixture
def secure(public: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    names_on_loopback(monkeypatch, api_test="127.0.0.1", other_test="127.0.0.1")
    with origin(public, "api.test") as running:
        yield running


def here(server: Origin, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


async def last(egress: Egress) -> OutboundRequest:
    """The newest record."""
    return (await egress.records.list()).items[0]


async def ended(egress: Egress) -> OutboundRequest:
    """The newest record, once it has an end."""
    async with asyncio.timeout(10):
        while True:
            items = (await egress.records.list()).items
            if items and items[0].outcome != "open":
                return items[0]
            await asyncio.sleep(0.02)


async def test_many_requests_on_one_connection_to_several_hosts(
    egress: Egress, door: Path, server: Origin
) -> None:
    with origin() as second:
        client = await Client.open(door)
        for number in range(6):
            other = (server, second)[number % 2]
            answer = await client.get(here(other, f"/echo/{number}"), Proxy_Connection="keep-alive")
            assert answer.json()["path"] == f"/echo/{number}"
            assert "Proxy-Connection" not in answer.json()["headers"]
            assert answer.json()["headers"]["Host"] == f"127.0.0.1:{other.port}"
        await client.close()
    paths = [entry.path for entry in (await egress.records.list("sbx")).items]
    assert paths == [f"/echo/{number}" for number in reversed(range(6))]


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_large_bodies_stream_both_ways(
    egress: Egress, door: Path, server: Origin, framing: str
) -> None:
    body = bytes(range(256)) * 20_000
    client = await Client.open(door)
    headers = {"Transfer-Encoding": "chunked"} if framing == "chunked" else {}
    await client.send("POST", here(server, "/echo"), body, **headers)
    answer = (await client.answer()).json()
    assert (answer["length"], answer["body"]) == (len(body), hashlib.sha256(body).hexdigest())
    big = await client.get(here(server, f"/big/{len(body)}"))
    assert len(big.body) == len(body)
    assert (
        hashlib.sha256(big.body).digest() == hashlib.sha256(b"0123456789abcdef" * (len(body) // 16)).digest()
    )
    await client.close()
    down, up = (await egress.records.list()).items
    assert (up.sent, down.received) == (len(body), len(body))


async def test_a_reader_that_stops_reading_stops_the_sender(
    egress: Egress, door: Path, server: Origin
) -> None:
    client = await Client.open(door)
    await client.send("GET", here(server, "/big/200000000"))
    await client.event()
    before = -1
    while server.written != before:
        before = server.written
        await asyncio.sleep(0.2)
    assert server.written < 20_000_000  # what sockets and four chunks hold
    await client.close()
    entry = await ended(egress)
    assert entry.outcome == "cut" and entry.received < 20_000_000


async def test_answers_of_every_shape_arrive_as_they_were_sent(
    egress: Egress, door: Path, server: Origin
) -> None:
    answer = await get(door, here(server, "/until-closed"))
    assert answer.body == b"all of it"
    client = await Client.open(door)
    await client.send("HEAD", here(server, "/echo"))
    head = await client.answer()
    assert head.body == b"" and int(head.headers["content-length"]) > 0
    assert (await client.get(here(server, "/redirect?to=/x"))).status == 302
    await client.send("POST", here(server, "/echo"), b"hello", Expect="100-continue")
    assert (await client.answer()).json()["body"] == "hello"
    await client.send("OPTIONS", here(server, "/echo?x=%20y#z".replace("#z", "")))
    assert (await client.answer()).json()["path"] == "/echo?x=%20y"
    await client.close()


async def test_an_answer_before_the_body_is_through(egress: Egress, door: Path, server: Origin) -> None:
    client = await Client.open(door)
    sending = asyncio.create_task(client.send("POST", here(server, "/early"), b"x" * 30_000_000))
    answer = await client.answer()
    assert (answer.status, answer.body) == (413, b"too large")
    with contextlib.suppress(OSError):
        await sending
    await client.close()


async def test_an_answer_that_breaks_off_is_seen_to_break_off(
    egress: Egress, door: Path, server: Origin
) -> None:
    import h11

    with pytest.raises(h11.RemoteProtocolError):
        await get(door, here(server, "/cut"))
    entry = await ended(egress)
    assert entry.outcome == "failed" and "broke off" in entry.reason


async def test_a_connection_the_server_has_closed_meanwhile_is_made_anew(
    egress: Egress, door: Path, server: Origin
) -> None:
    client = await Client.open(door)
    for _ in range(3):
        # It says nothing of closing, and closes.
        assert (await client.get(here(server, "/silent-end"))).body == b"bye"
    await client.send("POST", here(server, "/echo"), b"not to be sent twice by a guess")
    assert (await client.answer()).status in (200, 502)
    await client.close()


async def test_who_goes_away_ends_the_request_outside(egress: Egress, door: Path, server: Origin) -> None:
    client = await Client.open(door)
    await client.send("GET", here(server, "/hang"))
    while not server.seen:
        await asyncio.sleep(0.01)
    await client.close()
    entry = await ended(egress)
    assert entry.outcome == "cut" and "went away" in entry.reason


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /relative HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET ftp://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://exa\x7fmple/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT nowhere HTTP/1.1\r\nHost: nowhere\r\n\r\n", 400),
        (b"CONNECT a@b:80 HTTP/1.1\r\nHost: nowhere\r\n\r\n", 400),
        (b"\x00\x01\x02\x03\r\n\r\n", 400),
        (b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", 431),
        (
            b"POST http://127.0.0.1:%d/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n", 502),
        (b"GET http://no-such-name.invalid/ HTTP/1.1\r\nHost: x\r\n\r\n", 502),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
async def test_what_cannot_be_sent_on_gets_an_answer(
    egress: Egress, door: Path, server: Origin, said: bytes, status: int
) -> None:
    client = await Client.open(door)
    await client.stream.write(said.replace(b"%d", str(server.port).encode()))
    answer = b""
    with contextlib.suppress(OSError):
        while data := await client.stream.read():
            answer += data
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    await client.close()


async def test_a_request_hidden_in_anothers_body_stays_a_body(
    egress: Egress, door: Path, server: Origin
) -> None:
    """Request smuggling: what the server outside sees as one request is what was decided on."""
    await egress.add_rule(
        "sbx",
        CredentialRule(
            "", "127.0.0.1", "bearer", await secret_of(egress, "the-secret-value"), methods=("GET",)
        ),
    )
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    client = await Client.open(door)
    await client.stream.write(
        b"POST http://127.0.0.1:%d/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (server.port, len(hidden), hidden)
    )
    answer = await client.stream.read()
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
    assert [seen[1] for seen in server.seen] in (["/echo"], [])
    # Who outside goes by the length must not find another request behind it: it is not told one.
    assert all("content-length" not in seen[2] for seen in server.seen)
    await client.close()


async def test_too_many_connections_at_once_are_told_so(egress: Egress, door: Path, server: Origin) -> None:
    idle = [await Client.open(door) for _ in range(20)]
    for client in idle:
        await client.get(here(server, "/"))
    further = await Client.open(door)
    assert (await further.stream.read()).startswith(b"HTTP/1.1 503 ")
    for client in (*idle, further):
        await client.close()
    async with asyncio.timeout(10):
        while (await get(door, here(server, "/"))).status != 200:
            await asyncio.sleep(0.02)


async def test_silence_is_not_waited_for_without_end(tmp_path: Path, server: Origin) -> None:
    short = Limits(first_bytes=0.3, between=0.3, idle=0.3, tunnel=0.3)
    egress = await Egress.open(tmp_path / "data", keyring=False, limits=short)
    await egress.attach("sbx", tmp_path / "net")
    await egress.set_policy("sbx", EVERYTHING)
    door = tmp_path / "net" / "egress.sock"
    async with asyncio.timeout(20):
        silent = await Client.open(door)
        assert await silent.stream.read() == b""
        half = await Client.open(door)
        await half.stream.write(b"GET http://127.0.0.1/ HTTP/1.1\r\n")
        assert await half.stream.read() == b""
        kept = await Client.open(door)
        await kept.get(here(server, "/"))
        assert await kept.stream.read() == b""
        assert (await get(door, here(server, "/hang"))).status == 504
        websocket = await Client.open(door)
        await websocket.send(
            "GET",
            here(server, "/websocket"),
            Connection="Upgrade",
            Upgrade="websocket",
            **{"Sec-WebSocket-Key": "AAAA"},
        )
        assert (await websocket.answer()).status == 101
        while await websocket.stream.read():
            pass
    assert (await ended(egress)).reason == "nothing moved for too long"
    await egress.close()


async def test_https_is_opened_and_recorded(
    egress: Egress, door: Path, secure: Origin, tmp_path: Path
) -> None:
    authority = (tmp_path / "net" / "authority.pem").read_bytes()
    await egress.add_rule(
        "sbx", CredentialRule("", "api.test", "bearer", await secret_of(egress, "the-secret-value"))
    )
    client = await Client.open(door)
    assert await client.connect("api.test", secure.port) == 200
    await client.tls("api.test", authority)
    host = f"api.test:{secure.port}"
    for number in range(3):
        answer = await client.get(f"/echo/{number}?q=1", Host=host)
        assert answer.status == 200 and b"the-secret-value" not in answer.body
        assert secure.seen[-1][2]["authorization"] == "Bearer the-secret-value"
    entry = await last(egress)
    assert (entry.scheme, entry.method, entry.host, entry.path, entry.status) == (
        "https",
        "GET",
        "api.test",
        "/echo/2?q=1",
        200,
    )
    # One connection is for one host: another name behind the same address is not asked for over it.
    assert (await client.get("/", Host=f"other.test:{secure.port}")).status == 421
    await client.close()
    assert [entry.method for entry in (await egress.records.list()).items] == ["GET"] * 4


async def test_a_program_that_does_not_know_the_authority_leaves_a_record(
    egress: Egress, door: Path, secure: Origin, public: Authority
) -> None:
    client = await Client.open(door)
    await client.connect("api.test", secure.port)
    with pytest.raises(ssl.SSLCertVerificationError):
        await client.tls("api.test", public.certificate)
    await client.close()
    assert "certificate authority" in (await ended(egress)).reason


@pytest.mark.parametrize(
    "policy",
    [EVERYTHING._replace(tunnel=("api.test",)), EVERYTHING._replace(inspect="rules")],
    ids=["tunnel", "rules"],
)
async def test_tls_that_is_not_opened_is_recorded_by_its_host(
    egress: Egress, door: Path, secure: Origin, public: Authority, policy: NetworkPolicy
) -> None:
    await egress.set_policy("sbx", policy)
    client = await Client.open(door)
    await client.connect("api.test", secure.port)
    await client.tls("api.test", public.certificate)  # the server's own certificate
    assert (await client.get("/echo", Host="api.test")).status == 200
    assert (await last(egress)).outcome == "open"
    # A rule for the host makes it one to be opened: the tunnel ends.
    await egress.add_rule(
        "sbx", CredentialRule("", "api.test", "bearer", await secret_of(egress, "the-secret"))
    )
    assert await client.stream.read() == b""
    await client.close()
    entry = await ended(egress)
    assert (entry.scheme, entry.method, entry.path, entry.outcome) == ("tls", "CONNECT", "", "cut")
    assert entry.received > 1000


async def test_a_hello_for_another_host_is_refused(
    egress: Egress, door: Path, secure: Origin, public: Authority
) -> None:
    """Domain fronting: allowed by one name, meant for another."""
    client = await Client.open(door)
    await client.connect("api.test", secure.port)
    with pytest.raises(OSError):
        await client.tls("other.test", public.certificate)
    await client.close()
    entry = await ended(egress)
    assert entry.outcome == "refused" and "other.test" in entry.reason


async def test_a_server_with_a_bad_certificate_is_not_trusted(
    egress: Egress, door: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_on_loopback(monkeypatch, api_test="127.0.0.1")
    stranger = Authority(tmp_path / "stranger.pem", "stranger")
    await egress.add_rule(
        "sbx", CredentialRule("", "api.test", "bearer", await secret_of(egress, "the-secret"))
    )
    with origin(stranger, "api.test") as bad:
        client = await Client.open(door)
        await client.connect("api.test", bad.port)
        await client.tls("api.test", (tmp_path / "net" / "authority.pem").read_bytes())
        answer = await client.get("/", Host=f"api.test:{bad.port}")
        assert answer.status == 502 and b"certificate" in answer.body
        assert bad.seen == []
        await client.close()


async def test_a_protocol_where_the_server_speaks_first_goes_through(egress: Egress, door: Path) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-test\r\n")
        writer.write(await reader.read(100))
        writer.write_eof()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = await Client.open(door)
    await client.connect("127.0.0.1", port)
    assert await client.stream.read() == b"SSH-2.0-test\r\n"
    await client.stream.write(b"SSH-2.0-client\r\n")
    await client.stream.end()
    assert await client.stream.read() == b"SSH-2.0-client\r\n"
    assert await client.stream.read() == b""
    await client.close()
    listening.close()
    entry = await ended(egress)
    assert (entry.scheme, entry.sent, entry.received, entry.outcome) == ("tcp", 16, 30, "done")


async def test_plain_http_by_connect_is_read_as_http(egress: Egress, door: Path, server: Origin) -> None:
    client = await Client.open(door)
    await client.connect("127.0.0.1", server.port)
    await client.stream.write(b"GE")
    await asyncio.sleep(0.05)
    await client.stream.write(f"T /echo HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    assert (await client.stream.read()).startswith(b"HTTP/1.1 200")
    await client.close()
    assert ((await last(egress)).method, (await last(egress)).path) == ("GET", "/echo")


@pytest.mark.parametrize("form", ["name", "address"])
async def test_socks_5(
    egress: Egress, door: Path, server: Origin, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    names_on_loopback(monkeypatch, api_test="127.0.0.1")
    host = b"\x03\x08api.test" if form == "name" else b"\x01\x7f\x00\x00\x01"
    client = await Client.open(door)
    await client.stream.write(b"\x05\x02\x00\x02")
    assert await client.stream.read() == b"\x05\x00"
    await client.stream.write(b"\x05\x01\x00" + host + server.port.to_bytes(2, "big"))
    assert (await client.stream.read())[:2] == b"\x05\x00"
    name = "api.test" if form == "name" else "127.0.0.1"
    await client.stream.write(f"GET /socks HTTP/1.1\r\nHost: {name}:{server.port}\r\n\r\n".encode())
    assert (await client.stream.read()).startswith(b"HTTP/1.1 200")
    await client.close()
    await egress.set_policy("sbx", NetworkPolicy("none"))
    refused = await Client.open(door)
    await refused.stream.write(b"\x05\x01\x00")
    await refused.stream.read()
    await refused.stream.write(b"\x05\x01\x00" + host + server.port.to_bytes(2, "big"))
    assert (await refused.stream.read())[:2] == b"\x05\x02"
    await refused.close()


async def test_the_live_stream_shows_a_request_when_it_begins_and_when_it_ends(
    egress: Egress, door: Path, server: Origin
) -> None:
    async with egress.records.follow("sbx") as following, egress.records.follow("other") as other:
        asking = asyncio.create_task(get(door, here(server, "/events")))
        began = await following.next()
        assert (began.outcome, began.path) == ("open", "/events")
        server.release.set()
        await asking
        ended = await following.next()
        assert (ended.id, ended.outcome, ended.status) == (began.id, "done", 200)
        assert not other._waiting


async def test_records_are_bounded_and_outlive_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.sandbox.egress import records

    monkeypatch.setattr(records, "KEPT", 50)
    monkeypatch.setattr(records, "KEPT_IN_ALL", 80)
    egress = await Egress.open(tmp_path, keyring=False)
    for sandbox in ("one", "two"):
        for number in range(120):
            entry = egress.records.begin(sandbox, "https", "example.com", 443)
            entry.method, entry.path = "GET", "/" + "x" * 10_000 + str(number)
            entry.finish("done")
            if number % 10 == 9:
                await egress.records.flush()
    await egress.forget("one")
    page = await egress.records.list("two", limit=10)
    following = await egress.records.list("two", limit=1000, cursor=page.cursor)
    assert len(page.items) + len(following.items) == 50
    assert len((await egress.records.list(limit=1000)).items) == 80
    assert len((await egress.records.list("one", limit=1000)).items) == 30
    assert all(len(entry.path) <= 2048 for entry in page.items)
    open_one = egress.records.begin("two", "https", "example.com", 443)
    open_one.started()
    await egress.close()
    again = await Egress.open(tmp_path, keyring=False)
    assert (await again.records.list("two")).items[0].outcome == "cut"
    assert again.records.begin("two", "https", "x", 1).value.id > open_one.value.id
    await again.close()


async def test_a_hub_that_comes_back_serves_the_same_socket(tmp_path: Path, server: Origin) -> None:
    net = tmp_path / "net"
    for _ in range(2):
        egress = await Egress.open(tmp_path / "data", keyring=False)
        await egress.set_policy("sbx", EVERYTHING)
        await egress.attach("sbx", net)
        async with relay(net / "egress.sock") as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {here(server, '/')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert (await reader.read(12)) == b"HTTP/1.1 200"
            writer.close()
        first = (net / "authority.pem").read_bytes()
        assert first in (net / "bundle.pem").read_bytes()
        # Killed, not closed: the socket's file stays.
        await egress.close()
    assert (net / "authority.pem").read_bytes() == first


async def test_a_tls_hello_is_read_in_any_pieces(public: Authority) -> None:
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="Some.Host.example")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    for cut in range(len(hello)):
        assert read_client_hello(hello[:cut]) is None
    assert read_client_hello(hello + b"more") == ("some.host.example", ("h2", "http/1.1"))
    body = hello[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(body[at : at + 7]).to_bytes(2, "big") + body[at : at + 7]
        for at in range(0, len(body), 7)
    )
    assert read_client_hello(records) == ("some.host.example", ("h2", "http/1.1"))
    for at in range(5, len(hello)):
        broken = hello[:at] + bytes([hello[at] ^ 0xFF]) + hello[at + 1 :]
        with contextlib.suppress(ValueError):
            read_client_hello(broken)


async def test_tls_in_memory_moves_many_bytes_both_ways(public: Authority, tmp_path: Path) -> None:
    body = bytes(range(256)) * 8_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = TlsStream(PlainStream(reader, writer, 10), public.context("a.test"), server=True)
        await tls.handshake(5)
        got = b""
        while len(got) < len(body):
            got += await tls.read()
        await tls.write(got)
        await tls.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    context = ssl.create_default_context(cadata=public.certificate.decode())
    client = TlsStream(PlainStream(reader, writer, 10), context, server=False, hostname="a.test")
    await client.handshake(5)
    writing = asyncio.create_task(client.write(body))
    got = b""
    while data := await client.read():
        got += data
    await writing
    assert got == body
    await client.close()
    listening.close()


async def test_whatever_is_said_to_it_it_goes_on(egress: Egress, door: Path, server: Origin) -> None:
    """Openings of every protocol it knows, bent at random; nothing is left unhandled, and the next one is served."""
    random = Random(4711)
    unhandled: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="api.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    connect = b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\n\r\n" % server.port
    openings = [
        b"GET http://127.0.0.1:%d/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % server.port,
        b"POST http://127.0.0.1:%d/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        % server.port,
        connect + outgoing.read(),
        connect + b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port,
        b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + server.port.to_bytes(2, "big"),
    ]

    async def say(data: bytes) -> None:
        reader, writer = await asyncio.open_unix_connection(door)
        with contextlib.suppress(OSError):
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(10):
                while await reader.read(65536):
                    pass
        writer.close()

    for _ in range(40):
        bent = []
        for opening in openings:
            data = bytearray(opening[: random.randrange(1, len(opening) + 1)])
            for _ in range(random.randrange(4)):
                data[random.randrange(len(data))] = random.randrange(256)
            if random.random() < 0.3:
                data += random.randbytes(random.randrange(2000))
            bent.append(say(bytes(data)))
        await asyncio.gather(*bent)
    assert (await get(door, here(server, "/echo"))).status == 200
    assert unhandled == []
