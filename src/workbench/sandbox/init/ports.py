"""Ports inside: connected to from the hub, listed, and the one on which programs find the way out."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Union

from .connection import Connection
from .loop import READ, WRITE, Loop

_CHUNK = 1 << 16
Address = Union[str, "tuple[str, int]"]


class Splice:
    """Two connected stream sockets, bytes both ways, each half closed when its other half ends. Owns both."""

    def __init__(self, loop: Loop, one: socket.socket, other: socket.socket) -> None:
        self._loop = loop
        self._ends = (one, other)
        self._held = {one: bytearray(), other: bytearray()}
        """What waits to be written to each."""
        self._ended = {one: False, other: False}
        """Whether each has said its last."""
        self._shut = {one: False, other: False}
        for end in self._ends:
            end.setblocking(False)
        self._watch()

    def _watch(self) -> None:
        one, other = self._ends
        for end, peer in ((one, other), (other, one)):
            reads = not self._ended[end] and len(self._held[peer]) < _CHUNK
            events = (READ if reads else 0) | (WRITE if self._held[end] else 0)
            self._loop.watch(end.fileno(), events, self._turn(end, peer))

    def _turn(self, end: socket.socket, peer: socket.socket) -> Callable[[int], None]:
        def ready(events: int) -> None:
            try:
                if events & WRITE and self._held[end]:
                    del self._held[end][: end.send(self._held[end])]
                if events & READ and not self._ended[end] and len(self._held[peer]) < _CHUNK:
                    data = end.recv(_CHUNK)
                    self._held[peer] += data
                    self._ended[end] = not data
                    if self._held[peer]:
                        del self._held[peer][: peer.send(self._held[peer])]
            except BlockingIOError:
                pass
            except OSError:
                self._close()
                return
            self._pass_on_ends()

        return ready

    def _pass_on_ends(self) -> None:
        one, other = self._ends
        for end, peer in ((one, other), (other, one)):
            if self._ended[end] and not self._held[peer] and not self._shut[peer]:
                self._shut[peer] = True
                try:
                    peer.shutdown(socket.SHUT_WR)
                except OSError:
                    self._close()
                    return
        if all(self._shut.values()):
            self._close()
        else:
            self._watch()

    def _close(self) -> None:
        for end in self._ends:
            if end.fileno() >= 0:
                self._loop.forget(end.fileno())
                end.close()


def connect(connection: Connection, port: int) -> None:
    """`port.connect`: JSON {connected}, and from then on the connection is the bare bytes of a TCP connection to the port."""
    _connect(
        connection,
        [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))],
        f"nothing answers on port {port}",
    )


def connect_socket(connection: Connection, path: str) -> None:
    """`socket.connect`: the same to a Unix socket inside."""
    _connect(connection, [(socket.AF_UNIX, path)], f"nothing answers at {path}")


def _connect(connection: Connection, addresses: list[tuple[int, Address]], problem: str) -> None:
    loop = connection.loop

    def attempt() -> None:
        family, address = addresses.pop(0)
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            status = sock.connect_ex(address)
        except OSError as error:
            refused(None, error.errno or 0)
            return
        if status in (0, 115):  # EINPROGRESS
            loop.watch(sock.fileno(), WRITE, lambda events: connected(sock))
        else:
            refused(sock, status)

    def connected(sock: socket.socket) -> None:
        loop.forget(sock.fileno())
        status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status or connection.closed:
            refused(sock, status)
            return
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.message({"connected": True})
        connection.flush_now()
        Splice(loop, connection.detach(), sock)

    def refused(sock: socket.socket | None, status: int) -> None:
        if sock is not None:
            sock.close()
        if addresses and not connection.closed:
            attempt()
        else:
            connection.fail("sandbox.port_closed", f"{problem}: {os.strerror(status)}")

    connection.pause()
    attempt()


def listening() -> list[dict[str, object]]:
    """TCP ports that accept connections in this network namespace, and for which addresses."""
    found: dict[int, set[str]] = {}
    for table, any_address in (("/proc/net/tcp", "0" * 8), ("/proc/net/tcp6", "0" * 32)):
        try:
            with open(table) as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 3 and fields[3] == "0A":
                address, port = fields[1].rsplit(":", 1)
                found.setdefault(int(port, 16), set()).add("any" if address == any_address else "loopback")
    return [
        {"port": port, "address": "any" if "any" in where else "loopback"}
        for port, where in sorted(found.items())
    ]


class Relay:
    """Listens on a loopback port inside and passes each connection to a Unix socket of the hub's: the only way out."""

    def __init__(self, loop: Loop, port: int, path: str) -> None:
        self._loop = loop
        self._path = path
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(128)
        self._listener.setblocking(False)
        loop.watch(self._listener.fileno(), READ, self._accept)

    def _accept(self, _events: int) -> None:
        try:
            inner, _ = self._listener.accept()
        except OSError:
            return
        outer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            outer.setblocking(False)
            outer.connect(self._path)
        except OSError:  # the hub is away: programs see a closed connection
            outer.close()
            inner.close()
            return
        Splice(self._loop, inner, outer)
