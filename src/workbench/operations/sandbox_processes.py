"""What runs in sandboxes and stays: execution sessions, background processes with their logs, previews of ports."""

from typing import Annotated

from workbench.model.errors import UsageError
from workbench.model.sandboxes import (
    ExecutionSession,
    LogPiece,
    Port,
    Preview,
    SandboxProcess,
    Waited,
)
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import variables
from .outputs import Output
from .parameters import DryRun, Param
from .resolve import State
from .results import Stream
from .sandboxes import Count, Cwd, InSession, TheSandbox, Timeout, Variables, Words

TheSession = Annotated[str, Param("the session's id", positional=True, metavar="SESSION")]
NewSession = Annotated[str | None, Param("its id (default: a new one)", positional=True, metavar="SESSION")]
TheProcess = Annotated[str, Param("the process's id", positional=True, metavar="PROCESS")]
NewProcess = Annotated[str | None, Param("its id (default: a new one)", metavar="ID")]
MaybeProcess = Annotated[
    str | None,
    Param("the process's id (not needed to wait for a port)", positional=True, metavar="PROCESS"),
]
Signal = Annotated[
    str,
    Param(
        "the signal",
        choices=("TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT"),
        metavar="NAME",
    ),
]
Grace = Annotated[float, Param("kill it after so many seconds", "number", metavar="S", minimum=0)]
ForPort = Annotated[
    int | None, Param("until something answers on this port", "integer", metavar="PORT", minimum=1)
]
ForPattern = Annotated[
    str | None, Param("until a line of its log matches this regular expression", metavar="PATTERN")
]
Offset = Annotated[int, Param("from this byte on", "integer", metavar="N", minimum=0)]
ThePort = Annotated[int, Param("the port inside", "integer", positional=True, metavar="PORT", minimum=1)]
PreviewName = Annotated[str | None, Param("a name for it: letters, digits, hyphens", metavar="NAME")]


@operation(
    "sandboxes.sessions.create",
    effect=WRITES,
    examples=["cfwb sandboxes sessions create fix-47 tests --cwd src --var NODE_ENV=test"],
    capability="sandboxes",
)
async def create_session(
    state: State, sandbox: TheSandbox, session: NewSession = None, cwd: Cwd = None, var: Variables = ()
) -> ExecutionSession:
    """Make a session, in which `cd` and `export` hold from one command to the next."""
    return await state.backend.sandboxes.sessions.create(sandbox, session, cwd, variables(var))


@operation(
    "sandboxes.sessions.list",
    effect=READS,
    examples=["cfwb sandboxes sessions list fix-47"],
    capability="sandboxes",
    fields=("id", "cwd"),
)
async def list_sessions(state: State, sandbox: TheSandbox) -> list[ExecutionSession]:
    """Sessions of a sandbox, with the folder each is in."""
    return await state.backend.sandboxes.sessions.list(sandbox)


@operation(
    "sandboxes.sessions.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes sessions delete fix-47 tests --force"],
    capability="sandboxes",
)
async def delete_session(
    state: State, sandbox: TheSandbox, session: TheSession, dry_run: DryRun = False
) -> Removal:
    """Delete a session with its folder and environment; what runs goes on."""
    if not dry_run:
        await state.backend.sandboxes.sessions.delete(sandbox, session)
    return Removal([f"session {session}"], 1, dry_run)


@operation(
    "sandboxes.processes.start",
    effect=WRITES,
    examples=["cfwb sandboxes processes start fix-47 --id dev -- npm run dev"],
    capability="sandboxes",
)
async def start_process(
    state: State,
    sandbox: TheSandbox,
    command: Words,
    id: NewProcess = None,
    cwd: Cwd = None,
    var: Variables = (),
    session: InSession = None,
) -> SandboxProcess:
    """Start a background process; what it prints is kept."""
    return await state.backend.sandboxes.processes.start(sandbox, command, id, cwd, variables(var), session)


@operation(
    "sandboxes.processes.list",
    effect=READS,
    examples=["cfwb sandboxes processes list fix-47"],
    capability="sandboxes",
)
async def list_processes(state: State, sandbox: TheSandbox) -> list[SandboxProcess]:
    """Background processes, also those that ended, in the order they were started."""
    return await state.backend.sandboxes.processes.list(sandbox)


@operation(
    "sandboxes.processes.get",
    effect=READS,
    examples=["cfwb sandboxes processes get fix-47 dev"],
    capability="sandboxes",
)
async def get_process(state: State, sandbox: TheSandbox, process: TheProcess) -> SandboxProcess:
    """One background process."""
    return await state.backend.sandboxes.processes.get(sandbox, process)


