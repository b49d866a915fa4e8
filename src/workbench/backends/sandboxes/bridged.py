"""A deployed bridge as a target: sandboxes, and nothing else."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.model.bindings import Project
from workbench.model.bridges import Bridge
from workbench.model.errors import WorkbenchError
from workbench.model.target import Capability, Target

from . import SandboxServer, of_bridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.model.progress import Cancel

_NOTHING_ELSE = "a bridge has sandboxes and nothing else: leave --bridge out"


class BridgeBackend:
    """Implements `Backend` as far as a bridge goes. bridge: which one."""

    suspends = True
    via = ""

    def __init__(self, bridge: Bridge, token: str, project: Project) -> None:
        self.bridge = bridge
        self.project = project
        self.target = Target("remote", bridge.url)
        self._token = token

    @cached_property
    def sandboxes(self) -> SandboxServer:
        return of_bridge(self.bridge.url, self._token)

    def capability(self, name: str) -> Capability:
        """Sandboxes; what of them a bridge lacks is said when it is asked for."""
        if name.partition(".")[0] == "sandboxes":
            return Capability(True)
        return Capability(False, _NOTHING_ELSE)

    def watched(self, cancel: Cancel | None, notice: Callable[[str], None] | None = None) -> BridgeBackend:
        return self

    def server_running(self) -> bool:
        return False

    def close(self) -> None:
        """Connections end with the loop they were opened in."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise WorkbenchError("target.not_capable", _NOTHING_ELSE)
