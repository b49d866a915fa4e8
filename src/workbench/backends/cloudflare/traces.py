"""Traces and logs of a dev server, by the one query its API has for them. (miniflare, local-explorer/resources/observability)"""

from workbench.model.sql import SqlResult

from .api import Api
from .sql import CloudSql, Statement, value

PATH = "/local/observability/query"
CLEAR = "/local/observability/clear"


class CloudTraces:
    """The product; see the protocol `Traces`."""

    def __init__(self, api: Api) -> None:
        self._api = api.of("traces")

    async def sql(self) -> CloudSql:
        """What answers their queries, which only read."""
        return CloudSql(self._run, "traces")

    async def clear(self) -> None:
        """Delete them all."""
        await self._api.send("POST", CLEAR, safe=True, doing="deleting the traces")

    async def _run(self, statements: list[Statement], reads: bool) -> list[SqlResult]:
        found = []
        for statement in statements:
            answer = await self._api.send(
                "POST", PATH, json_body=statement.body(), safe=reads, doing="asking for traces"
            )
            row = answer.result
            rows = [tuple(map(value, cells)) for cells in row["rows"]]
            found.append(SqlResult([str(name) for name in row["columns"]], rows, None, None, 0, 0.0))
        return found