@operation(
    "sandboxes.processes.terminate",
    effect=WRITES,
    examples=["cfwb sandboxes processes terminate fix-47 dev"],
    capability="sandboxes",
)
async def terminate_process(
    state: State, sandbox: TheSandbox, process: TheProcess, signal: Signal = "TERM", grace: Grace = 5.0
) -> SandboxProcess:
    """Signal a background process and its children; kill what does not end in time."""
    return await state.backend.sandboxes.processes.terminate(sandbox, process, signal, grace)


@operation(
    "sandboxes.processes.wait",
    effect=READS,
    examples=[
        "cfwb sandboxes processes wait fix-47 dev --pattern 'ready in (\\d+) ms' --timeout 60",
        "cfwb sandboxes processes wait fix-47 --port 5173",
    ],
    capability="sandboxes",
)
async def wait_for_process(
    state: State,
    sandbox: TheSandbox,
    process: MaybeProcess = None,
    port: ForPort = None,
    pattern: ForPattern = None,
    timeout: Timeout = None,  # noqa: ASYNC109
) -> Waited:
    """Wait for a port, for a line of the log (with its match), or for the end.

    `matched` is false where the time was up, or the process ended, before.
    """
    if port is not None and pattern is not None:
        raise UsageError("give only one of --port, --pattern")
    if process is None and port is None:
        raise UsageError("PROCESS is missing", "only a port can be waited for without one")
    return await state.backend.sandboxes.processes.wait(sandbox, process, port, pattern, timeout)


@operation(
    "sandboxes.logs.get",
    effect=READS,
    examples=["cfwb sandboxes logs get fix-47 dev"],
    capability="sandboxes",
)
async def get_logs(state: State, sandbox: TheSandbox, process: TheProcess, offset: Offset = 0) -> Output:
    """What a background process has printed, as far as it is kept."""
    pieces = state.backend.sandboxes.processes.logs(sandbox, process, offset)
    return Output((piece.stream, piece.data) async for piece in pieces)


@operation(
    "sandboxes.logs.watch",
    effect=READS,
    examples=["cfwb sandboxes logs watch fix-47 dev"],
    capability="sandboxes",
)
async def watch_logs(
    state: State, sandbox: TheSandbox, process: TheProcess, offset: Offset = 0, count: Count = None
) -> Stream[LogPiece]:
    """What a background process prints, as it prints it, until it ends."""
    return Stream(state.backend.sandboxes.processes.logs(sandbox, process, offset, True), count)


@operation(
    "sandboxes.ports.list",
    effect=READS,
    examples=["cfwb sandboxes ports list fix-47"],
    capability="sandboxes",
)
async def list_ports(state: State, sandbox: TheSandbox) -> list[Port]:
    """Ports that something listens on inside, with the preview each has."""
    return await state.backend.sandboxes.previews.ports(sandbox)


@operation(
    "sandboxes.previews.create",
    effect=WRITES,
    examples=["cfwb sandboxes previews create fix-47 5173"],
    capability="sandboxes",
)
async def create_preview(
    state: State, sandbox: TheSandbox, port: ThePort, name: PreviewName = None
) -> Preview:
    """A URL on this machine for a port inside: HTTP and WebSockets, any path.

    Whoever has the URL reaches the port, until the preview is deleted. It wakes the sandbox.
    """
    return await state.backend.sandboxes.previews.create(sandbox, port, name)


@operation(
    "sandboxes.previews.list",
    effect=READS,
    examples=["cfwb sandboxes previews list fix-47"],
    capability="sandboxes",
    fields=("port", "url", "name", "created"),
)
async def list_previews(state: State, sandbox: TheSandbox) -> list[Preview]:
    """The ports of a sandbox that have a URL."""
    return await state.backend.sandboxes.previews.list(sandbox)


@operation(
    "sandboxes.previews.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes previews delete fix-47 5173 --force"],
    capability="sandboxes",
)
async def delete_preview(
    state: State, sandbox: TheSandbox, port: ThePort, dry_run: DryRun = False
) -> Removal:
    """Revoke a preview: its URL leads nowhere, and open connections end."""
    found = [each.url for each in await state.backend.sandboxes.previews.list(sandbox) if each.port == port]
    if not dry_run:
        await state.backend.sandboxes.previews.delete(sandbox, port)
    return Removal([f"preview {url}" for url in found], len(found), dry_run)
