"""The emulator's state directory, read and written in its own format, beside a running server or without one.

A module a product, each a class on a `Project`; what they share: `naming` (file names), `database` (the only way to open a state
file), `faults` (errors), `blobs` (values in files), `manners` (a running server). May import model/ and the protocols.
On the start-up path: a product is imported when it is asked for.
"""

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.model.bindings import Project
from workbench.model.target import Capability, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.backends.protocol import Queues, Servers, Workers, WorkflowControl
    from workbench.backends.sandboxes import SandboxServer
    from workbench.model.progress import Cancel

    from .d1 import LocalD1
    from .durable_objects import LocalDurableObjects
    from .inventory import LocalState
    from .kv import LocalKv
    from .r2 import LocalR2
    from .traces import LocalTraces
    from .workflows import LocalWorkflows

_LACKING = {
    "workflow_control": "instances are created and driven by a runtime: --server URL asks a dev server, --remote the account",
    "queues": "local development keeps no queue on disk: --remote shows those of the account",
    "servers": "the state directory alone starts and asks no dev server",
    "workers": "the local state holds no deployed Workers: --remote shows the account's, cfwb project get the project's",
}
_PRODUCTS = ("kv", "r2", "d1", "durable_objects", "workflows", "traces", "state")


class LocalBackend:
    """The local target of a project; implements `Backend` and never suspends."""

    suspends = False
    via = ""

    def __init__(self, project: Project) -> None:
        # Links are followed once, here: SQLite keeps -wal and -shm beside the real file.
        self.project = project._replace(state_directory=os.path.realpath(project.state_directory))
        self.target = Target("local", project.state_directory)

    def watched(
        self, cancel: "Cancel | None", notice: "Callable[[str], None] | None" = None
    ) -> "LocalBackend":
        """The same: whoever reads files is handed the switch with the call, where it takes long."""
        return self

    def capability(self, name: str) -> Capability:
        """What the local state lacks is said in a sentence."""
        if name in _PRODUCTS or name.partition(".")[0] in _PRODUCTS:
            return Capability(True)
        if name == "sandboxes":
            if sys.platform == "win32":
                return Capability(False, "sandboxes need Linux or macOS")
            return Capability(True)
        if (why_not := _LACKING.get(name.partition(".")[0])) is not None:
            return Capability(False, why_not)
        return Capability(False, f"the local state knows nothing called {name}")

    def server_running(self) -> bool:
        """Whether an emulator has this state open now."""
        from .manners import server_running

        return server_running(self.project.state_directory)

    def close(self) -> None:
        """Nothing is held between calls."""

    @cached_property
    def kv(self) -> "LocalKv":
        from .kv import LocalKv

        return LocalKv(self.project)

    @cached_property
    def r2(self) -> "LocalR2":
        from .r2 import LocalR2

        return LocalR2(self.project)

    @cached_property
    def d1(self) -> "LocalD1":
        from .d1 import LocalD1

        return LocalD1(self.project)

    @cached_property
    def durable_objects(self) -> "LocalDurableObjects":
        from .durable_objects import LocalDurableObjects

        return LocalDurableObjects(self.project)

    @cached_property
    def workflows(self) -> "LocalWorkflows":
        from .workflows import LocalWorkflows

        return LocalWorkflows(self.project)

    @property
    def workflow_control(self) -> "WorkflowControl":
        from workbench.backends.lacking import lacking

        found: WorkflowControl = lacking(_LACKING["workflow_control"])
        return found

    @property
    def queues(self) -> "Queues":
        from workbench.backends.lacking import lacking

        found: Queues = lacking(_LACKING["queues"])
        return found

    @property
    def workers(self) -> "Workers":
        from workbench.backends.lacking import lacking

        found: Workers = lacking(_LACKING["workers"])
        return found

    @cached_property
    def traces(self) -> "LocalTraces":
        from .traces import LocalTraces

        return LocalTraces(self.project)

    @cached_property
    def state(self) -> "LocalState":
        from .inventory import LocalState

        return LocalState(self.project)

    @property
    def servers(self) -> "Servers":
        from workbench.backends.lacking import lacking

        found: Servers = lacking(_LACKING["servers"])
        return found

    @cached_property
    def sandboxes(self) -> "SandboxServer":
        """The sandboxes of this state directory's hub; unlike all else here they suspend."""
        from workbench.backends.sandboxes import of_state_directory

        return of_state_directory(self.project.state_directory)


__all__ = ["LocalBackend"]
