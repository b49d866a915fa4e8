"""What a sandbox's init does, over its socket: programs, sessions, processes, terminals, files, ports."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox, process_disk, running
from workbench.model.errors import WorkbenchError
from workbench.sandbox.channel import DATA, END, JSON, STDERR, Channel, Exchange, Frame
from workbench.sandbox.providers import Spec
from workbench.sandbox.providers.process import ProcessProvider


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    provider = ProcessProvider(str(tmp_path / "programs"))
    async with running(provider, process_disk(tmp_path), Spec(unsafe=True, env={"GIVEN": "1"})) as sandbox:
        yield sandbox


async def read_until(exchange: Exchange, wanted: bytes) -> bytes:
    """Data frames until they hold this."""
    got = b""
    async with asyncio.timeout(20):
        async for frame in exchange:
            got += frame.payload if frame.kind == DATA else b""
            if wanted in got:
                return got
    raise AssertionError(f"{wanted!r} not in {got!r}")


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while os.path.exists(f"/proc/{pid}"):
            await asyncio.sleep(0.01)


async def test_a_program_answers_with_its_streams_and_its_exit_code(box: Sandbox) -> None:
    done = await box.channel.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.exit_code, done.stdout, done.stderr, done.timed_out) == (7, b"out\n", b"err\n", False)


async def test_a_program_that_does_not_exist_ends_as_in_a_shell(box: Sandbox) -> None:
    done = await box.channel.run(["no-such-program"])
    assert done.exit_code == 127
    assert b"no-such-program: No such file" in done.stderr
    assert (await box.channel.run(["/etc/hostname"])).exit_code == 126


async def test_a_signal_is_told_as_a_signal(box: Sandbox) -> None:
    done = await box.channel.run(["sh", "-c", "kill -9 $$"])
    assert (done.exit_code, done.signal) == (None, 9)


async def test_standard_input_reaches_the_program_and_ends(box: Sandbox) -> None:
    text = b"x" * 3_000_000
    done = await box.channel.run(["cat"], stdin=text)
    assert done.stdout == text
    assert (await box.channel.run(["head", "-c", "3"], stdin=text)).stdout == b"xxx"
    assert (await box.channel.run(["cat"])).stdout == b""


async def test_environment_and_folder_are_those_asked_for(box: Sandbox) -> None:
    assert await box.sh("echo $GIVEN $MINE; pwd", env={"MINE": "2"}, cwd="/usr") == "1 2\n/usr"
    assert await box.sh("pwd") == box.disk.outside("/workspace")


async def test_what_runs_too_long_is_ended_with_all_it_started(box: Sandbox) -> None:
    done = await box.channel.run(["sh", "-c", "sleep 1000 & echo $!; wait"], within=0.3)
    assert done.timed_out
    child = int(done.stdout)
    await gone(child)


async def test_a_program_that_ignores_sigterm_runs_out_of_time_all_the_same(box: Sandbox) -> None:
    done = await box.channel.run(["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"], within=0.2)
    assert done.timed_out and done.signal == signal.SIGKILL


async def test_an_exec_nobody_waits_for_any_more_is_ended(box: Sandbox, tmp_path: Path) -> None:
    async with await box.channel.execute(["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 1000"]):
        async with asyncio.timeout(10):
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
                await asyncio.sleep(0.01)
    pid = int((tmp_path / "pid").read_text())
    await gone(pid)


async def test_a_daemon_does_not_hold_up_the_exec_that_started_it(box: Sandbox) -> None:
    async with asyncio.timeout(10):
        done = await box.channel.run(["sh", "-c", "sleep 1000 & echo begun"])
    assert done.stdout == b"begun\n"


async def test_a_reader_that_stops_reading_costs_no_memory(box: Sandbox) -> None:
    async with await box.channel.execute(["cat", "/dev/zero"]):
        async with asyncio.timeout(20):
            for _ in range(3):
                await box.channel.run(["true"])
        status = Path(f"/proc/{box.running.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert resident < 60_000


async def test_the_program_is_signalled_as_a_whole(box: Sandbox) -> None:
    async with await box.channel.execute(
        ["sh", "-c", "trap 'echo got; exit 3' INT; echo ready; sleep 99 & wait"]
    ) as run:
        await read_until(run, b"ready")
        await run.tell(signal=int(signal.SIGINT))
        await read_until(run, b"got")
        assert (await run.answer())["exit_code"] == 3


async def test_a_session_keeps_its_folder_and_environment(box: Sandbox) -> None:
    await box.channel.create_session("s", env={"A": "1"})
    await box.channel.run(["cd", "/usr/lib"], session="s")
    await box.channel.run(script="export B='two words'; LOCAL=3", session="s")
    done = await box.channel.run(script="echo $PWD $A $B $LOCAL", session="s")
    assert done.stdout == b"/usr/lib 1 two words\n"
    done = await box.channel.run(["sh", "-c", "echo $ONCE; exit 4"], session="s", env={"ONCE": "x"})
    assert (done.stdout, done.exit_code) == (b"x\n", 4)
    assert (await box.channel.run(script="echo $ONCE; exit 5", session="s")) == (5, None, False, b"\n", b"")
    (session,) = await box.channel.sessions()
    assert (session["cwd"], session["env"]["B"], "ONCE" in session["env"]) == ("/usr/lib", "two words", False)
    assert await box.sh("echo $A") == ""


async def test_execs_of_one_session_take_turns_and_others_do_not_wait(box: Sandbox) -> None:
    await box.channel.create_session("s")
    await box.channel.create_session("other")
    async with await box.channel.execute(
        script="echo first; read line; cd /usr", session="s", stdin=True
    ) as first:
        await read_until(first, b"first")
        second = asyncio.create_task(box.channel.run(["pwd"], session="s"))
        assert (await box.channel.run(["echo", "free"], session="other")).stdout == b"free\n"
        assert not second.done()
        await first.send(DATA, b"\n")
        await first.send(END)
        assert (await second).stdout == b"/usr\n"


async def test_a_session_that_is_not_there_is_said(box: Sandbox) -> None:
    with pytest.raises(WorkbenchError) as raised:
        await box.channel.run(["true"], session="none")
    assert raised.value.code == "sandbox.no_such_session"
    await box.channel.create_session("s")
    with pytest.raises(WorkbenchError, match="already"):
        await box.channel.create_session("s")
    await box.channel.delete_session("s")
    assert await box.channel.sessions() == []


async def test_a_process_runs_on_and_its_log_can_be_read_and_followed(box: Sandbox) -> None:
    started = await box.channel.start_process("web", script="echo one; echo two >&2; read x; echo three")
    assert started["state"] in ("running", "exited")
    ended = await box.channel.wait("web", within=20)
    assert ended["matched"] and ended["process"]["exit_code"] == 0
    kinds: list[tuple[int, bytes]] = []
    async with await box.channel.logs("web") as log:
        assert await log.answer() == {"offset": 0, "lost": False}
        async for frame in log:
            kinds.append((frame.kind, frame.payload))
    assert kinds[-1][0] == JSON
    assert b"".join(data for kind, data in kinds if kind == DATA) == b"one\nthree\n"
    assert b"".join(data for kind, data in kinds if kind == STDERR) == b"two\n"
    async with await box.channel.logs("web", stream="stdout", offset=4) as log:
        await log.answer()
        assert (await log.receive()).payload in (b"three\n", b"")  # type: ignore[union-attr]


async def test_a_process_is_waited_for_by_a_line_of_its_log(box: Sandbox) -> None:
    await box.channel.start_process(
        "p", script="sleep 0.1; echo listening on http://localhost:81/x; sleep 99"
    )
    found = await box.channel.wait("p", pattern=r"http://localhost:(\d+)", within=20)
    assert found["matched"] and found["groups"] == ["81"] and found["line"].startswith("listening")
    late = await box.channel.wait("p", pattern="listening", literal=True, within=20)
    assert late["matched"]
    never = await box.channel.wait("p", pattern="never", within=0.1)
    assert (never["matched"], never["reason"]) == (False, "timeout")
    assert await box.channel.signal_process("p", signal.SIGTERM)
    gone = await box.channel.wait("p", pattern="never", within=20)
    assert (gone["matched"], gone["reason"]) == (False, "exited")


async def test_a_pattern_that_burns_holds_nobody_up(box: Sandbox) -> None:
    await box.channel.start_process("p", script=f"echo {'a' * 60}; sleep 99")
    burning = asyncio.create_task(box.channel.wait("p", pattern=r"(a+)+$b", within=0.2))
    async with asyncio.timeout(20):
        assert await box.sh("echo quick") == "quick"
        with pytest.raises(WorkbenchError):
            await burning


async def test_a_port_is_waited_for_and_connected_to(box: Sandbox) -> None:
    serve = (
        "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler);"
        "print(s.server_port, flush=True); s.serve_forever()"
    )
    await box.channel.start_process("web", ["python3", "-c", serve])
    port = int((await box.channel.wait("web", pattern=r"^\d+$", within=30))["line"])
    assert (await box.channel.wait("web", port=port, within=20))["matched"]
    assert {"port": port, "address": "loopback"} in await box.channel.ports()
    reader, writer = await box.channel.connect_port(port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read(9)) == b"HTTP/1.0 "
    writer.close()
    await box.channel.signal_process("web", signal.SIGKILL)
    await box.channel.wait("web", within=20)
    with pytest.raises(WorkbenchError) as raised:
        await box.channel.connect_port(port)
    assert raised.value.code == "sandbox.port_closed"
    never = await box.channel.wait(port=port, within=0.1)
    assert never == {"matched": False, "reason": "timeout"}


async def test_a_process_that_cannot_start_says_why_and_ids_are_taken_once(box: Sandbox) -> None:
    failed = await box.channel.start_process("p", ["/no/such"])
    assert failed["problem"] == "No such file or directory"
    with pytest.raises(WorkbenchError) as raised:
        await box.channel.start_process("p", ["true"])
    assert raised.value.code == "sandbox.process_exists"
    for wrong in ("", "../x", "a/b", "x" * 200):
        with pytest.raises(WorkbenchError) as raised:
            await box.channel.start_process(wrong, ["true"])
        assert raised.value.code == "sandbox.bad_request"
    await box.channel.wait("p", within=20)
    await box.channel.delete_process("p")
    assert await box.channel.processes() == []


async def test_processes_are_remembered_by_the_next_start(tmp_path: Path) -> None:
    provider = ProcessProvider(str(tmp_path / "programs"))
    disk = process_disk(tmp_path)
    async with running(provider, disk, Spec(unsafe=True)) as first:
        await first.channel.start_process("done", script="echo kept; exit 3")
        await first.channel.wait("done", within=20)
        await first.channel.start_process("cut", ["sleep", "99"])
    async with running(provider, disk, Spec(unsafe=True)) as second:
        states = {each["id"]: (each["state"], each["exit_code"]) for each in await second.channel.processes()}
        assert states["done"] == ("exited", 3)
        assert states["cut"][0] in ("lost", "exited") and states["cut"][1] is None
        async with await second.channel.logs("done", follow=True) as log:
            assert await read_until(log, b"kept\n")


async def test_a_log_keeps_the_newest_when_there_is_too_much(box: Sandbox) -> None:
    await box.channel.start_process("p", script="head -c 30000000 /dev/zero; echo end")
    await box.channel.wait("p", within=60)
    async with await box.channel.logs("p") as log:
        first = await log.answer()
        assert first["lost"] and first["offset"] > 10_000_000
        assert (await read_until(log, b"end\n")).endswith(b"end\n")
    assert sum(file.stat().st_size for file in Path(box.disk.log).iterdir()) < 20_000_000


async def test_a_terminal_lives_on_without_a_viewer_and_replays(box: Sandbox) -> None:
    await box.channel.open_terminal("t", ["sh"], env={"PS1": "$ "}, size=(100, 30))
    async with await box.channel.attach("t") as seen:
        first = await seen.answer()
        assert (first["cols"], first["rows"], first["lost"]) == (100, 30, False)
        await seen.send(DATA, b"tput cols; stty size; echo a''b\n")
        assert b"30 100" in await read_until(seen, b"ab")
    async with await box.channel.attach("t", start=0) as again:
        await again.answer()
        assert b"30 100" in await read_until(again, b"ab")
        await box.channel.resize_terminal("t", 61, 17)
        async with asyncio.timeout(20):
            async for frame in again:
                if frame.kind == JSON:
                    assert frame.json()["resize"] == [61, 17]
                    break
        await again.send(DATA, b"stty size; exit 5\n")
        await read_until(again, b"17 61")
        async with asyncio.timeout(20):
            async for frame in again:
                if frame.kind == JSON:
                    assert frame.json()["exited"] == {"exit_code": 5, "signal": None}
    (terminal,) = await box.channel.terminals()
    assert terminal["exited"] == {"exit_code": 5, "signal": None}
    await box.channel.close_terminal("t")
    assert await box.channel.terminals() == []


async def test_a_checkpoint_stands_for_what_came_before(box: Sandbox) -> None:
    await box.channel.open_terminal("t", ["sh", "-c", "echo before; read x; echo after; read y"])
    async with await box.channel.attach("t") as seen:
        await seen.answer()
        await read_until(seen, b"before")
    (terminal,) = await box.channel.terminals()
    await box.channel.checkpoint("t", terminal["offset"], b"STATE")
    async with await box.channel.attach("t") as seen:
        first = await seen.answer()
        assert (first["checkpoint"], first["offset"]) == (5, terminal["offset"])
        assert (await seen.receive()).payload == b"STATE"  # type: ignore[union-attr]
        await seen.send(DATA, b"\n")
        assert b"before" not in await read_until(seen, b"after")


async def test_a_flood_nobody_looks_at_is_bounded_and_said_to_be_lost(box: Sandbox) -> None:
    await box.channel.open_terminal("t", ["sh", "-c", "head -c 9000000 /dev/zero; echo end; read x"])
    async with asyncio.timeout(60):
        while (await box.channel.terminals())[0]["offset"] < 9_000_000:
            await asyncio.sleep(0.05)
    async with await box.channel.attach("t") as seen:
        assert (await seen.answer())["lost"]
        assert len(await read_until(seen, b"end")) < 5_000_000


async def test_a_slow_viewer_misses_nothing_of_a_flood(box: Sandbox) -> None:
    await box.channel.open_terminal("t", ["sh", "-c", "read x; head -c 9000000 /dev/zero; echo end; read x"])
    async with await box.channel.attach("t") as seen:
        await seen.answer()
        await seen.send(DATA, b"\n")
        await asyncio.sleep(0.3)
        assert len(await read_until(seen, b"end")) >= 9_000_000


async def test_a_viewer_that_stops_reading_holds_nobody_up(box: Sandbox) -> None:
    flood = "read x; head -c 20000000 /dev/zero; echo end; read x"
    await box.channel.open_terminal("t", ["sh", "-c", flood])
    async with await box.channel.attach("t") as stuck, await box.channel.attach("t") as reads:
        await stuck.answer()
        await reads.answer()
        await reads.send(DATA, b"\n")
        assert len(await read_until(reads, b"end")) >= 20_000_000
        status = Path(f"/proc/{box.running.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert resident < 60_000
        late = [frame async for frame in _until_lost(stuck)]
        assert late[-1].json()["lost"]


async def _until_lost(exchange: Exchange) -> AsyncIterator[Frame]:
    async with asyncio.timeout(20):
        async for frame in exchange:
            yield frame
            if frame.kind == JSON and "lost" in frame.json():
                return


async def test_control_c_in_a_terminal_reaches_the_foreground_job(box: Sandbox) -> None:
    await box.channel.open_terminal("t", ["cat"])
    async with await box.channel.attach("t") as seen:
        await seen.answer()
        await seen.send(DATA, b"up\n")
        await read_until(seen, b"up\r\nup")
        await seen.send(DATA, b"\x03")
        async with asyncio.timeout(20):
            *_, last = [frame async for frame in seen]
        assert last.json()["exited"] == {"exit_code": None, "signal": signal.SIGINT}


async def test_files_are_put_got_listed_moved_and_deleted(box: Sandbox) -> None:
    base = box.disk.outside("/workspace")
    content = os.urandom(3_000_000)
    put = await box.channel.put_file(f"{base}/a/b/file.bin", content, mode=0o755)
    assert (put["size"], put["mode"], put["kind"]) == (3_000_000, 0o755, "file")
    async with box.channel.get_file(f"{base}/a/b/file.bin", offset=5, length=1_500_000) as (stat, data):
        assert stat["size"] == 3_000_000
        assert b"".join([piece async for piece in data]) == content[5:1_500_005]
    os.symlink("/etc", f"{base}/a/link")
    names = [entry["relative"] async for entry in box.channel.list_files(base, recursive=True)]
    assert names == ["a", "a/b", "a/b/file.bin", "a/link"]
    await box.channel.move_file(f"{base}/a/b/file.bin", f"{base}/a/moved")
    with pytest.raises(WorkbenchError) as raised:
        await box.channel.move_file(f"{base}/a/moved", f"{base}/a/link")
    assert raised.value.code == "sandbox.file_exists"
    await box.channel.delete_file(f"{base}/a", recursive=True)
    assert os.path.exists("/etc/passwd") and not os.path.exists(f"{base}/a")
    with pytest.raises(WorkbenchError) as raised:
        await box.channel.stat(f"{base}/a")
    assert raised.value.code == "sandbox.no_such_file"


async def test_a_file_that_never_arrives_whole_changes_nothing(box: Sandbox) -> None:
    path = box.disk.outside("/workspace") + "/file"
    await box.channel.put_file(path, b"old")
    async with await box.channel.open("file.put", path=path) as exchange:
        await exchange.send(DATA, b"half")
    async with asyncio.timeout(10):
        while os.listdir(os.path.dirname(path)) != ["file"]:
            await asyncio.sleep(0.01)
    assert Path(path).read_bytes() == b"old"


async def test_only_files_are_read_and_nothing_waits_on_a_pipe(box: Sandbox) -> None:
    base = box.disk.outside("/workspace")
    os.mkfifo(f"{base}/fifo")
    async with asyncio.timeout(10):
        for path, code in (
            (f"{base}/fifo", "sandbox.file_error"),
            (base, "sandbox.is_a_folder"),
            ("/dev/zero", "sandbox.file_error"),
        ):
            with pytest.raises(WorkbenchError) as raised:
                async with box.channel.get_file(path):
                    pass
            assert raised.value.code == code


async def test_names_of_any_bytes_survive(box: Sandbox) -> None:
    name = b"\xff\n\x1b[31m \xc3\xa4".decode("utf-8", "surrogateescape")
    base = box.disk.outside("/workspace")
    await box.channel.put_file(f"{base}/{name}", b"x")
    assert [entry["name"] async for entry in box.channel.list_files(base)] == [name]
    assert os.listdir(os.fsencode(base)) == [os.fsencode(name)]


async def test_trees_travel_as_archives(box: Sandbox) -> None:
    base = box.disk.outside("/workspace")
    await box.sh(
        f"mkdir -p {base}/t/node_modules {base}/t/src; echo 1 > {base}/t/src/a; echo 2 > {base}/t/node_modules/b; ln -s src {base}/t/l"
    )
    async with box.channel.get_tree(f"{base}/t", exclude=["node_modules"]) as data:
        archive = b"".join([piece async for piece in data])
    done = await box.channel.put_tree(f"{base}/copy", archive)
    assert done == {"files": 3, "bytes": 2}
    assert await box.sh(f"cd {base}/copy; find . | sort; readlink l") == ".\n./l\n./src\n./src/a\nsrc"


async def test_an_archive_cannot_write_outside_its_folder(box: Sandbox, tmp_path: Path) -> None:
    base = box.disk.outside("/workspace")

    def made(*entries: tuple[str, str | None]) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, link in entries:
                info = tarfile.TarInfo(name)
                info.type = tarfile.SYMTYPE if link else tarfile.REGTYPE
                info.linkname = link or ""
                tar.addfile(info, None if link else io.BytesIO())
        return out.getvalue()

    for archive in (
        made(("../escaped", None)),
        made((f"{tmp_path}/escaped", None)),
        made(("way", str(tmp_path)), ("way/escaped", None)),
        made(("a/../../escaped", None)),
    ):
        with pytest.raises(WorkbenchError) as raised:
            await box.channel.put_tree(f"{base}/in", archive)
        assert raised.value.code == "sandbox.bad_request"
    assert not list(tmp_path.rglob("escaped"))


async def test_changes_are_watched(box: Sandbox) -> None:
    base = box.disk.outside("/workspace")
    seen: list[tuple[str, str]] = []
    async with asyncio.timeout(30):
        batches = box.channel.watch(base, exclude=["ignored", "*.tmp"])
        assert await anext(batches) == []
        await box.sh(
            f"cd {base}; mkdir d ignored; echo x > d/f; echo y > d/x.tmp; echo y > ignored/f; mv d/f d/g; rm d/g; echo > last"
        )
        async for batch in batches:
            seen += [(each["event"], os.path.relpath(each["path"], base)) for each in batch]
            if ("create", "last") in seen:
                break
        await batches.aclose()  # type: ignore[attr-defined]
    assert ("create", "d") in seen and ("create", "last") in seen
    assert not [path for _, path in seen if "ignored" in path or "tmp" in path]
    assert [event for event, path in seen if path in ("d/f", "d/g")][-2:] in (
        ["move", "delete"],
        ["create", "delete"],
    )


async def test_ten_thousand_changes_at_once_are_seen(box: Sandbox) -> None:
    base = box.disk.outside("/workspace")
    created: set[str] = set()
    async with asyncio.timeout(60):
        batches = box.channel.watch(base)
        await anext(batches)
        await box.sh(
            f"cd {base}; python3 -c 'for n in range(10000): open(str(n), \"w\").close()'; touch last"
        )
        async for batch in batches:
            created |= {each["path"] for each in batch if each["event"] in ("create", "overflow")}
            if f"{base}/last" in created or base in created:
                break
        await batches.aclose()  # type: ignore[attr-defined]
    assert len(created) == 10_001 or base in created


async def test_everything_can_be_frozen_and_thawed(box: Sandbox, tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    await box.channel.start_process("p", script=f"while :; do echo x >> {ticks}; sleep 0.01; done")
    async with asyncio.timeout(20):
        while not ticks.exists():
            await asyncio.sleep(0.01)
    await box.provider.freeze(box.running)
    before = ticks.stat().st_size
    await asyncio.sleep(0.1)
    assert ticks.stat().st_size == before
    await box.provider.thaw(box.running)
    async with asyncio.timeout(20):
        while ticks.stat().st_size == before:
            await asyncio.sleep(0.01)
    usage = await box.provider.usage(box.running, box.disk)
    assert usage.processes >= 2 and usage.memory > 0 and usage.disk > 0


async def test_nonsense_on_the_wire_hurts_nobody(box: Sandbox) -> None:
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\0\0\0\2\0[]", b'\0\0\0\5\0{"op"', b"\0\0\0\0\1"):
        reader, writer = await asyncio.open_unix_connection(box.running.socket)
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(10):
            await reader.read()
        writer.close()
    wrong: list[tuple[str, dict[str, object]]] = [
        ("exec", {}),
        ("exec", {"argv": [1]}),
        ("exec", {"argv": ["a\0b"]}),
        ("nothing", {}),
        ("file.get", {"path": "x"}),
    ]
    for op, fields in wrong:
        with pytest.raises(WorkbenchError):
            await box.channel.ask(op, **fields)
    assert (await box.channel.hello())["protocol"] == 1


async def test_stopping_ends_everything_and_leaves_no_socket(tmp_path: Path) -> None:
    provider = ProcessProvider(str(tmp_path / "programs"))
    disk = process_disk(tmp_path)
    started = await provider.start(Spec(unsafe=True), disk)
    await started.channel.start_process("deaf", script="trap '' TERM; while :; do sleep 0.05; done")
    await started.channel.run(["sh", "-c", f"setsid sleep 1000 & echo $! > {tmp_path}/daemon"])
    await provider.stop(started, disk, 0.2)
    assert not started.alive()
    assert not os.path.exists(disk.socket) and not os.path.exists(disk.running)
    await gone(int((tmp_path / "daemon").read_text()))
    with pytest.raises(WorkbenchError) as raised:
        await Channel(disk.socket).hello()
    assert raised.value.code == "sandbox.not_running"


async def test_without_unsafe_the_process_provider_refuses(tmp_path: Path) -> None:
    provider = ProcessProvider(str(tmp_path / "programs"))
    with pytest.raises(WorkbenchError) as raised:
        await provider.start(Spec(), process_disk(tmp_path))
    assert raised.value.code == "sandbox.unsafe"
