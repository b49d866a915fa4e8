"""The state an operation works on, and what the user's words mean in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.model.errors import UsageError, WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.backends import Backend
    from workbench.model.bindings import Binding, Project
    from workbench.model.durable_objects import DoNamespace
    from workbench.model.progress import Cancel, Progress
    from workbench.model.target import Target


class State:
    """A project opened on a target. worker: the one that `--worker` named, or None for all of them.

    cancel, progress and notice belong to one call: `watched` gives a copy with them. in_pieces: whoever asks takes the rows
    of a query as they come (`results.Rows`). opened_with: what `open_state` was given of a project, to open another target of it.
    source: the state that is read, where this one is written to (`between`). elsewhere: the target that a call worked on, where a
    parameter named another one than this.
    """

    def __init__(
        self,
        project: Project,
        backend: Backend,
        target: Target,
        worker: str | None = None,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.project = project
        self.backend = backend
        self.target = target
        self.worker = worker
        self.cancel = cancel
        self.progress = progress
        self.notice = notice
        self.in_pieces = False
        self.opened_with: dict[str, Any] = {}
        self.source: State | None = None
        self.elsewhere: Target | None = None

    @property
    def bridged(self) -> bool:
        """Whether the target is a deployed bridge: sandboxes on an account, and nothing of the account itself."""
        return getattr(self.backend, "bridge", None) is not None

    def watched(
        self,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> State:
        """The same state, for work that is watched or may be stopped. notice: told what a person should know before it begins."""
        notice = notice or self.notice
        backend = self.backend.watched(cancel, notice)
        state = State(self.project, backend, self.target, self.worker, cancel, progress, notice)
        state.opened_with = self.opened_with
        return state

    @property
    def answered(self) -> Target:
        """The target with the path that this call took: the dev server that it was written through, where it was."""
        if self.elsewhere is not None:
            return self.elsewhere
        return self.target._replace(via=self.backend.via)

    def bindings(self, kind: str) -> list[Binding]:
        """The bindings of a kind in the Workers in use."""
        return [
            binding
            for worker in self.project.workers
            if self.worker is None or worker.name == self.worker
            for binding in worker.bindings
            if binding.kind == kind and binding.bound
        ]

    def _reaches(self, binding: Binding) -> bool:
        """Whether the target holds what is bound: the local state has no data of a binding that is `remote: true`."""
        return binding.mode == "local" or self.target.kind == "remote"

    def _bound(self, kind: str, what: str, flag: str, typed: str | None) -> str | None:
        """The resource id that a binding, name or id in the config means; None where the config knows none."""
        bindings = self.bindings(kind)
        if typed is None:
            found = {
                binding.resource_id for binding in bindings if self._reaches(binding) and binding.resource_id
            }
            if len(found) == 1:
                return found.pop()
            return None
        named = [binding for binding in bindings if binding.name == typed]
        local = {binding.resource_id for binding in named if self._reaches(binding) and binding.resource_id}
        if named and not local and self.target.kind == "remote":
            raise WorkbenchError(
                f"{kind}.not_deployed",
                f"the config gives {typed} no id, so what it is bound to on the account is not known",
                f"{flag} with the id or the name of one names it",
            )
        if named and not local:
            raise WorkbenchError(
                f"{kind}.bound_to_remote",
                f"{typed} is bound to remote data (remote: true); the local state does not hold it",
                f"--remote reaches it; {flag} with the id shows what lies in the local state under it",
            )
        if not local:
            local = {
                binding.resource_id
                for binding in bindings
                if binding.resource_id and typed in (binding.resource_id, binding.resource_name)
            }
        return self._only(kind, what, typed, local, [f"{b.resource_id} (Worker {b.worker})" for b in named])

    @staticmethod
    def _only(
        kind: str, what: str, typed: str, found: set[str] | set[str | None], choices: list[str]
    ) -> str | None:
        if len(found) > 1:
            raise UsageError(
                f"{typed!r} names several {what}: {', '.join(choices or sorted(map(str, found)))}",
                "name one by its id, or --worker",
            )
        return next(iter(found), None)

    def _missing(
        self, kind: str, what: str, flag: str, typed: str | None, choices: list[str]
    ) -> WorkbenchError:
        listed = ", ".join(sorted(set(choices))[:20])
        if typed is None:
            if not choices:
                return WorkbenchError(
                    f"{kind}.none",
                    f"there is no {what} in the config or {'on the account' if self.target.kind == 'remote' else 'in the local state'}",
                )
            return UsageError(f"{flag} is missing, and there are several: {listed}")
        return WorkbenchError(
            f"{kind}.{what.split()[-1]}_not_found",
            f"no {what} {typed!r}",
            f"there are: {listed}" if listed else "there are none",
        )

    async def kv(self, typed: str | None = None) -> str:
        """The id of the KV namespace that a binding or an id means; of the only one for None."""
        found = self._bound("kv", "KV namespaces", "--binding", typed)
        if found is not None:
            return found
        rows = await self.backend.kv.namespaces()
        ids = {row.id for row in rows if typed in (None, row.id, row.name)}
        if len(ids) == 1:
            return ids.pop()
        raise self._missing("kv", "KV namespace", "--binding", typed, [row.binding or row.id for row in rows])

    async def bucket(self, typed: str | None = None) -> str:
        """The name of the R2 bucket that a name or a binding means; of the only one for None."""
        found = self._bound("r2", "R2 buckets", "--bucket", typed)
        if found is not None:
            return found
        rows = await self.backend.r2.buckets()
        names = {row.name for row in rows if typed in (None, row.name)}
        if len(names) == 1:
            return names.pop()
        raise self._missing("r2", "R2 bucket", "--bucket", typed, [row.name for row in rows])

    async def database(self, typed: str | None = None) -> str:
        """The id of the D1 database that a binding, a name or an id means; of the only one for None."""
        found = self._bound("d1", "D1 databases", "--database", typed)
        if found is not None:
            return found
        rows = await self.backend.d1.databases()
        ids = {row.id for row in rows if typed in (None, row.id, row.name)}
        if len(ids) == 1:
            return ids.pop()
        raise self._missing(
            "d1", "D1 database", "--database", typed, [row.binding or row.name for row in rows]
        )

    async def namespace(self, typed: str | None = None) -> str:
        """The id (`script-Class`) of the Durable Object namespace that a class name, a binding or an id means."""
        rows: list[DoNamespace] = await self.backend.durable_objects.namespaces()
        if typed is not None:
            exact = [row for row in rows if row.id == typed]
            found = exact or [row for row in rows if typed in (row.class_name, row.binding)]
        else:
            found = rows
        mine = [row for row in found if self.worker in (row.worker, row.script)] if self.worker else found
        ids = {row.id for row in mine or found}
        if typed is None and len(ids) != 1:
            raise self._missing(
                "do", "Durable Object namespace", "--namespace", typed, [row.class_name for row in rows]
            )
        if not ids:
            raise self._missing(
                "do", "Durable Object namespace", "--namespace", typed, [row.class_name for row in rows]
            )
        return str(self._only("do", "Durable Object namespaces", str(typed), ids, []))

    async def object(self, namespace: str | None, object: str) -> tuple[str, str]:
        """The ids of a namespace and of the object in it that a name or an id means."""
        found = await self.namespace(namespace)
        return found, await self.backend.durable_objects.object_id(found, object)

    async def queue(self, typed: str) -> str:
        """The id of the queue that a name, an id or a producer's binding means."""
        bound = next((one.resource_id for one in self.bindings("queue_producer") if one.name == typed), typed)
        rows = await self.backend.queues.queues()
        ids = {row.id for row in rows if bound in (row.id, row.name)}
        if not ids:
            raise self._missing("queues", "queue", "QUEUE", typed, [row.name for row in rows])
        return str(self._only("queues", "queues", typed, ids, []))

    def script(self, typed: str | None) -> str:
        """The name of a Worker: as given, else that of the Worker in use."""
        if typed is not None:
            return typed
        name = self.worker or next((worker.name for worker in self.project.workers), None)
        if name is None:
            raise UsageError("which Worker? there is no project here that names one")
        return name

    async def workflow(self, typed: str | None = None) -> str:
        """The name of the workflow that a name or a binding means; of the only one for None."""
        rows = await self.backend.workflows.list()
        names = {row.name for row in rows if typed in (None, row.name, row.binding)}
        if typed is not None and typed in names:
            return typed
        if len(names) == 1:
            return names.pop()
        if typed is not None and names:
            return str(self._only("workflows", "workflows", typed, names, []))
        raise self._missing("workflows", "workflow", "--workflow", typed, [row.name for row in rows])
