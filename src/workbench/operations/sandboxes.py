"""Sandboxes: named computers for agents. Made, looked at, started, stopped, and commands run in them."""

from typing import Annotated, Any

from workbench.model.errors import UsageError
from workbench.model.page import Page
from workbench.model.sandboxes import Sandbox, SandboxEvent
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import mounted, seconds, size, variables
from .outputs import Output
from .parameters import Cursor, DryRun, Limit, Param
from .resolve import State
from .results import Stream

TheSandbox = Annotated[str, Param("the sandbox: its name or id", positional=True, metavar="SANDBOX")]
NewName = Annotated[
    str | None,
    Param("what it is called: any text (default: its short id)", positional=True, metavar="NAME"),
]
Provider = Annotated[
    str | None,
    Param(
        "what keeps it apart from this machine (default: the best there is)",
        choices=("bubblewrap", "container", "process"),
        metavar="NAME",
    ),
]
Unsafe = Annotated[bool, Param("agree that the provider `process` isolates nothing", "boolean")]
From = Annotated[
    str | None, Param("with the disk of this snapshot, or of this sandbox as it is now", metavar="NAME")
]
AcceptBase = Annotated[
    bool, Param("also where this machine's packages have changed below what was installed in it", "boolean")
]
Variables = Annotated[
    tuple[str, ...],
    Param("an environment variable; again for more", repeat=True, metavar="NAME=VALUE"),
]
Cpus = Annotated[
    float | None, Param("at most so many CPUs at once (0.5: half of one)", "number", metavar="N")
]
Memory = Annotated[str | None, Param("at most so much memory: 512M, 2G", metavar="SIZE")]
Processes = Annotated[
    int | None, Param("at most so many processes and threads", "integer", metavar="N", minimum=1)
]
Disk = Annotated[str | None, Param("at most so much written to its disk: 500M, 10G", metavar="SIZE")]
Network = Annotated[
    str | None,
    Param(
        "outbound network: none, the hosts of --allow, or all",
        choices=("none", "allow", "all"),
        metavar="KIND",
    ),
]
AllowHosts = Annotated[
    tuple[str, ...],
    Param(
        "a host it may reach (example.com, *.example.com:443, host.cfwb.internal:8787); again for more",
        repeat=True,
        metavar="HOST",
    ),
]
Folders = Annotated[
    tuple[str, ...],
    Param(
        "a folder of this machine and where it is inside, read-only but for :rw; again for more",
        repeat=True,
        metavar="DIR:PATH[:rw]",
    ),
]
KeepAlive = Annotated[bool, Param("never sleep", "boolean")]
SleepAfter = Annotated[
    str | None, Param("sleep after so long without use: 90, 10m, 2h, or never", metavar="TIME")
]
AsIs = Annotated[bool, Param("only look: do not start it", "boolean")]
Freeze = Annotated[bool, Param("let its processes stand still instead of ending them", "boolean")]
Words = Annotated[
    tuple[str, ...],
    Param("the program and its arguments, after --", positional=True, repeat=True, metavar="COMMAND"),
]
Cwd = Annotated[str | None, Param("the folder to run in (relative: below /workspace)", metavar="PATH")]
InSession = Annotated[
    str | None, Param("run in this session: it keeps folder and environment between commands", metavar="ID")
]
Timeout = Annotated[float | None, Param("end it after so many seconds", "number", metavar="S", minimum=0)]
StandardInput = Annotated[
    Any,
    Param(
        "standard input: a file, or - for ours (which is taken where it is a pipe)", "file", metavar="FILE"
    ),
]
OneSandbox = Annotated[
    str | None, Param("only of this sandbox: its name or id", positional=True, metavar="SANDBOX")
]
After = Annotated[
    int | None, Param("first what came after the event with this number", "integer", metavar="N", minimum=0)
]
Count = Annotated[int | None, Param("end after so many", "integer", metavar="N", minimum=1)]
LISTED = ("name", "id", "state", "provider", "network", "created", "last_used")


def _options(
    var: tuple[str, ...],
    cpus: float | None,
    memory: str | None,
    processes: int | None,
    disk: str | None,
    network: str | None,
    allow: tuple[str, ...],
    sleep_after: str | None,
) -> dict[str, Any]:
    limits: dict[str, Any] = {"cpus": cpus, "processes": processes}
    if memory is not None:
        limits["memory_bytes"] = size("--memory", memory)
    if disk is not None:
        limits["disk_bytes"] = size("--disk", disk)
    limits = {name: value for name, value in limits.items() if value is not None}
    options: dict[str, Any] = {"network": network} if network is not None else {}
    if allow:
        options["network"] = {"mode": network or "allow", "allow": list(allow)}
    if limits:
        options["limits"] = limits
    if var:
        options["env"] = variables(var)
    if sleep_after is not None:
        options["sleep_after"] = seconds("--sleep-after", sleep_after)
    return options


