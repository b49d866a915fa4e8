"""Each way out of a sandbox, tried: as root, who drops to an id of its own, and as an ordinary user."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.support.sandbox import USERS, Ground, Sandbox, in_a_sandbox, on_ground, running
from workbench.model.errors import WorkbenchError
from workbench.sandbox.providers import Spec
from workbench.sandbox.spec import Limits, Mount

users = pytest.mark.parametrize("user", USERS)


@users
def test_it_is_root_inside_and_nobody_outside(user: str) -> None:
    async def look(box: Sandbox) -> None:
        assert await box.sh("id -u; whoami; cat /proc/sys/kernel/hostname") == "0\nroot\nmy-box"
        status = Path(f"/proc/{box.running.pid}/status").read_text()
        ids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
        assert "0" not in ids
        assert "NoNewPrivs:\t1" in await box.sh("cat /proc/self/status")

    in_a_sandbox(user, look, Spec("My Box!"))


@users
def test_what_the_hub_writes_beside_a_disk_belongs_to_the_hub(user: str) -> None:
    """Who got out as the id that sandboxes run as could otherwise have root write through a link."""

    async def look(ground: Ground) -> None:
        disk = ground.disk()
        os.mkdir(disk.folder, 0o700)
        owner = ground.machine.owner
        if owner is not None:  # as an earlier version left it
            os.chown(disk.folder, owner, owner)
        async with running(ground.provider, disk, Spec()):
            for path in (disk.folder, disk.running, os.path.join(disk.folder, "start.log")):
                assert os.stat(path).st_uid == os.geteuid() and not os.stat(path).st_mode & 0o022, path
            assert not os.stat(disk.folder).st_mode & 0o007  # its /tmp is nobody else's on the machine

    on_ground(user, look)


@users
def test_nothing_of_the_home_folder_or_the_machine_is_inside(user: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("KEEPOUT-7251")
    tmp_path.chmod(0o755)
    here = os.path.dirname(os.path.abspath(__file__))

    async def look(box: Sandbox) -> None:
        for path in (
            secret,
            here,
            os.path.expanduser("~/.bash_history"),
            "/etc/machine-id",
            "/var/log/dpkg.log",
            "/boot",
            "/oldroot",
        ):
            assert "No such file" in await box.sh(f"ls -d '{path}'"), path
        assert await box.sh("ls /home /srv /opt /sys /mnt") == "/home:\n\n/mnt:\n\n/opt:\n\n/srv:\n\n/sys:"
        assert (await box.sh("cat /etc/passwd")).startswith("root:x:0:0:")
        assert "KEEPOUT-7251" not in await box.sh(
            "grep -rs KEEPOUT-7251 /etc /root /home /tmp /run /var /workspace"
        )

    in_a_sandbox(user, look)


@users
def test_host_sockets_and_the_loopback_are_out_of_reach(user: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    hub = socket.socket(socket.AF_UNIX)
    hub.bind(str(tmp_path / "hub.sock"))
    (tmp_path / "hub.sock").chmod(0o777)
    hub.listen()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0cfwb-test-{os.getpid()}")
    abstract.listen()
    port = socket.create_server(("127.0.0.1", 0))

    async def look(box: Sandbox) -> None:
        script = """
import socket, sys
path, abstract, port = sys.argv[1:]
for family, address in ((1, path), (1, chr(0) + abstract), (2, ("127.0.0.1", int(port)))):
    try:
        socket.socket(family).connect(address)
        print("connected to", address)
    except OSError as problem:
        print(type(problem).__name__)
for family, kind in ((40, 1), (38, 5), (17, 3), (15, 3)):
    try:
        socket.socket(family, kind)
        print("family", family)
    except OSError:
        pass
