"""Values of dev servers: those that run, those that we started, what they print and what they are asked."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

Level = Literal["debug", "info", "warn", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warn", "error")
"""Of a line of a log, the least first."""


class ServedClass(NamedTuple):
    """A Durable Object class that a server has loaded. sqlite: whether its storage is SQLite."""

    name: str
    script: str
    binding: str | None
    sqlite: bool


class ServedWorker(NamedTuple):
    """A Worker that a server runs. kv, d1: ids; r2: bucket names; workflows: names. crons: the schedules of its triggers.

    bound_here: whether its project is the one that was asked about; says_whose: whether it tells (older servers do not).
    """

    name: str
    kv: tuple[str, ...] = ()
    r2: tuple[str, ...] = ()
    d1: tuple[str, ...] = ()
    classes: tuple[ServedClass, ...] = ()
    workflows: tuple[str, ...] = ()
    crons: tuple[str, ...] = ()
    bound_here: bool = False
    says_whose: bool = False


class DevServer(NamedTuple):
    """A dev server that runs.

    url: where it answers. pid: the program that runs it. kind: wrangler, vite or other. folder: where it was started.
    workers: those it runs itself. here: whether it has the state open that was asked about. project: whether it belongs to the
    project that was asked about: by the state, or by the folder that its Workers come from. registered: its Workers in
    wrangler's registry folder, where other servers find them. kept: its id, where cfwb started it for this state, or "".
    """

    url: str
    pid: int
    kind: str
    folder: str
    workers: tuple[ServedWorker, ...]
    here: bool
    project: bool
    registered: tuple[str, ...] = ()
    kept: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its Workers."""
        return tuple(worker.name for worker in self.workers)


def listed(servers: Iterable[DevServer]) -> str:
    """Servers in a sentence: the address of each, with its Workers."""
    return ", ".join(f"{server.url} ({', '.join(server.names)})" for server in servers)


class Kept(NamedTuple):
    """A dev server that cfwb started, as its keeper tells of it.

    id: what it is called. keeper: the process that holds it, pid: the program itself. command: what was started, in which folder.
    status: starting, running, ended. url: where it answers, once that is known. exit_status: of the program; negative for a
    signal. until: the process with which it ends, or None where it stays. Times in ISO 8601 UTC.
    """

    id: str
    kind: str
    status: str
    url: str | None
    command: tuple[str, ...]
    folder: str
    keeper: int
    pid: int | None
    started: str
    ended: str | None
    exit_status: int | None
    until: int | None
    reason: str = ""


class LogLine(NamedTuple):
    """A line that a dev server printed, without control codes of colours. at: ISO 8601 UTC. stream: stdout or stderr."""

    at: str
    stream: str
    level: Level
    text: str


class Answered(NamedTuple):
    """What came back on a request. headers: as they came, in their order. cut: whether the body was longer than is kept."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    duration_ms: float
    url: str
    cut: bool = False

    @property
    def raw(self) -> bytes:
        """The body, for whoever wants nothing else."""
        return self.body

    @property
    def media(self) -> str:
        """Its content type, or ""."""
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


class Asked(NamedTuple):
    """A request of the history. number: what it is called there. status: of the answer, or None where none came; error says why.

    headers: those with credentials masked. body: text, or `$bytes` where it is none.
    """

    number: int
    at: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: Any
    server: str
    status: int | None
    duration_ms: float | None
    error: str = ""


_CREDENTIALS = ("authorization", "cookie", "token", "secret", "api-key", "apikey", "password", "credential")


def is_credential(name: str) -> bool:
    """Whether a header's value is one, as its name says: it is sent, and kept nowhere."""
    lowered = name.lower()
    return any(word in lowered for word in _CREDENTIALS)


class Delivered(NamedTuple):
    """What became of an e-mail. outcome: ok or exception. rejected: why the Worker refused it, or None."""

    worker: str
    message_id: str | None
    outcome: str
    rejected: str | None


class Fired(NamedTuple):
    """What became of a cron trigger. outcome: ok, exception, ..."""

    worker: str
    cron: str
    outcome: str
    no_retry: bool