@operation(
    "sandboxes.create",
    effect=WRITES,
    examples=[
        "cfwb sandboxes create fix-47",
        "cfwb sandboxes create build --memory 2G --cpus 2 --network all --sleep-after 1h",
        "cfwb sandboxes create again --source installed",
    ],
    capability="sandboxes",
)
async def create_sandbox(
    state: State,
    name: NewName = None,
    provider: Provider = None,
    unsafe: Unsafe = False,
    var: Variables = (),
    cpus: Cpus = None,
    memory: Memory = None,
    processes: Processes = None,
    disk: Disk = None,
    network: Network = None,
    allow: AllowHosts = (),
    keep_alive: KeepAlive = False,
    sleep_after: SleepAfter = None,
    mount: Folders = (),
    source: From = None,
) -> Sandbox:
    """Make a sandbox and start it.

    It keeps its disk until it is deleted; it sleeps when nobody uses it, and wakes when somebody does.
    """
    options = _options(var, cpus, memory, processes, disk, network, allow, sleep_after)
    if name is not None:
        options["name"] = name
    if provider is not None:
        options["provider"] = provider
    if source is not None:
        options["from"] = source
    if mount:
        options["mounts"] = [mounted(each) for each in mount]
    return await state.backend.sandboxes.create(options | {"unsafe": unsafe, "keep_alive": keep_alive})


@operation(
    "sandboxes.list", effect=READS, examples=["cfwb sandboxes list"], capability="sandboxes", fields=LISTED
)
async def list_sandboxes(state: State, limit: Limit = None, cursor: Cursor = None) -> Page[Sandbox]:
    """Sandboxes of this state directory, by name."""
    return await state.backend.sandboxes.list(limit, cursor)


@operation("sandboxes.get", effect=READS, examples=["cfwb sandboxes get fix-47"], capability="sandboxes")
async def get_sandbox(state: State, sandbox: TheSandbox, as_is: AsIs = False) -> Sandbox:
    """All that is known of a sandbox, which is started where it does not run.

    `isolation` and `exposure` say what its provider keeps apart and what not, `enforced` which limits the kernel holds.
    """
    return await state.backend.sandboxes.get(sandbox, start=not as_is)


@operation(
    "sandboxes.update",
    effect=WRITES,
    examples=["cfwb sandboxes update fix-47 --network none --sleep-after never"],
    capability="sandboxes",
)
async def update_sandbox(
    state: State,
    sandbox: TheSandbox,
    var: Variables = (),
    cpus: Cpus = None,
    memory: Memory = None,
    processes: Processes = None,
    disk: Disk = None,
    network: Network = None,
    allow: AllowHosts = (),
    keep_alive: Annotated[bool | None, Param("never sleep (--sleep-after takes it back)", "boolean")] = None,
    sleep_after: SleepAfter = None,
) -> Sandbox:
    """Change what a sandbox may use and when it sleeps.

    Limits hold at once, the environment from its next start.
    """
    changes = _options(var, cpus, memory, processes, disk, network, allow, sleep_after)
    if keep_alive or sleep_after is not None:
        changes["keep_alive"] = bool(keep_alive)
    if not changes:
        raise UsageError("there is nothing to change", "give at least one flag")
    return await state.backend.sandboxes.update(sandbox, changes)


@operation(
    "sandboxes.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes delete fix-47 --force"],
    capability="sandboxes",
)
async def delete_sandbox(state: State, sandbox: TheSandbox, dry_run: DryRun = False) -> Removal:
    """End a sandbox and delete it with its disk."""
    return await state.backend.sandboxes.delete(sandbox, dry_run)


@operation("sandboxes.start", effect=WRITES, examples=["cfwb sandboxes start fix-47"], capability="sandboxes")
async def start_sandbox(state: State, sandbox: TheSandbox, accept_base: AcceptBase = False) -> Sandbox:
    """Start a sandbox, wake it, or let a frozen one go on."""
    return await state.backend.sandboxes.start(sandbox, accept_base)


@operation(
    "sandboxes.stop",
    effect=WRITES,
    examples=["cfwb sandboxes stop fix-47", "cfwb sandboxes stop fix-47 --freeze"],
    capability="sandboxes",
)
async def stop_sandbox(state: State, sandbox: TheSandbox, freeze: Freeze = False) -> Sandbox:
    """End a sandbox's processes; its disk stays.

    Whoever wants something of it starts it again.
    """
    return await state.backend.sandboxes.stop(sandbox, freeze)


@operation(
    "sandboxes.exec",
    effect=WRITES,
    examples=[
        "cfwb sandboxes exec fix-47 -- npm test",
        "cfwb sandboxes exec fix-47 --cwd src --timeout 60 -- sh -c 'cd lib; ls'",
    ],
    capability="sandboxes",
)
async def run_command(
    state: State,
    sandbox: TheSandbox,
    command: Words,
    cwd: Cwd = None,
    var: Variables = (),
    session: InSession = None,
    timeout: Timeout = None,  # noqa: ASYNC109
    stdin: StandardInput = None,
) -> Output:
    """Run a command in a sandbox; its output comes as it is printed.

    The exit status is the command's own (124 where its time was up, 128 and more where a signal ended it). Ctrl+C ends it.
    """
    running = await state.backend.sandboxes.exec(
        sandbox, command, cwd, variables(var), session, timeout, _given(stdin)
    )
    return Output(aiter(running), running)


def _given(stdin: Any) -> Any:
    from .files import pieces

    return pieces(stdin) if isinstance(stdin, str) else stdin


@operation(
    "sandboxes.watch",
    effect=READS,
    examples=["cfwb sandboxes watch", "cfwb sandboxes watch fix-47 --count 10 --json"],
    capability="sandboxes",
)
async def watch_sandboxes(
    state: State, sandbox: OneSandbox = None, after: After = None, count: Count = None
) -> Stream[SandboxEvent]:
    """What happens to sandboxes and to what runs in them, as it happens."""
    return Stream(state.backend.sandboxes.events(sandbox, after), count)
