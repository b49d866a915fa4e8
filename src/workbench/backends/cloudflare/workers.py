"""Deployed Workers through the account API: scripts, versions, deployments, bindings, the names of secrets, the live log.

Source: the API's pages (workers/scripts). A dev server's mirror has no deployments; what it runs is under `/local/workers`.
"""

from collections.abc import Iterator
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.workers import DeployedBinding, Deployment, LogEvent, Script, ScriptVersion, SecretName

from .api import Api, join
from .offers import lacks
from .paging import numbered
from .shapes import moment, whole

ROOT = "/workers/scripts"
# Where the id or name of what is bound stands, by the binding's type.
_RESOURCES = (
    "namespace_id",
    "bucket_name",
    "id",
    "database_id",
    "queue_name",
    "workflow_name",
    "service",
    "class_name",
    "index_name",
    "dataset",
)


class CloudWorkers:
    """The product; see the protocol `Workers`."""

    def __init__(self, api: Api, *, live: bool) -> None:
        self._api = api.of("workers")
        self._live = live

    async def scripts(self) -> list[Script]:
        """All of the account's; on a dev server those that it and its peers run."""
        if self._live:
            rows = (await self._api.get("/local/workers")).result
            return [Script(str(row["name"]), None, None) for row in rows]
        return [_script(row) for row in await numbered(self._api, ROOT)]

    async def versions(self, script: str) -> list[ScriptVersion]:
        """The newest first."""
        if self._live:
            raise lacks("workers.versions")
        rows = await numbered(self._api, f"{ROOT}{join(script)}/versions")
        return [_version(row) for row in rows]

    async def deployments(self, script: str) -> list[Deployment]:
        """The newest first: the first is what answers now."""
        if self._live:
            raise lacks("workers.deployments")
        rows = (await self._api.get(f"{ROOT}{join(script)}/deployments")).result
        return [_deployment(row) for row in rows.get("deployments") or ()]

    async def bindings(self, script: str, version: str | None = None) -> list[DeployedBinding]:
        """Of a version; of the one that answers most requests now where none is named."""
        if self._live:
            return await self._running_bindings(script)
        if version is None:
            deployed = await self.deployments(script)
            if not deployed or not deployed[0].versions:
                raise WorkbenchError("workers.not_deployed", f"{script} has no deployment")
            version = str(max(deployed[0].versions, key=lambda one: one["percentage"])["version_id"])
        row = (await self._api.get(f"{ROOT}{join(script)}/versions{join(version)}")).result
        listed = (row.get("resources") or {}).get("bindings") or []
        return [_binding(entry) for entry in listed]

    async def _running_bindings(self, script: str) -> list[DeployedBinding]:
        rows = (await self._api.get("/local/workers")).result
        found = next((row for row in rows if row.get("name") == script), None)
        if found is None:
            raise WorkbenchError("workers.script_not_found", f"no Worker {script} runs there")
        bindings = []
        for kind, entries in (found.get("bindings") or {}).items():
            for entry in entries if isinstance(entries, list) else []:
                bindings.append(_binding({"type": kind} | entry))
        return bindings

    async def secrets(self, script: str) -> list[SecretName]:
        """Names only."""
        if self._live:
            raise lacks("workers.secrets")
        rows = (await self._api.get(f"{ROOT}{join(script)}/secrets")).result
        return [SecretName(str(row["name"]), str(row.get("type") or "")) for row in rows]

    async def logs(self, script: str, filters: dict[str, Any]) -> Iterator[LogEvent]:
        """Events as they come."""
        if self._live:
            raise lacks("workers.logs")
        from .tail import tail

        return await tail(self._api, script, filters)


def _script(row: Any) -> Script:
    return Script(
        str(row.get("id") or row.get("name")),
        moment(row.get("created_on")),
        moment(row.get("modified_on")),
        tuple(map(str, row.get("handlers") or ())),
        row.get("compatibility_date"),
        row.get("usage_model"),
    )


def _version(row: Any) -> ScriptVersion:
    metadata, notes = row.get("metadata") or {}, row.get("annotations") or {}
    return ScriptVersion(
        str(row["id"]),
        whole(row.get("number")),
        moment(metadata.get("created_on")),
        metadata.get("author_email"),
        metadata.get("source"),
        notes.get("workers/message"),
    )


def _deployment(row: Any) -> Deployment:
    return Deployment(
        str(row["id"]),
        moment(row.get("created_on")),
        row.get("author_email"),
        row.get("source"),
        tuple(row.get("versions") or ()),
        (row.get("annotations") or {}).get("workers/message"),
    )


def _binding(row: Any) -> DeployedBinding:
    resource = next((row[name] for name in _RESOURCES if isinstance(row.get(name), str)), None)
    # The text of a plain variable is the account's own and no secret; a secret's never comes.
    detail = {name: value for name, value in row.items() if name not in ("name", "type")}
    return DeployedBinding(
        str(row.get("name") or row.get("bindingName") or ""), str(row.get("type") or ""), resource, detail
    )
