"""`ServedBackend`: the local target of a project, whether dev servers run on it or not.

Reads are the state directory's own, exact whatever runs. KV and R2 are written through a dev server while one has the state open; SQL
and storage stay short transactions of our own. Workflow instances are driven by whatever runs them. On the start-up path of every
command: nothing is imported before it is asked for.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.backends.local import LocalBackend
from workbench.model.target import Capability

if TYPE_CHECKING:
    from workbench.backends.local.d1 import LocalD1
    from workbench.backends.local.durable_objects import LocalDurableObjects
    from workbench.backends.local.inventory import LocalState
    from workbench.backends.local.traces import LocalTraces
    from workbench.backends.local.workflows import LocalWorkflows
    from workbench.backends.protocol import Queues, Servers, Workers, WorkflowControl
    from workbench.backends.sandboxes import SandboxServer
    from workbench.model.bindings import Project
    from workbench.model.progress import Cancel

    from .kv import ServedKv
    from .r2 import ServedR2
    from .route import Route, Through


class ServedBackend:
    """Implements `Backend`; never suspends for its own products. One a target, and a view of it a call (`watched`)."""

    suspends = False

    def __init__(self, project: "Project") -> None:
        self._take(LocalBackend(project), [], None, None)

    def _take(
        self,
        local: LocalBackend,
        route: "list[Route]",
        cancel: "Cancel | None",
        notice: "Callable[[str], None] | None",
    ) -> None:
        self.local = local
        self.project = local.project
        self.target = local.target
        self._shared = route
        self._cancel = cancel
        self._notice = notice

    def watched(
        self, cancel: "Cancel | None", notice: "Callable[[str], None] | None" = None
    ) -> "ServedBackend":
        """The same for one call: its switch, and its own record of how it wrote."""
        view = ServedBackend.__new__(ServedBackend)
        view._take(self.local, self._shared, cancel or self._cancel, notice or self._notice)
        return view

    @property
    def via(self) -> str:
        """The address of the dev server that this call wrote through, or ""."""
        through = self.__dict__.get("_through")
        return through.via if through is not None else ""

    @cached_property
    def _through(self) -> "Through":
        from .route import Through

        return Through(self._route, self._cancel, self._notice)

    @property
    def _route(self) -> "Route":
        if not self._shared:
            from .route import Route

            self._shared.append(Route(self.project))
        return self._shared[0]

    def capability(self, name: str) -> Capability:
        """As the state directory has it, and what only a runtime can do while one runs."""
        if name.partition(".")[0] == "workflow_control":
            if self.local.server_running():
                return Capability(True)
            return Capability(
                False,
                "instances are driven by a runtime: cfwb servers start starts the dev server, --remote asks the account",
            )
        if name.partition(".")[0] == "servers":
            return Capability(True)
        return self.local.capability(name)

    def server_running(self) -> bool:
        return self.local.server_running()

    def close(self) -> None:
        """Close the connections to dev servers."""
        for route in self._shared:
            route.close()
        self.local.close()

    @cached_property
    def kv(self) -> "ServedKv":
        from .kv import ServedKv

        return ServedKv(self.project, self._through)

    @cached_property
    def r2(self) -> "ServedR2":
        from .r2 import ServedR2

        return ServedR2(self.project, self._through)

    @property
    def d1(self) -> "LocalD1":
        return self.local.d1

    @property
    def durable_objects(self) -> "LocalDurableObjects":
        return self.local.durable_objects

    @property
    def workflows(self) -> "LocalWorkflows":
        return self.local.workflows

    @property
    def workflow_control(self) -> "WorkflowControl":
        from .control import ServedControl

        return ServedControl(self._through, self.project)

    @property
    def queues(self) -> "Queues":
        return self.local.queues

    @property
    def workers(self) -> "Workers":
        return self.local.workers

    @property
    def traces(self) -> "LocalTraces":
        return self.local.traces

    @property
    def state(self) -> "LocalState":
        return self.local.state

    @cached_property
    def servers(self) -> "Servers":
        from .product import LocalServers

        return LocalServers(self.project, self._cancel, self._notice)

    @property
    def sandboxes(self) -> "SandboxServer":
        return self.local.sandboxes
