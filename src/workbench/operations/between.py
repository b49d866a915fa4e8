"""Two targets at once: opened for one operation that reads the one and writes to the other, and what such a copy answers.

`both` gives the state that is written to, with the one that is read as its `source`; so what the executor asks before a write is
asked about the side that is written to. What is the same on both sides already is not written again: that is how an interrupted
copy goes on, and why running one twice is safe.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from workbench.model.errors import UsageError, WorkbenchError

if TYPE_CHECKING:
    from workbench.model.page import Page

    from .resolve import State

T = TypeVar("T")
MOST_LISTED = 1000
"""Lines of a report; the counts are of everything."""


class Difference(NamedTuple):
    """name: of a key, an object, a table's row. state: `only_from`, `only_to` or `different`. what: in which way.

    from_value, to_value: of a row, its columns as SQL writes their values (long ones cut); None of what is read by its name.
    """

    name: str
    state: str
    what: str = ""
    from_value: str | None = None
    to_value: str | None = None


class Comparison(NamedTuple):
    """What differs between two targets. differences: the first thousand, all of them counted in `total`.

    exact: whether everything was compared as it is; where a route rounds or does not tell, `note` says what.
    """

    from_target: str
    to_target: str
    equal: int
    total: int
    differences: list[Difference]
    exact: bool
    note: str


class CopyReport(NamedTuple):
    """What a copy did, or (dry_run) would do.

    created, changed: how many were (would be) written. equal: were there already. verified: how many were read back afterwards and
    are the same. changes: a line each, the first thousand. problems: what was not copied or could not be verified, and why.
    """

    from_target: str
    to_target: str
    dry_run: bool
    created: int
    changed: int
    equal: int
    verified: int
    size_bytes: int
    changes: list[str]
    problems: list[str]
    note: str


class Tally:
    """A report while it is being written."""

    def __init__(self, state: State, dry_run: bool = False) -> None:
        self.state, self.dry_run = state, dry_run
        self.created = self.changed = self.equal = self.verified = self.size_bytes = self.total = 0
        self.changes: list[str] = []
        self.problems: list[str] = []
        self.differences: list[Difference] = []
        self.notes: dict[str, None] = {}
        self.exact = True
        self.done = 0

    def step(self, count: int = 1) -> None:
        """So many more were looked at."""
        if self.state.cancel:
            self.state.cancel.check()
        self.done += count
        if self.state.progress:
            self.state.progress(self.done, None)

    def change(self, name: str, *, new: bool, what: str = "") -> None:
        """Something is to be written."""
        if new:
            self.created += 1
        else:
            self.changed += 1
        if len(self.changes) < MOST_LISTED:
            self.changes.append(f"{'+' if new else '~'} {name}" + (f" ({what})" if what and not new else ""))

    def differ(
        self, name: str, state: str, what: str = "", left: str | None = None, right: str | None = None
    ) -> None:
        """Something differs."""
        self.total += 1
        if len(self.differences) < MOST_LISTED:
            self.differences.append(Difference(name, state, what, left, right))

    def problem(self, sentence: str) -> None:
        """Something was not copied, or is not known to be the same."""
        if len(self.problems) < MOST_LISTED:
            self.problems.append(sentence)

    def note(self, sentence: str) -> None:
        """Something that is true of the whole."""
        self.notes[sentence] = None

    def inexact(self, sentence: str) -> None:
        """Something that keeps the comparison from being one of everything."""
        self.exact = False
        self.note(sentence)

    def _sides(self) -> tuple[str, str]:
        return spoken(other(self.state)), spoken(self.state)

    def report(self) -> CopyReport:
        return CopyReport(
            *self._sides(),
            self.dry_run,
            self.created,
            self.changed,
            self.equal,
            self.verified,
            self.size_bytes,
            self.changes,
            self.problems,
            "; ".join(self.notes),
        )

    def comparison(self) -> Comparison:
        return Comparison(
            *self._sides(), self.equal, self.total, self.differences, self.exact, "; ".join(self.notes)
        )


def spoken(state: State) -> str:
    """`remote:<account>`, as it stands in a report."""
    return f"{state.target.kind}:{state.target.source}"


def other(state: State) -> State:
    """The side that is read. Raises UsageError where there is only one."""
    if state.source is None:
        raise UsageError("between which targets?", "--from remote --to local, or the other way round")
    return state.source


def same_place(source: State, target: State, source_id: str, target_id: str, hint: str) -> None:
    """Raise UsageError where a thing would be copied onto itself. (A dev server is a route to its own state.)"""
    if source.target[:2] == target.target[:2] and source_id == target_id:
        raise UsageError(f"both sides are {source_id} on {spoken(target)}", hint)


class Sides(NamedTuple):
    """The two states, and the namespace or bucket that is meant on each."""

    source: State
    target: State
    source_id: str
    target_id: str


async def sides(
    state: State,
    find: Callable[[State, str | None], Awaitable[str]],
    name: str | None,
    to_name: str | None,
    hint: str,
) -> Sides:
    """What is called `name` on the side that is read, and `to_name` (or the same) on the other. Raises UsageError."""
    source = other(state)
    found = Sides(source, state, await find(source, name), await find(state, to_name or name))
    same_place(source, state, found.source_id, found.target_id, hint)
    return found


def _account(state: State, id: str) -> State:
    """The account of that id. Raises UsageError where the environment or the config names another one."""
    from .executor import open_state

    if state.target.kind == "remote" and state.target.source == id:
        return state
    found = open_state(**state.opened_with, remote=True, account_id=id)
    if found.target.source != id:
        found.backend.close()
        raise UsageError(
            f"account {id} is meant, and {found.target.source} is set", "CLOUDFLARE_ACCOUNT_ID names one"
        )
    return found


@contextmanager
def both(state: State, arguments: dict[str, Any]) -> Iterator[State]:
    """The state that `to` names (else the one that is open), its `source` the one that `from` names; closed at the end.

    Takes both out of the arguments' way: the function finds them on the state.
    """
    opened: list[State] = []

    def open_one(name: str | None) -> State:
        found = _named(state, name)
        if found is not state:
            opened.append(found)
        return found.watched(state.cancel, state.progress, state.notice)

    try:
        target, source = open_one(arguments.get("to")), open_one(arguments.get("from_"))
        target.source = source
        yield target
    finally:
        for one in opened:
            one.backend.close()


def _named(state: State, name: str | None) -> State:
    """A target by what a person calls it."""
    from workbench.backends.local import LocalBackend

    from .executor import open_state

    if name is None or (name == "remote" and state.target.kind == "remote"):
        return state
    if name == "local":
        return state if isinstance(state.backend, LocalBackend) else open_state(**state.opened_with)
    if name == "remote":
        return open_state(**state.opened_with, remote=True)
    if name.startswith("remote:"):
        return _account(state, name.partition(":")[2])
    if name == "auto" or "://" in name or name.startswith(("localhost:", "127.0.0.1:", "[::1]:")):
        return open_state(**state.opened_with, server=name)
    if os.path.isdir(name):
        return open_state(name)
    raise UsageError(
        f"{name!r} is no target", "local, remote, a dev server's address, or a folder that is there"
    )


async def listed(
    page: Callable[[str | None], Awaitable[Page[T]]], name: Callable[[T], str], after: str | None
) -> AsyncIterator[T]:
    """All of a list in its order, a page at a time; `after` leaves out what comes before and the name itself."""
    cursor, last = None, b"" if after is None else after.encode("utf-8", "surrogatepass")
    first = after is None
    while True:
        found = await page(cursor)
        for one in found.items:
            place = name(one).encode("utf-8", "surrogatepass")
            if not first and place <= last:
                if after is not None and place <= after.encode("utf-8", "surrogatepass"):
                    continue
                raise WorkbenchError("copy.not_in_order", "the list does not come in order of its names")
            first, last = False, place
            yield one
        cursor = found.cursor
        if cursor is None:
            return


async def paired(
    left: AsyncIterator[T], right: AsyncIterator[T], name: Callable[[T], str]
) -> AsyncIterator[tuple[T | None, T | None]]:
    """Two ordered lists side by side: what has the same name on both comes as a pair."""
    a, b = await anext(left, None), await anext(right, None)
    while a is not None or b is not None:
        here = name(a).encode("utf-8", "surrogatepass") if a is not None else None
        there = name(b).encode("utf-8", "surrogatepass") if b is not None else None
        if there is None or (here is not None and here < there):
            yield a, None
            a = await anext(left, None)
        elif here is None or there < here:
            yield None, b
            b = await anext(right, None)
        else:
            yield a, b
            a, b = await anext(left, None), await anext(right, None)


async def named(
    pair: Sides,
    names: Iterable[str],
    page: Callable[[State, str, str], Awaitable[Page[T]]],
    name: Callable[[T], str],
) -> AsyncIterator[tuple[T | None, T | None]]:
    """These, as both sides list them. page: the first of a list (state, resource) under a name."""
    for wanted in names:
        found: list[T | None] = []
        for state, resource in ((pair.source, pair.source_id), (pair.target, pair.target_id)):
            listed_so = await page(state, resource, wanted)
            found.append(next((one for one in listed_so.items if name(one) == wanted), None))
        yield found[0], found[1]


@contextmanager
def going_on(last: Callable[[], str | None]) -> Iterator[None]:
    """What stopped a copy is told with the name it can go on after."""
    try:
        yield
    except WorkbenchError as error:
        name = last()
        if name is not None and not isinstance(error, UsageError):
            error.hint = (f"{error.hint}; " if error.hint else "") + f"go on with --start-after {name!r}"
        raise
