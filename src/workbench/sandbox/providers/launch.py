"""Starting an init so that it outlives us: what every provider does alike."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk import Disk
from workbench.sandbox.exchange import Fields
from workbench.sandbox.running import Running
from workbench.sandbox.spec import DEFAULT_PATH, EGRESS_PORT, Spec

# The shell goes away at once: what it leaves is nobody's child but the machine's, which reaps it.
_LEAVE = '"$@" >&2 & echo $!'


def environment(spec: Spec, *, home: str) -> dict[str, str]:
    """What programs inside find: the usual, then what the spec says."""
    usual = {
        "PATH": DEFAULT_PATH,
        "HOME": home,
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
    }
    return usual | dict(spec.env)


def configuration(
    spec: Spec,
    *,
    cwd: str,
    home: str,
    logs: str,
    scratch: str,
    egress: str | None,
    watch_memory: bool,
    limit_processes: bool,
) -> bytes:
    """What the init reads: JSON. egress: the socket as seen inside."""
    given = {
        "env": environment(spec, home=home),
        "files": [[file.path, base64.b64encode(file.content).decode(), file.mode] for file in spec.files],
        "cwd": cwd,
        "logs": logs,
        "scratch": scratch,
        "processes": spec.limits.processes if limit_processes else None,
        "file_size": spec.limits.disk,
        "memory": spec.limits.memory if watch_memory else None,
        "egress": None if egress is None else {"port": EGRESS_PORT, "path": egress},
    }
    return json.dumps(given).encode()


def temporary(content: bytes) -> BinaryIO:
    """A file without a name that begins with this."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the caller's to close)
    file.write(content)
    file.flush()
    file.seek(0)
    return file


def start_log(disk: Disk) -> BinaryIO:
    """Where what a start prints goes: read only when it fails."""
    path = os.path.join(disk.folder, "start.log")
    return open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "wb"
    )


def launch(
    argv: Sequence[str],
    *,
    descriptors: Sequence[int],
    errors: int,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
) -> int:
    """Run it in a session of its own, as nobody's child: its pid. errors: where its standard error goes.

    user: become this id first, with no group but its own.
    """
    identity: dict[str, object] = {}
    if user is not None:
        identity = {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(
        ["/bin/sh", "-c", _LEAVE, "sh", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=tuple(descriptors),
        start_new_session=True,
        cwd="/",
        env=dict(env or {}),
        check=True,
        **identity,  # type: ignore[call-overload]
    )
    return int(done.stdout)


async def greeted(running: Running) -> Fields:
    """What the init says first; `sandbox.not_running` where it ended instead."""
    return await running.channel.hello()


def not_started(disk: Disk, problem: object) -> WorkbenchError:
    """The error of a start that failed, with what was printed meanwhile."""
    try:
        with open(os.path.join(disk.folder, "start.log"), "rb") as file:
            said = file.read(2000).decode("utf-8", "replace").strip()
    except OSError:
        said = ""
    return WorkbenchError("sandbox.not_started", f"the sandbox did not start: {said or problem}")


def clear(disk: Disk) -> None:
    """Take away what only means something while it runs."""
    for path in (disk.socket, disk.running):
        with suppress(FileNotFoundError):
            os.unlink(path)
