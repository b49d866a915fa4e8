"""Background processes: started, looked at, waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.sandbox.exchange import Exchange, Fields

from .asking import Asking, milliseconds, part, parts


class Processes(Asking):
    """The part of a channel that is about them."""

    async def start_process(
        self,
        name: str,
        argv: Sequence[str] | None = None,
        *,
        script: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        session: str | None = None,
    ) -> Fields:
        """A background process: {id, argv, cwd, pid, state, exit_code, signal, started, ended, problem, log_start, log_end}."""
        asked = await self.ask(
            "process.start",
            id=name,
            argv=list(argv) if argv is not None else None,
            script=script,
            cwd=cwd,
            env=dict(env) if env else None,
            session=session,
        )
        return part(asked, "process")

    async def processes(self) -> list[Fields]:
        return parts(await self.ask("process.list"), "processes")

    async def process(self, name: str) -> Fields:
        return part(await self.ask("process.get", id=name), "process")

    async def signal_process(self, name: str, number: int, *, group: bool = True) -> bool:
        """Whether it ran and was signalled."""
        answer = await self.ask("process.signal", id=name, signal=number, group=group)
        return answer.get("signalled") is True

    async def delete_process(self, name: str) -> None:
        """Forget one that ended, and its log."""
        await self.ask("process.delete", id=name)

    async def logs(
        self, name: str, *, stream: str = "both", offset: int = 0, follow: bool = False
    ) -> Exchange:
        """JSON {offset, lost}, DATA (stdout) and STDERR frames, and at the end JSON {offset, process}."""
        return await self.open("process.logs", id=name, stream=stream, offset=offset, follow=follow)

    async def wait(
        self,
        process: str | None = None,
        *,
        port: int | None = None,
        pattern: str | None = None,
        literal: bool = False,
        offset: int = 0,
        within: float | None = None,
    ) -> Fields:
        """Until a port answers, a line of the process's log matches, or (neither given) it ends.

        {matched, reason?, line?, match?, groups?, process?}; reason is "timeout" or "exited". Cancel the call to give up.
        """
        waits_for = "port" if port is not None else "log" if pattern is not None else "exit"
        return await self.ask(
            "process.wait",
            **{"for": waits_for},
            id=process,
            port=port,
            pattern=pattern,
            literal=literal,
            offset=offset,
            timeout_ms=milliseconds(within),
        )
