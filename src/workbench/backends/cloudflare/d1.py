"""D1 through the API: databases, SQL (`/raw`, whose rows are arrays), and the import and export that are polled.

Sources: the API's pages (d1/database), wrangler's `d1 execute --file` and `d1 export` for the order of their requests.
"""

import codecs
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel, Progress
from workbench.model.sql import D1Database, SqlResult
from workbench.model.state import Removal

from .api import Api, join
from .deployed import bound
from .offers import lacks
from .paging import numbered
from .shapes import whole
from .sql import CloudSql, Statement, result, rounded

ROOT = "/d1/database"
IN_MEMORY = 8 << 20
MOST_POLLS = 10_000


class CloudD1:
    """The product; see the protocol `D1`. Databases go by id."""

    def __init__(self, api: Api, project: Project, *, live: bool) -> None:
        self._api = api.of("d1")
        self._project = project
        self._live = live

    async def databases(self) -> list[D1Database]:
        """Those that the config binds in its order (with their size and tables), then the others of the account."""
        rows = (await self._api.get(ROOT)).result if self._live else await numbered(self._api, ROOT)
        found = {str(row["uuid"]): row for row in rows}
        known = bound(self._project, "d1")
        if not self._live:
            for id in (
                known.keys() & found.keys()
            ):  # a list tells neither, and one request a database only where it is ours
                found[id] |= (await self._api.get(ROOT + join(id))).result
        listed = [
            _database(id, found.get(id, {"name": one.resource_name or one.name}), one.name, one.worker)
            for id, one in known.items()
            if id in found or self._live
        ]
        return listed + [_database(id, row, None, None) for id, row in found.items() if id not in known]

    async def sql(self, database: str, create: bool = False) -> CloudSql:
        """A database's SQL side; it is asked when something is asked of it."""
        return (
            CloudSql(self._runner(database), database)
            if self._live
            else _Account(self._api, self._runner(database), database)
        )

    def _runner(self, database: str) -> Any:
        async def run(statements: list[Statement], reads: bool) -> list[SqlResult]:
            body = (
                statements[0].body()
                if len(statements) == 1
                else {"batch": [statement.body() for statement in statements]}
            )
            answer = await self._api.send(
                "POST", f"{ROOT}{join(database)}/raw", json_body=body, safe=reads, doing="running SQL"
            )
            results = [result(row) for row in answer.result]
            if self._api.notice is not None and rounded(results):
                self._api.notice(
                    "integers beyond 2^53 are rounded by the API: CAST(... AS TEXT) gives them exactly"
                )
            return results

        return run

    async def delete_database(self, database: str, dry_run: bool = False) -> Removal:
        """The database itself goes (not on the mirror)."""
        if self._live:
            raise lacks("d1.databases.delete")
        schema = await (await self.sql(database)).schema()
        tables = [table for table in schema.tables if table.kind != "shadow" and not table.reserved]
        if not dry_run:
            await self._api.send("DELETE", ROOT + join(database), doing=f"deleting the database {database}")
        lines = [f"database {database}", *(f"{table.kind} {table.name}" for table in tables)]
        note = "The database itself goes: a Worker that is bound to it cannot be deployed again until it is bound anew."
        return Removal(lines[:1000], len(lines), dry_run, note=note)


def _database(id: str, row: Any, binding: str | None, worker: str | None) -> D1Database:
    return D1Database(
        id,
        str(row.get("name") or id),
        binding,
        worker,
        whole(row.get("file_size")),
        whole(row.get("num_tables")),
    )


class _Account(CloudSql):
    """A deployed database: it takes and gives whole files by its own protocols. It answers nobody else meanwhile."""

    def __init__(self, api: Api, run: Any, database: str) -> None:
        super().__init__(run, database)
        self._api = api
        self._path = ROOT + join(database)

    async def import_sql(
        self, chunks: Iterable[str], progress: Progress | None = None, cancel: Cancel | None = None
    ) -> int:
        """Hand over a .sql file, which runs whole or not at all; the number of statements run.

        init (does it know the file already?), upload to the address it gives, ingest, then poll until it is done.
        """
        self.changed()
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            digest, size = _written(file, chunks, cancel)
            answer = await self._step("import", {"action": "init", "etag": digest})
            if "upload_url" in answer:
                await self._upload(str(answer["upload_url"]), file, digest)
                if progress:
                    progress(size, size)
                begin = {"action": "ingest", "etag": digest, "filename": answer.get("filename")}
                answer = await self._step("import", begin)
        done = await self._until_done(
            "import", answer, lambda at: {"action": "poll", "current_bookmark": at}, cancel
        )
        return whole((done.get("result") or {}).get("num_queries")) or 0

    async def _upload(self, url: str, file: IO[bytes], digest: str) -> None:
        sent = await self._api.send(
            "PUT", url, content=file, enveloped=False, bare=True, doing="uploading the file"
        )
        if sent.headers.get("etag", "").strip('"') not in ("", digest):
            raise WorkbenchError(
                "d1.upload_damaged", "the file arrived damaged", "try again: nothing was run"
            )

    async def export_sql(self, tables: list[str] | None = None, schema_only: bool = False) -> Iterator[str]:
        """The database as SQL in pieces, made by the other side and fetched from where it puts it."""
        options = {"no_schema": False, "no_data": schema_only, "tables": tables or []}

        def body(at: str | None) -> dict[str, Any]:
            return {"output_format": "polling", "dump_options": options, "current_bookmark": at}

        done = await self._until_done(
            "export", await self._step("export", body(None)), body, self._api.cancel
        )
        url = (done.get("result") or {}).get("signed_url")
        if not isinstance(url, str):
            raise WorkbenchError("remote.bad_answer", "the export is done and has no address")
        _, pieces = await self._api.head_and_pieces("GET", url, bare=True)
        return _decoded(pieces)

    async def _step(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        # Each step names what it is about (a file's hash, a bookmark), so a second time it is the same step.
        answer = await self._api.send(
            "POST", f"{self._path}/{what}", json_body=body, safe=True, doing=f"an {what}"
        )
        found: dict[str, Any] = answer.result if isinstance(answer.result, dict) else {}
        if found.get("success") is False or found.get("status") == "error":
            said = (
                found.get("error") or "; ".join(map(str, found.get("errors") or ())) or "no reason was given"
            )
            raise WorkbenchError(f"d1.{what}_failed", f"the {what} failed: {said}")
        return found

    async def _until_done(
        self, what: str, answer: dict[str, Any], body: Any, cancel: Cancel | None
    ) -> dict[str, Any]:
        """Poll until it says `complete`. The other side holds each answer back for about a second."""
        wait = 0.1
        for _ in range(MOST_POLLS):
            if answer.get("status") == "complete":
                return answer
            if cancel:
                cancel.check()
            for line in answer.get("messages") or ():
                if self._api.notice:
                    self._api.notice(str(line))
            await self._api.pause(wait)
            wait = min(wait * 2, 2.0)
            answer = await self._step(what, body(answer.get("at_bookmark")))
        raise WorkbenchError("remote.bad_answer", f"the {what} does not come to an end")


def _written(file: IO[bytes], chunks: Iterable[str], cancel: Cancel | None) -> tuple[str, int]:
    """The text as it is uploaded: its MD5 (what D1 knows a file by) and its size."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks:
        if cancel:
            cancel.check()
        data = chunk.encode("utf-8", "surrogatepass")
        digest.update(data)
        size += file.write(data)
    return digest.hexdigest(), size


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)
