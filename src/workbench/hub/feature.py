"""What a feature of the hub is: what it adds to the routes, to a sandbox's life and to what is told of a sandbox.

It keeps what has to outlive the hub in `sandbox.record.features[its name]` (JSON; `sandbox.save()` writes it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from workbench.sandbox.spec import Spec

    from .core import Hub
    from .record import Record
    from .sandbox import Sandbox


class Feature:
    """What a feature may do; each method is called by the hub and does nothing unless a feature says so."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def routes(self) -> list[BaseRoute]:
        """Its routes; paths as in `/v1/sandbox/{id}/...`, errors raised as `problems.Problem`."""
        return []

    async def open(self) -> None:
        """The hub has found its sandboxes (those that run have been `found`)."""

    async def close(self) -> None:
        """The hub ends; the sandboxes live on."""

    def needed(self) -> bool:
        """Whether the hub must not leave although no sandbox runs."""
        return False

    async def created(self, sandbox: Sandbox, options: dict[str, Any]) -> None:
        """A sandbox was made with these options (the JSON body of its creation); raise `Problem` to refuse."""

    async def forked(self, sandbox: Sandbox, like: Record) -> None:
        """It was made like another one, whose record this is; after `created`."""

    async def starting(self, sandbox: Sandbox, spec: Spec) -> Spec:
        """Before its processes begin: the spec as this feature wants it; what must be in its folder goes there now."""
        return spec

    async def started(self, sandbox: Sandbox) -> None:
        """It runs: started just now, or found running by a new hub."""

    async def stopping(self, sandbox: Sandbox) -> None:
        """Its processes are about to be asked to end."""

    async def stopped(self, sandbox: Sandbox) -> None:
        """It no longer runs, whatever the reason."""

    async def changed(self, sandbox: Sandbox, changes: dict[str, Any]) -> None:
        """Its options were changed, as a PATCH said."""

    async def deleted(self, sandbox: Sandbox) -> None:
        """It is about to go with its folder."""

    async def exposes(self, sandbox: Sandbox) -> list[str]:
        """What this feature opens between this sandbox and the machine, in sentences that every screen shows."""
        return []

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        """What `GET /v1/sandbox/{id}` says of it for this feature."""
        return {}
