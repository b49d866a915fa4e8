"""Namespaces, overlays and a filter of system calls, by bubblewrap, as an ordinary user: root drops to an id of its own first."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import cached_property

from workbench.model.errors import WorkbenchError
from workbench.sandbox import program, seccomp
from workbench.sandbox.address import listen
from workbench.sandbox.disk import Disk, base
from workbench.sandbox.disk.layers import materialise
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.disk.size import measure
from workbench.sandbox.limits import cgroups
from workbench.sandbox.machine import Machine
from workbench.sandbox.providers import Availability, Usage
from workbench.sandbox.providers import bubblewrap_arguments as arguments
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
from workbench.sandbox.providers.rooted import Binds
from workbench.sandbox.running import Running
from workbench.sandbox.spec import Limits, Spec

_PROTECTS = (
    "its own processes, network, users, host name and shared memory; of the machine's disk it sees /usr, read-only",
    "everything it writes stays in its own layers; nothing of your home, no socket and no device of the machine is inside",
    "system calls that reach for the kernel itself are refused",
)
_EXPOSES = (
    "it shares the machine's kernel: a flaw in the kernel is a way out",
    "it can read /usr of the machine, and see in its mounts in which folder its layers lie",
)
_FRESH = 5.0
"""Seconds for which the base that was seen is taken for the one that is."""
_PATIENCE = 60.0
"""Seconds a start may take before it is given up."""


class BubblewrapProvider:
    """Needs user namespaces. Without bwrap 0.11 (overlays) /usr stays read-only and a fork copies."""

    name = "bubblewrap"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._looked: tuple[float, base.Base] | None = None

    def check(self) -> Availability:
        return self._availability

    @cached_property
    def _availability(self) -> Availability:
        enforced: tuple[str, ...] = ("processes",)
        places = cgroups.hierarchy()
        if places is not None:
            enforced = tuple(sorted({*enforced, *places.enforces}))
        watched = tuple(sorted({"memory", "disk"} - set(enforced)))
        absent = tuple(sorted({"cpus"} - set(enforced)))
        reason = self._why_not()
        exposes: tuple[str, ...] = _EXPOSES
        if not reason and not self._overlays:
            exposes += (
                "there are no overlays here: nothing can be installed into /usr, and a fork copies the whole disk",
            )
        return Availability(not reason, reason, _PROTECTS, exposes, enforced, watched, absent)

    def _why_not(self) -> str:
        if sys.platform != "linux":
            return "bubblewrap needs Linux"
        return "" if self._machine.bubblewrap is not None else self._machine.why_no_bubblewrap

    @cached_property
    def _overlays(self) -> bool:
        """Whether layers can be stacked here, tried out in the machine's own folder."""
        found = self._machine.bubblewrap
        if found is None or not found.overlays:
            return False
        made = base.ensure(self._machine)
        trial = Disk(os.path.join(self._machine.folder, f"trial-{os.getpid()}"))
        try:
            trial.create(self._machine.owner)
            done = subprocess.run(
                [found.path, "--unshare-all", "--unshare-user", *arguments.stacked(trial, made), "/bin/true"],
                capture_output=True,
                timeout=30,
                env={},
                cwd="/",
                **self._machine.identity,
            )
            return bool(done.returncode == 0)
        except (OSError, subprocess.SubprocessError):
            return False
        finally:
            remove(trial.folder)

    async def start(self, spec: Spec, disk: Disk) -> Running:
        await self._clear_away(disk)
        try:
            running = await asyncio.to_thread(self._start, spec, disk)
        except BaseException:
            await asyncio.to_thread(self._tidy, disk, cgroups.Group.of(mark(disk)))
            raise
        try:
            async with asyncio.timeout(_PATIENCE):
                await greeted(running)
            running.save(disk.running)
        except BaseException as problem:
            await self.kill(running, disk)
            if isinstance(problem, (WorkbenchError, TimeoutError)):
                raise not_started(disk, problem) from problem
            raise
        return running

    def _base(self, spec: Spec, disk: Disk) -> base.Base:
        """The base as it is now; `sandbox.base_changed` where the sandbox has changes to another one and nobody agreed."""
        made = self._current_base()
        if disk.base not in (None, made.fingerprint) and disk.changes_system() and not spec.accept_base:
            raise WorkbenchError(
                "sandbox.base_changed",
                f"the packages of this machine have changed under what was installed here (base {disk.base}, now {made.fingerprint})",
                "start it over the changed base if that is meant: what was installed may not fit it",
            )
        return made

    def _current_base(self) -> base.Base:
        """Looked at anew every few seconds: many starts at once need it once."""
        now = time.monotonic()
        if self._looked is None or now - self._looked[0] > _FRESH:
            self._looked = (now, base.ensure(self._machine))
        return self._looked[1]

    def _start(self, spec: Spec, disk: Disk) -> Running:
        found = self._machine.bubblewrap
        if found is None or not self.check().usable:
            raise WorkbenchError("sandbox.provider_unusable", self.check().reason)
        made = self._base(spec, disk)
        disk.create(self._machine.owner)
        if not self._overlays:
            materialise(disk, [made.part("top")], self._machine.owner)
        disk.base = made.fingerprint
        group = cgroups.Group.make(mark(disk), spec.limits)
        python = program.interpreter(system=True)
        packed = program.packed(self._machine.programs, python)
        with ExitStack() as held:
            listener = held.enter_context(listen(disk.socket))
            said = configuration(
                spec,
                cwd="/workspace",
                home="/root",
                logs="/run/cfwb/log",
                scratch="/run/cfwb/scratch",
                egress="/run/cfwb/net/egress.sock" if spec.net is not None else None,
                watch_memory=group is None or "memory" not in group.enforces,
                limit_processes=True,
            )
            given = held.enter_context(temporary(said))
            errors = held.enter_context(start_log(disk))
            hears, tells = os.pipe()
            held.callback(os.close, hears)
            binds = Binds(self._machine)
            wrapped = arguments.Arguments(held, binds)
            wrapped.isolate(spec, seccomp.program(setuid=not arguments.writes_outside(spec)))
            wrapped.mounts(spec, disk, made, python, packed, overlays=self._overlays)
            wrapped.add("--info-fd", str(wrapped.keep(tells)))
            wrapped.keep(made.hold())
            numbers = [wrapped.keep(os.dup(file.fileno())) for file in (listener, given)]
            options = wrapped.keep_file(temporary("\0".join(wrapped.said).encode("utf-8", "surrogateescape")))
            argv = [found.path, "--args", str(options), "--", *wrapped.init(numbers), mark(disk)]
            try:
                launch(
                    binds.wrapped(argv),
                    descriptors=[*wrapped.kept, options],
                    errors=errors.fileno(),
                    user=binds.become,
                )
                wrapped.release()
                pid = _child(hears)
                if group is not None:
                    group.add(pid)
                return Running.of(pid, disk.socket, {"group": group.saved()} if group is not None else {})
            except (OSError, ValueError, subprocess.SubprocessError) as problem:
                raise not_started(disk, problem) from problem

    async def find(self, disk: Disk) -> Running | None:
        """What runs on this disk, whoever started it and however far they came."""
        saved = Running.saved(disk.running)
        if saved is not None:
            return saved
        for pid in await asyncio.to_thread(by_mark, disk, first_only=True):
            try:
                found = Running.of(pid, disk.socket, {})
                async with asyncio.timeout(5):
                    await greeted(found)
                group = cgroups.Group.of(mark(disk))
                return found._replace(details={"group": group.saved()} if group is not None else {})
            except (ProcessLookupError, WorkbenchError, TimeoutError):
                continue
        return None

    async def stop(self, running: Running, disk: Disk, grace: float) -> None:
        await running.shut_down(grace)
        await self.kill(running, disk)

    async def kill(self, running: Running, disk: Disk) -> None:
        """The kernel ends everything in a namespace with its first process."""
        running.signal(signal.SIGKILL)
        if not await running.ended(30):
            raise WorkbenchError(
                "sandbox.not_stopped", "the kernel does not let go of the sandbox's first process"
            )
        clear(disk)
        group = cgroups.Group.restored(running.details.get("group"))
        if group is not None:
            await asyncio.to_thread(group.remove)

    async def _clear_away(self, disk: Disk) -> None:
        """What an earlier start has left half done; the socket is the first thing that one makes."""
        if not os.path.lexists(disk.socket) and not os.path.lexists(disk.running):  # noqa: ASYNC240
            return
        found = await self.find(disk)
        if found is not None:
            raise WorkbenchError("sandbox.runs_already", "the sandbox runs already")
        await asyncio.to_thread(self._tidy, disk, cgroups.Group.of(mark(disk)))

    def _tidy(self, disk: Disk, group: cgroups.Group | None) -> None:
        self._kill_marked(disk)
        if group is not None:
            group.remove()
        clear(disk)

    def _kill_marked(self, disk: Disk) -> None:
        """The bwrap outside, which waits for the init, and whatever did not get further."""
        for pid in by_mark(disk):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue

    async def delete(self, disk: Disk) -> None:
        """All of it is in the disk's folder; but a start that was cut short may have left a control group or half a sandbox."""
        await asyncio.to_thread(self._tidy, disk, cgroups.Group.of(mark(disk)))

    async def freeze(self, running: Running) -> None:
        await running.channel.freeze()

    async def thaw(self, running: Running) -> None:
        await running.channel.thaw()

    async def limit(self, running: Running, limits: Limits) -> None:
        group = cgroups.Group.restored(running.details.get("group"))
        watched = limits.memory
        if group is not None:
            await asyncio.to_thread(group.limit, limits)
            watched = None if "memory" in group.enforces else watched
        await running.channel.limit(processes=limits.processes, file_size=limits.disk, memory=watched)

    async def usage(self, running: Running, disk: Disk) -> Usage:
        group = cgroups.Group.restored(running.details.get("group"))
        size = await asyncio.to_thread(measure, disk)
        counted = group.usage() if group is not None else None
        if counted is not None:
            return Usage(*counted, size)
        said = await running.channel.usage()
        return Usage.said(said, size)


def _child(hears: int) -> int:
    """The pid of the init, which bwrap tells as soon as it has made it; ValueError where it ended instead."""
    said = b""
    while select.select([hears], [], [], _PATIENCE)[0] and (piece := os.read(hears, 4096)):
        said += piece
        if said.rstrip().endswith(b"}"):
            break
    return int(json.loads(said or b"null")["child-pid"]) if said else _nothing()


def _nothing() -> int:
    raise ValueError("bubblewrap ended before there was a sandbox")
