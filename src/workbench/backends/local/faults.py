"""What SQLite and the file system complain about, as the one family of errors, naming the file and the way out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from workbench.model.errors import WorkbenchError

_LEFT_ALONE = "Everything else in the state still works."
_READ_ONLY = (apsw.ReadOnlyError, apsw.PermissionsError)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what goes wrong with the file `path` into a WorkbenchError; errors of the SQL itself pass unchanged."""
    try:
        yield
    except (apsw.Error, OSError, ValueError) as error:
        known = fault(error, path)
        if known is None:
            raise
        raise known from error


def fault(error: Exception, path: str) -> WorkbenchError | None:
    """The error to show for one that a database or a file gave; None where it is about the SQL."""
    if isinstance(error, OSError):
        return _of_system(error, path)
    if isinstance(error, ValueError):
        return _of_text(error, path)
    if isinstance(error, apsw.NoMemError | apsw.TooBigError):
        return WorkbenchError(
            "state.too_large", f"{path} holds something larger than can be read", _LEFT_ALONE
        )
    if isinstance(error, apsw.NotADBError):
        return WorkbenchError(
            "state.not_a_database",
            f"{path} is not a SQLite database that can be read",
            f"Move it away and the emulator makes a new one. {_LEFT_ALONE}",
        )
    if isinstance(error, apsw.CorruptError) or _extended(error) == apsw.SQLITE_IOERR_SHORT_READ:
        return _damaged(path)
    if isinstance(error, apsw.FullError):
        return WorkbenchError(
            "state.disk_full",
            f"the disk is full: {path} was left as it was",
            "Make room and do it again.",
        )
    if isinstance(error, _READ_ONLY):
        return read_only(path)
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.ProtocolError):
        return WorkbenchError(
            "state.busy",
            f"another process holds the lock on {path}",
            "Nothing was changed; try again in a moment.",
        )
    if isinstance(error, apsw.CantOpenError):
        return _cannot_open(path)
    if isinstance(error, apsw.IOError | apsw.NoLFSError):
        return _of_disk(error, path)
    return None


def read_only(path: str) -> WorkbenchError:
    """The file, or its folder, must not be written."""
    return WorkbenchError(
        "state.read_only",
        f"{path} cannot be written: it or its folder is read-only",
        "Check its permissions.",
    )


def not_found(path: str) -> WorkbenchError:
    """No such file."""
    return WorkbenchError("state.not_found", f"there is no {path}", "Nothing has been stored there yet.")


def unreadable(path: str) -> WorkbenchError:
    """The file, or a folder above it, must not be read."""
    return WorkbenchError("state.unreadable", f"{path} may not be read", "Check its permissions.")


def unknown_format(path: str, detail: str) -> WorkbenchError:
    """A database whose tables are not the ones this version knows."""
    return WorkbenchError(
        "state.newer",
        f"{path} is not laid out as the emulator's format v3 is known here: {detail}",
        f"It may be another program's, or a newer emulator's: then a newer cfwb reads it. {_LEFT_ALONE}",
    )


def _damaged(path: str) -> WorkbenchError:
    hint = f"Restore it, or delete it and start over. {_LEFT_ALONE}"
    if _is_cut_off(path):
        return WorkbenchError("state.truncated", f"{path} is cut off: its end is missing", hint)
    return WorkbenchError("state.damaged", f"{path} is a SQLite database with damaged content", hint)


def _is_cut_off(path: str) -> bool:
    """Whether a damaged database has fewer pages than its first one says: then SQLite does not even count them."""
    try:
        log = os.path.exists(path + "-wal") and os.stat(path + "-wal").st_size > 0
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    except (OSError, apsw.Error):
        return False
    try:
        if log:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA page_count").fetchall()
    except apsw.CorruptError:
        return True
    except apsw.Error:
        return False
    finally:
        connection.close()
    return False


def _cannot_open(path: str) -> WorkbenchError:
    if not os.path.exists(path):
        return not_found(path)
    if os.path.isdir(path):
        return WorkbenchError(
            "state.not_a_database", f"{path} is a folder, not a SQLite database", "Move it away."
        )
    if not os.access(path, os.R_OK):
        return unreadable(path)
    return WorkbenchError(
        "state.unreadable",
        f"{path} cannot be opened, or the files that belong beside it (-wal, -shm) cannot",
        "Check the folder's permissions.",
    )


def _extended(error: Exception) -> int:
    return int(getattr(error, "extendedresult", 0))


def _of_disk(error: apsw.Error, path: str) -> WorkbenchError:
    code = _extended(error)
    if code in (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_TRUNCATE):
        return WorkbenchError(
            "state.write_failed",
            f"{path} could not be written ({error}); it was left as it was",
            "The disk may be full or failing, or a limit on file sizes reached.",
        )
    return WorkbenchError("state.io", f"{path} could not be read: {error}", "The disk may be failing.")


def _of_text(error: ValueError, path: str) -> WorkbenchError | None:
    """Text where the format has only UTF-8, and names that no file can have; None for what is about neither."""
    if isinstance(error, UnicodeDecodeError):
        return WorkbenchError(
            "state.damaged",
            f"{path} holds text that is not UTF-8 where the emulator writes only UTF-8",
            f"Restore it, or delete it and start over. {_LEFT_ALONE}",
        )
    if isinstance(error, UnicodeEncodeError) or error.args == ("embedded null byte",):
        return WorkbenchError(
            "state.bad_name", f"no file can be called {path!r}", "Its name or id in the config is not usable."
        )
    return None


def _of_system(error: OSError, path: str) -> WorkbenchError:
    place = error.filename if isinstance(error.filename, str) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkbenchError(
            "state.disk_full", f"the disk is full: {place} could not be written", "Make room and do it again."
        )
    if error.errno == errno.EFBIG:
        return WorkbenchError("state.write_failed", f"{place} would be larger than files may be here", "")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return read_only(place)
    if error.errno == errno.ENOENT:
        return not_found(place)
    return WorkbenchError("state.io", f"{place}: {error.strerror or error}", "")