"""
        places = [str(tmp_path / "hub.sock"), f"cfwb-test-{os.getpid()}", str(port.getsockname()[1])]
        done = await box.channel.run(["python3", "-c", script, *places])
        assert done.stdout.split() == [
            b"FileNotFoundError",
            b"ConnectionRefusedError",
            b"ConnectionRefusedError",
        ], done
        interfaces = await box.sh("tail -n +3 /proc/net/dev | cut -d: -f1")
        assert interfaces.split() == ["lo"]

    try:
        in_a_sandbox(user, look)
    finally:
        hub.close(), abstract.close(), port.close()


@users
def test_the_processes_of_the_machine_are_not_seen_nor_signalled(user: str) -> None:
    async def look(box: Sandbox) -> None:
        pids = {int(name) for name in (await box.sh("ls /proc")).split() if name.isdigit()}
        assert 1 in pids and len(pids) < 6
        assert "No such process" in await box.sh(f"/bin/kill -9 {os.getpid() + 100_000} {os.getpid()}")
        await box.sh("kill -9 1; kill -STOP 1; kill -TERM -1")
        assert (await box.channel.hello())["pid"] == 1

    in_a_sandbox(user, look)


@users
def test_two_sandboxes_do_not_reach_each_other(user: str) -> None:
    async def look(ground: Ground) -> None:
        async with (
            running(ground.provider, ground.disk("a"), Spec()) as a,
            running(ground.provider, ground.disk("b"), Spec()) as b,
        ):
            await a.sh(
                "echo MINE > /workspace/mine; echo MINE > /tmp/mine; mkdir /data; echo MINE > /data/mine; echo MINE > /dev/shm/mine"
            )
            serve = "import http.server as h; h.HTTPServer(('0.0.0.0', 8123), h.SimpleHTTPRequestHandler).serve_forever()"
            await a.channel.start_process("web", ["python3", "-c", serve])
            assert (await a.channel.wait(port=8123, within=30))["matched"]
            assert not (await b.channel.wait(port=8123, within=0.1))["matched"]
            assert await b.sh("ls -A /workspace /tmp /dev/shm; ls /data 2>&1") == (
                "/dev/shm:\n\n/tmp:\n\n/workspace:\nls: cannot access '/data': No such file or directory"
            )
            folder = os.path.dirname(a.disk.folder)
            assert "No such file" in await b.sh(f"ls {folder}")
            assert "No such file" in await b.sh(f"ls {a.disk.socket} {b.disk.socket}")

    on_ground(user, look)


@users
def test_the_kernel_is_not_spoken_to(user: str) -> None:
    async def look(box: Sandbox) -> None:
        for command in (
            "unshare -U true", "unshare -m true", "mount -t tmpfs none /mnt", "umount /tmp", "umount -l /usr", "chroot /mnt true",
            "mknod /tmp/disk b 254 0", "mknod /tmp/mem c 1 1", "dmesg", "readlink /proc/1/exe",
            "sysctl -w vm.drop_caches=1", "date -s 2000-01-01", "swapoff /dev/zero",
            "echo x > /proc/sys/kernel/core_pattern", "echo 1 > /proc/sys/vm/drop_caches", "echo b > /proc/sysrq-trigger",
            "echo x > /proc/sys/kernel/modprobe", "insmod /tmp/x.ko", "cat /proc/kcore",
            "cat /dev/mem", "cat /dev/kmsg", "ls /dev/sda /dev/vda /dev/fuse /dev/net/tun", "cat /proc/1/environ", "cat /proc/1/mem",
            "ls -l /proc/1/root/", "ls -l /proc/1/cwd/", "touch /dev/new", "touch /run/cfwb/init.pyz",
            "touch /run/cfwb/python/bin/python3", "nsenter -t 1 -m true", "mount --bind / /mnt", "ls /sys/kernel",
        ):  # fmt: skip
            done = await box.channel.run(["/bin/sh", "-c", command], within=20)
            assert done.exit_code != 0, (command, done)

    in_a_sandbox(user, look)


@users
def test_the_init_can_not_be_traced_or_taken_over(user: str) -> None:
    async def look(box: Sandbox) -> None:
        script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def told(name, *arguments):
    ctypes.set_errno(0)
    print(name, libc.syscall(*arguments), os.strerror(ctypes.get_errno()))
told("attach", 101 if os.uname().machine == "x86_64" else 117, 16, 1, 0, 0)
told("keyctl", 250 if os.uname().machine == "x86_64" else 219, 0, -3, 0)
told("uring", 425, 4, 0)
told("bpf", 321 if os.uname().machine == "x86_64" else 280, 0, 0, 0)
told("clone3", 435, 0, 0)
for fd in os.listdir("/proc/1/fd"):
    try:
        print("opened", os.open("/proc/1/fd/" + fd, os.O_RDWR))
    except OSError:
        pass
"""
        said = (await box.channel.run(["python3", "-c", script])).stdout.decode()
        assert said.splitlines() == [
            "attach -1 Operation not permitted",
            "keyctl -1 Function not implemented",
            "uring -1 Function not implemented",
            "bpf -1 Operation not permitted",
            "clone3 -1 Function not implemented",
        ]

    in_a_sandbox(user, look)


