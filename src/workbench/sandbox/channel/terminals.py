"""Terminals: opened, attached to, resized, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.sandbox.exchange import DATA, END, Exchange, Fields

from .asking import Asking, part, parts


class Terminals(Asking):
    """The part of a channel that is about them."""

    async def open_terminal(
        self,
        name: str,
        argv: Sequence[str] | None = None,
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> Fields:
        """A program (a login shell where argv is None) on a PTY: {id, argv, pid, cols, rows, started, exited, offset, ...}."""
        asked = await self.ask(
            "terminal.open",
            id=name,
            argv=list(argv) if argv is not None else None,
            cwd=cwd,
            env=dict(env) if env else None,
            session=session,
            cols=size[0],
            rows=size[1],
        )
        return part(asked, "terminal")

    async def terminals(self) -> list[Fields]:
        return parts(await self.ask("terminal.list"), "terminals")

    async def attach(self, name: str, *, start: int | None = None) -> Exchange:
        """Output from an offset on, or from the checkpoint.

        First JSON {offset, checkpoint: bytes, lost, cols, rows, exited}; where checkpoint is not 0, DATA frames with that many bytes
        of it. Then DATA with output, JSON {resize: [cols, rows], offset} in its place, JSON {lost, offset} where output was given up,
        at the end JSON {exited, offset} or {closed}. DATA frames of ours are what is typed.
        """
        return await self.open("terminal.attach", id=name, **{"from": start})

    async def checkpoint(self, name: str, offset: int, state: bytes) -> None:
        """A state that stands for the output before an offset; the init keeps it and forgets that output."""
        async with await self.open("terminal.checkpoint", id=name, offset=offset) as exchange:
            await exchange.send(DATA, state)
            await exchange.send(END)
            await exchange.answer()

    async def resize_terminal(self, name: str, cols: int, rows: int) -> Fields:
        return part(await self.ask("terminal.resize", id=name, cols=cols, rows=rows), "terminal")

    async def signal_terminal(self, name: str, number: int) -> None:
        """To the foreground job."""
        await self.ask("terminal.signal", id=name, signal=number)

    async def close_terminal(self, name: str) -> None:
        """Hang up and forget it."""
        await self.ask("terminal.close", id=name)
