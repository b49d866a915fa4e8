"""Terminals of the hub: the bridge's own, and ours, which come back exactly; several who look, one who types."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.hubs import Home, a_home
from workbench.backends.sandboxes import SandboxServer
from workbench.hub.terminals.sizing import size_for
from workbench.hub.terminals.viewer import Viewer
from workbench.model.errors import WorkbenchError
from workbench.terminal import Terminal

home = pytest.fixture(a_home)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[SandboxServer]:
    server = home.server()
    await server.create({"name": "it", "provider": "process", "unsafe": True})
    yield server
    await server.close()


class Looker:
    """A viewer with a screen of its own, as a pane has it."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.screen = Terminal()
        self.said: list[dict[str, Any]] = []
        self.states = 0
        self._due = 0

    @classmethod
    async def join(cls, server: SandboxServer, id: str, path: str, **params: Any) -> Looker:
        return cls(await server.transport.websocket(f"/v1/sandbox/{id}/{path}", params=params))

    async def hear(self) -> dict[str, Any] | None:
        """Take one message; a JSON one is given back."""
        async with asyncio.timeout(20):
            message = await self.socket.recv()
        if isinstance(message, bytes):
            if self._due:
                assert len(message) == self._due
                self.screen, self._due = Terminal.restore(message), 0
                self.states += 1
            else:
                self.screen.feed(message)
            return None
        said = json.loads(message)
        self.said.append(said)
        if said["type"] == "state":
            self._due = said["bytes"]
        elif said["type"] == "resize":
            self.screen.resize(said["cols"], said["rows"])
        return said

    async def until(self, text: str) -> None:
        while text not in self.text():
            await self.hear()

    async def until_said(self, kind: str) -> dict[str, Any]:
        while True:
            said = await self.hear()
            if said is not None and said["type"] == kind:
                return said

    async def type(self, text: str) -> None:
        await self.socket.send(text.encode())

    async def say(self, **control: Any) -> None:
        await self.socket.send(json.dumps(control))

    def text(self) -> str:
        return "\n".join(self.screen.text(row) for row in self.screen.rows)


def whole(screen: Terminal) -> tuple[Any, ...]:
    """All that can be seen of a screen: every line with its styles, the scrollback, cursor, modes, title."""
    numbers = range(screen.first_line, screen.end_line)
    lines = [list(screen.runs(screen.line(number))) for number in numbers]
    return lines, screen.top_line, screen.cursor, screen.modes, screen.title


async def id_of(server: SandboxServer) -> str:
    return (await server.get("it")).id


async def opened(server: SandboxServer, *argv: str, **more: Any) -> tuple[str, str]:
    """(id of the sandbox, id of a new terminal)"""
    id = await id_of(server)
    body = {"argv": list(argv) or ["sh"], "env": {"PS1": "$ "}} | more
    made = await server.transport.request("POST", f"/v1/sandbox/{id}/terminal", body=body)
    return id, made["id"]


async def test_the_bridge_s_terminal_shows_what_it_prints_and_says_ready_and_exit(
    server: SandboxServer,
) -> None:
    id = await id_of(server)
    one = await Looker.join(server, id, "pty", cols=100, rows=30, shell="/bin/sh")
    assert await one.until_said("ready") == {"type": "ready"}
    await one.type("stty size; echo made-$((6*7))\n")
    await one.until("made-42")
    assert "30 100" in one.text()
    await one.say(type="resize", cols=90, rows=20)
    await one.type("clear; stty size\n")
    await one.until("20 90")
    two = await Looker.join(server, id, "pty")
    await two.until("20 90")
    await one.type("exit 3\n")
    assert await one.until_said("exit") == {"type": "exit", "code": 3}
    assert await two.until_said("exit") == {"type": "exit", "code": 3}


async def test_a_wrong_size_is_told_and_harms_nobody(server: SandboxServer) -> None:
    one = await Looker.join(server, await id_of(server), "pty", shell="/bin/sh")
    await one.say(type="resize", cols=0, rows=20)
    assert (await one.until_said("error"))["message"] == "Invalid dimensions: cols and rows must be positive"
    await one.socket.send("no json")
    assert (await one.until_said("error"))["message"] == "Invalid control message"
    for params in ({"cols": "x"}, {"rows": "y"}):
        with pytest.raises(WorkbenchError) as caught:
            await server.transport.websocket(f"/v1/sandbox/{await id_of(server)}/pty", params=params)
        assert caught.value.message == "cols and rows must be valid numbers"
        assert caught.value.code == "sandboxes.invalid_request"


