"""Starting a project's dev server, and ending what was started: nothing else is ever ended.

The program runs below a keeper (`keeper`), which outlives whoever started it and ends the program when it is told, or when the process
that it was started for has ended. Its environment is the caller's without Cloudflare's credentials, unless they are asked for.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.secrets import for_children
from workbench.model.servers import Kept

from . import keeper, records
from .commands import plan

PATIENCE = 90.0
"""Seconds that a server may take until it answers; bundling a large project takes long."""
STOPPING = 15.0
LOOK = 0.05
TAKEN = re.compile(r"Address already in use(?: \((.+?)\))?")
"""What is said where another has the port, in whatever wrangler or Vite's plugin prints at its end."""


def start(
    project: Project,
    *,
    port: int | None = None,
    script: str | None = None,
    until: int | None = None,
    credentials: bool = False,
    together: bool = False,
    cancel: Cancel | None = None,
) -> Kept:
    """Start it and wait until it answers. until: the process with which it ends.

    Raises `servers.already_running`, `servers.no_program`, `servers.not_started` with what it printed last.
    """
    what = plan(project, port=port, script=script, together=together)
    folder = records.folder_of(project.state_directory, records.id_of(project))
    there = records.kept(folder)
    if there is not None and there.status != "ended":
        raise WorkbenchError(
            "servers.already_running",
            f"it runs already: {there.url or 'it is starting'} (id {there.id})",
            "cfwb servers restart starts it anew",
        )
    options = {"port": port, "script": script, "credentials": credentials, "together": together}
    taken: set[str | None] = set()
    while True:
        _begin(folder, {**what._asdict(), "until": until, "options": options}, credentials)
        try:
            return _wait(folder, cancel)
        except WorkbenchError as error:
            # Two that start at once see the same port free. One that starts again sees it taken and uses another, unless it was told to.
            match = TAKEN.search(error.message)
            if match is None or match[1] in taken:
                raise
            taken.add(match[1])


def _begin(folder: str, what: dict[str, Any], credentials: bool) -> None:
    """Let a keeper start it."""
    _prepare(folder)
    with open(os.path.join(folder, "start.json"), "w", encoding="utf-8", opener=keeper.private) as file:
        json.dump(what, file)
    environment = dict(os.environ) if credentials else for_children(os.environ)
    try:
        subprocess.Popen(
            # Isolated and without site-packages: it is the standard library's alone, and there at once.
            [sys.executable, "-I", "-S", keeper.__file__, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise WorkbenchError("servers.not_started", f"the dev server could not be started: {error}") from None


def _prepare(folder: str) -> None:
    """An empty folder of the user's alone."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)


def _wait(folder: str, cancel: Cancel | None) -> Kept:
    """Until it says where it answers, and does."""
    from .finding import answers

    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if cancel is not None:
                cancel.check()
            found = records.kept(folder)
            if found is not None and found.status == "ended":
                raise _not_started(folder, found.reason or f"it ended with {found.exit_status}")
            if found is not None and found.url and answers(found.url):
                return found
            time.sleep(LOOK)
    except WorkbenchError:
        _end(folder)
        raise
    raise WorkbenchError(
        "servers.not_ready",
        f"it has not answered within {PATIENCE:.0f} s, and goes on starting",
        "cfwb servers logs get shows what it prints; cfwb servers stop ends it",
    )


def _not_started(folder: str, why: str) -> WorkbenchError:
    from .log import last_words

    said = last_words(folder)
    return WorkbenchError(
        "servers.not_started", f"the dev server has not started: {why}" + (f"\n{said}" if said else "")
    )


def stop(project: Project, id: str) -> Kept:
    """End one that cfwb started, with all that it started; how it stands then."""
    folder = records.folder_of(project.state_directory, id)
    _end(folder)
    found = records.kept(folder)
    if found is None or found.status != "ended":
        raise WorkbenchError("servers.not_stopped", f"the dev server {id} has not ended in {STOPPING:.0f} s")
    return found


def _end(folder: str) -> None:
    found = records.kept(folder)
    if found is None or found.status == "ended":
        return
    if records.is_held(folder):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(found.keeper, signal.SIGTERM)
    elif found.pid is not None:  # its keeper was killed
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(found.pid, signal.SIGTERM)
    end = time.monotonic() + STOPPING
    while time.monotonic() < end:
        now = records.kept(folder)
        if now is None or (now.status == "ended" and not records.is_held(folder)):
            return
        time.sleep(LOOK)
    if found.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(found.pid, signal.SIGKILL)


def restart(project: Project, id: str, *, cancel: Cancel | None = None) -> Kept:
    """End it and start it as it was started."""
    folder = records.folder_of(project.state_directory, id)
    before, options = records.kept(folder), records.options(folder)
    if before is None:
        raise WorkbenchError("servers.not_found", f"cfwb has started no dev server {id}")
    stays = os.path.exists(os.path.join(folder, "stay"))
    stop(project, id)
    port = options.get("port")
    if port is None and before.kind == "wrangler" and before.url:
        port = int(before.url.rpartition(":")[2])  # where it was looked for until now
    found = start(project, until=before.until, cancel=cancel, **{**options, "port": port})
    if stays:
        stay(project, id)
    return found


def stay(project: Project, id: str) -> Kept:
    """Let it stay when the process ends that it was started for."""
    folder = records.folder_of(project.state_directory, id)
    found = records.kept(folder)
    if found is None or found.status == "ended":
        raise WorkbenchError("servers.not_found", f"cfwb runs no dev server {id}")
    with open(os.path.join(folder, "stay"), "w", encoding="utf-8"):
        pass
    return found._replace(until=None)
