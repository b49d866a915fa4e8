"""A sandbox for a test: a provider, a disk, and what runs on it; as whoever runs the tests, and as an ordinary user."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  (an ordinary user could not import it later)
import os
import tempfile
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.installation import unavailable
from workbench.sandbox.channel import Channel
from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.machine import Machine
from workbench.sandbox.providers import Provider, Running, Spec
from workbench.sandbox.providers.bubblewrap import BubblewrapProvider

ORDINARY = 0x63667763
"""The id that tests of root become to be an ordinary user."""

USERS = ["root", "an ordinary user"] if os.geteuid() == 0 else ["an ordinary user"]


class Sandbox(NamedTuple):
    provider: Provider
    disk: Disk
    running: Running

    @property
    def channel(self) -> Channel:
        return self.running.channel

    async def sh(self, script: str, **options: object) -> str:
        """What a line of shell prints, both streams, without the last line end."""
        done = await self.channel.run(["/bin/sh", "-c", script], **options)  # type: ignore[arg-type]
        return (done.stdout + done.stderr).decode().rstrip("\n")


class Ground(NamedTuple):
    """Where sandboxes are made: what they share, and a folder that who runs them may walk to."""

    machine: Machine
    folder: str
    provider: BubblewrapProvider

    def disk(self, name: str = "disk", layers: list[str] | None = None) -> Disk:
        return Disk(os.path.join(self.folder, name), layers or [])


@asynccontextmanager
async def running(provider: Provider, disk: Disk, spec: Spec) -> AsyncIterator[Sandbox]:
    """Started, and ended whatever happens."""
    started = await provider.start(spec, disk)
    try:
        yield Sandbox(provider, disk, started)
    finally:
        await provider.kill(started, disk)


def process_disk(folder: Path) -> Disk:
    return Disk(str(folder / "disk"))


def needs_bubblewrap() -> None:
    """Skip, or fail where everything is required."""
    available = BubblewrapProvider(Machine()).check()
    if not available.usable:
        unavailable(available.reason)


@contextmanager
def _ground() -> Iterator[Ground]:
    """As whoever we are; root's lies where the id that it drops to may walk."""
    machine = Machine()
    machine.make_folder(machine.folder)
    folder = tempfile.mkdtemp(prefix="t", dir=machine.folder)
    os.chmod(folder, 0o711)
    try:
        yield Ground(machine, folder, BubblewrapProvider(machine))
    finally:
        remove(folder)


def on_ground(user: str, look: Callable[[Ground], Awaitable[None]]) -> None:
    """Run it as that user; an ordinary one is a forked child where root runs the tests."""
    needs_bubblewrap()
    if user == "root" or os.geteuid() != 0:
        with _ground() as ground:
            asyncio.run(_bounded(look(ground)))
        return
    # What root has prepared can be reached by everybody: the child could not walk into root's own environment.
    bubblewrap = Machine().bubblewrap
    home = f"/var/lib/cfwb/ordinary-{ORDINARY}"
    os.makedirs(home, exist_ok=True)
    os.chown(home, ORDINARY, ORDINARY)
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(told)
            os.setgroups([])
            os.setresgid(ORDINARY, ORDINARY, ORDINARY)
            os.setresuid(ORDINARY, ORDINARY, ORDINARY)
            os.environ.update(HOME=home, XDG_CACHE_HOME=f"{home}/.cache", TMPDIR=home)
            tempfile.tempdir = None
            os.chdir(home)
            Machine.bubblewrap = bubblewrap  # type: ignore[assignment]
            with _ground() as ground:
                asyncio.run(_bounded(look(ground)))
        except BaseException:
            os.write(tells, traceback.format_exc().encode()[-60_000:])
            os._exit(1)
        os._exit(0)
    os.close(tells)
    said = b""
    while piece := os.read(told, 65536):
        said += piece
    os.close(told)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"as an ordinary user:\n{said.decode()}"


async def _bounded(look: Awaitable[None]) -> None:
    async with asyncio.timeout(120):
        await look


def in_a_sandbox(user: str, look: Callable[[Sandbox], Awaitable[None]], spec: Spec = Spec()) -> None:  # noqa: B008
    """Run it over a fresh bubblewrap sandbox of that user."""

    async def within(ground: Ground) -> None:
        async with running(ground.provider, ground.disk(), spec) as box:
            await look(box)

    on_ground(user, within)
