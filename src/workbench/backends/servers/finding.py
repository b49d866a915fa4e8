"""Dev servers that run on this machine, at which address each of them answers, and which belong to a project.

No file says it: wrangler's registry names the runtime's debug port only. So processes are looked at: a `workerd` belongs to the program
that started it (wrangler's or Vite's node), and the port of theirs that serves the mirror's `/local/workers` is the address a person
uses (tried: wrangler 4.164.0, @cloudflare/vite-plugin 1.64.0).

A server belongs to a project where its runtime holds the project's state, or where it says so itself: of each Worker it tells a hash
of the folder it comes from. (miniflare, getPersistenceScope)
"""

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workbench.backends.cloudflare.mirrored import MIRROR
from workbench.backends.local.manners import RUNTIME
from workbench.backends.web import httpx
from workbench.model.bindings import Project
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.servers import DevServer, ServedClass, ServedWorker, listed

from . import records, registry
from .processes import Processes, look

PATIENCE = 2.0
"""Seconds that a port has to answer: other things listen too."""
AT_ONCE = 16
_SCOPE = "local-explorer:persistence-scope:v1\0"


def running(project: Project) -> list[DevServer]:
    """All that run now, those on the project's state first, then the others of the project."""
    processes = look()
    starters = {processes.starter(pid) for pid, name in processes.names.items() if name == RUNTIME}
    found = _asked(processes, starters, project)
    return sorted(found, key=lambda server: (not server.here, not server.project, server.url))


def on_state(project: Project) -> list[DevServer]:
    """Those that have the project's state open: no other is looked at, so this is quick."""
    processes = look()
    holders = processes.holders(project.state_directory)
    starters = {processes.starter(pid) for pid in holders if pid in processes.parents}
    return _asked(processes, starters, project)


def at(url: str, project: Project) -> DevServer | None:
    """The one at an address, whoever runs it; its process is not looked for (pid 0)."""
    with _client() as client:
        workers = _workers(client, url, _scopes(project))
    if workers is None:
        return None
    mine = any(worker.bound_here for worker in workers)
    return DevServer(url, 0, "", "", workers, False, mine)


def answers(url: str) -> bool:
    """Whether a dev server answers there."""
    with _client() as client:
        return _workers(client, url, set()) is not None


def the_one(project: Project) -> DevServer:
    """The dev server on this state. Raises `live.not_found`, or UsageError where there are several."""
    found = on_state(project)
    if len(found) == 1:
        return found[0]
    if not found:
        hint = "cfwb servers start starts it; --server http://localhost:8787 names one by its address"
        raise WorkbenchError(
            "live.not_found", f"no dev server is seen to run on {project.state_directory}", hint
        )
    raise UsageError(f"several dev servers run on this state: {listed(found)}", "name one by its address")


def _asked(processes: Processes, starters: Iterable[int], project: Project) -> list[DevServer]:
    known = registry.by_port(os.environ)
    holders = set(processes.holders(project.state_directory))
    scopes = _scopes(project)
    ours = [one for one in records.all_kept(project.state_directory) if one.status != "ended"]

    def asked(starter: int) -> DevServer | None:
        family = processes.family(starter)
        for port in _doors(processes, starter, family):
            url, workers = _at_port(client, port, scopes)
            if workers is None:
                continue
            here = not holders.isdisjoint(family)
            mine = here or any(worker.bound_here for worker in workers)
            command, place = processes.command(starter), processes.folder(starter)
            registered = registry.of_ports(known, processes.ports(family))
            above = processes.above(starter)
            id = next((one.id for one in ours if one.pid in above), "")
            return DevServer(url, starter, kind_of(command), place, workers, here, mine, registered, id)
        return None

    # All at once: one that is busy, or stopped in a debugger, keeps no other waiting.
    with _client() as client, ThreadPoolExecutor(AT_ONCE) as pool:
        return [server for server in pool.map(asked, sorted(starters)) if server is not None]