async def test_who_comes_later_gets_the_screen_as_it_is(server: SandboxServer) -> None:
    id, terminal = await opened(
        server, "sh", "-c", r"printf '\033[?1049h\033[31mred\033[5;10Hhere\033]2;a title\007'; cat"
    )
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.until("here")
    two = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await two.until("here")
    assert whole(two.screen) == whole(one.screen)
    assert two.screen.modes.alternate
    shown = await server.transport.request("GET", f"/v1/sandbox/{id}/terminal/{terminal}")
    assert shown["lines"][0] == "red"
    assert shown["lines"][4] == " " * 9 + "here"
    assert shown["cursor"] == [13, 4]
    assert (shown["title"], shown["alternate"]) == ("a title", True)


async def test_a_hub_killed_and_started_again_has_the_exact_screen(home: Home, server: SandboxServer) -> None:
    program = r"for i in $(seq 200); do echo line $i; done; printf '\033[?1049h\033[2J\033[3;3Hfull screen\033[?25l'; cat"
    id, terminal = await opened(server, "sh", "-c", program)
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.until("full screen")
    await one.type("seen\n")
    await one.until("seen\nseen")
    home.kill_hub()
    two = await Looker.join(home.server(), id, f"terminal/{terminal}/ws", replay="state")
    await two.until("seen\nseen")
    assert whole(two.screen) == whole(one.screen)
    assert two.screen.text(two.screen.line(two.screen.first_line)) == "line 1"
    await two.type("more\n")
    await two.until("more")


async def test_one_has_the_keyboard_and_all_see_who(server: SandboxServer) -> None:
    id, terminal = await opened(server, "cat")
    path = f"terminal/{terminal}/ws"
    ann = await Looker.join(server, id, path, replay="state", name="ann")
    bot = await Looker.join(server, id, path, replay="state", name="bot")
    await ann.say(type="take")
    assert (await bot.until_said("keyboard"))["holder"]["name"] == "ann"
    await bot.type("from bot\n")
    assert (await bot.until_said("refused"))["holder"]["name"] == "ann"
    with pytest.raises(WorkbenchError) as caught:
        await server.transport.request("POST", f"/v1/sandbox/{id}/{path[:-3]}/input", body={"text": "x"})
    assert caught.value.code == "terminals.keyboard_taken"
    await ann.type("from ann\n")
    await bot.until("from ann")
    assert "from bot" not in bot.text()
    await ann.socket.close()
    assert (await bot.until_said("keyboard"))["holder"] is None
    await bot.type("from bot\n")
    await bot.until("from bot")


async def test_a_viewer_that_does_not_read_holds_nobody_up_and_sees_the_end(server: SandboxServer) -> None:
    id, terminal = await opened(server, "sh", "-c", "read x; seq 1 2000000; echo the end; cat")
    path = f"terminal/{terminal}/ws"
    slow = await Looker.join(server, id, path, replay="state")
    quick = await Looker.join(server, id, path, replay="state")
    raw = await Looker.join(server, id, path)
    await quick.type("go\n")
    async with asyncio.timeout(60):
        while "the end" not in quick.text():
            await quick.hear()
    await slow.until("the end")
    assert slow.states > 1
    assert slow.text() == quick.text()
    with pytest.raises(ConnectionClosed) as caught:
        await raw.until_said("never")
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1013


async def test_a_query_is_answered_once_though_nobody_or_many_look(server: SandboxServer) -> None:
    program = r"stty raw -echo; printf '\033[6n'; dd bs=1 count=6 2>/dev/null | od -c | head -1; sleep 0.1; dd bs=1 count=1 2>/dev/null"
    id, terminal = await opened(server, "sh", "-c", program)
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    two = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.until("033")
    await two.until("033")
    assert "[   1   ;   1   R" in one.text()


