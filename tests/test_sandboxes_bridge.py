"""The client on a deployed bridge: the same calls over HTTP to a URL, with the bridge's own routes only.

In its place stands a hub behind a TCP port, which lets nothing through that the bridge does not have.
"""

from __future__ import annotations

import asyncio
import io
import re
import tarfile
from collections.abc import AsyncIterator

import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.backends.sandboxes import SandboxServer, of_bridge
from workbench.model.errors import WorkbenchError

home = pytest.fixture(a_home)

ROUTES = re.compile(
    r"POST /v1/sandbox( |\?)|DELETE /v1/sandbox/[a-z2-7]+ "
    r"|[A-Z]+ /v1/sandbox/[a-z2-7]+/(exec|running|persist|hydrate|pty|session|mount|unmount)[ ?/]"
    r"|(GET|PUT) /v1/sandbox/[a-z2-7]+/file/|(POST|DELETE) /v1/sandbox/[a-z2-7]+/(tunnel|session)/"
)


@pytest.fixture
async def bridge(home: Home) -> AsyncIterator[SandboxServer]:
    needs_bubblewrap()
    found = await asyncio.to_thread(home.connect)
    asked: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(found.socket)

        async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: bool) -> None:
            while data := await source.read(1 << 16):
                if look and data.startswith((b"GET /v1/sandbox?", b"GET /v1/sandbox ")):
                    # The public bridge keeps no list; asking for one is how the client finds that out.
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n404 Not Found")
                    continue
                if look and data.split(b" ", 1)[0] in (b"GET", b"PUT", b"POST", b"DELETE", b"PATCH"):
                    asked.append(data.split(b"\r\n", 1)[0].decode())
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(
            pour(reader, inner_writer, True), pour(inner_reader, writer, False), return_exceptions=True
        )

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server = of_bridge(f"http://127.0.0.1:{port}/", found.token)
    yield server
    await server.close()
    listening.close()
    assert asked
    assert [line for line in asked if not ROUTES.match(line)] == []


async def test_one_client_drives_a_deployed_bridge_too(bridge: SandboxServer) -> None:
    made = await bridge.create({})
    box = made.id
    running = await bridge.exec(box, ["sh", "-c", "echo out; echo err >&2; exit 3"], cwd="/workspace")
    assert [piece async for piece in running] == [("stdout", b"out\n"), ("stderr", b"err\n")]
    assert running.exit_code == 3
    await bridge.files.put(box, "folder/é.txt", [b"some ", b"text"])
    assert b"".join([piece async for piece in bridge.files.get(box, "folder/é.txt")]) == b"some text"
    await bridge.sessions.create(box, "s", env={"A": "1"})
    running = await bridge.exec(box, ["sh", "-c", "echo $A"], session="s")
    assert [data async for _, data in running] == [b"1\n"]
    await bridge.sessions.delete(box, "s")
    archive = b"".join([piece async for piece in bridge.files.export(box, "/workspace")])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert "folder/é.txt" in tar.getnames()
    await bridge.files.import_tree(box, "/workspace", [archive])
    preview = await bridge.previews.create(box, 8080)
    assert preview.port == 8080
    await bridge.previews.delete(box, 8080)
    assert (await bridge.get(box)).state == "running"
    await bridge.delete(box)


async def test_what_a_bridge_lacks_is_said_before_it_is_asked(bridge: SandboxServer) -> None:
    box = (await bridge.create({})).id
    for call in (
        bridge.list(),
        bridge.stop(box),
        bridge.files.list(box, "/workspace"),
        bridge.processes.list(box),
        bridge.terminals.list(box),
        bridge.exec(box, ["cat"], stdin=[b"x"]),
        bridge.hub(),
        bridge.fork(box, ["x"]),
    ):
        with pytest.raises(WorkbenchError) as caught:
            await call
        assert caught.value.code == "target.not_capable"
    with pytest.raises(WorkbenchError) as caught:
        async for _ in bridge.files.export(box, "/etc"):
            pass
    assert caught.value.code == "target.not_capable"


async def test_a_wrong_token_and_nobody_there_are_errors_with_a_code(home: Home) -> None:
    nobody = of_bridge("http://127.0.0.1:9", "token")
    with pytest.raises(WorkbenchError) as caught:
        await nobody.create({})
    assert caught.value.code == "bridges.unreachable"
