"""Where the init begins: `python -I -S init.pyz LISTENER CONFIGURATION`.

Two inherited descriptors; or, in a container, which inherits nothing, two paths: where to listen and what to read.
"""

from __future__ import annotations

import binascii
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys

from .children import Limits
from .loop import Loop
from .ports import Relay
from .server import Server
from .watchdog import MemoryWatch

_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """The configuration is JSON {env, files, cwd, logs, scratch, processes, memory, file_size, egress: {port, path}}.

    processes, memory, file_size and egress may be null.
    """
    listener = _listener(sys.argv[1])
    with open(int(sys.argv[2]) if sys.argv[2].isdigit() else sys.argv[2]) as file:
        given = json.load(file)
    _prepare()
    _write(given["files"])
    loop = Loop()
    server = Server(
        loop,
        listener,
        env=given["env"],
        cwd=given["cwd"],
        logs=given["logs"],
        scratch=given["scratch"],
        limits=Limits(given["processes"], given["file_size"]),
        memory=MemoryWatch(loop, given["memory"]),
    )
    signal.signal(signal.SIGTERM, lambda *_: server.shut_down(5.0))
    if given["egress"] is not None:
        Relay(loop, given["egress"]["port"], given["egress"]["path"])
    loop.run()


def _listener(given: str) -> socket.socket:
    if given.isdigit():
        listener = socket.socket(fileno=int(given))
        listener.set_inheritable(False)
        return listener
    with contextlib.suppress(FileNotFoundError):
        os.unlink(given)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(given)
    os.chmod(given, 0o600)
    listener.listen(256)
    return listener


def _write(files: list[tuple[str, str, int]]) -> None:
    """Files that each start brings, (path, base64, mode); one that cannot be written is left out."""
    for path, content, mode in files:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            temporary = f"{path}.cfwb"
            with open(temporary, "wb") as file:
                file.write(binascii.a2b_base64(content))
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except OSError as problem:
            print(f"{path}: {problem}", file=sys.stderr)


def _prepare() -> None:
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
        with contextlib.suppress(OSError):  # what we were started with is not for what we start
            if int(name) > 2:
                os.set_inheritable(int(name), False)
    os.umask(0o022)
    os.environ.clear()
    try:
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # nothing inside may look into us
        if os.getpid() != 1:
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # not Linux: orphans go elsewhere
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
