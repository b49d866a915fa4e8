"""D1's whole files by the account API's protocols: an export is polled and fetched, an import uploaded and ingested.

Here nothing has to be waited for: an export is made while it is fetched, an import runs when it is asked for.
"""

from __future__ import annotations

from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.operations.results import Document

from .addresses import EXPLORER
from .call import Call
from .checks import Check, Choice, Fields, Flag, ListOf, Text
from .d1 import DATABASE
from .errors import ApiError, api_error, invalid
from .replies import Reply, envelope
from .routes import Routes
from .transfers import md5_of, store

TRANSFER = "/transfers/{secret}"

routes = Routes()


@routes.route(
    "POST",
    f"{DATABASE}/export",
    "reads",
    "d1.export",
    json=Fields(
        {
            "output_format": Choice("polling"),
            "current_bookmark": Check(optional=True),
            "dump_options": Fields(
                {
                    "no_data": Flag(default=False),
                    "no_schema": Flag(default=False),
                    "tables": ListOf(Text(), default=[]),
                },
                optional=True,
            ),
        }
    ),
    name="d1-export-database",
    added=True,
)
def export_database(call: Call) -> Reply:
    """Where a database's dump as SQL can be fetched: `result.signed_url`, for an hour. It is complete at once."""
    options = call.json.get("dump_options", {})
    if options.get("no_schema"):
        raise invalid("no_schema: a dump without the schema is not made here")
    database = call.names["database_id"]
    call.run("d1.schema.get", database=database)  # whether it is there is said now
    secret = call.transfers.offer(
        database, {"table": options.get("tables", []), "schema_only": options.get("no_data", False)}
    )
    return envelope(
        {
            "success": True,
            "type": "export",
            "status": "complete",
            "at_bookmark": secret[:16],
            "messages": [],
            "result": {"filename": f"{database}.sql", "signed_url": _address(call, secret)},
        }
    )


def _address(call: Call, secret: str) -> str:
    return f"{call.base}{EXPLORER[0]}{TRANSFER.format(secret=secret)}"


@routes.route("GET", TRANSFER, "signed", "d1.export", name="cfwb-fetch-export", added=True)
def fetch_export(call: Call) -> Reply:
    """A dump that an export has offered, made while it is sent."""
    transfer = call.transfers.find(call.names["secret"])
    if transfer.options is None:
        raise ApiError(405, 10000, "A file is to be put here, not fetched.")
    document: Document = call.run("d1.export", database=transfer.database, **transfer.options)
    pieces = (piece.encode("utf-8", "surrogatepass") for piece in document.chunks)
    return Reply(200, {"content-type": "application/sql"}, pieces)


@routes.route(
    "POST",
    f"{DATABASE}/import",
    "writes",
    "d1.import",
    json=Fields(
        {
            "action": Choice("init", "ingest", "poll"),
            "etag": Text(optional=True, help="the file's MD5 in hex"),
            "filename": Text(optional=True, help="what init answered"),
            "current_bookmark": Check(optional=True),
        }
    ),
    name="d1-import-database",
    added=True,
)
def import_database(call: Call) -> Reply:
    """Run an uploaded .sql file, whole or not at all: `init` says where to put it, `ingest` runs it."""
    database = call.names["database_id"]
    if call.json["action"] == "init":
        call.run("d1.schema.get", database=database)
        secret = call.transfers.expect(database)
        return envelope(
            {
                "success": True,
                "type": "import",
                "upload_url": _address(call, secret),
                "filename": secret,
                "at_bookmark": secret[:16],
                "messages": [],
            }
        )
    if call.json["action"] == "poll":
        return envelope(_failed("Not currently importing anything."))
    secret = call.json.get("filename", "")
    transfer = call.transfers.find(secret)
    if transfer.file is None or transfer.database != database:
        raise ApiError(404, 10000, "There is no such upload for this database.")
    try:
        return envelope(_ingested(call, transfer.file, database))
    finally:
        call.transfers.end(secret)


def _ingested(call: Call, file: Any, database: str) -> dict[str, Any]:
    if call.json.get("etag") not in (None, md5_of(file)):
        return _failed("The uploaded file's MD5 is not the etag that was given.")
    file.seek(0)
    try:
        done = call.run("d1.import", database=database, file=file)
    except WorkbenchError as error:
        if not error.code.startswith("sql."):
            raise
        return _failed(api_error(error).message)
    return {
        "success": True,
        "type": "import",
        "status": "complete",
        "at_bookmark": "",
        "messages": [f"Processed {done.done} queries."],
        "result": {"num_queries": done.done, "final_bookmark": "", "meta": {}},
    }


def _failed(message: str) -> dict[str, Any]:
    return {"success": False, "type": "import", "status": "error", "error": message, "messages": []}


@routes.route("PUT", TRANSFER, "signed", body="pieces", name="cfwb-put-import", added=True)
def put_import(call: Call) -> Reply:
    """The file of an import; its MD5 is the ETag of the answer."""
    transfer = call.transfers.find(call.names["secret"])
    if transfer.file is None:
        raise ApiError(405, 10000, "A file is to be fetched here, not put.")
    return Reply(200, {"etag": f'"{store(transfer.file, call.pieces())}"'})
