"""`RemoteBackend`: the deployed account, through the account API."""

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from workbench.backends.lacking import lacking
from workbench.model.bindings import Project
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.target import Capability, Target

from . import accounts, credentials, offers
from .api import USUAL, Api, Line, Timeouts
from .budget import Budget
from .deployed import deployed

if TYPE_CHECKING:
    from workbench.backends.protocol import Sandboxes, Servers, StateStore, Traces

    from .d1 import CloudD1
    from .durable_objects import CloudDurableObjects
    from .kv import CloudKv
    from .queues import CloudQueues
    from .r2 import CloudR2
    from .workers import CloudWorkers
    from .workflows import CloudWorkflows

R2_HOST = "r2.cloudflarestorage.com"
_NOT_CLEAR = ("remote.no_account", "remote.not_allowed")
BASE = "https://api.cloudflare.com/client/v4"


class RemoteBackend:
    """An account; implements `Backend`. It waits for the network on a thread of its own, so callers need no event loop."""

    suspends = False
    via = ""

    def __init__(self, project: Project, api: Api, account: accounts.Account | None) -> None:
        self.project = project
        self.account = account
        self.target = Target("remote", account.id if account else "")
        self._api = api

    def watched(self, cancel: Cancel | None, notice: Callable[[str], None] | None = None) -> "RemoteBackend":
        """The same account for one call: stopped by the switch, its waits told."""
        return RemoteBackend(self.project, self._api.watched(cancel, notice), self.account)

    @property
    def api(self) -> Api:
        """The account's own paths. Raises where no account is chosen."""
        if self.account is None:
            raise WorkbenchError(
                "remote.no_account",
                "no account is chosen",
                "name one by CLOUDFLARE_ACCOUNT_ID or the config's account_id",
            )
        return self._api

    @property
    def everything(self) -> Api:
        """All of the API, the account's paths written out."""
        return self._api.outside()

    def capability(self, name: str) -> Capability:
        """What the account API lacks is said in a sentence."""
        return offers.capability(name, live=False)

    def server_running(self) -> bool:
        """No dev server runs on an account."""
        return False

    def close(self) -> None:
        """Close the connections."""
        self._api.line.close()

    @cached_property
    def kv(self) -> "CloudKv":
        from .kv import CloudKv

        return CloudKv(self.api, self.project, live=False)

    @cached_property
    def r2(self) -> "CloudR2":
        from . import r2_s3
        from .r2 import CloudR2

        keys = r2_s3.configured()
        s3 = None
        if keys is not None:
            place = os.environ.get("R2_ENDPOINT", "").strip() or f"https://{self.target.source}.{R2_HOST}"
            s3 = r2_s3.S3(self.api, place, keys)
        return CloudR2(self.api, self.project, live=False, s3=s3)

    @cached_property
    def d1(self) -> "CloudD1":
        from .d1 import CloudD1

        return CloudD1(self.api, self.project, live=False)

    @cached_property
    def durable_objects(self) -> "CloudDurableObjects":
        from .durable_objects import CloudDurableObjects

        return CloudDurableObjects(self.api, self.project, live=False)

    @cached_property
    def workflows(self) -> "CloudWorkflows":
        from .workflows import CloudWorkflows

        return CloudWorkflows(self.api, self.project, live=False)

    @property
    def workflow_control(self) -> "CloudWorkflows":
        return self.workflows

    @cached_property
    def queues(self) -> "CloudQueues":
        from .queues import CloudQueues

        return CloudQueues(self.api, self.project)

    @cached_property
    def workers(self) -> "CloudWorkers":
        from .workers import CloudWorkers

        return CloudWorkers(self.api, live=False)

    @property
    def traces(self) -> "Traces":
        found: Traces = lacking(offers.capability("traces", live=False).why_not)
        return found

    @property
    def servers(self) -> "Servers":
        found: Servers = lacking(offers.capability("servers", live=False).why_not)
        return found

    @property
    def sandboxes(self) -> "Sandboxes":
        found: Sandboxes = lacking(offers.capability("sandboxes", live=False).why_not)
        return found

    @property
    def state(self) -> "StateStore":
        found: StateStore = lacking(offers.capability("state", live=False).why_not)
        return found


def _chosen(api: Api, *, must: bool) -> accounts.Account | None:
    try:
        return api.line.portal.wait(accounts.choose(api, None))
    except WorkbenchError as error:
        if must or (not isinstance(error, UsageError) and error.code not in _NOT_CLEAR):
            raise
        return None


def connect(
    project: Project,
    configured: str | None = None,
    config_path: str = "",
    *,
    choose: Literal["must", "may", "not"] = "must",
    timeouts: Timeouts = USUAL,
    budget: Budget | None = None,
) -> RemoteBackend:
    """The account of whoever runs this. configured: the config's `account_id`.

    choose: where none is named, ask for the only one there is; it must be clear, it may be, or nobody is asked.

    `CLOUDFLARE_API_BASE_URL` is wrangler's variable for another address of the API.
    """
    found = credentials.find(folder=project.folder)
    base = os.environ.get("CLOUDFLARE_API_BASE_URL", "").strip() or BASE
    connection = Line(base, found, budget=budget or Budget(), timeouts=timeouts)
    api = Api(connection)
    try:
        account = accounts.named(configured, config_path)
        if account is None and choose != "not":
            account = _chosen(api, must=choose == "must")
    except BaseException:
        connection.close()
        raise
    prefix = f"/accounts/{account.id}" if account else ""
    return RemoteBackend(deployed(project), Api(connection, prefix), account)
