"""All sandboxes of the hub, as they are on disk: found when the hub starts, looked up by id or name."""

from __future__ import annotations

import asyncio
import base64
import copy
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.sandbox.disk.remove import remove

from . import record
from .problems import Problem, invalid
from .record import Record
from .sandbox import Sandbox

if TYPE_CHECKING:
    from .core import Hub

log = logging.getLogger("cfwb.hub")
SLEEP_AFTER = 600.0  # seconds, where nothing else is asked for
LONGEST_NAME = 128


def new_id() -> str:
    """Sixteen random bytes as the bridge writes them: base32, small letters, no padding."""
    return base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")


class Sandboxes:
    """The collection. A sandbox is in it from its creation to its deletion, whether it runs or not."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._by_id: dict[str, Sandbox] = {}
        self._by_name: dict[str, Sandbox] = {}
        self.left_alone = 0  # folders whose record this version cannot read

    def __iter__(self) -> Iterator[Sandbox]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    async def open(self) -> None:
        """Read what is on disk and find what runs. A folder that makes no sense is left alone, and said in the log."""
        for short in sorted(os.listdir(self.hub.places.sandboxes)):
            folder = os.path.join(self.hub.places.sandboxes, short)
            if short.startswith("."):  # a creation or a deletion that was cut short
                await asyncio.to_thread(remove, folder)
                continue
            try:
                found = record.read(folder)
            except (OSError, WorkbenchError) as error:
                log.error("left alone: %s", error)
                self.left_alone += 1
                continue
            if found.short == short and found.id not in self._by_id and found.name not in self._by_name:
                self._add(Sandbox(self.hub, folder, found))
        await asyncio.gather(*(self._find(sandbox) for sandbox in self))

    async def close(self) -> None:
        for sandbox in self:
            await sandbox.let_go()

    async def _find(self, sandbox: Sandbox) -> None:
        try:
            await sandbox.find()
        except Exception as error:
            log.exception("finding %s", sandbox.record.short)
            why = "it does not answer" if isinstance(error, TimeoutError) else str(error)
            sandbox.failed(f"what runs in it could not be taken up: {why}")

    def get(self, id_or_name: str) -> Sandbox:
        """By id, or by name. Raises `not_found`."""
        found = self._by_id.get(id_or_name) or self._by_name.get(id_or_name)
        if found is None:
            raise Problem(404, "not_found", f"there is no sandbox {id_or_name!r}")
        return found

    def find(self, id_or_name: str) -> Sandbox | None:
        return self._by_id.get(id_or_name) or self._by_name.get(id_or_name)

    async def obtain(self, id: str) -> Sandbox:
        """By id; one that is not there yet is made, as the bridge does for any id of the right shape."""
        return self._by_id.get(id) or await self.create({}, id=id)

    async def bridged(self, id: str) -> Sandbox:
        """For a route of the bridge: made where it is not there, and running; what goes wrong is the bridge's `pool_error`."""
        try:
            sandbox = await self.obtain(id)
            await sandbox.awake()
        except WorkbenchError as error:
            raise Problem(502, "pool_error", f"pool error: {error.message}", error.hint) from None
        except OSError as error:
            raise Problem(502, "pool_error", f"pool error: {error}") from None
        return sandbox

    async def create(
        self,
        options: dict[str, Any],
        id: str | None = None,
        *,
        like: Record | None = None,
        layers: list[str] | None = None,
        only: Callable[[Sandbox], None] = lambda sandbox: None,
    ) -> Sandbox:
        """Make one (it is not started). options: the JSON body of a creation, checked here and by the features.

        like: the record it is like where the options say nothing. layers: its disk. only: raises where it must not be.
        """
        from .options import apply

        id = id or new_id()
        short = self._short(id)
        name = options.get("name")
        if name is None:
            name = short if short not in self._by_name else id
        self._check_name(name)
        made = Record(
            id=id, short=short, name=name, provider="", created=iso(now_ms()), sleep_after=SLEEP_AFTER
        )
        if like is not None:
            for field in ("provider", "unsafe", "env", "limits", "network", "keep_alive", "sleep_after"):
                setattr(made, field, copy.deepcopy(getattr(like, field)))
            made.origin = like.name
        apply(made, options, new=True, like=like)
        made.provider = made.provider or self.hub.engines.best()
        building = os.path.join(self.hub.places.sandboxes, f".{short}")
        folder = os.path.join(self.hub.places.sandboxes, short)
        remove(building)
        os.mkdir(building, 0o711 if os.geteuid() == 0 else 0o700)
        if os.geteuid() == 0:
            os.chmod(building, 0o711)
        made.write(building)
        sandbox = Sandbox(self.hub, folder, made)
        self._add(sandbox)
        try:
            os.rename(building, folder)
            made.layers = list(layers or [])
            only(sandbox)
            for feature in self.hub.features:
                await feature.created(sandbox, options)
                if like is not None:
                    await feature.forked(sandbox, like)
            sandbox.save()
        except BaseException:
            self._forget(sandbox)
            remove(building)
            remove(folder)
            raise
        self.hub.events.tell("created", id, name)
        return sandbox

    def rename(self, sandbox: Sandbox, name: str) -> None:
        """Give it another name."""
        if name != sandbox.record.name:
            self._check_name(name)
            del self._by_name[sandbox.record.name]
            sandbox.record.name = name
            self._by_name[name] = sandbox

    async def delete(self, sandbox: Sandbox) -> None:
        """End it, and remove all that is kept of it. Cut short at any point it is there and stopped, or gone."""
        await sandbox.kill()
        for feature in self.hub.features:
            await feature.deleted(sandbox)
        self._forget(sandbox)
        leaving = os.path.join(self.hub.places.sandboxes, f".{sandbox.record.short}-{secrets.token_hex(4)}")
        os.rename(sandbox.folder, leaving)
        await sandbox.discard(leaving)
        self.hub.events.tell("deleted", sandbox.record.id, sandbox.record.name)

    async def stop_all(self) -> None:
        """Stop all that run."""
        for sandbox in self:
            if sandbox.alive:
                await sandbox.stop()

    def _add(self, sandbox: Sandbox) -> None:
        self._by_id[sandbox.record.id] = sandbox
        self._by_name[sandbox.record.name] = sandbox

    def _forget(self, sandbox: Sandbox) -> None:
        self._by_id.pop(sandbox.record.id, None)
        self._by_name.pop(sandbox.record.name, None)

    def _check_name(self, name: Any) -> None:
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
            raise invalid(f"name must be a string of 1 to {LONGEST_NAME} characters")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise invalid("name is not valid Unicode text") from None
        if name in self._by_name or name in self._by_id:
            raise Problem(
                409, "exists", f"there is a sandbox {name!r} already", "give another name, or use that one"
            )

    def _short(self, id: str) -> str:
        """What its folder and its URLs are called: eight of its own letters where they are free, else random ones."""
        taken = {sandbox.record.short for sandbox in self._by_id.values()}
        short = id[:8] if re.fullmatch(r"[a-z2-7]{8,}", id) else new_id()[:8]
        while short in taken or os.path.exists(os.path.join(self.hub.places.sandboxes, short)):
            short = new_id()[:8]
        return short


__all__ = ["Sandboxes", "new_id"]