async def test_it_is_recorded_and_plays_back_to_the_same_screen(home: Home, server: SandboxServer) -> None:
    id, terminal = await opened(
        server, "sh", "-c", r"printf 'caf\303'; sleep 0.1; printf '\251 \377\n'; read x; echo $x; cat"
    )
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.until("café")
    home.kill_hub()
    server = home.server()
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.type("after\n")
    await one.until("after\nafter")
    await one.say(type="resize", cols=60, rows=10)
    await one.until_said("resize")
    async with server.transport.stream("GET", f"/v1/sandbox/{id}/terminal/{terminal}/cast") as response:
        lines = (await response.aread()).decode().splitlines()
    head = json.loads(lines[0])
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    played = Terminal(80, 24)
    for line in lines[1:]:
        _, kind, data = json.loads(line)
        if kind == "o":
            played.feed(data.encode("utf-8", "surrogateescape"))
        else:
            assert data == "60x10"
            played.resize(60, 10)
    assert [played.text(row) for row in played.rows] == [one.screen.text(row) for row in one.screen.rows]


async def test_closed_it_is_gone_and_so_is_its_program(server: SandboxServer) -> None:
    id, terminal = await opened(server, "sh", "-c", "trap '' HUP; while :; do sleep 1; done")
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await server.transport.request("DELETE", f"/v1/sandbox/{id}/terminal/{terminal}")
    await one.until_said("exit")
    found = await server.transport.request("GET", f"/v1/sandbox/{id}/terminal")
    assert found["terminals"] == []


async def test_text_is_typed_through_the_api(server: SandboxServer) -> None:
    id, terminal = await opened(server, "cat")
    url = f"/v1/sandbox/{id}/terminal/{terminal}"
    await server.transport.request("POST", f"{url}/input", body={"text": "as text\n"})
    data = base64.b64encode(b"as bytes\n").decode()
    await server.transport.request("POST", f"{url}/input", body={"data": data})
    one = await Looker.join(server, id, f"terminal/{terminal}/ws", replay="state")
    await one.until("as bytes")
    assert "as text" in one.text()


def test_a_terminal_takes_the_size_that_its_viewers_agree_on() -> None:
    def viewer(policy: str, cols: int, rows: int) -> Viewer:
        made = Viewer("", "", states=True, policy=policy, size=(1, 1))
        made.says((cols, rows))
        return made

    small, large = viewer("fit", 80, 24), viewer("fit", 200, 60)
    assert size_for([large, small], None) == (200, 60)  # who said it last
    assert size_for([large, small], small) == (80, 24)  # but who types comes first
    assert size_for([viewer("watch", 10, 10), small], None) == (80, 24)
    cut = viewer("smallest", 100, 20)
    assert size_for([large, cut], large) == (100, 20)
    assert size_for([cut, viewer("smallest", 90, 50)], None) == (90, 20)
    assert size_for([small, large, cut, viewer("fixed", 132, 43)], None) == (132, 43)
    assert (
        size_for([viewer("watch", 10, 10), Viewer("", "", states=True, policy="fit", size=(5, 5))], None)
        is None
    )


async def test_a_viewer_that_goes_leaves_the_size_to_those_who_stay(server: SandboxServer) -> None:
    id = (await server.terminals.create("it", ["sh"])).id
    where = f"terminal/{id}/ws"
    sandbox = (await server.get("it")).id
    wide = await Looker.join(server, sandbox, where, replay="state", name="wide")
    await wide.say(type="size", policy="fit", cols=120, rows=40)
    while wide.screen.columns != 120:
        await wide.hear()
    narrow = await Looker.join(server, sandbox, where, replay="state", name="narrow")
    await narrow.say(type="size", policy="smallest", cols=60, rows=50)
    while (wide.screen.columns, wide.screen.lines) != (60, 40):
        await wide.hear()
    await narrow.socket.close()
    while wide.screen.columns != 120:
        await wide.hear()
    await wide.socket.close()


async def test_a_fresh_screen_goes_out_by_itself_and_what_comes_after_it_next() -> None:
    slow = Viewer("", "", states=True, policy="watch", size=(80, 24))
    for _ in range(40):
        slow.put(b"x" * 60_000)
    assert await slow.next() is None and slow.behind
    slow.begin({"type": "state", "bytes": 6}, b"screen")
    slow.put(b"one ")
    slow.put(b"two")
    assert [await slow.next() for _ in range(3)] == [{"type": "state", "bytes": 6}, b"screen", b"one two"]
