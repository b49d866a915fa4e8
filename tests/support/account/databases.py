"""D1 of the stand-in: the Explorer's `/raw`, and import and export as the account polls them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from workbench.backends.local.sql.splitter import cut

from .server import Reply, Request, numbered

if TYPE_CHECKING:
    from .routes import Routes
    from .server import StandIn


class Databases:
    """The routes below `/d1/database`. files: what was uploaded to signed addresses, and what waits there to be fetched."""

    def __init__(self, routes: Routes, stand_in: StandIn) -> None:
        self._routes = routes
        self._stand_in = stand_in
        self.files: dict[str, bytes] = {}
        self._polls: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                rows = self._routes.explorer("GET", "/d1/database").content
                return numbered([row | {"created_at": "2026-01-01T00:00:00Z"} for row in rows], request)
            case [id]:
                rows = self._routes.explorer("GET", "/d1/database").content
                row = next(row for row in rows if row["uuid"] == id)
                return Reply(row | {"file_size": 12288, "num_tables": 3})
            case [id, "raw"]:
                return self._d1_raw(id, request.json())
            case [id, "import"]:
                return self._d1_import(id, request.json())
            case [id, "export"]:
                return self._d1_export(id, request.json())
        raise KeyError("/".join(rest))

    def _d1_raw(self, id: str, body: Any) -> Reply:
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        reply = self._routes.explorer("POST", f"/d1/database/{quote(id, safe='')}/raw", None, data, headers)
        if reply.errors:  # the account's number and status for a statement that fails
            return reply._replace(
                status=400 if reply.status == 500 else reply.status,
                errors=[(7500, reply.errors[0][1])] if reply.status == 500 else reply.errors,
            )
        return reply

    def _d1_import(self, id: str, body: dict[str, Any]) -> Reply:
        filename = f"{id}.{body.get('etag', '')}.sql"
        match body["action"]:
            case "init" if filename in self.files:
                return self._d1_ingest(id, filename)
            case "init":
                return Reply(
                    {
                        "success": True,
                        "filename": filename,
                        "upload_url": f"{self._stand_in.origin}/signed/{filename}?signature=s3cr3t",
                    }
                )
            case "ingest":
                if hashlib.md5(self.files[filename]).hexdigest() != body["etag"]:
                    return Reply({"success": False, "error": "etag mismatch", "status": "error"})
                return self._d1_ingest(id, filename)
            case "poll":
                return Reply(self._polls.pop(body["current_bookmark"]))
        raise KeyError(body["action"])

    def _d1_ingest(self, id: str, filename: str) -> Reply:
        text = self.files[filename].decode()
        statements = [text[begin:end].strip() for begin, end in cut(text) if text[begin:end].strip(" \n;")]
        reply = self._d1_raw(id, {"batch": [{"sql": statement} for statement in statements]})
        if reply.errors:
            done: dict[str, Any] = {
                "success": True,
                "status": "error",
                "errors": [reply.errors[0][1]],
                "messages": [],
            }
        else:
            done = {
                "success": True,
                "status": "complete",
                "messages": [f"Processed {len(statements)} queries."],
                "result": {"num_queries": len(statements)},
            }
        self._polls["bookmark-1"] = done
        return Reply(
            {
                "success": True,
                "status": "active",
                "messages": ["Starting import"],
                "at_bookmark": "bookmark-1",
            }
        )

    def _d1_export(self, id: str, body: dict[str, Any]) -> Reply:
        if body.get("current_bookmark"):
            return Reply(self._polls.pop(body["current_bookmark"]))
        options = body.get("dump_options") or {}
        rows = self._d1_raw(
            id,
            {
                "sql": "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'"
            },
        ).content
        lines = ["PRAGMA defer_foreign_keys=TRUE;"]
        for name, sql in rows[0]["results"]["rows"]:
            if options.get("tables") and name not in options["tables"]:
                continue
            lines.append(f"{sql};")
            if not options.get("no_data"):
                lines += self._d1_rows(id, name)
        self.files["export.sql"] = "\n".join(lines).encode() + b"\n"
        url = f"{self._stand_in.origin}/signed/export.sql?signature=s3cr3t"
        self._polls["bookmark-2"] = {
            "success": True,
            "status": "complete",
            "messages": ["Uploaded part 1"],
            "result": {"filename": "export.sql", "signed_url": url},
        }
        return Reply({"success": True, "status": "active", "messages": [], "at_bookmark": "bookmark-2"})

    def _d1_rows(self, id: str, table: str) -> list[str]:
        found = self._d1_raw(id, {"sql": f'SELECT * FROM "{table}"'}).content[0]["results"]
        names = ",".join(f'"{name}"' for name in found["columns"])
        return [
            f'INSERT INTO "{table}" ({names}) VALUES({",".join(map(_literal, row))});'
            for row in found["rows"]
        ]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "X'" + bytes(value).hex() + "'"
    return repr(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
