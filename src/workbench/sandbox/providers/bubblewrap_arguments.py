"""The command line of bwrap, and the descriptors that go with it."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import BinaryIO

from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk import Disk
from workbench.sandbox.disk.base import Base
from workbench.sandbox.program import Interpreter
from workbench.sandbox.providers.launch import temporary
from workbench.sandbox.providers.rooted import Binds
from workbench.sandbox.spec import Mount, Spec

PYTHON = "/run/cfwb/python"
_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
)  # fmt: skip
_SHARED_MEMORY = 256 << 20
_RUN = 64 << 20


def stacked(disk: Disk, made: Base) -> list[str]:
    """The two overlays: everything but /usr at /, and /usr. The last source is the uppermost."""
    said: list[str] = []
    for part, target, lowest in (("top", "/", []), ("usr", "/usr", ["/usr"])):
        for source in [*lowest, made.part(part), *reversed(disk.below(part))]:
            said += ["--overlay-src", source]
        said += ["--overlay", disk.upper(part), disk.work(part), target]
    return said


def writes_outside(spec: Spec) -> bool:
    """Whether it may write into folders of the machine."""
    return any(mount.writable for mount in spec.mounts)


class Arguments:
    """Collects what bwrap is told. Descriptors are ours until `release`."""

    def __init__(self, held: ExitStack, binds: Binds) -> None:
        self.said: list[str] = []
        self.kept: list[int] = []
        self._binds = binds
        held.callback(self.release)

    def add(self, *words: str) -> None:
        self.said += words

    def keep(self, fd: int) -> int:
        """A descriptor that bwrap inherits; ours to close."""
        self.kept.append(fd)
        return fd

    def keep_file(self, file: BinaryIO) -> int:
        with file:
            return self.keep(os.dup(file.fileno()))

    def release(self) -> None:
        """Close what is bwrap's by now."""
        while self.kept:
            os.close(self.kept.pop())

    def isolate(self, spec: Spec, filter_program: bytes | None) -> None:
        """Namespaces, identity, capabilities, filter."""
        self.add(
            "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--disable-userns", "--new-session"
        )
        self.add("--hostname", host_name(spec.name), "--as-pid-1", "--clearenv", "--chdir", "/")
        self.add("--cap-drop", "ALL")
        for capability in _CAPABILITIES:
            # A file in a folder of the machine that was given a capability would have it there.
            if capability != "CAP_SETFCAP" or not writes_outside(spec):
                self.add("--cap-add", capability)
        if filter_program is not None:
            self.add("--seccomp", str(self.keep_file(temporary(filter_program))))

    def mounts(
        self, spec: Spec, disk: Disk, made: Base, python: Interpreter, packed: str, *, overlays: bool
    ) -> None:
        """The disk, what every Linux has, what the init needs, and what was asked for by name."""
        for name in ("usr", "proc", "dev", "run", "tmp"):
            if disk.link_on_the_way("/" + name):
                raise WorkbenchError(
                    "sandbox.broken_disk", f"/{name} of this disk is a link, which no sandbox can have made"
                )
        if overlays:
            self.add(*stacked(disk, made))
        else:
            self.add("--bind", disk.upper("top"), "/", "--ro-bind", "/usr", "/usr")
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            if os.path.isdir("/" + name) and not os.path.islink("/" + name):
                self.add("--ro-bind", "/" + name, "/" + name)
        self.add("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev")
        self.add("--perms", "1777", "--size", str(_SHARED_MEMORY), "--tmpfs", "/dev/shm")
        self.add("--size", str(_RUN), "--tmpfs", "/run", "--dir", "/run/lock", "--dir", "/run/cfwb")
        self.add("--bind", disk.tmp, "/tmp", "--bind", disk.log, "/run/cfwb/log")
        self._bind(python.path, f"{PYTHON}/bin/python3")
        library = f"{PYTHON}/lib/python{python.version[0]}.{python.version[1]}"
        self._bind(python.library, library)
        if os.path.isdir(os.path.join(python.library, "site-packages")):
            self.add("--tmpfs", f"{library}/site-packages")
        if not python.path.startswith("/usr/"):
            self._bind(python.libraries, f"{PYTHON}/libraries")
            self.add("--setenv", "LD_LIBRARY_PATH", f"{PYTHON}/libraries")
        with open(packed, "rb") as file:
            self.add("--ro-bind-data", str(self.keep_file(temporary(file.read()))), "/run/cfwb/init.pyz")
        if spec.net is not None:
            self._bind(spec.net, "/run/cfwb/net")
        for mount in spec.mounts:
            link = disk.link_on_the_way(mount.target)
            if link is not None:
                raise WorkbenchError(
                    "sandbox.mount_over_link",
                    f"nothing can be mounted at {mount.target}: {link} is a link in this sandbox",
                )
            self._mount(mount, by_descriptor=overlays)

    def _mount(self, mount: Mount, *, by_descriptor: bool) -> None:
        """What was asked for by name. Its links were followed when it was: one that is on the way now was put there since, perhaps by
        another sandbox that may write there, so the folder is opened without following any, and bwrap holds to what was opened.
        """
        found = _straight(mount.source)
        path = self._binds.path(mount.source, mapped=True)
        how = "--bind" if mount.writable else "--ro-bind"
        if path == mount.source and by_descriptor:
            self.add(f"{how}-fd", str(self.keep(found)), mount.target)
        else:
            os.close(found)
            self.add(how, path, mount.target)

    def _bind(self, source: str, target: str) -> None:
        if not os.path.exists(source):
            raise WorkbenchError("sandbox.no_mount", f"{source} cannot be mounted: it is not there")
        self.add("--ro-bind", self._binds.path(source, mapped=False), target)

    def init(self, numbers: list[int]) -> list[str]:
        """The program inside and its descriptors."""
        return [
            f"{PYTHON}/bin/python3", "-I", "-S", "/run/cfwb/init.pyz", *map(str, numbers),
        ]  # fmt: skip


def _straight(path: str) -> int:
    """A descriptor (O_PATH) of an absolute path, no link followed on the way. Raises `sandbox.no_mount`."""
    now = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        for part in path.split("/")[1:]:
            below = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=now)
            os.close(now)
            now = below
            if stat.S_ISLNK(os.fstat(now).st_mode):
                raise WorkbenchError(
                    "sandbox.no_mount",
                    f"{path} cannot be mounted: a link is on the way there, which was not when it was asked for",
                )
    except OSError:
        os.close(now)
        raise WorkbenchError("sandbox.no_mount", f"{path} cannot be mounted: it is not there") from None
    except BaseException:
        os.close(now)
        raise
    return now


def host_name(name: str) -> str:
    """A name as a host may have one: letters, digits and dashes, at most 63."""
    fit = "".join(each if each.isascii() and each.isalnum() else "-" for each in name.lower())
    return fit.strip("-")[:63].strip("-") or "sandbox"
