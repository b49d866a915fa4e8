"""Files and trees of a sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from workbench.model.page import Page
from workbench.model.sandboxes import FileEvent, SandboxFile
from workbench.model.state import Removal

from .execution import Bytes, pieces
from .shapes import absolute, value
from .transport import in_path

if TYPE_CHECKING:
    from .client import SandboxClient

LISTED = 1000


class Files:
    """The hub's `files`, `archive` and `watch`; of a deployed bridge, `file`, `persist` and `hydrate` within /workspace."""

    def __init__(self, client: SandboxClient) -> None:
        self._client = client

    async def list(
        self,
        sandbox: str,
        path: str,
        recursive: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[SandboxFile]:
        params = {"path": absolute(path), "recursive": recursive, "limit": limit, "cursor": cursor}
        found = await self._client.ask("GET", sandbox, "files", params=params)
        return Page([value(SandboxFile, row) for row in found["files"]], found.get("cursor"))

    async def stat(self, sandbox: str, path: str) -> SandboxFile:
        return value(
            SandboxFile, await self._client.ask("GET", sandbox, "files/stat", params={"path": absolute(path)})
        )

    async def get(self, sandbox: str, path: str, session: str | None = None) -> AsyncIterator[bytes]:
        client = self._client
        id = await client.id_of(sandbox)
        headers = {"Session-Id": session} if session else {}
        if client.deployed:
            url, params = f"/v1/sandbox/{in_path(id)}/file{in_path(absolute(path), slashes=True)}", {}
        else:
            url, params = f"/v1/sandbox/{in_path(id)}/files/content", {"path": absolute(path)}
        async with client.transport.stream("GET", url, params=params, headers=headers) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def put(
        self, sandbox: str, path: str, content: Bytes, mode: int | None = None, session: str | None = None
    ) -> SandboxFile:
        client = self._client
        id = await client.id_of(sandbox)
        headers = {"Content-Type": "application/octet-stream"} | ({"Session-Id": session} if session else {})
        if client.deployed:
            url = f"/v1/sandbox/{in_path(id)}/file{in_path(absolute(path), slashes=True)}"
            data = b"".join([piece async for piece in pieces(content)])
            await client.transport.request("PUT", url, content=data, headers=headers)
            return SandboxFile(path.rpartition("/")[2], absolute(path), "file", len(data), "", "")
        params = {"path": absolute(path), "mode": mode}
        url = f"/v1/sandbox/{in_path(id)}/files/content"
        return value(
            SandboxFile,
            await client.transport.request(
                "PUT", url, params=params, content=pieces(content), headers=headers
            ),
        )

    async def create_folder(self, sandbox: str, path: str) -> SandboxFile:
        body = {"path": absolute(path)}
        return value(SandboxFile, await self._client.ask("POST", sandbox, "files/folder", body=body))

    async def move(self, sandbox: str, path: str, to: str) -> SandboxFile:
        body = {"from": absolute(path), "to": absolute(to)}
        return value(SandboxFile, await self._client.ask("POST", sandbox, "files/move", body=body))

    async def delete(
        self, sandbox: str, path: str, recursive: bool = False, dry_run: bool = False
    ) -> Removal:
        params = {"path": absolute(path), "recursive": recursive, "dry_run": dry_run}
        found: dict[str, Any] = await self._client.ask("DELETE", sandbox, "files", params=params)
        return Removal(list(found["removed"]), int(found["total"]), dry_run)

    async def export(self, sandbox: str, path: str, exclude: Iterable[str] = ()) -> AsyncIterator[bytes]:
        client = self._client
        id = await client.id_of(sandbox)
        params = {"path": absolute(path), "excludes": ",".join(exclude) or None}
        url = f"/v1/sandbox/{in_path(id)}/archive"
        if client.deployed:
            client.only_workspace(absolute(path))
            url, params = f"/v1/sandbox/{in_path(id)}/persist", {"excludes": params["excludes"]}
        method = "POST" if client.deployed else "GET"
        async with client.transport.stream(method, url, params=params) as response:
            async for piece in response.aiter_bytes():
                yield piece

    async def import_tree(self, sandbox: str, path: str, archive: Bytes) -> None:
        client = self._client
        id = await client.id_of(sandbox)
        headers = {"Content-Type": "application/octet-stream"}
        if client.deployed:
            client.only_workspace(absolute(path))
            data = b"".join([piece async for piece in pieces(archive)])
            await client.transport.request(
                "POST", f"/v1/sandbox/{in_path(id)}/hydrate", content=data, headers=headers
            )
            return
        await client.transport.request(
            "POST",
            f"/v1/sandbox/{in_path(id)}/archive",
            params={"path": absolute(path)},
            content=pieces(archive),
            headers=headers,
        )

    async def watch(
        self,
        sandbox: str,
        path: str,
        recursive: bool = True,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
    ) -> AsyncIterator[FileEvent]:
        body = {
            "path": absolute(path),
            "recursive": recursive,
            "include": list(include),
            "exclude": list(exclude),
        }
        async for event in self._client.listen("POST", sandbox, "watch", body=body):
            if event.event == "file":
                yield value(FileEvent, event.json)
