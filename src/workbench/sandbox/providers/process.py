"""No isolation: the same init, as this user, among everything else on the machine. Only for who says that it may be unsafe."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

from workbench.model.errors import WorkbenchError
from workbench.sandbox import program
from workbench.sandbox.address import listen
from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.layers import materialise
from workbench.sandbox.disk.size import measure
from workbench.sandbox.providers import Availability, Usage
from workbench.sandbox.providers.find import by_mark, mark
from workbench.sandbox.providers.launch import (
    clear,
    configuration,
    greeted,
    launch,
    not_started,
    start_log,
    temporary,
)
from workbench.sandbox.running import Running
from workbench.sandbox.spec import Limits, Spec


class ProcessProvider:
    """Programs run as this user. `/workspace` does not exist: the working folder is the sandbox's own on the machine's disk."""

    name = "process"

    def __init__(self, programs: str) -> None:
        """programs: a folder where the packed init is kept."""
        self._programs = programs

    def check(self) -> Availability:
        return Availability(
            usable=sys.platform != "win32",
            reason="" if sys.platform != "win32" else "the init needs a Unix",
            protects=(),
            exposes=(
                "nothing is kept apart: programs run as you, read and write all that you can, and use the network freely",
            ),
            enforced=(),
            watched=("memory", "disk"),
            absent=("cpus", "processes"),
        )

    async def start(self, spec: Spec, disk: Disk) -> Running:
        """`sandbox.unsafe` unless the spec says that it may be."""
        if not spec.unsafe:
            raise WorkbenchError(
                "sandbox.unsafe",
                "the process provider isolates nothing",
                "pass --unsafe to run programs as yourself, with all that you can reach",
            )
        running = await asyncio.to_thread(self._start, spec, disk)
        try:
            await greeted(running)
            running.save(disk.running)
        except BaseException as problem:
            await self.kill(running, disk)
            if isinstance(problem, WorkbenchError):
                raise not_started(disk, problem) from problem
            raise
        return running

    def _start(self, spec: Spec, disk: Disk) -> Running:
        disk.create()
        if disk.layers:
            materialise(disk, [], None)
        python = program.interpreter(system=False)
        packed = program.packed(self._programs, python)
        said = configuration(
            spec._replace(files=()),
            cwd=_folder(disk, "workspace"),
            home=_folder(disk, "root"),
            logs=disk.log,
            scratch=os.path.join(disk.folder, "scratch"),
            egress=None,
            watch_memory=True,
            limit_processes=False,
        )
        with temporary(said) as given, listen(disk.socket) as listener, start_log(disk) as errors:
            numbers = [listener.fileno(), given.fileno()]
            argv = [python.path, "-I", "-S", packed, *map(str, numbers), mark(disk)]
            try:
                pid = launch(argv, descriptors=numbers, errors=errors.fileno())
                return Running.of(pid, disk.socket, {})
            except (OSError, ValueError, subprocess.SubprocessError) as problem:
                raise not_started(disk, problem) from problem

    async def find(self, disk: Disk) -> Running | None:
        saved = Running.saved(disk.running)
        if saved is not None:
            return saved
        for pid in await asyncio.to_thread(by_mark, disk):
            try:
                found = Running.of(pid, disk.socket, {})
                async with asyncio.timeout(5):
                    await greeted(found)
                return found
            except (ProcessLookupError, WorkbenchError, TimeoutError):
                continue
        return None

    async def stop(self, running: Running, disk: Disk, grace: float) -> None:
        await running.shut_down(grace)
        await self.kill(running, disk)

    async def kill(self, running: Running, disk: Disk) -> None:
        while running.alive() and (below := _descendants(running.pid)):
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
            await asyncio.sleep(0.005)
        running.signal(signal.SIGKILL)
        await running.ended(5)
        clear(disk)

    async def delete(self, disk: Disk) -> None:
        """All of it is in the disk's folder."""

    async def freeze(self, running: Running) -> None:
        await running.channel.freeze()

    async def thaw(self, running: Running) -> None:
        await running.channel.thaw()

    async def limit(self, running: Running, limits: Limits) -> None:
        await running.channel.limit(processes=None, file_size=limits.disk, memory=limits.memory)

    async def usage(self, running: Running, disk: Disk) -> Usage:
        said = await running.channel.usage()
        size = await asyncio.to_thread(measure, disk)
        return Usage.said(said, size)


def _folder(disk: Disk, name: str) -> str:
    """A folder of the disk as the machine sees it, made where it is missing."""
    path = disk.outside("/" + name)
    os.makedirs(path, exist_ok=True)
    return path


def _descendants(pid: int) -> list[int]:
    """All living processes below this one, the init being where orphans go."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] != b"Z":
                parents[int(entry)] = int(fields[1])
    found: list[int] = []
    wanted = {pid}
    while wanted:
        wanted = {child for child, parent in parents.items() if parent in wanted and child not in found}
        found.extend(wanted)
    return found
