"""Pictures of a disk: taken, restored, forked, made one, exported and imported, and taken away."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sandbox import USERS, Ground, needs_bubblewrap, on_ground, running
from workbench.model.errors import WorkbenchError
from workbench.sandbox import machine as machines
from workbench.sandbox.disk import Disk, archive, base, generated
from workbench.sandbox.disk.layers import Layers
from workbench.sandbox.disk.merge import merge
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.machine import Machine
from workbench.sandbox.providers import Spec
from workbench.sandbox.providers.bubblewrap import BubblewrapProvider

users = pytest.mark.parametrize("user", USERS)

PREPARE = """
set -e
mkdir -p /workspace/app/node_modules /data; cd /workspace/app
echo one > kept; echo two > changed; echo three > deleted; ln -s kept link; echo x > node_modules/m
mkdir replaced; echo old > replaced/old; echo tool > /usr/local/bin/tool; echo setting > /etc/setting; echo data > /data/d
chmod 600 kept; chmod 755 changed; rm /usr/bin/yes; rm -r /usr/share/base-files
"""
CHANGE = """
set -e
cd /workspace/app; echo TWO > changed; rm deleted; rm -r replaced; mkdir replaced; echo new > replaced/new; echo more > added
"""
LOOK = """
cd /workspace/app; cat kept changed added link 2>/dev/null; ls; ls replaced; stat -c %a kept changed
cat /usr/local/bin/tool /etc/setting /data/d; ls /usr/bin/yes /usr/share/base-files 2>&1; ls -A /workspace
"""
FIRST = """one
two
one
changed
deleted
kept
link
node_modules
replaced
old
600
755
tool
setting
data
ls: cannot access '/usr/bin/yes': No such file or directory
ls: cannot access '/usr/share/base-files': No such file or directory
app"""
SECOND = (
    FIRST.replace("two\none", "TWO\nmore\none")
    .replace("changed\ndeleted", "added\nchanged")
    .replace("old\n", "new\n")
)


def layers_of(ground: Ground) -> Layers:
    return Layers(os.path.join(ground.folder, "l"), ground.machine)


async def seen(ground: Ground, disk: Disk, script: str = LOOK) -> str:
    async with running(ground.provider, disk, Spec()) as box:
        return await box.sh(script)


@users
def test_a_picture_is_restored_and_forked_and_forks_do_not_see_each_other(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk, layers = ground.disk(), layers_of(ground)
        assert await seen(ground, disk, PREPARE) == ""
        first = layers.take(disk)
        layers.settled(disk)
        assert layers.moved(disk) is None
        assert await seen(ground, disk) == FIRST
        assert await seen(ground, disk, CHANGE) == ""
        assert await seen(ground, disk) == SECOND
        second = layers.take(disk)
        assert await seen(ground, disk) == SECOND

        older = [layers.path(first)]
        newer = [layers.path(second), *older]
        forks = [ground.disk(f"f{number}", newer if number % 2 else older) for number in range(4)]
        assert await asyncio.gather(*(seen(ground, fork) for fork in forks)) == [FIRST, SECOND] * 2
        await seen(ground, forks[0], "echo mine > /workspace/app/kept; rm -r /workspace/app/node_modules")
        assert await asyncio.gather(*(seen(ground, fork) for fork in forks[1:])) == [SECOND, FIRST, SECOND]

        disk.clear()
        disk.layers = tuple(older)
        assert await seen(ground, disk) == FIRST

        flat = layers.flatten([second, first])
        for name in (first, second):
            layers.delete(name)
        assert layers.names() == [flat]
        assert await seen(ground, ground.disk("flat", [layers.path(flat)])) == SECOND

    on_ground(user, look)


@users
def test_a_picture_of_a_sandbox_that_goes_on(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk, layers = ground.disk(), layers_of(ground)
        async with running(ground.provider, disk, Spec()) as box:
            assert await box.sh(PREPARE) == ""
            await box.sh(
                "echo shut > /workspace/app/node_modules/shut; chmod 0 /workspace/app/node_modules/*"
            )
            await box.channel.start_process("p", ["sleep", "1000"])
            await box.provider.freeze(box.running)
            name = layers.copy(disk)
            await box.provider.thaw(box.running)
            assert (await box.channel.process("p"))["state"] == "running"
            assert await box.sh(LOOK) == FIRST
        assert await seen(ground, ground.disk("fork", [layers.path(name)])) == FIRST

    on_ground(user, look)


@users
def test_a_picture_travels_as_an_archive_with_deletions_and_attributes(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk, layers = ground.disk(), layers_of(ground)
        assert await seen(ground, disk, PREPARE) == ""
        assert (
            await seen(
                ground,
                disk,
                'cd /workspace/app; python3 -c \'import os; os.setxattr("kept", "user.mine", b"\\0\\xff")\'',
            )
            == ""
        )
        first = layers.take(disk)
        assert await seen(ground, disk, CHANGE) == ""
        second = layers.take(disk)
        flat = layers.flatten([second, first])
        out = io.BytesIO()
        said: list[int] = []
        archive.write(
            layers.path(flat), archive.Manifest(disk.base or "", "x", {"name": "box"}), out, said.append
        )
        assert said[-1] > 20
        out.seek(0)
        name, folder = layers.receive()
        manifest = archive.read(out, folder, owner=ground.machine.owner)
        assert manifest == archive.Manifest(disk.base or "", "x", {"name": "box"})
        layers.keep(name, manifest.fingerprint)
        there = ground.disk("there", [layers.path(name)])
        assert await seen(ground, there) == SECOND
        read = 'python3 -c \'import os; print(os.getxattr("/workspace/app/kept", "user.mine"))\''
        assert await seen(ground, there, read) == "b'\\x00\\xff'"

    on_ground(user, look)


@users
def test_a_changed_base_is_named_and_asked_about(user: str) -> None:
    async def look(ground: Ground) -> None:
        disk, plain = ground.disk(), ground.disk("plain")
        await seen(ground, disk, "echo x > /usr/local/bin/x")
        await seen(ground, plain, "echo x > /workspace/x")
        disk.base = plain.base = "0123456789abcdef"
        assert await seen(ground, plain, "cat /workspace/x") == "x"  # nothing of it leans on the base
        with pytest.raises(WorkbenchError) as raised:
            await ground.provider.start(Spec(), disk)
        assert raised.value.code == "sandbox.base_changed" and "0123456789abcdef" in raised.value.message
        layers = layers_of(ground)
        fork = ground.disk("fork", [layers.path(layers.take(disk))])
        with pytest.raises(WorkbenchError):
            await ground.provider.start(Spec(), fork)
        async with running(ground.provider, fork, Spec(accept_base=True)) as box:
            assert await box.sh("cat /usr/local/bin/x") == "x"
        assert await seen(ground, fork, "cat /usr/local/bin/x") == "x"

    on_ground(user, look)


def test_a_picture_cut_short_by_a_crash_is_found_again() -> None:
    async def look(ground: Ground) -> None:
        disk, layers = ground.disk(), layers_of(ground)
        await seen(ground, disk, "echo x > /workspace/x")
        name = layers.take(disk)
        again = ground.disk()  # the hub was killed before it wrote the new layer down
        assert layers_of(ground).moved(again) == name
        again.layers = (layers.path(name),)
        layers.settled(again)
        assert await seen(ground, again, "cat /workspace/x") == "x"
        (Path(disk.folder) / "moving").write_text("00000000")  # and here before it moved anything
        assert layers.moved(again) is None
        layers.receive()
        layers.sweep()
        assert os.listdir(os.path.join(ground.folder, "l")) == [name]

    on_ground(USERS[0], look)


def test_forty_layers_are_stacked() -> None:
    async def look(ground: Ground) -> None:
        disk, layers = ground.disk(), layers_of(ground)
        disk.create(ground.machine.owner)
        for number in range(40):
            os.makedirs(disk.outside("/workspace"), exist_ok=True)
            Path(disk.outside(f"/workspace/{number}")).write_text("x")
            layers.take(disk)
        assert await seen(ground, disk, "ls /workspace | wc -l") == "40"

    on_ground(USERS[0], look)


def test_without_overlays_a_disk_is_copied(tmp_path: Path) -> None:
    async def look(ground: Ground) -> None:
        provider = ground.provider
        provider.__dict__["_overlays"] = False
        disk, layers = ground.disk(), layers_of(ground)
        started = await provider.start(Spec(), disk)
        try:
            done = await started.channel.run(
                ["sh", "-c", "echo x > /workspace/x; rm /etc/hosts; touch /usr/bin/new"]
            )
            assert b"Read-only" in done.stderr
        finally:
            await provider.stop(started, disk, 1)
        name = layers.take(disk)
        fork = ground.disk("fork", [layers.path(name)])
        started = await provider.start(Spec(), fork)
        try:
            done = await started.channel.run(["sh", "-c", "cat /workspace/x; ls /etc/hosts; whoami"])
            assert done.stdout == b"x\nroot\n"
        finally:
            await provider.kill(started, fork)

    on_ground(USERS[0], look)


def test_the_base_holds_nothing_of_the_machines_own() -> None:
    async def look(ground: Ground) -> None:
        made = base.ensure(ground.machine)
        etc = Path(made.part("top"), "etc")
        names = {entry.name for entry in etc.iterdir()}
        assert {"passwd", "group", "hosts", "resolv.conf", "ld.so.cache"} <= names
        assert not names & {"machine-id", "ssh", "cron.d", "sudoers.d", "wireguard"} or not list(
            etc.glob("ssh/*key*")
        )
        assert not (etc / "ssl" / "private").exists() or not list((etc / "ssl" / "private").iterdir())
        ours = Path("/etc/passwd").read_text().splitlines()
        theirs = (etc / "passwd").read_text().splitlines()
        assert not [
            line
            for line in theirs
            if line in ours and int(line.split(":")[2]) >= 1000 and "nobody" not in line
        ]
        assert all("*" in line for line in (etc / "shadow").read_text().splitlines())
        assert base.ensure(ground.machine) == made

    on_ground(USERS[0], look)


def test_the_machines_own_bubblewrap_is_taken_where_the_packages_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_bubblewrap()
    works = Machine().bubblewrap
    assert works is not None
    broken = works._replace(path="/bin/false", version="9.9")
    monkeypatch.setattr(machines, "_brought", lambda machine: broken)
    monkeypatch.setattr(machines, "_installed", lambda: works)
    assert Machine().bubblewrap == works
    monkeypatch.setattr(machines, "_installed", lambda: None)
    assert Machine().bubblewrap is None and "namespaces" in Machine().why_no_bubblewrap


def test_bases_of_a_machine_that_has_changed_are_cleared_away_unless_something_runs_over_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def look(ground: Ground) -> None:
        monkeypatch.setattr(base, "_skeleton", lambda source, target: os.mkdir(target))
        monkeypatch.setattr(generated, "_packages", lambda var: None)
        machine = Machine(os.path.join(ground.folder, "machine"))
        provider = BubblewrapProvider(machine)
        assert provider.check().usable
        first = base.ensure(machine)

        def changed(now: str) -> base.Base:
            monkeypatch.setattr(base, "fingerprint", lambda: now)
            for name in os.listdir(os.path.dirname(first.folder)):
                os.utime(os.path.join(os.path.dirname(first.folder), name), (0, 0))
            return base.ensure(machine)

        async with running(provider, ground.disk(), Spec()) as box:
            second = changed("1" * 16)
            assert os.path.isdir(first.folder) and os.path.isdir(second.folder)
            assert "/.held" not in await box.sh("ls -l /proc/self/fd")
        changed("2" * 16)
        assert not os.path.exists(first.folder) and not os.path.exists(second.folder)

    on_ground(USERS[0], look)


def test_trees_of_any_depth_and_permission_are_taken_away(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    top = tmp_path / "top"
    top.mkdir()
    here = os.getcwd()
    try:
        os.chdir(top)
        for _ in range(600):
            os.mkdir("d" * 20)
            os.symlink(outside, "link")
            os.chdir("d" * 20)
    finally:
        os.chdir(here)
    (top / "closed").mkdir()
    (top / "closed" / "file").touch()
    (top / "closed").chmod(0o000)
    (top / "read-only").mkdir()
    (top / "read-only" / "file").touch()
    (top / "read-only").chmod(0o500)
    remove(str(top))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["outside"]
    assert (outside / "file").exists()
    remove(str(top))


def test_layers_merge_as_the_kernel_shows_them(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for path in ("a/x", "b/y", "c/z", "d"):
        (lower / path).parent.mkdir(parents=True, exist_ok=True)
        (lower / path).write_text("lower")
    (upper / "a").mkdir(parents=True)
    os.mknod(upper / "a" / "x", stat.S_IFCHR, 0)
    (upper / "b").mkdir()
    os.setxattr(upper / "b", "user.overlay.opaque", b"y")
    (upper / "c").write_text("now a file")
    (upper / "d").mkdir()
    merge([str(upper), str(lower)], str(tmp_path / "shown"), link=True)
    assert sorted(str(path.relative_to(tmp_path / "shown")) for path in (tmp_path / "shown").rglob("*")) == [
        "a",
        "b",
        "c",
        "d",
    ]
    assert (tmp_path / "shown" / "c").read_text() == "now a file"
    merge([str(upper), str(lower)], str(tmp_path / "kept"), link=True, below=[str(lower)])
    assert stat.S_ISCHR((tmp_path / "kept" / "a" / "x").lstat().st_mode)
    assert os.getxattr(tmp_path / "kept" / "b", "user.overlay.opaque") == b"y"


def hostile(
    *entries: tarfile.TarInfo, content: bytes = b"x", manifest: bytes | None = b'{"format": 1}'
) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        if manifest is not None:
            first = tarfile.TarInfo("cfwb.json")
            first.size = len(manifest)
            tar.addfile(first, io.BytesIO(manifest))
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    out.seek(0)
    return out


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", **fields: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = link
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def told(name: str, **headers: str) -> tarfile.TarInfo:
    """A file with PAX headers."""
    made = entry(name)
    made.pax_headers = headers  # type: ignore[misc]
    return made


@pytest.mark.parametrize(
    "made",
    [
        lambda out: hostile(entry("../escaped")),
        lambda out: hostile(entry("top/../../escaped")),
        lambda out: hostile(entry("/escaped")),
        lambda out: hostile(entry("elsewhere/file")),
        lambda out: hostile(entry("top/way", tarfile.SYMTYPE, out), entry("top/way/escaped")),
        lambda out: hostile(entry("top", tarfile.SYMTYPE, out), entry("top/escaped")),
        lambda out: hostile(entry("top/passwd", tarfile.LNKTYPE, "/etc/passwd")),
        lambda out: hostile(entry("top/mem", tarfile.CHRTYPE, devmajor=1, devminor=1)),
        lambda out: hostile(entry("top/disk", tarfile.BLKTYPE, devmajor=8, devminor=0)),
        lambda out: hostile(entry("top/file"), entry("top/file")),
        lambda out: hostile(told("top/file", mtime="inf")),
        lambda out: hostile(told("top/file", mtime="1e30")),
        lambda out: hostile(told("top/file", size="-100000"), content=bytes(4096)),
        lambda out: hostile(
            told("top/file", **{"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}), content=b"0\n" * 256
        ),
        lambda out: hostile(entry("/".join(["top", *["d"] * 500]))),
        lambda out: hostile(manifest=None),
        lambda out: hostile(manifest=b"[]"),
        lambda out: hostile(manifest=b'{"format": 99}'),
        lambda out: io.BytesIO(b"not an archive"),
        lambda out: io.BytesIO(hostile(entry("top/file"), content=os.urandom(100_000)).getvalue()[:50_000]),
    ],
)
def test_a_hostile_archive_is_refused(made: Callable[[str], io.BytesIO], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(WorkbenchError):
        archive.read(made(str(out)), str(into))
    assert list(out.iterdir()) == [] and not list(tmp_path.glob("**/escaped"))


def test_an_archive_is_unpacked_within_bounds(tmp_path: Path) -> None:
    for number, (bomb, bounds) in enumerate(
        [
            (hostile(entry("top/zeros"), content=bytes(5_000_000)), archive.Bounds(size=1_000_000)),
            (hostile(*[entry(f"top/{n}") for n in range(50)]), archive.Bounds(entries=20)),
        ]
    ):
        into = tmp_path / str(number)
        into.mkdir()
        with pytest.raises(WorkbenchError) as raised:
            archive.read(bomb, str(into), bounds=bounds)
        assert raised.value.code == "sandbox.archive_too_large"
        assert sum(path.stat().st_size for path in into.rglob("*") if path.is_file()) <= 1_000_000
    many = entry("top/attributes")
    many.pax_headers = {f"SCHILY.xattr.user.{n}": "x" * 1000 for n in range(100)}  # type: ignore[misc]
    into = tmp_path / "attributes"
    into.mkdir()
    with pytest.raises(WorkbenchError, match="without end"):
        archive.read(hostile(many), str(into), bounds=archive.Bounds(attributes=2000))
    endless = entry("top/header")
    endless.pax_headers = {"comment": "x" * 3_000_000}  # type: ignore[misc]
    into = tmp_path / "header"
    into.mkdir()
    with pytest.raises(WorkbenchError, match="header without end"):
        archive.read(hostile(endless), str(into))


def test_permissions_that_gain_something_do_not_travel(tmp_path: Path) -> None:
    archive.read(
        hostile(entry("top/file", mode=0o6755), entry("top/folder", tarfile.DIRTYPE, mode=0o7777)),
        str(tmp_path),
    )
    assert stat.S_IMODE((tmp_path / "top" / "file").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "top" / "folder").stat().st_mode) == 0o1777


def test_layers_have_names_of_their_own(tmp_path: Path) -> None:
    layers = Layers(str(tmp_path / "l"), Machine(str(tmp_path)))
    for wrong in ("..", ".", "a/b", "", "00000000", ".hidden"):
        with pytest.raises(WorkbenchError):
            layers.path(wrong)
    layers.delete("../l")
    assert layers.names() == []
