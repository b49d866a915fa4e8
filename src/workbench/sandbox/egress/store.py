"""The database of the way out: what was decided for each sandbox, and what each asked for. Readable after a sandbox is gone.

One file in the data root, mode 0600, by aiosqlite (it is no state file of the emulator's). It holds no secrets, only their names.
"""

from __future__ import annotations

import os
from pathlib import Path

import aiosqlite

from workbench.model.errors import WorkbenchError

_VERSION = 1
_SCHEMA = """
create table settings (sandbox text primary key, policy text not null, rules text not null) without rowid;
create table requests (
    id integer primary key, sandbox text not null, at text not null, scheme text not null, method text not null,
    host text not null, port integer not null, path text not null, status integer not null, sent integer not null,
    received integer not null, duration_ms real not null, rule text not null, outcome text not null, reason text not null);
create index requests_of_sandbox on requests (sandbox, id);
"""


async def open_store(path: Path) -> aiosqlite.Connection:
    """Open the database, or make it. Raises WorkbenchError for one that a newer version wrote; it is left as it was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    store = await aiosqlite.connect(path, isolation_level=None)
    try:
        async with store.execute("pragma user_version") as rows:
            found = await rows.fetchone()
        version = int(found[0]) if found else 0
        if version > _VERSION:
            raise WorkbenchError(
                "egress.version",
                f"{path} was written by a newer cfwb (format {version}, this one knows {_VERSION})",
            )
        await store.execute("pragma journal_mode = wal")
        await store.execute("pragma synchronous = normal")
        if version == 0:
            await store.executescript(f"begin; {_SCHEMA} pragma user_version = {_VERSION}; commit;")
        # What was under way when the hub last ended has no end of its own.
        await store.execute(
            "update requests set outcome = 'cut', reason = 'the hub ended' where outcome = 'open'"
        )
    except BaseException:
        await store.close()
        raise
    return store
