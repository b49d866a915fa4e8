"""The adapter's sandboxes: what a hub on this machine and a deployed bridge can both be asked, a sub-interface a noun.

A sandbox is named by its name or its id. All of it suspends. What a server lacks raises `target.not_capable`.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from workbench.model.contexts import CodeContext
from workbench.model.hub import Hub, HubStopped
from workbench.model.mounts import SandboxMount
from workbench.model.network import CredentialRule, NetworkPolicy, OutboundRequest, SecretName
from workbench.model.page import Page
from workbench.model.sandboxes import (
    Checkout,
    DiskSnapshot,
    ExecResult,
    ExecutionSession,
    FileEvent,
    LogPiece,
    Port,
    Preview,
    Sandbox,
    SandboxEvent,
    SandboxFile,
    SandboxProcess,
    Terminal,
    TerminalScreen,
    Waited,
)
from workbench.model.state import Removal

Bytes = Iterable[bytes] | AsyncIterable[bytes]


class Running(Protocol):
    """A command under way. Iterate for ("stdout" or "stderr", bytes) as they come; afterwards `result` has the exit status.

    Closing the iterator kills it.
    """

    exit_code: int | None
    timed_out: bool

    def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]: ...
    async def aclose(self) -> None: ...


class SandboxSessions(Protocol):
    async def create(
        self, sandbox: str, id: str | None = None, cwd: str | None = None, env: dict[str, str] | None = None
    ) -> ExecutionSession: ...
    async def list(self, sandbox: str) -> list[ExecutionSession]: ...
    async def delete(self, sandbox: str, id: str) -> None: ...


class SandboxFiles(Protocol):
    """Paths are absolute, or relative to /workspace."""

    async def list(
        self,
        sandbox: str,
        path: str,
        recursive: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[SandboxFile]: ...
    async def stat(self, sandbox: str, path: str) -> SandboxFile: ...
    def get(self, sandbox: str, path: str, session: str | None = None) -> AsyncIterator[bytes]: ...
    async def put(
        self, sandbox: str, path: str, content: Bytes, mode: int | None = None, session: str | None = None
    ) -> SandboxFile: ...
    async def create_folder(self, sandbox: str, path: str) -> SandboxFile: ...
    async def move(self, sandbox: str, path: str, to: str) -> SandboxFile: ...
    async def delete(
        self, sandbox: str, path: str, recursive: bool = False, dry_run: bool = False
    ) -> Removal: ...
    def export(self, sandbox: str, path: str, exclude: Iterable[str] = ()) -> AsyncIterator[bytes]:
        """A folder as a tar archive, in pieces."""
        ...

    async def import_tree(self, sandbox: str, path: str, archive: Bytes) -> None: ...
    def watch(
        self,
        sandbox: str,
        path: str,
        recursive: bool = True,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
    ) -> AsyncIterator[FileEvent]: ...


class SandboxProcesses(Protocol):
    async def start(
        self,
        sandbox: str,
        argv: Iterable[str],
        id: str | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
    ) -> SandboxProcess: ...
    async def list(self, sandbox: str) -> list[SandboxProcess]: ...
    async def get(self, sandbox: str, id: str) -> SandboxProcess: ...
    async def terminate(
        self, sandbox: str, id: str, signal: str = "TERM", grace: float = 5.0
    ) -> SandboxProcess: ...
    def logs(
        self, sandbox: str, id: str, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[LogPiece]: ...
    async def wait(
        self,
        sandbox: str,
        id: str | None,
        port: int | None = None,
        pattern: str | None = None,
        time_limit: float | None = None,
    ) -> Waited:
        """For a port, for a line of its log that a pattern is found in, or (neither) for its end."""
        ...


class SandboxPreviews(Protocol):
    async def create(self, sandbox: str, port: int, name: str | None = None) -> Preview: ...
    async def ports(self, sandbox: str) -> list[Port]: ...
    async def delete(self, sandbox: str, port: int) -> None: ...
    async def list(self, sandbox: str) -> list[Preview]: ...


class TerminalLink(Protocol):
    """A connection to a terminal of a hub, as a pane has it.

    Iterate for what comes: a dict says something (`state` with `bytes`, `cols`, `rows`, `offset`: the serialised screen of
    `workbench.terminal` comes next, whole, as one `bytes`; `resize`, `viewers`, `keyboard`, `refused`, `exit`, `error`), `bytes` are
    output. It ends when the program has or the connection does.
    states: False of a bridge's, which replays the last output, then says `ready`; nobody's keyboard is held there, and whoever looks
    answers the program's queries.
    """

    states: bool

    def __aiter__(self) -> AsyncIterator[bytes | dict[str, Any]]: ...
    async def type(self, data: bytes) -> None: ...
    async def resize(self, cols: int, rows: int) -> None: ...
    async def say(self, kind: str, **more: Any) -> None:
        """`take` or `release` the keyboard; `size` (`policy`, `cols`, `rows`: whose size it takes); `signal` (signal="INT")."""
        ...

    async def aclose(self) -> None: ...


class SandboxTerminals(Protocol):
    async def create(
        self,
        sandbox: str,
        argv: Iterable[str] = (),
        id: str | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
        cols: int | None = None,
        rows: int | None = None,
        record: bool = True,
    ) -> Terminal: ...
    async def screen(self, sandbox: str, id: str, scrollback: int = 0) -> TerminalScreen: ...
    async def type(self, sandbox: str, id: str, data: bytes, force: bool = False) -> int: ...
    async def delete(self, sandbox: str, id: str) -> None: ...
    def recording(self, sandbox: str, id: str) -> AsyncIterator[bytes]:
        """The asciicast v2 file, in pieces."""
        ...

    async def connect(
        self, sandbox: str, id: str, cols: int, rows: int, name: str = "", policy: str = "fit"
    ) -> TerminalLink: ...
    async def list(self, sandbox: str) -> list[Terminal]: ...


class SandboxSnapshots(Protocol):
    """A snapshot is named by its id or its name."""

    async def create(self, sandbox: str, name: str | None = None) -> DiskSnapshot: ...
    async def get(self, snapshot: str) -> DiskSnapshot: ...
    async def restore(self, sandbox: str, snapshot: str) -> Sandbox: ...
    async def delete(self, snapshot: str) -> None: ...
    async def list(self, sandbox: str | None = None) -> list[DiskSnapshot]: ...


class SandboxNetwork(Protocol):
    """sandbox None: of all of them, those that are gone among them."""

    async def get(self, sandbox: str) -> NetworkPolicy: ...
    async def update(self, sandbox: str, changes: dict[str, Any]) -> NetworkPolicy: ...
    async def rules(self, sandbox: str) -> list[CredentialRule]: ...
    async def create_rule(self, sandbox: str, rule: CredentialRule) -> CredentialRule: ...
    async def delete_rule(self, sandbox: str, id: str) -> None: ...
    async def requests(
        self, sandbox: str | None, limit: int | None = None, cursor: str | None = None
    ) -> Page[OutboundRequest]: ...
    def follow(self, sandbox: str | None) -> AsyncIterator[OutboundRequest]:
        """Each when it begins (outcome `open`) and, by the same id, when it ends."""
        ...

    async def secrets(self) -> list[SecretName]: ...
    async def put_secret(self, name: str, secret: str) -> SecretName: ...
    async def delete_secret(self, name: str) -> None: ...


class SandboxContexts(Protocol):
    async def create(
        self,
        sandbox: str,
        language: str,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        interpreter: str | None = None,
    ) -> CodeContext: ...
    async def list(self, sandbox: str) -> list[CodeContext]: ...
    async def delete(self, sandbox: str, id: str) -> None: ...
    async def interrupt(self, sandbox: str, id: str) -> None: ...
    def run(
        self,
        sandbox: str,
        code: str,
        context: str | None = None,
        language: str | None = None,
        env: dict[str, str] | None = None,
        time_limit: float | None = None,
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """("stdout", "stderr", "result", "exception", "restarted", at the end "done" or "died"; its fields). Closing it interrupts."""
        ...


class SandboxMounts(Protocol):
    async def list(self, sandbox: str) -> list[SandboxMount]: ...
    async def bucket(
        self,
        sandbox: str,
        path: str,
        bucket: str,
        prefix: str = "",
        read_only: bool = False,
        of: str = "local",
    ) -> SandboxMount: ...
    async def folder(
        self, sandbox: str, path: str, folder: str, writable: bool = False, restart: bool = False
    ) -> SandboxMount: ...
    async def delete(self, sandbox: str, path: str, restart: bool = False) -> None: ...


class Sandboxes(Protocol):
    """Everything a server of sandboxes can do."""

    @property
    def sessions(self) -> SandboxSessions: ...
    @property
    def files(self) -> SandboxFiles: ...
    @property
    def processes(self) -> SandboxProcesses: ...
    @property
    def previews(self) -> SandboxPreviews: ...
    @property
    def terminals(self) -> SandboxTerminals: ...
    @property
    def snapshots(self) -> SandboxSnapshots: ...
    @property
    def network(self) -> SandboxNetwork: ...
    @property
    def contexts(self) -> SandboxContexts: ...
    @property
    def mounts(self) -> SandboxMounts: ...

    async def hub(self) -> Hub:
        """The hub, as far as it runs; starts none."""
        ...

    async def stop_hub(self, sandboxes: bool = False) -> HubStopped: ...
    async def create(self, options: dict[str, Any]) -> Sandbox:
        """options: name, provider, env, limits, network, keep_alive, sleep_after, unsafe, from, mounts."""
        ...

    async def fork(
        self, sandbox: str, names: Iterable[str], snapshot: str | None = None, start: bool = True
    ) -> Sequence[Sandbox]:
        """A sandbox for each name, with the disk as it is now or as in a snapshot."""
        ...

    def export(self, sandbox: str) -> AsyncIterator[bytes]:
        """The whole disk as an archive, in pieces."""
        ...

    async def import_disk(self, name: str | None, archive: Bytes) -> Sandbox: ...
    async def list(self, limit: int | None = None, cursor: str | None = None) -> Page[Sandbox]: ...
    async def get(self, sandbox: str, start: bool = False) -> Sandbox: ...
    async def update(self, sandbox: str, changes: dict[str, Any]) -> Sandbox: ...
    async def delete(self, sandbox: str, dry_run: bool = False) -> Removal: ...
    async def start(self, sandbox: str, accept_base: bool = False) -> Sandbox:
        """accept_base: also where the machine's packages have changed below what was installed in it."""
        ...

    async def stop(self, sandbox: str, freeze: bool = False) -> Sandbox: ...
    async def exec(
        self,
        sandbox: str,
        argv: Iterable[str],
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        session: str | None = None,
        time_limit: float | None = None,
        stdin: Bytes | None = None,
    ) -> Running: ...
    def events(self, sandbox: str | None = None, after: int | None = None) -> AsyncIterator[SandboxEvent]: ...
    async def checkout(
        self,
        sandbox: str,
        url: str,
        path: str | None = None,
        branch: str | None = None,
        depth: int | None = None,
    ) -> Checkout: ...
    async def close(self) -> None: ...


__all__ = [
    "Bytes",
    "ExecResult",
    "Running",
    "SandboxFiles",
    "SandboxPreviews",
    "SandboxProcesses",
    "SandboxSessions",
    "SandboxSnapshots",
    "SandboxTerminals",
    "Sandboxes",
    "TerminalLink",
]
