"""Whose socket the other end of a connection on this machine is (Linux: /proc/net/tcp, proc(5))."""

from __future__ import annotations

import socket
import struct
import sys


def peer_uid(peer: tuple[str, int], here: tuple[str, int]) -> int | None:
    """The user id that opened `peer`, which is connected to `here`; None where it can't be told.

    Both are addresses of 127.0.0.0/8. A socket that nobody holds any more shows as root's, so one without an inode counts as unknown.
    """
    if sys.platform != "linux":
        return None
    wanted = (_tcp(*peer), _tcp(*here)), (_tcp6(*peer), _tcp6(*here))
    for table, (local, remote) in zip(("/proc/net/tcp", "/proc/net/tcp6"), wanted, strict=True):
        uid = _look(table, local, remote)
        if uid is not None:
            return uid
    return None


def _look(table: str, local: str, remote: str) -> int | None:
    try:
        with open(table, encoding="ascii") as lines:
            for line in lines:
                if local not in line:
                    continue
                columns = line.split()
                if columns[1:3] == [local, remote] and columns[9] != "0":
                    return int(columns[7])
    except (OSError, ValueError, IndexError):
        return None
    return None


def _tcp(host: str, port: int) -> str:
    """`0100007F:1F90`: the address as a number of this machine's byte order, the port as it is."""
    try:
        (address,) = struct.unpack("=I", socket.inet_aton(host))
    except OSError:
        return "-"
    return f"{address:08X}:{port:04X}"


def _tcp6(host: str, port: int) -> str:
    """An IPv4 address as an IPv6 socket has it, `::ffff:127.0.0.1`."""
    mapped = struct.unpack("=4I", b"\0" * 10 + b"\xff\xff" + socket.inet_aton(host))
    return "".join(f"{part:08X}" for part in mapped) + f":{port:04X}"
