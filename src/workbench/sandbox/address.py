"""Unix sockets whose path may be longer than the 108 bytes that an address holds."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.sandbox.init import wire

_ROOM = 100


@contextmanager
def _address(path: str) -> Iterator[str]:
    """What to say instead of the path: through a descriptor of its folder where it is too long."""
    if len(os.fsencode(path)) <= _ROOM or not os.path.isdir("/proc/self/fd"):
        yield path
        return
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def listen(path: str) -> socket.socket:
    """A listening socket at this path, for its owner alone; one that was left there before is replaced."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if os.path.lexists(path):
            os.unlink(path)
        with _address(path) as address:
            sock.bind(address)
        os.chmod(path, 0o600)
        sock.listen(256)
    except BaseException:
        sock.close()
        raise
    return sock


async def connect(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Streams to a Unix socket; OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        with _address(path) as address:
            await asyncio.get_running_loop().sock_connect(sock, address)
        return await asyncio.open_unix_connection(sock=sock, limit=4 * wire.CHUNK)
    except BaseException:
        sock.close()
        raise
