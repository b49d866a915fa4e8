"""A bucket kept as a folder of a sandbox, both ways, as long as the sandbox is awake."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import posixpath
import time
from collections.abc import Awaitable, Callable
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.r2 import R2Object
from workbench.sandbox.channel import Channel

from .bucket import Bucket
from .plan import Agreed, Stamp, Step, plan, representable

log = logging.getLogger("cfwb.hub")

EVERY_S = 2.0  # how often the bucket is looked at
RESTS_S = 0.4  # a file is sent once it has not changed for so long
AGAIN_S = 60.0  # how often the folder is looked at although nothing was told of it
MOST_FILES = 20_000
MOST_BYTES = 4 << 30


class TooMuch(WorkbenchError):
    """More than a copy should hold."""

    def __init__(self, what: str) -> None:
        super().__init__("mounts.too_large", f"the bucket {what}, too much for a copy", "give a --prefix")


class Synced:
    """One bucket and one folder. agreed: what both sides were when they last agreed (kept by the hub, so that it outlives it)."""

    def __init__(
        self,
        bucket: Bucket,
        folder: str,
        *,
        read_only: bool,
        agreed: dict[str, Agreed],
        tell: Callable[[str, dict[str, Any]], None],
        save: Callable[[dict[str, Agreed]], Awaitable[None]],
        every: float = EVERY_S,
    ) -> None:
        self.bucket = bucket
        self.folder = folder
        self.read_only = read_only
        self.agreed = agreed
        self.left_out: list[str] = []
        self.conflicts: list[str] = []
        self.problem = ""
        self._tell = tell
        self._save = save
        self._every = every
        self._changed = asyncio.Event()
        self._round = asyncio.Lock()
        self._stamps: dict[str, Stamp] | None = None

    async def keep(self, channel: Channel) -> None:
        """Bring both together again and again; ends when it is cancelled. What goes wrong is said in `problem` and tried again."""
        watching = asyncio.create_task(self._watch(channel))
        looked = 0.0
        try:
            while True:
                if self._changed.is_set():
                    await asyncio.sleep(RESTS_S)
                    self._changed.clear()
                    self._stamps = None
                elif time.monotonic() - looked > AGAIN_S:
                    self._stamps = None
                if self._stamps is None:
                    looked = time.monotonic()
                try:
                    await self.once(channel)
                    self.problem = ""
                except (WorkbenchError, OSError) as error:
                    self.problem = str(error)
                    self._stamps = None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._every)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def once(self, channel: Channel, *, afresh: bool = False) -> int:
        """One round; how many steps it took. afresh: look at the folder although nothing was told of it. Raises WorkbenchError."""
        async with self._round:
            if afresh:
                self._stamps = None
            objects = await self.bucket.list()
            if len(objects) > MOST_FILES:
                raise TooMuch(f"holds {len(objects):,} objects")
            if (size := sum(each.size for each in objects.values())) > MOST_BYTES:
                raise TooMuch(f"holds {size:,} bytes")
            etags, self.left_out = representable({path: each.etag for path, each in objects.items()})
            if self._stamps is None:
                self._stamps = await self._look(channel)
            steps = plan(self.agreed, self._stamps, etags, read_only=self.read_only)
            for step in steps:
                await self._do(channel, step, objects)
            if steps:
                await self._save(self.agreed)
                self._tell("mount.synced", {"path": self.folder, "steps": len(steps)})
            return len(steps)

    async def clear(self, channel: Channel) -> None:
        """Take away the files that came from the bucket and are as it has them, and folders that are then empty."""
        stamps = await self._look(channel)
        for path, known in self.agreed.items():
            if stamps.get(path) == known.stamp:
                with contextlib.suppress(WorkbenchError):
                    await channel.delete_file(self._inside(path))
        await channel.run(["find", self.folder, "-depth", "-type", "d", "-empty", "-delete"], within=60)

    async def _watch(self, channel: Channel) -> None:
        while True:
            with contextlib.suppress(WorkbenchError):
                await channel.make_folder(self.folder)
                async for _ in channel.watch(self.folder):
                    self._changed.set()
            await asyncio.sleep(1)

    async def _look(self, channel: Channel) -> dict[str, Stamp]:
        """Regular files below the folder, by path. Links and the rest are not for a bucket."""
        await channel.make_folder(self.folder)
        found: dict[str, Stamp] = {}
        async for entry in channel.list_files(self.folder, recursive=True):
            if entry.get("kind") == "file":
                found[str(entry["relative"])] = _stamp(entry)
                if len(found) > 2 * MOST_FILES:
                    raise TooMuch(f"would get more than {2 * MOST_FILES:,} files")
        return found

    async def _do(self, channel: Channel, step: Step, objects: dict[str, R2Object]) -> None:
        path = step.path
        if step.kind == "forget":
            self.agreed.pop(path, None)
        elif step.kind == "delete_object":
            await self.bucket.delete(path)
            self.agreed.pop(path, None)
        elif step.kind == "delete_inside":
            with contextlib.suppress(WorkbenchError):
                await channel.delete_file(self._inside(path))
            self._forget(path)
        elif step.kind == "push":
            await self._push(channel, path, objects.get(path))
        else:
            if step.kind == "conflict" and not await self._same(channel, path, objects[path]):
                await self._set_aside(channel, path)
            await self._pull(channel, path)

    async def _push(self, channel: Channel, path: str, before: R2Object | None) -> None:
        try:
            async with channel.get_file(self._inside(path)) as (stat, content):
                written = await self.bucket.write(path, content, before)
        except WorkbenchError as error:
            if error.code.startswith("sandbox.") and error.code != "sandbox.not_running":
                self._forget(path)  # gone, or no file any more: the next round sees what it is
                self._changed.set()
                return
            raise
        self._agree(path, written.etag, _stamp(stat))

    async def _pull(self, channel: Channel, path: str) -> None:
        found, content = await self.bucket.read(path)
        mode = 0o444 if self.read_only else None
        stat = await channel.put_file(self._inside(path), content, mode=mode)
        self._agree(path, found.etag, _stamp(stat))

    async def _same(self, channel: Channel, path: str, found: R2Object) -> bool:
        """Whether the file has the object's bytes already."""
        stat = await channel.stat(self._inside(path))
        if stat.get("size") != found.size:
            return False
        _, outside = await self.bucket.read(path)
        theirs = b"".join([piece async for piece in outside]) if found.size <= 64 << 20 else None
        async with channel.get_file(self._inside(path)) as (_, content):
            ours = b"".join([piece async for piece in content]) if theirs is not None else b""
        return theirs == ours

    async def _set_aside(self, channel: Channel, path: str) -> None:
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        for number in range(100):
            name = f"{path}.conflict-{moment}" + (f"-{number}" if number else "")
            try:
                await channel.move_file(self._inside(path), self._inside(name))
            except WorkbenchError as error:
                if error.code.endswith("exists"):
                    continue
                raise
            self.conflicts.append(name)
            self._tell("mount.conflict", {"path": self._inside(path), "kept": self._inside(name)})
            return

    def _inside(self, path: str) -> str:
        return posixpath.join(self.folder, path)

    def _agree(self, path: str, etag: str, stamp: Stamp) -> None:
        self.agreed[path] = Agreed(etag, stamp)
        if self._stamps is not None:
            self._stamps[path] = stamp

    def _forget(self, path: str) -> None:
        self.agreed.pop(path, None)
        if self._stamps is not None:
            self._stamps.pop(path, None)


def _stamp(entry: dict[str, Any]) -> Stamp:
    size, modified = entry.get("size"), entry.get("modified")
    return (
        size if isinstance(size, int) else -1,
        float(modified) if isinstance(modified, int | float) else 0.0,
    )
