"""Find the hub of a state directory, or start it.

A hub says where it listens in `hub.json`, which it writes while it holds its lock; protocol versions are compared before anything else
is said. An older hub is asked to end (its sandboxes live on) and a new one started; a newer one is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import stat
import subprocess
import sys
import time
from typing import Any, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.hub import PROTOCOL
from workbench.model.places import HubPlaces
from workbench.model.secrets import for_children

PATIENCE = 30.0  # seconds a hub may take to start


class Found(NamedTuple):
    """A hub that listens. token: what it wants to see with each request."""

    socket: str
    token: str
    pid: int
    protocol: int
    version: str


def find(places: HubPlaces) -> Found | None:
    """The hub that runs, or None. Raises WorkbenchError where its folder or token cannot be trusted."""
    try:
        with open(places.info, encoding="utf-8") as file:
            info: dict[str, Any] = json.load(file)
        path, token_path = str(info["socket"]), str(info["token"])
        found = Found(path, "", int(info["pid"]), int(info["protocol"]), str(info["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _answers(path):
        return None
    return found._replace(token=_token(token_path))


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            _trusted(os.path.dirname(path), stat.S_ISDIR)
            probe.connect(path)
        except OSError:
            return False
    return True


def _trusted(path: str, kind: Any) -> None:
    found = os.lstat(path)
    if not kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise WorkbenchError(
            "hub.not_trusted", f"{path} does not belong to this user alone", "remove it, and try again"
        )


def _token(path: str) -> str:
    try:
        _trusted(path, stat.S_ISREG)
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError as error:
        raise WorkbenchError("hub.no_token", f"the hub's token cannot be read: {error}") from None


def connect(places: HubPlaces) -> Found:
    """The hub that runs, or a new one. Blocks until it answers. Raises WorkbenchError."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = find(places)
        if found is None:
            start(places)
            continue
        if found.protocol > PROTOCOL:
            raise WorkbenchError(
                "hub.newer",
                f"the hub of {places.state_directory} is of cfwb {found.version} and speaks protocol {found.protocol}; "
                f"this cfwb speaks {PROTOCOL}",
                "use the newer cfwb, or end that hub with its own `cfwb hub stop`",
            )
        if found.protocol == PROTOCOL:
            return found
        replace(places, found, until)
    raise WorkbenchError(
        "hub.not_started", f"the hub did not answer within {PATIENCE:.0f} seconds", f"its log is {places.log}"
    )


def replace(places: HubPlaces, found: Found, until: float) -> None:
    """Ask an older hub to end, and wait until it has."""
    from workbench.backends.web import httpx

    with (
        httpx.Client(
            transport=httpx.HTTPTransport(uds=found.socket), base_url="http://hub", timeout=10
        ) as http,
        contextlib.suppress(httpx.HTTPError),
    ):
        http.post("/hub/stop", headers={"Authorization": f"Bearer {found.token}"})
    wait_until_gone(places, until)


def wait_until_gone(places: HubPlaces, until: float) -> None:
    """Until the hub has ended: it keeps its lock as long as it lives (its pid may stay longer, with nobody to reap it)."""
    while time.monotonic() < until:
        try:
            fd = os.open(places.lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.01)
        finally:
            os.close(fd)


def start(places: HubPlaces) -> None:
    """Start a hub and wait until it is ready, or until another that was started meanwhile has the directory.

    It inherits nothing: no descriptor (whoever reads our output to its end must not wait for the hub's), no terminal, no
    working directory, no credentials.
    """
    hears, says = os.pipe()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "workbench.hub", places.state_directory, "--ready", str(says)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=for_children(os.environ),
            pass_fds=(says,),
            start_new_session=True,
        ):
            os.close(says)
            said = _hear(hears, time.monotonic() + PATIENCE)
    except OSError as error:
        raise WorkbenchError("hub.not_started", f"the hub could not be started: {error}") from None
    finally:
        os.close(hears)
    if said == "busy":
        time.sleep(0.02)  # it starts, or it ends: the next look tells
    elif said != "ready":
        raise WorkbenchError(
            "hub.not_started",
            f"the hub could not be started: {said or 'it ended'}",
            f"its log is {places.log}",
        )


def _hear(fd: int, until: float) -> str:
    said = b""
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([fd], [], [], left)
        if not ready:
            break
        piece = os.read(fd, 4096)
        if not piece:
            return said.decode("utf-8", "replace").strip()
        said += piece
    return "it took too long"
