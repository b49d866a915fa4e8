"""Folders of the machine and buckets inside a sandbox. What is mounted is said in `details`, and each change is an event."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.errors import WorkbenchError
from workbench.sandbox.spec import Spec

from ..bodies import Fields, required_json
from ..feature import Feature
from ..mounts.agreed import read_agreed, write_agreed
from ..mounts.asked import overlap, path_of, read_mount, sentence, words
from ..mounts.bucket import Bucket, account_state, local_state
from ..mounts.folders import still_machine_folder
from ..mounts.plan import Agreed
from ..mounts.synced import EVERY_S, Synced
from ..problems import Problem, invalid
from ..record import Record
from ..sandbox import Sandbox

log = logging.getLogger("cfwb.hub")
NAME = "mounts"
LAST_ROUND_S = 30.0
ACCOUNT_EVERY_S = 20.0


class _Kept:
    """A bucket that is kept as a folder: the copy, and the task that keeps it."""

    def __init__(self, synced: Synced, task: asyncio.Task[None]) -> None:
        self.synced = synced
        self.task = task


class Mounts(Feature):
    """The bridge's `{id}/mount` and `{id}/unmount`; ours `GET {id}/mount`, and folders of the machine."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._running: dict[tuple[str, str], _Kept] = {}

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/mount", self.list, methods=["GET"]),
            Route(one + "/mount", self.create, methods=["POST"]),
            Route(one + "/unmount", self.delete, methods=["POST"]),
        ]

    async def close(self) -> None:
        for key in list(self._running):
            await self._end(key)

    async def created(self, sandbox: Sandbox, options: dict[str, Any]) -> None:
        mounts = options.get("mounts") or []
        if not isinstance(mounts, list) or not all(isinstance(each, dict) for each in mounts):
            raise invalid("mounts must be an array of objects")
        for each in mounts:
            self._add(sandbox, self._asked(Fields(each), sandbox))

    async def forked(self, sandbox: Sandbox, like: Record) -> None:
        # What came from a bucket is in the fork's disk as plain files; only one sandbox keeps a bucket.
        folders = [each for each in like.features.get(NAME, []) if "folder" in each]
        if folders:
            sandbox.record.features[NAME] = [dict(each) for each in folders]

    async def starting(self, sandbox: Sandbox, spec: Spec) -> Spec:
        mounts = tuple(
            still_machine_folder(
                each["folder"], each["path"], writable=not each["read_only"], places=self.hub.places
            )
            for each in _mounts(sandbox)
            if "folder" in each
        )
        return spec._replace(mounts=(*spec.mounts, *mounts))

    async def started(self, sandbox: Sandbox) -> None:
        for each in _mounts(sandbox):
            if "bucket" in each:
                await self._begin(sandbox, each)

    async def stopping(self, sandbox: Sandbox) -> None:
        for key in [key for key in self._running if key[0] == sandbox.record.id]:
            kept = self._running[key]
            try:
                async with asyncio.timeout(LAST_ROUND_S):
                    await kept.synced.once(sandbox.channel, afresh=True)
            except (WorkbenchError, Problem, OSError, TimeoutError) as error:
                log.warning("the last round of %s: %s", key[1], error)
            await self._end(key)

    async def stopped(self, sandbox: Sandbox) -> None:
        for key in [key for key in self._running if key[0] == sandbox.record.id]:
            await self._end(key)

    async def deleted(self, sandbox: Sandbox) -> None:
        for each in _mounts(sandbox):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._file(sandbox, each["path"]))

    async def exposes(self, sandbox: Sandbox) -> list[str]:
        return [sentence(each) for each in _mounts(sandbox)]

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        return {"mounts": [self._told(sandbox, each) for each in _mounts(sandbox)]}

    async def list(self, request: Request) -> Response:
        """`{mounts}`"""
        sandbox = self._sandbox(request)
        return JSONResponse({"mounts": [self._told(sandbox, each) for each in _mounts(sandbox)]})

    async def create(self, request: Request) -> Response:
        """`{bucket | binding, mountPath, options: {readOnly?, prefix?}}` as the bridge; ours `of: "account"`, and `{folder, mountPath}`.

        A folder of the machine is bound when the sandbox starts: of one that runs with `restart`, which ends its processes.
        """
        sandbox = await self.hub.sandboxes.obtain(request.path_params["id"])
        body = await required_json(request)
        mount = self._asked(body, sandbox)
        if "folder" in mount and sandbox.alive and not body.flag("restart"):
            raise Problem(
                409,
                "mounts.needs_restart",
                f"a folder of the machine is bound when {sandbox.record.name} starts, and it runs",
                "stop it first, or let it restart (--restart): its processes end",
            )
        if "bucket" in mount:
            async with sandbox.use():
                self._add(sandbox, mount)
                kept = await self._begin(sandbox, mount)
                try:
                    await kept.synced.once(sandbox.channel, afresh=True)
                except WorkbenchError as error:
                    await self._end((sandbox.record.id, mount["path"]))
                    self._remove(sandbox, mount)
                    raise Problem(502, "mount_error", f"mount failed: {error.message}", error.hint) from None
        else:
            self._add(sandbox, mount)
            if sandbox.alive:
                await sandbox.stop()
                await sandbox.start()
        sandbox.save()
        self.hub.events.tell("mount.created", sandbox.record.id, sandbox.record.name, **words(mount))
        return JSONResponse({"ok": True} | self._told(sandbox, mount))

    async def delete(self, request: Request) -> Response:
        """`{mountPath}`: unmount. Of a bucket the last changes are brought over, then the copy goes."""
        sandbox = await self.hub.sandboxes.obtain(request.path_params["id"])
        body = await required_json(request)
        path = path_of(body.text("mountPath"))
        mount = next((each for each in _mounts(sandbox) if each["path"] == path), None)
        if mount is None:
            raise Problem(502, "unmount_error", f"unmount failed: nothing is mounted at {path}")
        if "folder" in mount and sandbox.alive and not body.flag("restart"):
            raise Problem(
                409,
                "mounts.needs_restart",
                f"a folder of the machine stays bound as long as {sandbox.record.name} runs",
                "stop it first, or let it restart (--restart): its processes end",
            )
        if "bucket" in mount:
            async with sandbox.use() as channel:
                kept = self._running.get((sandbox.record.id, path)) or await self._begin(sandbox, mount)
                try:
                    await kept.synced.once(channel, afresh=True)
                except WorkbenchError as error:
                    raise Problem(
                        502, "unmount_error", f"unmount failed: {error.message}", error.hint
                    ) from None
                await self._end((sandbox.record.id, path))
                await kept.synced.clear(channel)
        self._remove(sandbox, mount)
        if "folder" in mount and sandbox.alive:
            await sandbox.stop()
            await sandbox.start()
        self.hub.events.tell("mount.deleted", sandbox.record.id, sandbox.record.name, **words(mount))
        return JSONResponse({"ok": True})

    async def _begin(self, sandbox: Sandbox, mount: dict[str, Any]) -> _Kept:
        key = (sandbox.record.id, mount["path"])
        if key in self._running:
            return self._running[key]
        account = mount["of"] == "account"
        if account:
            state = await asyncio.to_thread(account_state)
        else:
            state = await asyncio.to_thread(local_state, self.hub.places.state_directory)
        path = self._file(sandbox, mount["path"])

        def tell(what: str, more: dict[str, Any]) -> None:
            self.hub.events.tell(what, sandbox.record.id, sandbox.record.name, **more)

        async def save(agreed: dict[str, Agreed]) -> None:
            await asyncio.to_thread(write_agreed, path, dict(agreed), list(sandbox.record.layers))

        synced = Synced(
            Bucket(state, mount["bucket"], mount["prefix"]),
            sandbox.within(mount["path"]),
            read_only=mount["read_only"],
            agreed=read_agreed(path, sandbox.record.layers),
            tell=tell,
            save=save,
            every=ACCOUNT_EVERY_S if account else EVERY_S,
        )
        task = self.hub.spawn(self._keep(sandbox, synced))
        kept = self._running[key] = _Kept(synced, task)
        return kept

    async def _keep(self, sandbox: Sandbox, synced: Synced) -> None:
        with contextlib.suppress(Problem):  # it has stopped
            await synced.keep(sandbox.channel)

    async def _end(self, key: tuple[str, str]) -> None:
        kept = self._running.pop(key, None)
        if kept is None:
            return
        kept.task.cancel()
        await asyncio.gather(kept.task, return_exceptions=True)

    def _add(self, sandbox: Sandbox, mount: dict[str, Any]) -> None:
        for each in _mounts(sandbox):
            if overlap(each["path"], mount["path"]):
                raise Problem(
                    409,
                    "mounts.exists",
                    f"{each['path']} is mounted already",
                    "unmount it first, or choose another path",
                )
        sandbox.record.features.setdefault(NAME, []).append(mount)

    def _remove(self, sandbox: Sandbox, mount: dict[str, Any]) -> None:
        sandbox.record.features[NAME] = [each for each in _mounts(sandbox) if each["path"] != mount["path"]]
        sandbox.save()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._file(sandbox, mount["path"]))

    def _told(self, sandbox: Sandbox, mount: dict[str, Any]) -> dict[str, Any]:
        told = words(mount)
        kept = self._running.get((sandbox.record.id, mount["path"]))
        if kept is not None:
            told |= {
                "files": len(kept.synced.agreed),
                "left_out": kept.synced.left_out[:20],
                "conflicts": kept.synced.conflicts[-20:],
                "problem": kept.synced.problem,
            }
        return told

    def _asked(self, body: Fields, sandbox: Sandbox) -> dict[str, Any]:
        return read_mount(body, self.hub.places, isolated=sandbox.record.provider != "process")

    def _file(self, sandbox: Sandbox, path: str) -> str:
        name = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return os.path.join(self.hub.places.data, "mounts", f"{sandbox.record.id}-{name}.json")

    def _sandbox(self, request: Request) -> Sandbox:
        return self.hub.sandboxes.get(request.path_params["id"])


def _mounts(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.record.features.get(NAME, []))
