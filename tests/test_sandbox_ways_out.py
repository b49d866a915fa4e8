"""The one way out of a sandbox, and an init that has been taken over by what runs inside."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.sandbox import USERS, Ground, on_ground, running
from workbench.model.errors import WorkbenchError
from workbench.sandbox.address import listen
from workbench.sandbox.channel import Channel
from workbench.sandbox.egress import Egress
from workbench.sandbox.init import wire
from workbench.sandbox.providers import Spec
from workbench.sandbox.spec import GivenFile

users = pytest.mark.parametrize("user", USERS)


@users
def test_the_only_way_out_is_the_hubs_own_socket(user: str) -> None:
    async def look(ground: Ground) -> None:
        net = Path(ground.folder, "net")
        net.mkdir(mode=0o755)
        asked: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            body = b"x" * 300_000
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
            )
            await writer.drain()
            writer.close()

        server = await asyncio.start_unix_server(answer, sock=listen(str(net / "egress.sock")))
        if ground.machine.owner is not None:
            os.chown(net / "egress.sock", ground.machine.owner, ground.machine.owner)
        env = {"http_proxy": "http://127.0.0.1:3128"}
        files = (
            GivenFile("/etc/ssl/certs/ca-certificates.crt", b"OURS"),
            GivenFile("/no/where/yet", b"x", 0o600),
        )
        async with running(ground.provider, ground.disk(), Spec(env=env, net=str(net), files=files)) as box:
            fetch = "import urllib.request as u; print(len(u.urlopen('http://example.com/some').read()))"
            done = await asyncio.gather(*(box.channel.run(["python3", "-c", fetch]) for _ in range(3)))
            assert [each.stdout for each in done] == [b"300000\n"] * 3, done
            assert asked[0].startswith(b"GET http://example.com/some HTTP/1.1\r\n")
            assert "Network is unreachable" in await box.sh(
                "python3 -c \"import socket; socket.create_connection(('1.1.1.1', 80))\""
            )
            assert "Read-only" in await box.sh("rm /run/cfwb/net/egress.sock")
            assert (
                await box.sh("cat /etc/ssl/certs/ca-certificates.crt /no/where/yet; stat -c %a /no/where/yet")
                == "OURSx600"
            )
            server.close()
            assert await box.sh("echo alive") == "alive"

    on_ground(user, look)


@users
def test_the_certificate_key_stays_with_the_hub(user: str) -> None:
    async def look(ground: Ground) -> None:
        hub, net = Path(ground.folder, "hub"), Path(ground.folder, "net")
        owner = ground.machine.owner
        egress = await Egress.open(hub, keyring=False)
        try:
            await egress.attach("box", net, owner=None if owner is None else (owner, owner))
            assert any("PRIVATE KEY" in path.read_text() for path in hub.rglob("*.pem")), list(hub.rglob("*"))
            spec = Spec(env=await egress.environment("box"), net=str(net))
            async with running(ground.provider, ground.disk(), spec) as box:
                assert "BEGIN CERTIFICATE" in await box.sh("cat /run/cfwb/net/authority.pem")
                search = "grep -rls 'PRIVATE KEY' /run /etc /root /home /tmp /var /workspace /dev/shm"
                assert await box.sh(search + " | grep -v /run/cfwb/python") == ""
                for path in (hub, net, box.disk.folder):
                    assert "No such file" in await box.sh(
                        f"ls -d {path} /oldroot{path} /proc/1/root{path} 2>&1 | head -1"
                    )
        finally:
            await egress.close()

    on_ground(user, look)


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def taken_over(path: Path, answer: Answer) -> AsyncIterator[Channel]:
    """An init that does what it likes."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(served, sock=listen(str(path / "s")))
    try:
        yield Channel(str(path / "s"))
    finally:
        server.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0\0",
        struct.pack(">IB", 1 << 31, 0),
        struct.pack(">IB", 4, 9) + b"null",
        wire.frame(wire.JSON, b"null"),
        wire.frame(wire.JSON, b"[" * 100_000),
        wire.frame(wire.JSON, b'{"session": 3, "processes": {"a": 1}, "entries": [1], "terminal": []}'),
        wire.frame(wire.DATA, b"x"),
        wire.frame(wire.END),
        wire.error("x" * 5000, "y" * 9000),
        wire.frame(wire.ERROR, b"[]"),
        wire.frame(wire.JSON, b"{}") + struct.pack(">IB", 100, 1) + b"short",
    ],
)
async def test_an_init_that_lies_is_an_error_and_nothing_worse(said: bytes, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with asyncio.timeout(20), taken_over(tmp_path, answer) as channel:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: channel.run(["true"]),
            lambda: channel.create_session("s"),
            channel.processes,
            lambda: channel.open_terminal("t"),
            lambda: channel.put_file("/x", b"y" * 3_000_000),
            lambda: _all(channel.list_files("/")),
            lambda: _all(channel.watch("/")),
            lambda: _read(channel),
        ]
        failed: list[WorkbenchError] = []
        for call in calls:
            try:
                await call()
            except WorkbenchError as error:
                failed.append(error)
    assert failed  # some of what it says may happen to be an answer
    assert all(error.code.startswith("sandbox.") and len(error.code) < 80 for error in failed)
    assert all(len(error.message) < 5000 for error in failed)


async def _all(pieces: AsyncIterator[object]) -> None:
    async for _ in pieces:
        pass


async def _read(channel: Channel) -> None:
    async with channel.get_file("/x") as (_, data):
        await _all(data)


async def test_an_init_that_floods_is_given_up(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(wire.frame(wire.DATA, bytes(1 << 20)))
            await writer.drain()

    async with asyncio.timeout(30), taken_over(tmp_path, answer) as channel:
        with pytest.raises(WorkbenchError) as raised:
            await channel.run(["true"], most=10 << 20)
        assert raised.value.code == "sandbox.too_much_output"


async def test_a_path_longer_than_an_address_can_be_listened_on(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.message({"protocol": 1}))

    async with taken_over(folder, answer) as channel:
        assert (await channel.hello())["protocol"] == 1
