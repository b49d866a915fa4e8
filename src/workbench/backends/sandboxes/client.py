"""Requests about one sandbox, named by its name or its id: what the nouns share."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from workbench.model.errors import WorkbenchError

from .shapes import WORKSPACE
from .transport import ServerEvent, Transport, error_of, in_path

_ID = re.compile(r"[a-z2-7]{1,128}")


class SandboxClient:
    """What the nouns share: requests about one sandbox, named by its name or its id."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.deployed = transport.places is None
        self._lists = True

    async def id_of(self, name: str) -> str:
        """The id a name means. A deployed bridge that keeps no names takes any id of the right shape."""
        if self.deployed:
            found = await self.listed({"name": name})
            if found is not None and found["sandboxes"]:
                return str(found["sandboxes"][0]["id"])
            if _ID.fullmatch(name):
                return name
            hint = "" if found is not None else "this bridge knows ids only: `sandboxes create` gives one"
            raise WorkbenchError(
                "sandboxes.not_found", f"there is no sandbox {name!r} behind the bridge", hint
            )
        found = await self.transport.request("GET", "/v1/sandbox", params={"name": name})
        if not found["sandboxes"]:
            raise WorkbenchError(
                "sandboxes.not_found",
                f"there is no sandbox {name!r}",
                "`cfwb sandboxes list` names those there are",
            )
        return str(found["sandboxes"][0]["id"])

    async def listed(self, params: dict[str, Any]) -> Any:
        """`{sandboxes, cursor}` of a server that lists them; None of a bridge that does not (the public one alone)."""
        if not self._lists:
            return None
        try:
            return await self.transport.request("GET", "/v1/sandbox", params=params)
        except WorkbenchError as error:
            if not self.deployed or not error.message.startswith(("HTTP 404", "HTTP 405")):
                raise
            self._lists = False
            return None

    async def ask(self, method: str, name: str, path: str = "", **options: Any) -> Any:
        """A request below `/v1/sandbox/{id}`; options of `Transport.stream`."""
        self.must_have(path)
        id = await self.id_of(name)
        if isinstance(options.get("body"), dict):
            options["body"] = {key: given for key, given in options["body"].items() if given is not None}
        return await self.transport.request(method, sandbox_url(id, path), **options)

    async def listen(self, method: str, name: str, path: str, **options: Any) -> AsyncIterator[ServerEvent]:
        """The events of a stream below `/v1/sandbox/{id}`; one of the name `error` is raised."""
        self.must_have(path)
        id = await self.id_of(name)
        async for item in self.transport.events(method, sandbox_url(id, path), **options):
            if item.event == "error":
                raise error_of(0, item.data.encode())
            yield item

    def must_have(self, path: str) -> None:
        """Refuse what a deployed bridge has no routes for, before anything is asked."""
        noun = path.partition("/")[0]
        if self.deployed and noun not in (
            "",
            "exec",
            "file",
            "running",
            "tunnel",
            "session",
            "mount",
            "unmount",
        ):
            raise WorkbenchError("target.not_capable", f"a deployed bridge has no {noun} routes")

    def only_workspace(self, path: str) -> None:
        """Refuse what a deployed bridge cannot reach."""
        if path != WORKSPACE:
            raise WorkbenchError("target.not_capable", f"a deployed bridge takes {WORKSPACE} as a whole only")


def sandbox_url(id: str, path: str) -> str:
    return f"/v1/sandbox/{in_path(id)}" + (f"/{path}" if path else "")