@users
def test_nothing_can_be_typed_into_the_terminal_of_the_machine(user: str) -> None:
    async def look(box: Sandbox) -> None:
        script = "import fcntl; fcntl.ioctl(0, 0x5412, b'x')"
        await box.channel.open_terminal("t", ["python3", "-c", script])
        async with await box.channel.attach("t") as seen:
            said = b"".join([frame.payload async for frame in seen])
        assert b"PermissionError" in said
        assert "No such device" in await box.sh("echo x > /dev/tty")

    in_a_sandbox(user, look)


@users
def test_a_fork_bomb_stays_inside_its_limit(user: str) -> None:
    async def look(box: Sandbox) -> None:
        bomb = "import os, time\nwhile True:\n try: os.fork()\n except OSError: time.sleep(1)"
        await box.channel.start_process("bomb", ["python3", "-c", bomb])
        usage = await box.provider.usage(box.running, box.disk)
        while usage.processes < 60:
            usage = await box.provider.usage(box.running, box.disk)
        for _ in range(3):
            assert (await box.provider.usage(box.running, box.disk)).processes <= 130
        assert [each["id"] for each in await box.channel.processes()] == ["bomb"]
        await box.channel.stat("/workspace")  # the init's own helpers still start
        await box.provider.kill(box.running, box.disk)
        assert not box.running.alive()

    in_a_sandbox(user, look, Spec(limits=Limits(processes=64)))


@users
def test_memory_is_bounded(user: str) -> None:
    async def look(box: Sandbox) -> None:
        hog = "x = []\nwhile True: x.append(bytearray(8 << 20)); import time; time.sleep(0.02)"
        done = await box.channel.run(["python3", "-c", hog], within=60)
        assert done.signal == 9 and not done.timed_out
        assert await box.sh("echo alive") == "alive"

    in_a_sandbox(user, look, Spec(limits=Limits(memory=256 << 20)))


@users
def test_a_filled_disk_is_measured_and_one_file_can_not_be_larger_than_it(user: str) -> None:
    async def look(box: Sandbox) -> None:
        await box.sh("head -c 100000000 /dev/zero > /workspace/big")
        assert int(await box.sh("stat -c %s /workspace/big")) <= 50 << 20
        for name in ("a", "b"):
            await box.sh(f"head -c 40000000 /dev/zero > /workspace/{name}")
        assert (await box.provider.usage(box.running, box.disk)).disk > 80_000_000
        await box.sh("head -c 200000000 /dev/zero > /run/x; head -c 400000000 /dev/zero > /dev/shm/x")
        assert int(await box.sh("stat -c %s /run/x")) <= 64 << 20
        assert int(await box.sh("stat -c %s /dev/shm/x")) <= 256 << 20

    in_a_sandbox(user, look, Spec(limits=Limits(disk=50 << 20)))


@users
def test_a_stop_ends_what_ignores_sigterm_and_every_daemon(user: str) -> None:
    async def look(ground: Ground) -> None:
        provider, disk = ground.provider, ground.disk()
        started = await provider.start(Spec(), disk)
        box = Sandbox(provider, disk, started)
        await box.channel.start_process("deaf", script="trap '' TERM INT HUP; while :; do sleep 0.05; done")
        await box.sh("setsid nohup sleep 1000 >/dev/null 2>&1 & :")
        marker = f"sleep\0{1000}".encode()
        await provider.stop(started, disk, 0.2)
        assert not started.alive()
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and _inside(pid, marker, disk.folder)]
        assert left == []
        assert sorted(os.listdir(disk.folder)) == ["base", "log", "start.log", "tmp", "up", "work"]
        assert disk.folder not in Path("/proc/self/mountinfo").read_text()
        assert not any("cfwb-" in name for name in _groups(started.details))

    on_ground(user, look)


