"""A sandbox's life in the hub: sleep and waking, an end nobody wanted, hubs that are killed at any point."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.backends.sandboxes import SandboxServer
from workbench.model.errors import WorkbenchError
from workbench.model.hub import PROTOCOL
from workbench.model.sandboxes import Sandbox

home = pytest.fixture(a_home)


@pytest.fixture(params=["bubblewrap", "process"])
async def server(request: pytest.FixtureRequest, home: Home) -> AsyncIterator[SandboxServer]:
    if request.param == "bubblewrap":
        needs_bubblewrap()
    server = home.server()
    await made(server, "it", provider=request.param, unsafe=request.param == "process")
    yield server
    await server.close()


async def made(server: SandboxServer, name: str, **options: object) -> Sandbox:
    return await server.create({"name": name} | options)


async def run(server: SandboxServer, *argv: str, sandbox: str = "it") -> str:
    running = await server.exec(sandbox, argv)
    output = b"".join([data async for name, data in running if name == "stdout"])
    assert running.exit_code == 0
    return output.decode()


async def until(server: SandboxServer, is_so: Callable[[Sandbox], bool], sandbox: str = "it") -> Sandbox:
    async with asyncio.timeout(30):
        while True:
            rows = (await server.list()).items
            found = next(row for row in rows if row.name == sandbox)
            if is_so(found):
                return found
            await asyncio.sleep(0.02)


def folder(home: Home, found: Sandbox) -> Path:
    return Path(home.places.sandboxes) / found.id[:8]


async def test_it_sleeps_when_nobody_uses_it_and_wakes_when_somebody_does(server: SandboxServer) -> None:
    await run(server, "sh", "-c", "echo kept > file")
    await made(server, "other", provider="process", unsafe=True, sleep_after=1, keep_alive=True)
    await server.update("it", {"sleep_after": 1})
    asleep = await until(server, lambda it: it.state == "asleep")
    assert asleep.reason == ""
    assert (await server.get("other")).state == "running"
    assert await run(server, "cat", "file") == "kept\n"
    assert (await server.get("it")).state == "running"
    events = []
    async for event in server.events("it", after=0):
        if event.event != "snapshot.created":
            events.append(event.event)
        if len(events) == 5:
            break
    assert events == ["created", "started", "changed", "asleep", "started"]


async def test_one_that_is_used_does_not_sleep(server: SandboxServer) -> None:
    await made(server, "idle", provider="process", unsafe=True, sleep_after=1)
    await server.update("it", {"sleep_after": 1})
    running = await server.exec("it", ["sh", "-c", "echo up; exec sleep 1000"])
    async for _ in running:
        await until(server, lambda it: it.state == "asleep", sandbox="idle")
        assert (await server.get("it")).state == "running"
        break
    await running.aclose()


async def test_one_that_dies_is_told_and_starts_again(home: Home, server: SandboxServer) -> None:
    found = await server.get("it")
    pid = json.loads((folder(home, found) / "running.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    died = await until(server, lambda it: it.state == "failed")
    assert died.reason == "its processes ended, and nobody here ended them"
    assert await run(server, "echo", "again") == "again\n"


async def test_what_runs_goes_on_without_the_hub_and_is_found_again(
    home: Home, server: SandboxServer
) -> None:
    before = await server.processes.start("it", ["sleep", "1000"], id="p")
    preview = await server.previews.create("it", 8123, "app")
    await server.sessions.create("it", "s", env={"A": "1"})
    home.kill_hub()
    server = home.server()
    after = await server.processes.get("it", "p")
    assert (after.pid, after.state, after.started) == (before.pid, "running", before.started)
    assert [session.id for session in await server.sessions.list("it")] == ["s"]
    assert await server.previews.list("it") == [preview]
    assert (await server.get("it")).state == "running"


async def test_a_hub_that_is_told_to_end_leaves_them_running_too(home: Home, server: SandboxServer) -> None:
    before = await server.processes.start("it", ["sleep", "1000"], id="p")
    stopped = await server.stop_hub()
    assert (stopped.stopped, stopped.left) == (True, 1)
    assert (await home.server().processes.get("it", "p")).pid == before.pid
    stopped = await home.server().stop_hub(sandboxes=True)
    assert stopped.left == 0
    assert (await home.server().list()).items[0].state == "stopped"


async def test_an_older_hub_is_replaced_and_they_live_on(home: Home, server: SandboxServer) -> None:
    before = await server.processes.start("it", ["sleep", "1000"], id="p")
    hub = (await server.hub()).pid
    info = Path(home.places.info)
    info.write_text(json.dumps(json.loads(info.read_text()) | {"protocol": PROTOCOL - 1}))
    server = home.server()
    assert (await server.processes.get("it", "p")).pid == before.pid
    assert (await server.hub()).pid != hub


async def test_one_who_stops_reading_costs_nobody_anything(home: Home, server: SandboxServer) -> None:
    """A flood whose reader does not read stands still inside; the hub's memory does not grow, others are served."""
    hub = (await server.hub()).pid
    floods = []
    for _ in range(3):
        running = await server.exec("it", ["sh", "-c", "while :; do head -c 1000000 /dev/zero; done"])
        stream = aiter(running)
        await anext(stream)
        floods.append((running, stream))
    events = server.events("it", after=0)
    await anext(events)
    before = resident(hub)
    for number in range(30):
        assert await run(server, "echo", str(number)) == f"{number}\n"
        await server.update("it", {"sleep_after": 600 + number})
    assert resident(hub) - before < 30 << 20
    for running, _ in floods:
        await running.aclose()


