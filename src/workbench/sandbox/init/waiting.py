"""`process.wait` for a port or a line, in a forked child: a pattern may burn, a port may never open."""

from __future__ import annotations

import re
import select
import signal
import socket
import time

from . import wire
from .blocking import Peer

_LONGEST_LINE = 1 << 16


def for_line(peer: Peer, logs: Peer, pattern: str, *, literal: bool, timeout: float | None) -> None:
    """Answers {matched, line, match, groups} for the first line that the pattern is found in.

    logs: a connection on which `process.logs` follows. {matched: false, reason: "timeout" | "exited"} where there is none. A last
    line without its end counts as it grows: prompts have no line end.
    """
    wanted = re.compile(re.escape(pattern) if literal else pattern)
    until = None if timeout is None else time.monotonic() + timeout
    if timeout is not None:  # a pattern that burns is not interrupted by any deadline but this
        signal.setitimer(signal.ITIMER_REAL, timeout + 0.2)
    held = {wire.DATA: b"", wire.STDERR: b""}
    while True:
        if not _readable(peer, logs, until):
            peer.send(wire.message({"matched": False, "reason": "timeout"}))
            return
        kind, payload = logs.receive()
        if kind == wire.JSON and "process" in (last := wire.read_json(payload)):
            peer.send(wire.message({"matched": False, "reason": "exited", "process": last["process"]}))
            return
        if kind not in held:
            continue
        *lines, rest = (held[kind] + payload).split(b"\n")
        for line in [*lines, rest]:
            text = line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip("\r")
            found = wanted.search(text)
            if found is not None:
                answer = {"matched": True, "line": text, "match": found[0], "groups": found.groups()}
                peer.send(wire.message(answer))
                return
        held[kind] = rest[-_LONGEST_LINE:]


def _readable(peer: Peer, logs: Peer, until: float | None) -> bool:
    """Whether there is something in the log; ConnectionError where the hub went away."""
    if logs.held():
        return True
    while True:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            return False
        ready, _, _ = select.select([peer.sock, logs.sock], [], [], left)
        if peer.sock in ready:
            raise ConnectionError("the other side went away")
        if ready:
            return True


def for_port(peer: Peer, port: int, *, ended: Peer | None, timeout: float | None) -> None:
    """Answers {matched: true} when something accepts connections on the loopback port; else reason "timeout" or "exited".

    ended: a connection on which `process.exited` waits, where a process is meant to open the port.
    """
    until = None if timeout is None else time.monotonic() + timeout
    pause = 0.02
    while not _open(port):
        left = pause if until is None else min(pause, until - time.monotonic())
        if left <= 0:
            peer.send(wire.message({"matched": False, "reason": "timeout"}))
            return
        watched = [peer.sock] + ([ended.sock] if ended is not None else [])
        ready, _, _ = select.select(watched, [], [], left)
        if peer.sock in ready:
            return
        if ready and ended is not None:
            _, payload = ended.receive()
            last = wire.read_json(payload).get("process")
            peer.send(wire.message({"matched": False, "reason": "exited", "process": last}))
            return
        pause = min(pause * 1.5, 0.25)
    peer.send(wire.message({"matched": True}))


def _open(port: int) -> bool:
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port), timeout=1).close()
            return True
        except OSError:
            continue
    return False
