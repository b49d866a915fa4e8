"""Files: the bridge's `file`, `persist` and `hydrate` within /workspace; ours anywhere inside, of any size, with folders and trees."""

from __future__ import annotations

import builtins
import stat
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso

from ..bodies import required_json
from ..bridge import LARGEST_BODY, WORKSPACE, any_path, session_of, whole_body, workspace_path
from ..feature import Feature
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..streams import Streamed, closing, event

PAGE = 5000
NAMED = 1000  # of what a deletion removes, so many are named


class Files(Feature):
    """`{id}/file/...`, `{id}/persist`, `{id}/hydrate`; `{id}/files...`, `{id}/archive`, `{id}/watch`."""

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/file/{path:path}", self.read, methods=["GET"]),
            Route(one + "/file/{path:path}", self.write, methods=["PUT"]),
            Route(one + "/persist", self.persist, methods=["POST"]),
            Route(one + "/hydrate", self.hydrate, methods=["POST"]),
            Route(one + "/files", self.list, methods=["GET"]),
            Route(one + "/files", self.delete, methods=["DELETE"]),
            Route(one + "/files/stat", self.stat, methods=["GET"]),
            Route(one + "/files/content", self.get, methods=["GET"]),
            Route(one + "/files/content", self.put, methods=["PUT"]),
            Route(one + "/files/folder", self.create_folder, methods=["POST"]),
            Route(one + "/files/move", self.move, methods=["POST"]),
            Route(one + "/archive", self.export, methods=["GET"]),
            Route(one + "/archive", self.extract, methods=["POST"]),
            Route(one + "/watch", self.watch, methods=["POST"]),
        ]

    async def read(self, request: Request) -> Response:
        """The bytes of a file within /workspace."""
        path = _workspace(request)
        session_of(request)
        sandbox = await self._bridged(request)
        try:
            return Streamed(await self._content(sandbox, path), "application/octet-stream")
        except WorkbenchError as error:
            if error.code == "sandbox.no_such_file":
                raise Problem(404, "workspace_read_not_found", f"File not found: {path}") from None
            raise Problem(502, "exec_transport_error", f"read failed: {error.message}") from None

    async def write(self, request: Request) -> Response:
        """Write a file within /workspace, at most 32 MiB: `{ok}`."""
        path = _workspace(request)
        session_of(request)
        sandbox = await self._bridged(request)
        size = request.headers.get("content-length", "")
        too_large = Problem(
            413,
            "payload_too_large",
            f"payload too large: {size or 'more'} bytes exceeds the {LARGEST_BODY}-byte limit",
        )
        content = await whole_body(request, LARGEST_BODY, too_large)
        try:
            async with sandbox.use() as channel:
                await channel.put_file(sandbox.within(path), content)
        except WorkbenchError as error:
            raise Problem(502, "workspace_archive_write_error", f"write failed: {error.message}") from None
        return JSONResponse({"ok": True})

    async def persist(self, request: Request) -> Response:
        """/workspace as a tar, without what `?excludes=a,b` names."""
        excludes = [name for name in (request.query_params.get("excludes") or "").split(",") if name]
        if any(".." in name for name in excludes):
            raise invalid('exclude paths must not contain ".."')
        sandbox = await self._bridged(request)
        excludes = [name.removeprefix("./") for name in excludes]
        try:
            return Streamed(await self._tree(sandbox, WORKSPACE, excludes), "application/octet-stream")
        except WorkbenchError as error:
            raise Problem(502, "workspace_archive_read_error", f"persist failed: {error.message}") from None

    async def hydrate(self, request: Request) -> Response:
        """A tar, at most 32 MiB, into /workspace: `{ok}`."""
        sandbox = await self._bridged(request)
        size = request.headers.get("content-length", "")
        too_large = invalid(
            f"tar payload too large: {size or 'more'} bytes exceeds the {LARGEST_BODY}-byte limit"
        )
        content = await whole_body(request, LARGEST_BODY, too_large)
        if not content:
            raise invalid("Empty tar payload")
        try:
            async with sandbox.use() as channel:
                await channel.put_tree(sandbox.within(WORKSPACE), content)
        except WorkbenchError as error:
            raise Problem(
                502, "workspace_archive_write_error", f"tar extract failed (exit 2): {error.message}"
            ) from None
        return JSONResponse({"ok": True})

    async def list(self, request: Request) -> Response:
        """`{files, cursor}` of a folder (`?recursive=1`: all below it), in order of names; `?limit=&cursor=` a page."""
        sandbox, path = self._asked(request)
        limit = request.query_params.get("limit") or str(PAGE)
        cursor = request.query_params.get("cursor") or "0"
        if not limit.isdecimal() or not 0 < int(limit) <= PAGE or not cursor.isdecimal():
            raise invalid(f"limit must be a whole number from 1 to {PAGE}, cursor what was given")
        skip, wanted, more = int(cursor), int(limit), False
        rows: builtins.list[dict[str, Any]] = []
        async with (
            sandbox.use() as channel,
            closing(
                channel.list_files(sandbox.within(path), recursive=_flag(request, "recursive"))
            ) as entries,
        ):
            async for entry in entries:
                if skip:
                    skip -= 1
                elif len(rows) == wanted:
                    more = True
                    break
                else:
                    rows.append(_entry(sandbox, entry))
        return JSONResponse({"files": rows, "cursor": str(int(cursor) + wanted) if more else None})

    async def stat(self, request: Request) -> Response:
        """One file, folder or link."""
        sandbox, path = self._asked(request)
        async with sandbox.use() as channel:
            return JSONResponse(_entry(sandbox, await channel.stat(sandbox.within(path))))

    async def get(self, request: Request) -> Response:
        """The bytes of a file anywhere."""
        sandbox, path = self._asked(request)
        await sandbox.awake()
        return Streamed(await self._content(sandbox, path), "application/octet-stream")

    async def put(self, request: Request) -> Response:
        """Write a file anywhere, of any size; it has its name once it is complete."""
        sandbox, path = self._asked(request)
        mode = request.query_params.get("mode")
        if mode is not None and not (mode.isdecimal() and int(mode) <= 0o7777):
            raise invalid("mode must be the permission bits as a number")
        async with sandbox.use() as channel:
            written = await channel.put_file(
                sandbox.within(path), request.stream(), mode=int(mode) if mode else None
            )
        return JSONResponse(_entry(sandbox, written))

    async def create_folder(self, request: Request) -> Response:
        """`{path}`: made with its parents; one that is there is fine."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        path = any_path((await required_json(request)).text("path"))
        async with sandbox.use() as channel:
            return JSONResponse(_entry(sandbox, await channel.make_folder(sandbox.within(path))))

    async def move(self, request: Request) -> Response:
        """`{from, to, overwrite?}`"""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        here, there = any_path(body.text("from")), any_path(body.text("to"))
        async with sandbox.use() as channel:
            moved = await channel.move_file(
                sandbox.within(here), sandbox.within(there), overwrite=body.flag("overwrite")
            )
        return JSONResponse(_entry(sandbox, moved))

    async def delete(self, request: Request) -> Response:
        """`{removed, total}`; `?recursive=1` for a folder with what is in it, `?dry_run=1` only says what would go."""
        sandbox, path = self._asked(request)
        recursive = _flag(request, "recursive")
        async with sandbox.use() as channel:
            inside = sandbox.within(path)
            found = await channel.stat(inside)
            removed, total = [path], 1
            if found.get("kind") == "directory" and recursive:
                async for entry in channel.list_files(inside, recursive=True):
                    total += 1
                    if len(removed) < NAMED:
                        removed.append(sandbox.without(str(entry.get("path"))))
            if not _flag(request, "dry_run"):
                await channel.delete_file(inside, recursive=recursive)
        return JSONResponse({"removed": removed, "total": total})

    async def export(self, request: Request) -> Response:
        """A folder or file as a tar, without what `?excludes=a,b` names."""
        sandbox, path = self._asked(request)
        excludes = [name for name in (request.query_params.get("excludes") or "").split(",") if name]
        await sandbox.awake()
        return Streamed(await self._tree(sandbox, path, excludes), "application/octet-stream")

    async def extract(self, request: Request) -> Response:
        """A tar (plain, gzip, bzip2, xz) of any size into a folder: `{files, bytes}`."""
        sandbox, path = self._asked(request)
        async with sandbox.use() as channel:
            return JSONResponse(await channel.put_tree(sandbox.within(path), request.stream()))

    async def watch(self, request: Request) -> Response:
        """`{path?, recursive?, include?, exclude?}`: events `ready`, then `file` with `{event, path, type, to?}`."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        path = any_path(body.text("path", WORKSPACE))
        options = {
            "recursive": body.flag("recursive", True),
            "include": body.texts("include"),
            "exclude": body.texts("exclude"),
        }
        await sandbox.awake()

        async def told() -> AsyncIterator[bytes]:
            try:
                async with (
                    sandbox.use() as channel,
                    closing(
                        channel.watch(sandbox.within(path), **options)  # type: ignore[arg-type]
                    ) as batches,
                ):
                    async for batch in batches:
                        if not batch:
                            yield event("ready", {"path": path})
                        for change in batch:
                            yield event("file", _change(sandbox, change))
            except (WorkbenchError, Problem) as error:
                yield event("error", {"error": str(error), "code": getattr(error, "code", "watch_error")})

        return Streamed(told())

    async def _bridged(self, request: Request) -> Sandbox:
        return await self.hub.sandboxes.bridged(request.path_params["id"])

    def _asked(self, request: Request) -> tuple[Sandbox, str]:
        return self.hub.sandboxes.get(request.path_params["id"]), any_path(
            request.query_params.get("path") or ""
        )

    async def _content(self, sandbox: Sandbox, path: str) -> AsyncIterator[bytes]:
        """The file's bytes; what is wrong with it is raised now, not in the middle of an answer."""

        async def opened() -> AsyncIterator[bytes]:
            async with sandbox.use() as channel, channel.get_file(sandbox.within(path)) as (_, pieces):
                yield b""
                async for piece in pieces:
                    yield piece

        return await _begun(opened())

    async def _tree(self, sandbox: Sandbox, path: str, excludes: builtins.list[str]) -> AsyncIterator[bytes]:
        async def opened() -> AsyncIterator[bytes]:
            async with sandbox.use() as channel:
                await channel.stat(sandbox.within(path), follow=True)
                yield b""
                async with channel.get_tree(sandbox.within(path), exclude=excludes) as pieces:
                    async for piece in pieces:
                        yield piece

        return await _begun(opened())


