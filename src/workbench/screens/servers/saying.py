"""What is said of a dev server, in the top bar, in its pane and in the details."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from workbench.model.servers import DevServer, LogLine
from workbench.model.text import visible
from workbench.operations.servers import ServerDetail
from workbench.screens.when import from_now, seconds_of

_COLOURS = {"error": "91", "warn": "93", "debug": "90"}
_NAMES = {"wrangler": "wrangler dev", "vite": "vite dev"}


def short(servers: Sequence[DevServer]) -> str:
    """For the top bar: `wrangler dev :8787 up`; "" where none runs."""
    if not servers:
        return ""
    if len(servers) > 1:
        return f"{len(servers)} dev servers up"
    one = servers[0]
    return f"{_NAMES.get(one.kind, 'dev server')} {port(one.url)} up".replace("  ", " ")


def port(url: str | None) -> str:
    """`:8787` of an address."""
    end = (url or "").rpartition(":")[2]
    return f":{end}" if end.isdecimal() else ""


def head(detail: ServerDetail | None, starting: bool, level: str) -> list[Any]:
    """The lines above the log."""
    if detail is None or (detail.status == "ended" and starting):
        if starting:
            return [("◌ starting …", "bold $text-warning")]
        return [
            ("○ no dev server runs on this state", "bold $text-muted"),
            "\ns starts the project's own",
        ]
    name = _NAMES.get(detail.kind, "dev server")
    if detail.status == "running":
        parts: list[Any] = [
            (f"▲ {name} ", "bold $text-success"),
            (f"{visible(detail.url or '', limit=80)} up", "bold $foreground"),
        ]
    elif detail.status == "starting":
        parts = [(f"◌ {name} starting …", "bold $text-warning")]
    else:
        ended = "" if detail.exit_status is None else f" with {detail.exit_status}"
        why = f": {detail.reason}" if detail.reason else ""
        parts = [(f"■ {name} ended{ended}{visible(why, limit=200)}", "bold $text-muted")]
    if detail.workers:
        names = ", ".join(worker.name for worker in detail.workers)
        parts.append(f"   {visible(names, limit=120)}")
    parts.append((f"\n{holding(detail)}", "$text-muted"))
    if detail.id is not None and level != "debug":
        parts.append((f"   only {level} and above", "$text-warning"))
    return parts


def holding(detail: ServerDetail) -> str:
    """Who started it, and how long it stays."""
    if detail.id is None:
        return f"started elsewhere (process {detail.pid}, in {visible(detail.folder, limit=100)}): never ended from here"
    parts = [f"started by cfwb {from_now(detail.started or '')}"]
    if detail.status == "ended":
        return parts[0]
    if detail.until is None:
        parts.append("stays until it is stopped")
    elif detail.until == os.getpid():
        parts.append("ends with this window (p lets it stay)")
    else:
        parts.append(f"ends with process {detail.until}")
    return " · ".join(parts)


def written(line: LogLine) -> bytes:
    """A line as the log's terminal takes it; what it says is shown, never obeyed."""
    at = seconds_of(line.at)
    clock = time.strftime("%H:%M:%S", time.localtime(at)) if at is not None else ""
    text = visible(line.text, limit=20_000)
    colour = _COLOURS.get(line.level)
    if colour:
        text = f"\x1b[{colour}m{text}\x1b[39m"
    return f"\x1b[2m{clock}\x1b[22m {text}\r\n".encode("utf-8", "replace")


def rows(detail: ServerDetail | None) -> tuple[tuple[str, str], ...]:
    """For the details: all that is known, each Worker's bindings as the server has loaded them."""
    if detail is None:
        return ()
    found = [("url", detail.url or "")]
    for worker in detail.workers:
        said = [f"KV {one}" for one in worker.kv] + [f"R2 {one}" for one in worker.r2]
        said += [f"D1 {one}" for one in worker.d1] + [f"Workflow {one}" for one in worker.workflows]
        said += [
            f"class {one.name}" + (f" of {one.script}" if one.script != worker.name else "")
            for one in worker.classes
        ]
        said += [f"cron {one}" for one in worker.crons]
        found.append((f"Worker {worker.name}", "\n".join(said) or "no bindings"))
    if detail.registered:
        found.append(("registered", ", ".join(detail.registered)))
    if detail.command:
        found.append(("command", " ".join(detail.command)))
    found += [
        (name, str(value))
        for name, value in detail._asdict().items()
        if name not in ("url", "workers", "command", "registered", "here", "project")
        and value not in (None, "", ())
    ]
    return tuple(found)
