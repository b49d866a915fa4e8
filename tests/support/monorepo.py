"""A monorepo of two Workers, in which dev servers are started by cfwb itself: the pinned wrangler is its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.cli import Answer, cfwb
from tests.support.emulator import environment_of_emulator, install, node_path

SOURCES = Path(__file__).resolve().parent.parent / "workers" / "monorepo"
SECRET = "planted-4f6c2b90d1"


class Monorepo:
    """The folder, and a home of its own: nothing of the user's is read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repo"
        self.private = folder / "private"
        self.private.mkdir()
        shutil.copytree(SOURCES, self.folder)
        binaries = self.folder / "node_modules" / ".bin"
        binaries.mkdir(parents=True)
        (binaries / "wrangler").symlink_to(install() / "node_modules" / "wrangler" / "bin" / "wrangler.js")
        emulator = environment_of_emulator(self.private, {})
        names = ("HOME", "TMPDIR", "PATH", "CI", *(name for name in emulator if name.startswith("WRANGLER_")))
        self.env = {name: emulator[name] for name in names}
        self.env |= {
            "XDG_STATE_HOME": str(self.private / "state"),
            "CLOUDFLARE_API_TOKEN": SECRET,
            "R2_SECRET_ACCESS_KEY": SECRET,
        }

    def place(self, worker: str) -> Path:
        """A Worker's folder."""
        return self.folder / worker

    def run(self, worker: str, *argv: str, **more: Any) -> Answer:
        """A command in a Worker's folder."""
        return cfwb(*argv, cwd=self.place(worker), **(self.env | more))

    def started(self, worker: str) -> dict[str, Any]:
        """The server that was started for a Worker, as `servers get` tells of it."""
        return dict(self.run(worker, "servers", "get").result)

    def close(self) -> None:
        """End whatever was started."""
        for record in (self.private / "state").glob("cfwb/servers/*/*/server.json"):
            told = json.loads(record.read_text())
            with suppress(ProcessLookupError):
                os.kill(told["keeper"], signal.SIGTERM)
            end = time.monotonic() + 20
            while alive({told["keeper"]} | ({told["pid"]} if told["pid"] else set())):
                assert time.monotonic() < end, told
                time.sleep(0.05)


def family(pid: int) -> set[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                stat = Path("/proc", name, "stat").read_text(errors="replace")
                children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    found, waiting = {pid}, [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            if Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X"):
                found.add(pid)
    return found


def a_monorepo(folder: Path) -> Iterator[Monorepo]:
    """For a fixture."""
    made = Monorepo(folder)
    yield made
    made.close()


__all__ = ["SECRET", "Monorepo", "a_monorepo", "alive", "family", "node_path"]