def resident(pid: int | None) -> int:
    """Bytes in memory."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_killed_before_it_was_written_down_it_is_found_all_the_same(
    home: Home, server: SandboxServer
) -> None:
    before = await server.processes.start("it", ["sleep", "1000"], id="p")
    where = folder(home, await server.get("it"))
    home.kill_hub()
    (where / "running.json").unlink()
    record = json.loads((where / "sandbox.json").read_text())
    (where / "sandbox.json").write_text(json.dumps(record | {"state": "stopped"}))
    assert (await home.server().processes.get("it", "p")).pid == before.pid


async def test_after_the_machine_was_started_anew_it_is_stopped_and_keeps_its_disk(
    home: Home, server: SandboxServer
) -> None:
    await run(server, "sh", "-c", "echo kept > file")
    where = folder(home, await server.get("it"))
    home.kill_hub()
    running = json.loads((where / "running.json").read_text())
    os.kill(running["pid"], signal.SIGKILL)
    (where / "running.json").write_text(json.dumps(running | {"boot": "another boot"}))
    server = home.server()
    found = (await server.list()).items[0]
    assert (found.state, found.reason) == ("stopped", "it ended while no hub ran")
    assert await run(server, "cat", "file") == "kept\n"


async def test_what_was_cut_short_is_cleared_away_and_what_is_newer_left_alone(
    home: Home, server: SandboxServer
) -> None:
    await server.stop_hub(sandboxes=True)
    sandboxes = Path(home.places.sandboxes)
    half = sandboxes / ".halfmade"
    (half / "up" / "top").mkdir(parents=True)
    (half / "up" / "top" / "file").write_text("x")
    newer = sandboxes / "newnewne"
    newer.mkdir()
    (newer / "sandbox.json").write_text('{"format": 99, "id": "newnewnew"}')
    damaged = sandboxes / "damagedd"
    damaged.mkdir()
    (damaged / "sandbox.json").write_text("{")
    found = (await home.server().list()).items
    assert [row.name for row in found] == ["it"]
    assert not half.exists()
    assert json.loads((newer / "sandbox.json").read_text())["format"] == 99
    assert (damaged / "sandbox.json").read_text() == "{"


async def test_deleted_nothing_of_it_is_left(home: Home, server: SandboxServer) -> None:
    await server.terminals.create("it", ["sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done"])
    await server.processes.start("it", ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    found = await server.get("it")
    where = folder(home, found)
    pid = json.loads((where / "running.json").read_text())["pid"]
    await run(server, "sh", "-c", "mkdir -p a/b; chmod 0 a; ln -s /etc/passwd link")
    await server.delete("it")
    assert not os.path.exists(f"/proc/{pid}") or "Z" in Path(f"/proc/{pid}/stat").read_text()
    assert os.listdir(home.places.sandboxes) == []
    assert os.path.exists("/etc/passwd")
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        assert str(where) not in mounts.read()


async def test_an_init_that_does_not_answer_is_told_and_started_anew(home: Home) -> None:
    server = home.server()
    await made(server, "it", provider="process", unsafe=True)
    pid = json.loads((folder(home, await server.get("it")) / "running.json").read_text())["pid"]
    home.kill_hub()
    os.kill(pid, signal.SIGSTOP)
    try:
        found = (await home.server().list()).items[0]
        assert (found.state, found.reason) == (
            "failed",
            "what runs in it could not be taken up: it does not answer",
        )
        assert await run(home.server(), "echo", "anew") == "anew\n"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    "name",
    ["a/b", "..", ".", " ", "x\ny", "\x1b[31m", "\u202eevil", "%2e%2e", "😀" * 64, "it?x=1&y#z", "-rf", "0"],
)
async def test_a_name_is_any_text(home: Home, name: str) -> None:
    server = home.server()
    made_now = await made(server, name, provider="process", unsafe=True, start=False)
    assert made_now.name == name
    assert (await server.get(name)).id == made_now.id
    assert [row.name for row in (await server.list()).items] == [name]
    assert os.listdir(home.places.sandboxes) == [made_now.id[:8]]
    await server.delete(name)
    assert (await server.list()).items == []


@pytest.mark.parametrize("name", ["", "x" * 129, 5, ["x"]])
async def test_what_is_no_name(home: Home, name: object) -> None:
    server = home.server()
    with pytest.raises(WorkbenchError) as caught:
        await server.create({"name": name, "provider": "process", "unsafe": True})
    assert caught.value.code == "sandboxes.invalid_request"


async def test_many_at_once_get_the_same_start(server: SandboxServer) -> None:
    await server.stop("it")
    said = await asyncio.gather(*(run(server, "sh", "-c", f"echo {number}") for number in range(20)))
    assert said == [f"{number}\n" for number in range(20)]
    events = [event async for event in _first(server, 4)]
    assert [event for event in events if event == "started"] == ["started", "started"]


async def _first(server: SandboxServer, count: int) -> AsyncIterator[str]:
    async for event in server.events("it", after=0):
        yield event.event
        count -= 1
        if not count:
            return


async def test_what_has_filled_its_disk_is_frozen_and_can_be_let_go_on(server: SandboxServer) -> None:
    await server.update("it", {"limits": {"disk_bytes": 20_000_000}})
    await run(server, "sh", "-c", "for n in 1 2 3; do head -c 9000000 /dev/zero > $n; done")
    full = await until(server, lambda found: found.state == "frozen")
    assert "may write 20,000,000" in (await server.get("it")).reason
    await server.start(full.name)
    await run(server, "rm", "1", "2", "3")
    assert (await server.get("it")).state == "running"


# Timers that send SIGCONT, with somebody who takes it: whoever is stopped goes on, and sets them again.
WAKES_ITSELF = """
import ctypes, signal
libc = ctypes.CDLL(None)
def arm(*_):
    for number in range(1, 200):
        event = (ctypes.c_int * 16)(0, 0, signal.SIGCONT, 0)
        timer, times = ctypes.c_void_p(), (ctypes.c_long * 4)(0, 0, number // 20, number % 20 * 50_000_000)
        libc.timer_create(1, ctypes.byref(event), ctypes.byref(timer))
        libc.timer_settime(timer, 0, ctypes.byref(times), None)
signal.signal(signal.SIGCONT, lambda *_: None)
arm()
for count in range(1000):
    with open(f"more-{count}", "wb") as file:
        file.write(bytes(200_000))
    signal.sigtimedwait([], 0.02)
    if count % 50 == 0:
        arm()
"""


async def test_what_wakes_itself_to_write_on_is_ended(server: SandboxServer) -> None:
    await server.update("it", {"limits": {"disk_bytes": 10_000_000}})
    running = await server.exec("it", ["python3", "-c", WAKES_ITSELF])
    with contextlib.suppress(WorkbenchError):
        async for _ in running:
            pass
    ended = await until(server, lambda found: found.state == "stopped")
    assert "although it was frozen" in (await until(server, lambda found: bool(found.reason))).reason
    assert ended.name == "it"


async def test_limits_are_changed_while_it_runs(server: SandboxServer) -> None:
    await run(server, "true")
    await server.update("it", {"limits": {"memory_bytes": 100_000_000}})
    hog = "x = []\nwhile True: x.append(bytearray(4 << 20)); import time; time.sleep(0.02)"
    running = await server.exec("it", ["python3", "-c", hog])
    assert [name async for name, _ in running if name == "stdout"] == []
    assert running.exit_code == 137
