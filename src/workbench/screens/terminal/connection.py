"""The line to one terminal of a sandbox: the whole screen first, then what comes; taken up again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError
from workbench.screens.session import Session
from workbench.terminal import Terminal
from workbench.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from workbench.backends.sandbox_protocol import TerminalLink

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds before a line that broke is taken up again; doubled each time."""


class Connection:
    """Feeds a view from terminal `id` of `sandbox`. `said` is called with what the hub says, and with `{"type": "line", "up": bool}`.

    policy: whose size the terminal takes, as `hub.terminals.sizing` has it; fixed: the size that was chosen for `fixed`.
    """

    def __init__(
        self,
        session: Session,
        sandbox: str,
        id: str,
        view: TerminalView,
        said: Callable[[dict[str, Any]], None],
    ) -> None:
        self.session, self.sandbox, self.id = session, sandbox, id
        self.view, self.said = view, said
        self.policy = "fit"
        self.size = self.fixed = (80, 24)
        self.ended = False
        self.states = True
        """Whether the other side keeps the screen (a hub), or only replays bytes (a bridge)."""
        self._link: TerminalLink | None = None

    async def follow(self) -> None:
        """Until the program ends or the task is cancelled. Raises WorkbenchError where the terminal is not there (any more)."""
        wait = FIRST_WAIT
        while not self.ended:
            try:
                self._link = await self._connect()
            except WorkbenchError as error:
                if error.code.endswith(".not_found") or error.code == "target.not_capable":
                    raise
                self.said({"type": "line", "up": False, "why": error.message})
            else:
                self.said({"type": "line", "up": True})
                wait = FIRST_WAIT
                try:
                    self.states = self._link.states
                    if not self.states:
                        self._begin_replay()
                    await self._read(self._link)
                finally:
                    link, self._link = self._link, None
                    with contextlib.suppress(Exception):
                        await link.aclose()
                if self.ended:
                    return
                self.said(
                    {"type": "line", "up": False, "why": f"the {'hub' if self.states else 'bridge'} has gone"}
                )
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, 2 * wait)

    async def _connect(self) -> TerminalLink:
        columns, lines = self.wanted
        terminals = self.session.state.backend.sandboxes.terminals
        return await self.session.thread(
            terminals.connect(self.sandbox, self.id, columns, lines, viewer_name(), self.policy),
            suspends=True,
        )

    def _begin_replay(self) -> None:
        """A fresh screen; what is replayed was answered when it came first, so it is not answered again."""
        self.view.answers = False
        self.view.replace(Terminal(*self.size))

    async def _read(self, link: TerminalLink) -> None:
        state_comes = False
        async for item in link:
            if isinstance(item, bytes):
                if state_comes:
                    state_comes = False
                    self.view.replace(Terminal.restore(item))
                else:
                    await self.view.write(item)
                continue
            kind = item.get("type")
            if kind == "state":
                state_comes = True
            elif kind == "resize":
                await self.view.feeding.drained()
                self.view.resize_terminal(int(item["cols"]), int(item["rows"]))
            elif kind == "ready":
                await self.view.feeding.drained()
                self.view.answers = True
            elif kind == "exit":
                await self.view.feeding.drained()
                self.ended = True
            self.said(item)

    async def type(self, data: bytes) -> None:
        """Bytes for the program; lost while the line is down (the tile says that it is)."""
        if self._link is not None:
            with contextlib.suppress(WorkbenchError):
                await self._link.type(data)

    @property
    def wanted(self) -> tuple[int, int]:
        """The size we ask for: that of our room, or the one that was chosen."""
        return self.fixed if self.policy == "fixed" else self.size

    async def resize(self, columns: int, lines: int) -> None:
        """Our room changed; the terminal goes along if that is our policy."""
        self.size = (columns, lines)
        if not self.states:
            self.view.resize_terminal(columns, lines)
        if self._link is not None and self.policy in ("fit", "smallest"):
            with contextlib.suppress(WorkbenchError):
                await self._link.resize(columns, lines)

    async def choose(self, policy: str, fixed: tuple[int, int] | None = None) -> None:
        """Another policy from now on."""
        self.policy, self.fixed = policy, fixed or self.fixed
        columns, lines = self.wanted
        await self.say("size", policy=policy, cols=columns, rows=lines)

    async def say(self, kind: str, **more: Any) -> None:
        """`take` or `release` the keyboard, and what else a viewer may say."""
        if self._link is not None:
            with contextlib.suppress(WorkbenchError):
                await self._link.say(kind, **more)


def viewer_name() -> str:
    """What others see of this window."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
