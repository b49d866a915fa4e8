"""Sandboxes and what is in them. Times are ISO 8601 in UTC, sizes bytes, durations seconds unless a name says otherwise."""

from typing import Any, NamedTuple

SANDBOX_STATES = ("stopped", "asleep", "running", "frozen", "failed", "unknown")


class Usage(NamedTuple):
    """What a sandbox uses now. disk_bytes: what it wrote, None where it was not measured yet."""

    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    disk_bytes: int | None = None


class Sandbox(NamedTuple):
    """A named computer.

    state: one of SANDBOX_STATES; `asleep` is stopped until somebody wants something of it, reason says why it `failed`.
    `unknown` is behind a bridge, which starts it when it is used.
    provider: what keeps it apart from the machine; isolation, exposure: what that does and what it does not, in sentences.
    limits: `{cpus, memory_bytes, processes, disk_bytes}`, those that there are; enforced: the ones the kernel holds here, watched: the
    ones the hub looks after, any other does not hold. network: `none`, `allow` or `all`. sleep_after: seconds without use, None for never.
    origin: the sandbox or snapshot it was made from. detail: what else the hub says of it, by feature.
    """

    name: str
    id: str
    state: str
    provider: str | None = None
    created: str | None = None
    started: str | None = None
    last_used: str | None = None
    reason: str = ""
    unsafe: bool = False
    network: str | None = None
    keep_alive: bool = False
    sleep_after: float | None = None
    env: dict[str, str] = {}
    limits: dict[str, float] = {}
    enforced: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    usage: Usage | None = None
    origin: str | None = None
    isolation: tuple[str, ...] = ()
    exposure: tuple[str, ...] = ()
    detail: dict[str, Any] = {}


class ExecResult(NamedTuple):
    """A command that ended. exit_code: as a shell says it, 128 and the signal's number for one that was killed."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


class ExecutionSession(NamedTuple):
    """A working folder and an environment that one exec leaves to the next."""

    id: str
    cwd: str | None = None
    env: dict[str, str] = {}


class SandboxFile(NamedTuple):
    """A file, folder or link. path: absolute inside the sandbox; type: file, directory, symlink or other; target: of a link."""

    name: str
    path: str
    type: str
    size: int
    mode: str
    modified: str
    target: str | None = None


class FileEvent(NamedTuple):
    """Something happened to a file. event: create, modify, delete, move_from, move_to, attributes, or overflow (some were missed)."""

    event: str
    path: str
    type: str = ""


class SandboxProcess(NamedTuple):
    """A background process. state: running, exited, or lost (the sandbox stopped under it). log_bytes: printed so far."""

    id: str
    argv: tuple[str, ...]
    state: str
    pid: int | None
    exit_code: int | None
    signal: int | None
    started: str | None
    ended: str | None
    cwd: str | None
    log_bytes: int = 0


class LogPiece(NamedTuple):
    """A part of what a process printed. stream: stdout or stderr; offset: of the byte after it, to go on from."""

    stream: str
    data: bytes
    offset: int


class Waited(NamedTuple):
    """How a wait ended. line and groups: of a pattern that matched."""

    matched: bool
    line: str | None = None
    groups: tuple[str | None, ...] = ()
    exit_code: int | None = None
    signal: int | None = None


class Preview(NamedTuple):
    """A port of a sandbox as a URL on this machine."""

    port: int
    url: str
    id: str
    hostname: str | None = None
    name: str | None = None
    created: str | None = None


class Port(NamedTuple):
    """A port somebody listens on inside. preview: its URL, where it has one."""

    port: int
    address: str
    preview: str | None = None


class Checkout(NamedTuple):
    """A repository that was cloned into a sandbox."""

    url: str
    path: str
    branch: str | None
    commit: str | None


class SandboxEvent(NamedTuple):
    """Something that happened in a hub. id: a rising number; detail: what else there is to say."""

    id: int | None
    at: str
    event: str
    sandbox: str | None
    name: str | None
    detail: dict[str, Any] = {}


class Terminal(NamedTuple):
    """A terminal in a sandbox. state: running or exited; keyboard: the viewer that has it, None where anybody may type."""

    id: str
    sandbox: str
    argv: tuple[str, ...]
    state: str
    cols: int
    rows: int
    title: str = ""
    pid: int | None = None
    exit_code: int | None = None
    started: str | None = None
    viewers: int = 0
    keyboard: str | None = None
    recorded: bool = False


class TerminalScreen(NamedTuple):
    """A terminal's screen as text. cursor: x and y from 0, x is cols while a wrap is pending; lines without blanks at their ends."""

    id: str
    lines: tuple[str, ...]
    cursor: tuple[int, int]
    title: str
    alternate: bool
    cols: int
    rows: int
    state: str = "running"
    keyboard: str | None = None


class DiskSnapshot(NamedTuple):
    """A picture of a sandbox's whole disk. sandbox: the name of the one it was taken of; automatic: taken when that went to sleep, or
    before it was restored. size_bytes: on this machine's disk, shared with others of its layers; None where it was not measured."""

    id: str
    name: str | None
    sandbox: str
    created: str
    automatic: bool
    layers: int
    size_bytes: int | None = None
