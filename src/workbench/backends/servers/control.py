"""Workflow instances of the local target, driven by the dev server that runs the Workflow."""

from typing import Any

from workbench.backends.cloudflare.workflows import CloudWorkflows
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError

from .route import Through


class ServedControl:
    """The product `WorkflowControl`. What is sent and not answered is reported as that: an instance is not started twice."""

    def __init__(self, through: Through, project: Project) -> None:
        self._through = through
        self._project = project

    async def create(self, workflow: str, id: str | None = None, params: Any = None) -> str:
        """Start an instance; its id."""
        return await (await self._of(workflow)).create(workflow, id, params)

    async def change(self, workflow: str, instance: str, action: str) -> str:
        """pause, resume, restart or terminate; the status that is told."""
        return await (await self._of(workflow)).change(workflow, instance, action)

    async def send_event(self, workflow: str, instance: str, type: str, payload: Any = None) -> None:
        """Hand an event to an instance."""
        await (await self._of(workflow)).send_event(workflow, instance, type, payload)

    async def _of(self, workflow: str) -> CloudWorkflows:
        """The Workflows of the server that runs this one. Raises `live.not_found`, `workflows.not_loaded`."""
        servers = self._through.servers()
        if not servers:
            raise WorkbenchError(
                "live.not_found",
                "no dev server that runs on this state answers",
                "cfwb servers start starts it",
            )
        for server, api in servers:
            found = CloudWorkflows(api, self._project, live=True)
            if any(one.name == workflow for one in await found.list()):
                self._through.via = server.url
                return found
        urls = ", ".join(server.url for server, _ in servers)
        raise WorkbenchError("workflows.not_loaded", f"the dev server at {urls} runs no Workflow {workflow}")
