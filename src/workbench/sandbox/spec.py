"""What a sandbox is to be: the values that a provider is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EGRESS_PORT = 3128
"""The loopback port inside on which programs find the way out, where there is one."""


class Limits(NamedTuple):
    """What a sandbox may use; None is without a limit of its own.

    cpus: how many at once, also in parts (0.5). memory, disk: bytes. processes: how many at once, threads included.
    """

    cpus: float | None = None
    memory: int | None = None
    processes: int | None = 2000
    disk: int | None = None


class Mount(NamedTuple):
    """A folder or file of the machine, asked for by name. source, target: absolute paths, outside and inside."""

    source: str
    target: str
    writable: bool = False


class GivenFile(NamedTuple):
    """A file that the init writes at each start (certificates). path: absolute, inside."""

    path: str
    content: bytes
    mode: int = 0o644


class Spec(NamedTuple):
    """All that a start needs besides the disk.

    name: the host name inside, made fit for one. env: beyond the usual (PATH, HOME, LANG, ...). net: a folder of the hub's whose
    `egress.sock` is the way out, or None: there is none. unsafe: whoever asked knows that it may not be isolated.
    image: for a provider that runs images. accept_base: start although the machine's /usr is no longer what its changes were made over.
    """

    name: str = "sandbox"
    env: Mapping[str, str] = {}
    limits: Limits = Limits()
    mounts: tuple[Mount, ...] = ()
    files: tuple[GivenFile, ...] = ()
    net: str | None = None
    unsafe: bool = False
    image: str | None = None
    accept_base: bool = False
