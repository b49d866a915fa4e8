"""The screens' one way to operations: nothing here blocks the event loop, and no error goes missing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from inspect import CORO_CREATED, getcoroutinestate
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.target import Target
from workbench.operations import READS, get
from workbench.operations.executor import Confirm, Question, State, drive, execute, suspends

from . import log

if TYPE_CHECKING:
    from workbench.backends import Backend

T = TypeVar("T")
_WRITTEN = ("kv", "r2", "d1", "do", "workflows")
Agreed = tuple[str, str]
"""An operation and a resource of the account."""
WORK: ContextVar[set[Agreed] | None] = ContextVar("WORK", default=None)
"""Of a piece of work that writes many things one by one: what somebody agreed to for all of it."""


class Session:
    """A project opened on a target; every pane has one. The local one is made once a window.

    route: local, server (the local target through a dev server) or remote. name: the account's, or the server's address.
    asker: asks before a write to the account; given what was agreed to for the whole of the work under way, or None outside of one.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.route = "local"
        self.name = ""
        self.wrote = ""
        self.asker: Callable[[Question, set[Agreed] | None], Awaitable[bool]] | None = None

    @property
    def target(self) -> Target:
        return self.state.target

    async def call(
        self,
        operation: str,
        /,
        *,
        force: bool = False,
        dry_run: bool = False,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        **arguments: Any,
    ) -> Any:
        """Run an operation by its name, `call("kv.keys.list", binding="CACHE")`, and give its result (a model value).

        Raises WorkbenchError, and nothing else: an unexpected exception is logged and comes as `unexpected`.
        progress is called in the thread that works; `watching` takes it to the screen.
        """
        state = self.state.watched(cancel, progress) if cancel or progress else self.state
        suspended = suspends(state, get(operation))
        confirm = None
        if self.target.kind == "remote" or str(arguments.get("to")).startswith("remote"):
            # Whatever was asked on a screen before: what is written there is asked about here, and nowhere passed over.
            force, confirm = False, self._confirm(suspended)
        work = execute(state, operation, arguments, force=force, dry_run=dry_run, confirm=confirm)
        result = await self.thread(work, suspends=suspended)
        if not dry_run and get(operation).effect != READS and operation.partition(".")[0] in _WRITTEN:
            self.wrote = state.answered.via or "the state directory"
        return result

    @property
    def answered_by(self) -> tuple[tuple[str, str], ...]:
        """For the details: which path answers, and which one the last write took."""
        if self.route == "remote":
            return (("answered by", f"the account {self.name}".rstrip()),)
        if self.route == "server":
            return (("answered by", f"dev server {self.name}".rstrip()),)
        return (
            ("read from", "the state directory"),
            *((("last written through", self.wrote),) if self.wrote else ()),
        )

    def _confirm(self, suspended: bool) -> Confirm | None:
        """The question as the executor asks it: from the thread that it works in, or in this loop where it suspends."""
        asker, loop, agreed = self.asker, asyncio.get_running_loop(), WORK.get()
        if asker is None:
            return None

        async def asked(question: Question) -> bool:
            return await asker(question, agreed)

        def confirm(question: Question) -> bool:
            return asyncio.run_coroutine_threadsafe(asked(question), loop).result()

        return asked if suspended else confirm

    async def agree(self, operation: str, **arguments: Any) -> None:
        """Ask what `operation` would ask before a write to the account, without doing it. Raises `confirmation.refused`, ..."""
        from workbench.operations.consent import consented

        confirm = self._confirm(self.state.backend.suspends)
        await self.thread(consented(self.state, get(operation), arguments, False, confirm))

    async def ask(self, question: Callable[[Backend], Coroutine[Any, Any, T]]) -> T:
        """Ask the backend something no operation says, for reading only: `ask(lambda backend: backend.kv.count(id))`.

        Also `question` itself runs in the thread: the first touch of a product imports its module.
        """

        async def asked() -> T:
            return await question(self.state.backend)

        return await self.thread(asked())

    async def thread(self, work: Coroutine[Any, Any, T], *, suspends: bool = False) -> T:
        """Run a coroutine of the backend: in a thread where it blocks, else (it suspends) here."""
        try:
            if suspends or self.state.backend.suspends:
                return await work
            return await asyncio.to_thread(drive, work)
        except WorkbenchError:
            raise
        except Exception as error:
            raise unexpected(error) from error
        finally:
            if getcoroutinestate(work) == CORO_CREATED:
                work.close()  # given up before a thread was free for it

    async def blocking(self, call: Callable[[], T]) -> T:
        """Run an ordinary function that blocks (files, iterating a stream's chunks) in a thread."""
        try:
            return await asyncio.to_thread(call)
        except WorkbenchError:
            raise
        except OSError as error:
            name = f" {error.filename}" if error.filename else ""
            raise WorkbenchError("file.failed", f"{error.strerror or error}:{name}") from error
        except Exception as error:
            raise unexpected(error) from error

    def close(self) -> None:
        self.state.backend.close()


def unexpected(error: Exception) -> WorkbenchError:
    """An error nobody foresaw, as one the user can read; the traceback goes to the log."""
    return WorkbenchError(
        "internal.unexpected", f"something went wrong in cfwb: {error!r}"[:300], log.record(error)
    )


async def settled(work: Awaitable[T], failed: Callable[[WorkbenchError], None]) -> T | None:
    """The result, or None after `failed` was told why not."""
    try:
        return await work
    except WorkbenchError as error:
        failed(error)
        return None