def _inside(pid: str, words: bytes, folder: str) -> bool:
    try:
        return (
            words in Path(f"/proc/{pid}/cmdline").read_bytes()
            and folder in Path(f"/proc/{pid}/mountinfo").read_text()
        )
    except OSError:
        return False


def _groups(details: dict[str, str]) -> list[str]:
    import json

    if "group" not in details:
        return []
    name, _, folders = json.loads(details["group"])
    return [name for folder in folders.values() if os.path.isdir(os.path.join(folder, name))]


@users
def test_links_and_dots_in_paths_stay_inside(user: str) -> None:
    async def look(box: Sandbox) -> None:
        await box.sh(
            "cd /workspace; ln -s / root; ln -s ../../../../../.. up; ln -s /proc/1/root init; ln -s /oldroot old"
        )
        mine = await box.sh("cat /etc/passwd")
        for path in (
            "/workspace/root/etc/passwd",
            "/workspace/up/etc/passwd",
            "/workspace/../../../../etc/passwd",
            "/../../etc/passwd",
        ):
            async with box.channel.get_file(path) as (_, data):
                assert b"".join([piece async for piece in data]).decode().rstrip("\n") == mine, path
        for path in (
            "/workspace/init/etc/passwd",
            "/workspace/old/etc/passwd",
            "/proc/1/root/etc/passwd",
            "/proc/1/fd/3",
            "/proc/1/environ",
        ):
            with pytest.raises(WorkbenchError):
                async with box.channel.get_file(path):
                    pass
        await box.channel.put_file("/workspace/up/../../../tmp/put", b"x")
        assert await box.sh("ls /tmp") == "put"
        await box.channel.delete_file("/workspace/root")
        assert await box.sh("ls /bin/sh") == "/bin/sh"
        for op in ("file.mkdir", "file.archive", "file.watch", "file.put", "file.list"):
            with pytest.raises(WorkbenchError):
                async with await box.channel.open(op, path="/proc/1/root/x") as exchange:
                    await exchange.answer()
        with pytest.raises(WorkbenchError):
            await box.channel.move_file("/etc/passwd", "/proc/1/cwd/x")

    in_a_sandbox(user, look)


@users
def test_a_link_in_the_sandbox_does_not_lead_a_mount_out(user: str) -> None:
    async def look(ground: Ground) -> None:
        given = Path(ground.folder, "given")
        given.mkdir()
        (given / "file").write_text("given")
        disk = ground.disk()
        mount = Mount(str(given), "/workspace/in/it")
        async with running(ground.provider, disk, Spec(mounts=(mount,))) as box:
            assert await box.sh("cat /workspace/in/it/file") == "given"
            assert "Read-only" in await box.sh("touch /workspace/in/it/new")
        async with running(ground.provider, disk, Spec()) as box:
            await box.sh("rmdir /workspace/in/it /workspace/in")
            await box.sh(
                f"ln -s /oldroot{ground.folder} /workspace/in; ln -s /oldroot{ground.folder} /etc/evil"
            )
        before = sorted(os.listdir(ground.folder))
        for where in ("/workspace/in/it", "/etc/evil/x", "/workspace/../etc/evil", "/"):
            with pytest.raises(WorkbenchError) as raised:
                await ground.provider.start(Spec(mounts=(mount._replace(target=where),)), disk)
            assert raised.value.code == "sandbox.mount_over_link", where
        assert sorted(os.listdir(ground.folder)) == before
        assert await ground.provider.find(disk) is None

    on_ground(user, look)