async def _begun(source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The source, run until it has nothing left that may go wrong at once."""
    await anext(source)
    return source


def _workspace(request: Request) -> str:
    relative = request.path_params["path"]
    if not relative:
        raise invalid("file path must not be empty")
    path = workspace_path(f"/{relative}")
    if path is None:
        raise invalid("path must resolve to a location within /workspace", 403)
    return path


def _flag(request: Request, name: str) -> bool:
    return (request.query_params.get(name) or "") in ("1", "true", "yes")


def _entry(sandbox: Sandbox, found: dict[str, Any]) -> dict[str, Any]:
    """A file as the API says it. What the init says is checked: it is hostile."""
    mode, modified = found.get("mode"), found.get("modified")
    kind = str(found.get("kind"))
    bits = {"directory": stat.S_IFDIR, "symlink": stat.S_IFLNK}.get(kind, stat.S_IFREG)
    return {
        "name": str(found.get("name")),
        "path": sandbox.without(str(found.get("path"))),
        "type": kind,
        "size": found.get("size") if isinstance(found.get("size"), int) else 0,
        "mode": stat.filemode(bits | (mode if isinstance(mode, int) else 0)),
        "modified": iso(modified * 1000 if isinstance(modified, int | float) else 0),
        "target": found.get("target") if isinstance(found.get("target"), str) else None,
    }


def _change(sandbox: Sandbox, change: dict[str, Any]) -> dict[str, Any]:
    told = {
        "event": str(change.get("event")),
        "path": sandbox.without(str(change.get("path"))),
        "type": "directory" if change.get("directory") else "file",
    }
    if change.get("to"):
        told["to"] = sandbox.without(str(change["to"]))
    return told
