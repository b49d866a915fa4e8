"""Traces and logs that the dev server keeps: one database, `observability/miniflare-wobs-trace-store/<hash of "singleton">.sqlite`.

Tables `spans` and `logs`; a span's `attributes` are JSONB, which `json(attributes)` reads. (miniflare, workers/observability)
"""

import os

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError

from . import naming
from .database import exists
from .sql import LocalSqlDatabase


class LocalTraces:
    """The product of the local backend; see the protocol `Traces`."""

    def __init__(self, project: Project) -> None:
        file = naming.id_from_name(naming.OBSERVABILITY, "singleton") + ".sqlite"
        self._path = os.path.join(
            project.state_directory, naming.VERSION, "observability", naming.OBSERVABILITY, file
        )

    async def sql(self) -> LocalSqlDatabase:
        """Where they are kept. Raises `traces.none` where the server has kept none."""
        if not exists(self._path):
            raise WorkbenchError(
                "traces.none",
                "no traces are kept in this state",
                "wrangler dev keeps those of the requests it answers",
            )
        return LocalSqlDatabase(self._path, product="do")

    async def clear(self) -> None:
        """Delete them all, in one short transaction."""
        if exists(self._path):
            await LocalSqlDatabase(self._path, product="do").query("DELETE FROM spans; DELETE FROM logs")
