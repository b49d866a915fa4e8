"""Dev servers that run on this machine, and at which address each of them answers.

No file says it: wrangler's registry (`~/.config/.wrangler/registry`) names the runtime's debug port only. So processes are looked at: a
`workerd` belongs to the program that started it (wrangler's or Vite's node), and of all the ports on which that program and its children
listen, the one that serves the mirror's `/local/workers` is the address a person uses (tried: wrangler 4.164.0 has one such port).
Linux; elsewhere the address has to be named.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from workbench.backends.local.manners import RUNTIME, runtimes
from workbench.model.errors import UsageError, WorkbenchError

from .live import MIRROR

PATIENCE = 2.0
"""Seconds that a port has to answer: other things listen too."""


class DevServer(NamedTuple):
    """url: where it answers. pid: the program that runs it. workers: those it runs. here: whether it has the state open that was
    asked for."""

    url: str
    pid: int
    workers: tuple[str, ...]
    here: bool


def running(state_directory: str) -> list[DevServer]:
    """All that run now, those on this state directory first."""
    if not sys.platform.startswith("linux"):
        return []
    parents = _parents()
    names = {pid: _name(pid) for pid in parents}
    here = {parents[pid] for pid in runtimes(state_directory) if pid in parents}
    owners = dict.fromkeys(parent for pid, parent in sorted(parents.items()) if names[pid] == RUNTIME)
    found = []
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        for owner in owners:
            family = [owner, *(pid for pid, parent in parents.items() if parent == owner)]
            for port in sorted({port for pid in family for port in _listens(pid)}):
                url = f"http://127.0.0.1:{port}"
                workers = _workers(client, url)
                if workers is not None:
                    found.append(DevServer(url, owner, workers, owner in here))
                    break
    return sorted(found, key=lambda server: (not server.here, server.url))


def the_one(state_directory: str) -> str:
    """The address of the dev server on this state. Raises `live.not_found`, or UsageError where there are several."""
    found = [server for server in running(state_directory) if server.here]
    if len(found) == 1:
        return found[0].url
    if not found:
        hint = "start it, or name its address: --server http://localhost:8787"
        raise WorkbenchError("live.not_found", f"no dev server is seen to run on {state_directory}", hint)
    listed = ", ".join(f"{server.url} ({', '.join(server.workers)})" for server in found)
    raise UsageError(f"several dev servers run on this state: {listed}", "name one by its address")


def _workers(client: httpx.Client, url: str) -> tuple[str, ...] | None:
    """The Workers that a server at this address runs itself; None where none answers as one."""
    try:
        answer = client.get(f"{url}{MIRROR}/local/workers")
        rows = answer.json()["result"] if answer.status_code == 200 else None
        return None if rows is None else tuple(str(row["name"]) for row in rows if row.get("isSelf"))
    except (httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError):
        return None


def _parents() -> dict[int, int]:
    """Every process and its parent."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    found[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has just ended
    return found


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _listens(pid: int) -> Iterator[int]:
    """The TCP ports on which a process of ours listens."""
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return  # it has ended, or it is somebody else's
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and row[9] in sockets:
                yield int(row[1].rpartition(":")[2], 16)
