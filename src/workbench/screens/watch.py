"""Which files of a project changed, told a few times a second at most.

Only looking at a state database touches its `-shm`, and may leave an empty `-wal`: so what counts as a change is that the
size or time of a database or of a `-wal` with something in it is another one than last time. Nothing is opened here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from workbench.model.bindings import Project

DEBOUNCE_MS = 400

Signature = tuple[int, int, int, int]


class Change(NamedTuple):
    """paths: changed files below the state directory's `v3`, relative to it, without `-wal`. config: a config or `.dev.vars` changed."""

    paths: frozenset[str]
    config: bool


def signature(path: str) -> Signature:
    """Size and time of a file and of its `-wal`, zeros where there is none."""
    return (*_size_and_time(path), *_size_and_time(path + "-wal"))


def _size_and_time(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns) if found.st_size else (0, 0)


class Memory:
    """What the files looked like when they were last told of."""

    def __init__(self) -> None:
        self._last: dict[str, Signature] = {}

    def learn(self, root: str) -> None:
        """Take everything below `root` as known."""
        for folder, _, names in os.walk(root):
            for name in names:
                if not name.endswith(("-wal", "-shm")):
                    path = os.path.join(folder, name)
                    self._last[path] = signature(path)

    def changed(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` that are not what they were, a `-wal` counted as its database."""
        found = set()
        for path in paths:
            if path.endswith("-shm"):
                continue
            path = path.removesuffix("-wal")
            now = signature(path)
            if self._last.get(path) != now:
                self._last[path] = now
                found.add(path)
        return found


def config_files(project: Project) -> set[str]:
    """The files whose change means reading the project again."""
    found = set()
    for worker in project.workers:
        folder = os.path.dirname(worker.config_path)
        found.add(worker.config_path)
        found |= {os.path.join(folder, name) for name in (".dev.vars", ".env")}
        if worker.environment:
            found |= {os.path.join(folder, f"{name}.{worker.environment}") for name in (".dev.vars", ".env")}
    for name in ("wrangler.jsonc", "wrangler.json", "wrangler.toml"):
        found.add(os.path.join(project.folder, name))
    return found


def _prepared(project: Project, configs: set[str], memory: Memory) -> tuple[str, set[str]]:
    state = os.path.realpath(os.path.join(project.state_directory, "v3"))
    memory.learn(state)
    return state, {folder for folder in map(os.path.dirname, configs) if os.path.isdir(folder)}


def _files_below(root: str) -> set[str]:
    return {os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names}


async def changes(project: Project) -> AsyncIterator[Change]:
    """Every change to the state and the configs, for as long as it is asked."""
    import asyncio

    from watchfiles import awatch

    configs, memory = config_files(project), Memory()
    state, folders = await asyncio.to_thread(_prepared, project, configs, memory)
    queue: asyncio.Queue[set[str]] = asyncio.Queue()

    async def follow(*paths: str, recursive: bool) -> None:
        options = {
            "debounce": DEBOUNCE_MS,
            "step": 50,
            "recursive": recursive,
            "ignore_permission_denied": True,
        }
        async for batch in awatch(*paths, watch_filter=None, **options):  # type: ignore[arg-type]
            await queue.put({path for _, path in batch})

    async def follow_state() -> None:
        while not await asyncio.to_thread(os.path.isdir, state):  # noqa: ASYNC110
            await asyncio.sleep(2)  # nothing tells of a folder that is not there
        await queue.put(await asyncio.to_thread(_files_below, state))
        await follow(state, recursive=True)

    tasks = [asyncio.create_task(follow_state())]
    if folders:
        tasks.append(asyncio.create_task(follow(*folders, recursive=False)))
    try:
        while True:
            paths = await queue.get()
            while not queue.empty():
                paths |= queue.get_nowait()
            real = {path for path in paths if path.startswith(state + os.sep)}
            changed = await asyncio.to_thread(memory.changed, real)
            inside = frozenset(path[len(state) + 1 :] for path in changed)
            if inside or paths & configs:
                yield Change(inside, bool(paths & configs))
    finally:
        for task in tasks:
            task.cancel()
