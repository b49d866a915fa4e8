"""The ways to run a sandbox, behind one protocol: bubblewrap, container, process.

A provider starts the init over a disk and can end, freeze and measure what it started, also when another process did start it.
It knows nothing of names, of HTTP, or of what the sandbox is for.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, Self

from workbench.sandbox.disk import Disk
from workbench.sandbox.running import Running
from workbench.sandbox.spec import Limits, Spec

__all__ = ["Availability", "Disk", "Limits", "Provider", "Running", "Spec", "Usage"]


class Availability(NamedTuple):
    """Whether a provider can be used here, and what it is worth. The texts are sentences for people.

    reason: why not, where it is not usable. protects: what it keeps apart. exposes: what it does not protect against.
    enforced, watched, absent: each limit (cpus, memory, processes, disk) is in one of them: the kernel refuses more; it is looked at
    and acted on; nothing is done about it.
    """

    usable: bool
    reason: str
    protects: tuple[str, ...]
    exposes: tuple[str, ...]
    enforced: tuple[str, ...]
    watched: tuple[str, ...]
    absent: tuple[str, ...]


class Usage(NamedTuple):
    """cpu_seconds: since the start. memory, disk: bytes. disk: what it has written itself, without the layers below."""

    cpu_seconds: float
    memory: int
    processes: int
    disk: int

    @classmethod
    def said(cls, fields: dict[str, Any], disk: int) -> Self:
        """From what an init counted, which is believed only so far as it is numbers."""

        def number(name: str) -> float:
            value = fields.get(name)
            return value if isinstance(value, (int, float)) and 0 <= value < 1 << 62 else 0

        return cls(number("cpu_seconds"), int(number("memory_bytes")), int(number("processes")), disk)


class Provider(Protocol):
    """One way to run sandboxes. All but `check` may raise WorkbenchError with a `sandbox.*` code."""

    name: str

    def check(self) -> Availability:
        """Looks, once in a process; may take some milliseconds."""
        ...

    async def start(self, spec: Spec, disk: Disk) -> Running:
        """The init answers when this returns, and `disk.running` is written; nothing is left behind when it raises."""
        ...

    async def find(self, disk: Disk) -> Running | None:
        """What runs on this disk, whoever started it: after a crash of the starter, however far it came. None: nothing does."""
        ...

    async def stop(self, running: Running, disk: Disk, grace: float) -> None:
        """SIGTERM, then after `grace` seconds SIGKILL, and everything of that run is cleared away. No error where it is gone."""
        ...

    async def kill(self, running: Running, disk: Disk) -> None:
        """At once, whatever state its processes are in, and everything of that run is cleared away."""
        ...

    async def delete(self, disk: Disk) -> None:
        """Take away what it keeps of a stopped sandbox outside of the disk's folder, before that goes."""
        ...

    async def freeze(self, running: Running) -> None: ...

    async def thaw(self, running: Running) -> None: ...

    async def limit(self, running: Running, limits: Limits) -> None:
        """New limits while it runs; what the kernel can only set at a start (rlimits) holds for what starts from now on."""
        ...

    async def usage(self, running: Running, disk: Disk) -> Usage: ...
