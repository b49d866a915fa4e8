"""A container of docker or podman, running an image: for who has an engine already, or wants the platform's own image.

The container keeps its own file system as long as the sandbox lives; /workspace is a folder of the disk. The init is its first
process, written for whatever Python of 3.9 or newer the image has, and listens in a folder that both sides see.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cached_property

from workbench.model.errors import WorkbenchError
from workbench.sandbox import program
from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.layers import materialise
from workbench.sandbox.disk.remove import remove
from workbench.sandbox.disk.size import measure
from workbench.sandbox.providers import Availability, Usage
from workbench.sandbox.providers.bubblewrap_arguments import host_name
from workbench.sandbox.providers.find import mark
from workbench.sandbox.providers.launch import clear, configuration, greeted
from workbench.sandbox.running import Running
from workbench.sandbox.spec import Limits, Spec

ENGINES = ("podman", "docker")
DEFAULT_IMAGE = "docker.io/library/python:3.13-slim"
_SHARED = "/run/cfwb/outside"
_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
)
_PATIENCE = 120.0
"""Seconds that a start may take, besides the download of an image."""


class ContainerProvider:
    """engine: the command to use, or None for the first of podman and docker that answers. options: of the engine, before its verb."""

    name = "container"

    def __init__(self, engine: str | None = None, options: tuple[str, ...] = ()) -> None:
        self._wanted = engine
        self._options = options

    def check(self) -> Availability:
        reason = "" if self._engine else self._why_not
        return Availability(
            not reason,
            reason,
            (
                "what a container keeps apart: processes, network, users as far as the engine maps them, and the image's own files",
            ),
            (
                "it shares the kernel, and is as strong as the engine: one that runs as root makes root inside root outside",
                "its init can be spoken to by every program inside",
                "a picture keeps /workspace only, not what is installed",
            ),
            ("cpus", "memory", "processes"),
            ("disk",),
            (),
        )

    @cached_property
    def _engine(self) -> str | None:
        self._why_not = "neither podman nor docker is installed"
        if sys.platform != "linux":
            self._why_not = (
                "its init is reached through a socket that only an engine on Linux shares with the machine"
            )
            return None
        for name in (self._wanted,) if self._wanted else ENGINES:
            path = shutil.which(name or "")
            if path is None:
                continue
            try:
                subprocess.run([path, *self._options, "info"], capture_output=True, check=True, timeout=30)
                return path
            except (OSError, subprocess.SubprocessError) as problem:
                said = getattr(problem, "stderr", None) or str(problem).encode()
                self._why_not = f"{name} does not answer: {said.decode(errors='replace').strip()[:300]}"
        return None

    def _run(self, *words: str, within: float = _PATIENCE) -> str:
        """What the engine prints; `sandbox.engine` with what it complains of."""
        if self._engine is None:
            raise WorkbenchError("sandbox.provider_unusable", self._why_not)
        try:
            done = subprocess.run(
                [self._engine, *self._options, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=within,
            )
        except subprocess.CalledProcessError as problem:
            raise WorkbenchError(
                "sandbox.engine", f"the engine refused: {problem.stderr.strip()[:2000]}"
            ) from problem
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise WorkbenchError("sandbox.engine", f"the engine did not answer: {problem}") from problem
        return done.stdout.strip()

    async def start(self, spec: Spec, disk: Disk) -> Running:
        if await self.find(disk) is not None:
            raise WorkbenchError("sandbox.runs_already", "the sandbox runs already")
        try:
            running = await asyncio.to_thread(self._start, spec, disk)
            async with asyncio.timeout(_PATIENCE):
                while True:
                    try:
                        await greeted(running)
                        break
                    except WorkbenchError:
                        if not running.alive():
                            raise
                        await asyncio.sleep(0.02)
            running.save(disk.running)
        except (WorkbenchError, TimeoutError, ProcessLookupError) as problem:
            logs = await asyncio.to_thread(self._last_words, disk)
            await asyncio.to_thread(self._end, disk)
            raise WorkbenchError(
                "sandbox.not_started", f"the sandbox did not start: {logs or problem}"
            ) from problem
        return running

    def _start(self, spec: Spec, disk: Disk) -> Running:
        disk.create()
        if disk.layers:
            materialise(disk, [], None)
        shared = self._shared(disk)
        os.makedirs(shared, mode=0o700, exist_ok=True)
        os.makedirs(disk.outside("/workspace"), exist_ok=True)
        # Root inside may write here, while it runs: what lies at our files' names may be a link to anywhere.
        for name in ("init.pyz", "init.pyz.new", "config.json", "init.sock"):
            remove(os.path.join(shared, name))
        program.unpacked(os.path.join(shared, "init.pyz"))
        said = configuration(
            spec,
            cwd="/workspace",
            home="/root",
            logs=f"{_SHARED}/log",
            scratch="/run/cfwb/scratch",
            egress="/run/cfwb/net/egress.sock" if spec.net is not None else None,
            watch_memory=False,
            limit_processes=False,
        )
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(os.path.join(shared, "config.json"), flags, 0o600), "wb") as file:
            file.write(said)
        name = mark(disk)
        made = self._arguments(spec, disk)
        shape = hashlib.sha256(json.dumps(made).encode()).hexdigest()[:16]
        image = spec.image or DEFAULT_IMAGE
        known = self._known(name)
        if known is not None and known[0] != shape:  # mounts and limits are fixed when a container is made
            image = f"cfwb/{name}"
            self._run("commit", name, image, within=600)
            self._run("rm", "-f", name)
            known = None
        if known is None:
            self._run(
                "run",
                "-d",
                "--name",
                name,
                "--label",
                f"cfwb={shape}",
                *made,
                image,
                *self._init(name),
                within=1800,
            )
        else:
            self._run("start", name)
        pid = self._run("inspect", "--format", "{{.State.Pid}}", name)
        if not pid.isdigit() or pid == "0":
            raise WorkbenchError("sandbox.not_started", "its first process ended at once")
        return Running.of(int(pid), os.path.join(shared, "init.sock"), {"container": name})

    def _arguments(self, spec: Spec, disk: Disk) -> list[str]:
        made = [
            "--hostname", host_name(spec.name), "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--entrypoint", "python3", "--volume", f"{self._shared(disk)}:{_SHARED}",
            "--volume", f"{disk.outside('/workspace')}:/workspace",
        ]  # fmt: skip
        for capability in _CAPABILITIES:
            made += ["--cap-add", capability]
        for mount in spec.mounts:
            made += ["--volume", f"{mount.source}:{mount.target}{'' if mount.writable else ':ro'}"]
        if spec.net is not None:
            made += ["--volume", f"{spec.net}:/run/cfwb/net:ro"]
        return made + _limits(spec.limits)

    def _init(self, name: str) -> list[str]:
        return ["-I", "-S", f"{_SHARED}/init.pyz", f"{_SHARED}/init.sock", f"{_SHARED}/config.json", name]

    def _shared(self, disk: Disk) -> str:
        return os.path.join(disk.folder, "container")

    def _known(self, name: str) -> tuple[str, bool, int] | None:
        """(shape, whether it runs, pid) of a container; None where there is none."""
        try:
            said = self._run(
                "inspect",
                "--format",
                '{{index .Config.Labels "cfwb"}} {{.State.Running}} {{.State.Pid}}',
                name,
            )
            shape, runs, pid = said.split()
            return shape, runs == "true", int(pid)
        except (WorkbenchError, ValueError):
            return None

    async def find(self, disk: Disk) -> Running | None:
        saved = Running.saved(disk.running)
        if saved is not None:
            return saved
        known = await asyncio.to_thread(self._known, mark(disk))
        if known is None or not known[1]:
            return None
        try:
            found = Running.of(
                known[2], os.path.join(self._shared(disk), "init.sock"), {"container": mark(disk)}
            )
            async with asyncio.timeout(5):
                await greeted(found)
            return found
        except (ProcessLookupError, WorkbenchError, TimeoutError):
            return None

    def _last_words(self, disk: Disk) -> str:
        """The end of what the container printed, on either stream."""
        if self._engine is None:
            return ""
        words = [self._engine, *self._options, "logs", "--tail", "5", mark(disk)]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return ""
        return (
            (done.stdout + done.stderr).decode(errors="replace").strip()[-1000:]
            if not done.returncode
            else ""
        )

    async def stop(self, running: Running, disk: Disk, grace: float) -> None:
        await running.shut_down(grace)
        await self.kill(running, disk)

    async def kill(self, running: Running, disk: Disk) -> None:
        """The container stays, stopped, with its file system."""
        await asyncio.to_thread(self._end, disk)
        await running.ended(10)
        clear(disk)

    def _end(self, disk: Disk) -> None:
        known = self._known(mark(disk))
        if known is not None and known[1]:
            with contextlib.suppress(WorkbenchError):  # it may have ended by itself meanwhile
                self._run("kill", mark(disk))

    async def delete(self, disk: Disk) -> None:
        """The container, and the image that it was made anew from."""

        def gone() -> None:
            for words in (("rm", "-f", mark(disk)), ("rmi", "-f", f"cfwb/{mark(disk)}")):
                try:
                    self._run(*words)
                except WorkbenchError:
                    continue

        await asyncio.to_thread(gone)

    async def freeze(self, running: Running) -> None:
        await running.channel.freeze()

    async def thaw(self, running: Running) -> None:
        await running.channel.thaw()

    async def limit(self, running: Running, limits: Limits) -> None:
        """At once; the next start makes the container anew with them."""
        if words := _limits(limits):
            await asyncio.to_thread(self._run, "update", *words, running.details["container"])
        await running.channel.limit(processes=None, file_size=limits.disk, memory=None)

    async def usage(self, running: Running, disk: Disk) -> Usage:
        said = await running.channel.usage()
        return Usage.said(said, await asyncio.to_thread(measure, disk))


def _limits(limits: Limits) -> list[str]:
    words: list[str] = []
    if limits.cpus is not None:
        words += ["--cpus", f"{limits.cpus:g}"]
    if limits.memory is not None:
        words += ["--memory", str(limits.memory), "--memory-swap", str(limits.memory)]
    if limits.processes is not None:
        words += ["--pids-limit", str(limits.processes + 40)]
    return words
