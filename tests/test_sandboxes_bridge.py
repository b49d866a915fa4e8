"""The client on a deployed bridge: the same calls over HTTP to a URL, with the bridge's own routes only."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator

import pytest

from tests.support.bridges import stand_in
from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.backends.sandboxes import SandboxServer, of_bridge
from workbench.model.errors import WorkbenchError

home = pytest.fixture(a_home)


@pytest.fixture
async def bridge(home: Home) -> AsyncIterator[SandboxServer]:
    needs_bubblewrap()
    async with stand_in(home, lists=False) as standing:
        server = of_bridge(f"{standing.url}/", standing.token)
        yield server
        await server.close()
        assert standing.asked and standing.beyond == []


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
    assert (await bridge.get(box)).state == "unknown"  # to look starts nothing
    assert (await bridge.get(box, start=True)).state == "running"
    await bridge.delete(box)


async def test_a_terminal_behind_a_bridge_is_its_pty_one_a_session(bridge: SandboxServer) -> None:
    box = (await bridge.create({})).id
    made = await bridge.terminals.create(box, env={"GREETING": "hello"})
    for id, seen in ((made.id, b"hello-42"), ("default", b"-42")):
        link = await bridge.terminals.connect(box, id, 80, 24)
        assert not link.states
        await link.type(b"echo $GREETING-$((40 + 2))\r")
        output = b""
        async for item in link:
            output += item if isinstance(item, bytes) else b""
            if seen in output:
                break
        await link.aclose()
    with pytest.raises(WorkbenchError) as caught:
        await bridge.terminals.create(box, ["vim"])
    assert caught.value.code == "target.not_capable"


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
