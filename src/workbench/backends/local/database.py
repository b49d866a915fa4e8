"""Opens state databases, and is the only one that does: a connection a call, closed after it.

Reading changes nothing: no write is possible, nothing is checkpointed, no file is made that stays. Writing is one
`BEGIN IMMEDIATE` transaction, prepared before it begins: the emulator waits for no lock, so every write of the Worker
that falls into it fails. While a server runs the checkpoint is left to the server as well.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from .contained import contained
from .faults import fault, not_found, translated, unreadable

__all__ = ["exists", "open_database", "read", "translated", "write"]

_STEPS = 200_000
"""Instructions of SQLite's machine (a few milliseconds) after which it comes by."""
BUSY_MS = 5000
"""How long we wait for a lock that another process holds."""


def exists(path: str) -> bool:
    """Whether the database is there (an empty file is: it is an empty database). Raises `state.unreadable`."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path) from error
    return True


def open_database(
    path: str, *, writable: bool = False, create: bool = False, live: bool | None = None
) -> apsw.Connection:
    """Open a state database; the caller closes it.

    writable: otherwise nothing can be written. create: make the file (in WAL mode, as the emulator does) and its folder where
    they are missing; without it a missing file is `state.not_found`. live: whether a server has this state open (None: find
    out, when writing). Raises WorkbenchError `state.*` naming the file.
    """
    with translated(path):
        if writable:
            return _writing(path, create, live)
        return _reading(path)


@contextmanager
def read(path: str) -> Iterator[apsw.Connection]:
    """A connection that can only read, closed afterwards. Raises as `open_database`; SQL's own errors pass."""
    with translated(path):
        connection = open_database(path)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def write(path: str, *, create: bool = False, live: bool | None = None) -> Iterator[apsw.Connection]:
    """One transaction: begun when the block is entered, committed at its end, rolled back when it raises.

    Prepare all that can be prepared before; in the block only the statements that must be together.
    """
    with translated(path):
        connection = open_database(path, writable=True, create=create, live=live)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            # What is not committed is rolled back; the close would do it too, but not say so where it fails.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()


def _reading(path: str) -> apsw.Connection:
    _must_exist(contained(path))
    log_was_there = _size(path + "-wal") > 0
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    if connection.readonly("main") and not os.path.exists(path + "-wal"):
        # Nobody has it open, and what SQLite makes beside a file that it can't write, it would leave there.
        connection.close()
        from .frozen import open_frozen

        return open_frozen(path, False)
    try:
        if log_was_there:
            # Found content stays where it is. Where there was none, the close removes the empty log that reading made.
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.set_busy_timeout(BUSY_MS)
        _distrust(connection)
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA schema_version").fetchall()
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError):
        connection.close()
        if os.access(os.path.dirname(path) or ".", os.W_OK) or not os.access(path, os.R_OK):
            raise
        from .frozen import open_frozen

        return open_frozen(path, log_was_there)
    except BaseException:
        connection.close()
        raise
    return connection


def _writing(path: str, create: bool, live: bool | None) -> apsw.Connection:
    made = not os.path.exists(contained(path))
    if made:
        if not create:
            raise not_found(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if made else 0)
    connection = apsw.Connection(path, flags=flags)
    try:
        if connection.readonly("main"):
            raise apsw.ReadOnlyError("attempt to write a readonly database")
        connection.set_busy_timeout(BUSY_MS)
        _distrust(connection)
        if made:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        if live is None:
            from .manners import server_running_beside

            live = server_running_beside(path)
        if live:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.wal_autocheckpoint(0)
        connection.execute("PRAGMA foreign_keys = 1")
        if connection.pragma("journal_mode") == "wal":
            connection.execute("PRAGMA synchronous = NORMAL")
        # Reads the schema now, and not while the lock is held.
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 0").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _distrust(connection: apsw.Connection) -> None:
    """What a schema computes by itself (views, triggers, generated columns) may call nothing that reaches out of the database, and
    where it never ends control-C ends it: SQLite comes by here now and then, and Python then raises what a signal asked for."""
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.set_progress_handler(lambda: False, _STEPS)


def _must_exist(path: str) -> None:
    if not exists(path) or os.path.isdir(path):
        error = fault(apsw.CantOpenError("unable to open database file"), path)
        assert error is not None
        raise error


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