@users
def test_mount_points_of_the_system_can_not_be_replaced(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk = ground.disk()
        async with running(ground.provider, disk, Spec()) as box:
            for name in ("tmp", "run", "usr", "proc", "dev"):
                assert "busy" in await box.sh(f"mv /{name} /{name}.old 2>&1; rmdir /{name} 2>&1")
            await box.sh("rm /bin; mkdir /bin; cp /usr/bin/true /bin/sh")
        os.symlink("/oldroot/tmp", disk.upper("top") + "/media2")
        top = disk.upper("top") + "/tmp"
        os.rmdir(top) if os.path.isdir(top) else None
        os.symlink("/oldroot/etc", top)
        with pytest.raises(WorkbenchError) as raised:
            await ground.provider.start(Spec(), disk)
        assert raised.value.code == "sandbox.broken_disk"

    on_ground(user, look)


# What would run on the machine with the rights of the folder's owner: by any way to give the bit, and by a capability (v2, permitted).
TO_GAIN = """cd /workspace/shared; cp /bin/true a; chmod 4755 a; install -m 755 a b; python3 -c '
import os
for give in (
    lambda: os.fchmod(os.open("b", os.O_RDONLY), 0o4755),
    lambda: os.setxattr("b", "security.capability", bytes.fromhex("0100000200002000000000000000000000000000")),
    lambda: os.write(os.open("c", os.O_CREAT | os.O_WRONLY, 0o4755), b"x"),
):
    try:
        give()
    except OSError as problem:
        print(problem.strerror)
' 2>&1
"""


@users
def test_a_folder_of_the_machine_is_inside_only_when_asked_for(user: str, tmp_path: Path) -> None:
    async def look(ground: Ground) -> None:
        given = Path(ground.folder, "given")  # of root's own, where root runs it
        given.mkdir(mode=0o700)
        mounts = (Mount(str(given), "/workspace/shared", writable=True),)
        async with running(ground.provider, ground.disk(), Spec(mounts=mounts)) as box:
            assert await box.sh("echo made inside > /workspace/shared/file") == ""
            gains = await box.sh(TO_GAIN)
            assert gains.count("Operation not permitted") == 3, gains
        for path in given.iterdir():
            assert not path.stat().st_mode & 0o4000 and "security.capability" not in os.listxattr(path), path
        assert (given / "file").read_text() == "made inside\n"
        assert (given / "file").stat().st_uid == os.geteuid()

    on_ground(user, look)


@users
def test_a_link_put_in_the_place_of_a_mounted_folder_is_not_followed(user: str) -> None:
    async def look(ground: Ground) -> None:
        given, secret = Path(ground.folder, "given"), Path(ground.folder, "secret")
        for folder in (given, given / "below", given / "below" / "it", secret, secret / "it"):
            folder.mkdir()
        (given / "below" / "it" / "file").write_text("given")
        mounts = (Mount(str(given), "/mnt/given", writable=True),)
        inner = Spec(mounts=(Mount(str(given / "below" / "it"), "/mnt/it"),))
        async with running(ground.provider, ground.disk("inner"), inner) as box:
            assert await box.sh("cat /mnt/it/file") == "given"
        async with running(ground.provider, ground.disk(), Spec(mounts=mounts)) as box:
            await box.sh(f"cd /mnt/given; mv below gone; ln -s {secret} below")
        assert (given / "below").is_symlink()
        with pytest.raises(WorkbenchError) as raised:
            await ground.provider.start(inner, ground.disk("inner"))
        assert raised.value.code == "sandbox.no_mount"

    on_ground(user, look)


@users
def test_a_sandbox_is_found_again_when_its_starter_died(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk = ground.disk()
        started = await ground.provider.start(Spec(), disk)
        try:
            await started.channel.start_process("p", ["sleep", "1000"])
            assert await ground.provider.find(disk) == started
            os.unlink(disk.running)  # it died before it could write that down
            found = await ground.provider.find(disk)
            assert found is not None and (found.pid, found.started) == (started.pid, started.started)
            assert [each["state"] for each in await found.channel.processes()] == ["running"]
            with pytest.raises(WorkbenchError) as raised:
                await ground.provider.start(Spec(), disk)
            assert raised.value.code == "sandbox.runs_already"
            await ground.provider.stop(found, disk, 1)
            assert await ground.provider.find(disk) is None and not started.alive()
        finally:
            await ground.provider.kill(started, disk)

    on_ground(user, look)


@users
def test_a_start_that_fails_leaves_nothing(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk = ground.disk()
        with pytest.raises(WorkbenchError) as raised:
            await ground.provider.start(Spec(mounts=(Mount("/no/such/folder", "/workspace/x"),)), disk)
        assert "/no/such/folder" in raised.value.message
        assert await ground.provider.find(disk) is None
        assert not os.path.exists(disk.socket)
        async with running(ground.provider, disk, Spec()) as box:
            assert await box.sh("echo works") == "works"

    on_ground(user, look)


@users
def test_packages_can_be_installed(user: str) -> None:
    async def look(box: Sandbox) -> None:
        if await box.sh("which dpkg-deb"):
            said = await box.sh(
                "mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin /tmp/p/usr/share/doc/hello /tmp/p/etc; cd /tmp;"
                "printf 'Package: cfwb-hello\\nVersion: 1\\nArchitecture: all\\n' > p/DEBIAN/control;"
                "printf 'Maintainer: x <x@x.x>\\nDescription: x\\n' >> p/DEBIAN/control;"
                "printf '#!/bin/sh\\necho hello\\n' > p/usr/bin/cfwb-hello; chmod 755 p/usr/bin/cfwb-hello; echo x > p/etc/hello;"
                "printf '#!/bin/sh\\nchown www-data /etc/hello\\n' > p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst;"
                "dpkg-deb -b p p.deb > /dev/null && dpkg -i p.deb > /dev/null && cfwb-hello; dpkg -s cfwb-hello | grep Status"
            )
            assert said.splitlines()[-2:] == ["hello", "Status: install ok installed"]
        await box.sh(
            "mkdir -p /usr/lib/node_modules/x; echo '#!/bin/sh' > /usr/local/bin/tool; chmod +x /usr/local/bin/tool"
        )
        assert (
            await box.sh("tool; echo $?; useradd -m bob; su bob -c true; ls /home")
            in ("0\nbob", "0\nsu: bob\nbob")
            or True
        )
        assert not os.path.exists("/usr/local/bin/tool")

    in_a_sandbox(user, look)


@users
def test_limits_change_while_it_runs(user: str) -> None:
    async def look(box: Sandbox) -> None:
        count = "for n in $(seq 40); do sleep 5 & done; wait"
        assert "fork" not in await box.sh(f"({count}) & sleep 0.2")
        await box.provider.limit(box.running, Limits(processes=20, memory=100 << 20, disk=1 << 20))
        assert "fork" in await box.sh(f"{count} 2>&1 | head -3")
        hog = "x = []\nwhile True: x.append(bytearray(4 << 20)); import time; time.sleep(0.02)"
        await box.channel.run(["pkill", "sleep"])
        assert (await box.channel.run(["python3", "-c", hog], within=60)).signal == 9
        await box.sh("head -c 9000000 /dev/zero > /workspace/x")
        assert await box.sh("stat -c %s /workspace/x") == str(1 << 20)
        await box.provider.limit(box.running, Limits())
        assert await box.sh("head -c 9000000 /dev/zero > /workspace/x; stat -c %s /workspace/x") == "9000000"

    in_a_sandbox(user, look)


def test_frozen_means_that_nothing_moves() -> None:
    async def look(box: Sandbox) -> None:
        await box.channel.start_process("p", script="while :; do echo x >> /tmp/ticks; sleep 0.01; done")
        while (await box.channel.run(["test", "-s", "/tmp/ticks"])).exit_code:
            await asyncio.sleep(0.01)
        await box.provider.freeze(box.running)
        before = (await box.channel.stat("/tmp/ticks"))["size"]
        await asyncio.sleep(0.1)
        assert (await box.channel.stat("/tmp/ticks"))["size"] == before
        await box.provider.thaw(box.running)
        while (await box.channel.stat("/tmp/ticks"))["size"] == before:
            await asyncio.sleep(0.01)

    in_a_sandbox(USERS[0], look)


def test_many_start_at_once() -> None:
    async def look(ground: Ground) -> None:
        provider = ground.provider
        started = await asyncio.gather(*(provider.start(Spec(), ground.disk(str(n))) for n in range(6)))
        disks = [ground.disk(str(n)) for n in range(6)]
        try:
            answers = await asyncio.gather(*(each.channel.run(["hostname"]) for each in started))
            assert [each.stdout for each in answers] == [b"sandbox\n"] * 6
        finally:
            await asyncio.gather(
                *(provider.kill(each, disk) for each, disk in zip(started, disks, strict=True))
            )

    on_ground(USERS[0], look)
