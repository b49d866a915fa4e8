"""`LiveBackend`: a running dev server, through the mirror of the account API that it serves.

It is a route to the local target of its project, not a target of its own.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workbench.backends.lacking import lacking
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.target import Capability, Target

from . import offers
from .api import USUAL, Api, Line, Timeouts
from .mirrored import MIRROR

if TYPE_CHECKING:
    from workbench.backends.protocol import Queues, Sandboxes, Servers, StateStore

    from .d1 import CloudD1
    from .durable_objects import CloudDurableObjects
    from .kv import CloudKv
    from .r2 import CloudR2
    from .traces import CloudTraces
    from .workers import CloudWorkers
    from .workflows import CloudWorkflows


class LiveBackend:
    """A dev server; implements `Backend`. It waits for the network on a thread of its own, so callers need no event loop."""

    suspends = False

    def __init__(self, project: Project, api: Api) -> None:
        self.project = project
        self._api = api
        self.via = api.line.base.removesuffix(MIRROR)
        self.target = Target("local", project.state_directory, self.via)

    @property
    def everything(self) -> Api:
        """All of the mirror."""
        return self._api

    def watched(self, cancel: Cancel | None, notice: Callable[[str], None] | None = None) -> "LiveBackend":
        """The same server for one call: stopped by the switch, its waits told."""
        return LiveBackend(self.project, self._api.watched(cancel, notice))

    def capability(self, name: str) -> Capability:
        """What the mirror lacks is said in a sentence."""
        return offers.capability(name, live=True)

    def server_running(self) -> bool:
        return True

    def close(self) -> None:
        """Close the connections."""
        self._api.line.close()

    @cached_property
    def kv(self) -> "CloudKv":
        from .kv import CloudKv

        return CloudKv(self._api, self.project, live=True)

    @cached_property
    def r2(self) -> "CloudR2":
        from .r2 import CloudR2

        return CloudR2(self._api, self.project, live=True)

    @cached_property
    def d1(self) -> "CloudD1":
        from .d1 import CloudD1

        return CloudD1(self._api, self.project, live=True)

    @cached_property
    def durable_objects(self) -> "CloudDurableObjects":
        from .durable_objects import CloudDurableObjects

        return CloudDurableObjects(self._api, self.project, live=True)

    @cached_property
    def workflows(self) -> "CloudWorkflows":
        from .workflows import CloudWorkflows

        return CloudWorkflows(self._api, self.project, live=True)

    @property
    def workflow_control(self) -> "CloudWorkflows":
        return self.workflows

    @property
    def queues(self) -> "Queues":
        found: Queues = lacking(offers.capability("queues", live=True).why_not)
        return found

    @cached_property
    def workers(self) -> "CloudWorkers":
        from .workers import CloudWorkers

        return CloudWorkers(self._api, live=True)

    @cached_property
    def traces(self) -> "CloudTraces":
        from .traces import CloudTraces

        return CloudTraces(self._api)

    @cached_property
    def servers(self) -> "Servers":
        from workbench.backends.servers.product import LocalServers

        return LocalServers(self.project, self._api.cancel, self._api.notice, self.via)

    @property
    def sandboxes(self) -> "Sandboxes":
        found: Sandboxes = lacking(offers.capability("sandboxes", live=True).why_not)
        return found

    @property
    def state(self) -> "StateStore":
        found: StateStore = lacking(offers.capability("state", live=True).why_not)
        return found


def connect(project: Project, address: str, *, timeouts: Timeouts = USUAL) -> LiveBackend:
    """The dev server at `http://localhost:8787` or `localhost:8787`. Loopback only: it knows no token."""
    url = address if "://" in address else f"http://{address}"
    place = urlsplit(url)
    line = Line(f"{place.scheme}://{place.netloc}{MIRROR}", timeouts=timeouts)
    if not line.loopback:
        line.close()
        raise WorkbenchError(
            "live.not_loopback",
            f"{line.host} is not this machine",
            "a dev server is asked on localhost only",
        )
    return LiveBackend(project, Api(line))
