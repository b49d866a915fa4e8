"""The project that is served: read again when a config of it changes, and named by ids alone, as the API names things."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.operations.executor import open_state
from workbench.operations.resolve import State

Stamp = tuple[tuple[str, int, int], ...]


class ById(State):
    """A state in which an id is an id: a binding's name never stands for something else, as it does on a command line."""

    def watched(
        self,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> ById:
        return by_id(super().watched(cancel, progress, notice))

    def _configured(self, kind: str, id: str) -> bool:
        return any(
            binding.kind == kind and binding.resource_id == id and binding.mode == "local"
            for worker in self.project.workers
            for binding in worker.bindings
        )

    async def kv(self, typed: str | None = None) -> str:
        """A KV namespace's id. Raises `kv.namespace_not_found`."""
        if typed is not None and (
            self._configured("kv", typed) or typed in {row.id for row in await self.backend.kv.namespaces()}
        ):
            return typed
        raise WorkbenchError("kv.namespace_not_found", f"no KV namespace has the id {typed!r}")

    async def bucket(self, typed: str | None = None) -> str:
        """A bucket's name. Raises `r2.bucket_not_found`."""
        if typed is not None and (
            self._configured("r2", typed) or typed in {row.name for row in await self.backend.r2.buckets()}
        ):
            return typed
        raise WorkbenchError("r2.bucket_not_found", f"no R2 bucket has the name {typed!r}")

    async def database(self, typed: str | None = None) -> str:
        """A D1 database's id. Raises `d1.database_not_found`."""
        if typed is not None and (
            self._configured("d1", typed) or typed in {row.id for row in await self.backend.d1.databases()}
        ):
            return typed
        raise WorkbenchError("d1.database_not_found", f"The database {typed} could not be found")

    async def namespace(self, typed: str | None = None) -> str:
        """A class's id (`script-Class`). Raises `do.namespace_not_found`."""
        if typed in {row.id for row in await self.backend.durable_objects.namespaces()}:
            return str(typed)
        raise WorkbenchError("do.namespace_not_found", f"Durable Object namespace ID '{typed}' not found.")

    async def workflow(self, typed: str | None = None) -> str:
        """A Workflow's name. Raises `workflows.workflow_not_found`."""
        if typed in {row.name for row in await self.backend.workflows.list()}:
            return str(typed)
        raise WorkbenchError("workflows.workflow_not_found", f"Workflow '{typed}' not found.")


def by_id(state: State) -> ById:
    """The same state, its things named by id."""
    return ById(
        state.project,
        state.backend,
        state.target,
        state.worker,
        state.cancel,
        state.progress,
        state.notice,
    )


class Opened:
    """A project's state. options: what `open_state` takes."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._lock = Lock()
        self._state = open_state(**options)
        self._stamp = _stamp(self._state)

    def current(self) -> State:
        """The state, opened again where a config has changed; while the config can't be read, as it was."""
        with self._lock:
            stamp = _stamp(self._state)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    opened = open_state(**self._options)
                except WorkbenchError:
                    return self._state
                if opened.target == self._state.target:
                    self._state, self._stamp = opened, _stamp(opened)
            return self._state


def _stamp(state: State) -> Stamp:
    """What the config files look like."""
    found = []
    for worker in state.project.workers:
        try:
            seen = os.stat(worker.config_path)
        except OSError:
            continue
        found.append((worker.config_path, seen.st_mtime_ns, seen.st_size))
    return tuple(found)
