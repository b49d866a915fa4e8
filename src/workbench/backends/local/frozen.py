"""Reading a database that lies where nothing may be written: a read-only mount, another user's folder.

SQLite needs a `-shm` beside a database in WAL mode. Without any log content the file alone is the whole database and is
opened as immutable; with some, database and log are copied by a child process (a plain open of either in this process would
drop the locks it holds) into a temporary folder, and the copy is read.
"""

import os

import apsw

from workbench.model.errors import WorkbenchError

_COPY = "import shutil, sys\nfor name in sys.argv[2:]: shutil.copy(name, sys.argv[1])"


class _Copy(apsw.Connection):
    """A connection whose folder goes with it."""

    folder = ""

    def close(self, force: bool = False) -> None:
        super().close(force)
        if self.folder:
            import shutil

            shutil.rmtree(self.folder, ignore_errors=True)


def open_frozen(path: str, log_has_content: bool) -> apsw.Connection:
    """Open for reading without writing anything beside `path`. log_has_content: its `-wal` is not empty."""
    if log_has_content:
        return _open_copy(path)
    from urllib.parse import quote

    connection = apsw.Connection(
        f"file:{quote(os.path.abspath(path))}?immutable=1",
        flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
    )
    return _checked(connection)


def _open_copy(path: str) -> apsw.Connection:
    import subprocess
    import sys
    import tempfile

    from workbench.model.secrets import for_children

    folder = tempfile.mkdtemp(prefix="cfwb-read-")
    done = subprocess.run(
        [sys.executable, "-c", _COPY, folder, path, path + "-wal"],
        stderr=subprocess.PIPE,
        text=True,
        env=for_children(os.environ),
    )
    copy = os.path.join(folder, os.path.basename(path))
    if done.returncode:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["it could not be copied"])[-1]
        raise WorkbenchError("state.unreadable", f"{path} cannot be read where it lies: {reason}")
    connection = _Copy(copy, flags=apsw.SQLITE_OPEN_READWRITE)
    connection.folder = folder
    return _checked(connection)


def _checked(connection: apsw.Connection) -> apsw.Connection:
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA schema_version").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
