"""The life of the process: one a state directory, its folders its owner's alone, stopped by a signal or a request.

What ends the process leaves the sandboxes alone: each has a process of its own that the next hub finds again. Killed at any point it
leaves a socket nobody listens on and a lock nobody holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import stat
import sys
from typing import Any

import uvicorn

from workbench import __version__
from workbench.model.hub import PROTOCOL
from workbench.model.places import HubPlaces, hub_places
from workbench.model.times import iso, now_ms

from .app import application
from .core import Hub

log = logging.getLogger("cfwb.hub")
LARGEST_LOG = 4 << 20


class Starter:
    """Whoever started us and waits to hear how it went. fd: its pipe, or None."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd

    def say(self, text: str) -> None:
        """Say it, and let them go. Only the first word counts."""
        if self.fd is not None:
            fd, self.fd = self.fd, None
            with contextlib.suppress(OSError):
                os.write(fd, text.encode()[:4000])
            os.close(fd)


def run(state_directory: str, starter: Starter, *, keep_output: bool = False) -> int:
    """Be the hub until told to stop; the exit status."""
    os.umask(0o077)
    places = hub_places(state_directory)
    _make_folders(places)
    lock = _take(places.lock)
    if lock is None:
        starter.say("busy")
        return 0
    if not keep_output:
        _redirect(places.log)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for chatty in ("uvicorn.error", "uvicorn.access", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    listening = _listen(places.socket)
    hub = Hub(places, _token(places.token), started=iso(now_ms()))
    try:
        asyncio.run(_serve(hub, listening, starter))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(places.socket)
    log.info("ended")
    os.close(lock)
    return 0


async def _serve(hub: Hub, listening: socket.socket, starter: Starter) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hub.stopping.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    config = uvicorn.Config(
        application(hub),
        http="h11",
        ws="websockets-sansio",
        ws_max_size=4 << 20,
        ws_ping_interval=None,  # a Unix socket tells when its other end is gone
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, hub.stopping)
    await hub.open()
    try:
        _write_info(hub)
        log.info("serving %s on %s", hub.places.state_directory, hub.places.socket)
        starter.say("ready")
        await server.serve(sockets=[listening])
    finally:
        await hub.close()


class _Server(uvicorn.Server):
    """Uvicorn's server without its ten looks a second whether to stop, and without its signal handlers."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self.stopping = stopping

    async def main_loop(self) -> None:
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _make_folders(places: HubPlaces) -> None:
    """The data folder (as root others may walk through it: sandboxes run as another id) and the runtime folder."""
    passable = 0o711 if os.geteuid() == 0 else 0o700
    for folder in (os.path.dirname(places.data), places.data, places.sandboxes, places.layers):
        _make(folder, passable)
        _own(folder)
    for folder in (os.path.dirname(places.runtime), places.runtime):
        _make(folder, 0o700)
        _own(folder)
        os.chmod(folder, 0o700)


def _make(folder: str, mode: int) -> None:
    """The folder, with this mode where it is new (the umask would take bits away)."""
    if not os.path.isdir(folder):
        os.makedirs(folder, mode=mode, exist_ok=True)
        os.chmod(folder, mode)


def _own(folder: str) -> None:
    """Refuse a folder that is somebody else's, or a link to one."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of this user's own")


def _take(path: str) -> int | None:
    """The lock, held until the descriptor is closed or the process is gone; None where another holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _redirect(path: str) -> None:
    """Standard output and errors to the log, which is begun anew when it has become long."""
    with contextlib.suppress(OSError):
        if os.path.getsize(path) > LARGEST_LOG:
            os.replace(path, path + ".1")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def _listen(path: str) -> socket.socket:
    """The socket, in place of the one of a hub that is gone (we hold its lock)."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    os.chmod(path, 0o600)
    listening.listen(512)
    return listening


def _token(path: str) -> str:
    """The bearer token: the one that is there, so that a client survives the hub, or a new one."""
    try:
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            with open(path, encoding="ascii") as file:
                token = file.read().strip()
            if len(token) >= 32:
                return token
        os.unlink(path)
    except FileNotFoundError:
        pass
    token = secrets.token_urlsafe(32)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="ascii") as file:
        file.write(token)
    return token


def _write_info(hub: Hub) -> None:
    places = hub.places
    info = {
        "pid": os.getpid(),
        "protocol": PROTOCOL,
        "version": __version__,
        "started": hub.started,
        "state_directory": places.state_directory,
        "socket": places.socket,
        "token": places.token,
    }
    temporary = f"{places.info}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(info, file)
    os.replace(temporary, places.info)