def _doors(processes: Processes, starter: int, family: Iterable[int]) -> list[int]:
    """The ports at which a server may answer people. Others are left alone: the runtime's debug port takes a request for an attack and
    says so in the log, and its own door to the Worker would run the Worker.

    Wrangler has a runtime in front that alone has no debug port. Vite listens itself. What starts a runtime otherwise gives it a port.
    """
    commands = {pid: processes.command(pid) for pid in family if processes.names.get(pid) == RUNTIME}
    inner = {_port(word) for command in commands.values() for word in command if "-addr=loopback=" in word}
    fronts = [pid for pid, command in commands.items() if not any("--debug-port" in word for word in command)]
    given = [
        port
        for pid in fronts or commands
        for word in commands[pid]
        if word.startswith("--socket-addr=entry=") and (port := _port(word))
    ]
    others = processes.ports(fronts) if fronts else processes.ports([starter])
    return list(dict.fromkeys(port for port in [*given, *others] if port not in inner))


def _port(word: str) -> int:
    """At the end of a word: 0 where it names none."""
    end = word.rpartition(":")[2]
    return int(end) if end.isdecimal() else 0


def _at_port(
    client: httpx.Client, port: int, scopes: set[str]
) -> tuple[str, tuple[ServedWorker, ...] | None]:
    """What answers at a port: of IPv4, or where nobody listens there, of whatever localhost is (Vite may have ::1 alone)."""
    url = f"http://127.0.0.1:{port}"
    try:
        return url, _told(client, url, scopes)
    except httpx.ConnectError:
        url = f"http://localhost:{port}"
        return url, _workers(client, url, scopes)
    except httpx.HTTPError:
        return url, None


def _client() -> httpx.Client:
    # No proxy of the user's, and no certificates (reading them takes longer than the asking): it is this machine, over HTTP.
    return httpx.Client(timeout=PATIENCE, trust_env=False, verify=False)


def kind_of(command: list[str]) -> str:
    """Which program a command line is: wrangler, vite or other."""
    parts = {part.partition(".")[0] for word in command[:6] for part in word.split(os.sep)}
    return next((kind for kind in ("vite", "wrangler") if kind in parts), "other")


def _workers(client: httpx.Client, url: str, scopes: set[str]) -> tuple[ServedWorker, ...] | None:
    """The Workers that a server at this address runs itself; None where none answers as one."""
    try:
        return _told(client, url, scopes)
    except httpx.HTTPError:
        return None


def _told(client: httpx.Client, url: str, scopes: set[str]) -> tuple[ServedWorker, ...] | None:
    answer = client.get(f"{url}{MIRROR}/local/workers")
    try:
        rows = answer.json()["result"] if answer.status_code == 200 else None
        return None if rows is None else tuple(_worker(row, scopes) for row in rows if row.get("isSelf"))
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return None


def _worker(row: Any, scopes: set[str]) -> ServedWorker:
    bindings = row.get("bindings") or {}

    def ids(kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(one["id"]) for one in bindings.get(kind) or ()))

    classes = tuple(
        ServedClass(
            str(one["className"]),
            str(one.get("scriptName") or row["name"]),
            str(one["bindingName"]) if one.get("bindingName") else None,
            bool(one.get("useSqlite")),
        )
        for one in bindings.get("do") or ()
        if not str(one["className"]).startswith("__VITE_")
    )
    crons = tuple(map(str, (row.get("triggers") or {}).get("crons") or ()))
    scope = row.get("persistenceScope")
    return ServedWorker(
        str(row["name"]),
        ids("kv"),
        ids("r2"),
        ids("d1"),
        classes,
        ids("workflows"),
        crons,
        scope in scopes,
        bool(scope),
    )


def _scopes(project: Project) -> set[str]:
    """What a project's own Worker would say of the folder it comes from. (Others that share its state are told by that.)"""
    folders = {os.path.abspath(project.folder), os.path.realpath(project.folder)}
    return {
        hashlib.sha256((_SCOPE + folder).encode("utf-8", "surrogateescape")).hexdigest() for folder in folders
    }
