"""What the stand-in answers: the Explorer's own answers under the account API's paths, and made-up ones where it has none."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import hashlib
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from tests.support.oracle import Oracle

from .server import ACCOUNT, OTHER_ACCOUNT, Reply, Request, refusal

if TYPE_CHECKING:
    from .server import StandIn

EXPLORER = "/cdn-cgi/explorer/api"
NAMES = {ACCOUNT: "Acme", OTHER_ACCOUNT: "Other"}


class Routes:
    """Routes of one stand-in; `oracle` is the emulator behind it (None: only what needs none)."""

    def __init__(self, stand_in: StandIn, oracle: Oracle | None) -> None:
        from .queues import MadeUpQueues
        from .workers import MadeUpWorkers

        self._stand_in = stand_in
        self._oracle = oracle
        self._local = threading.local()
        self._files: dict[str, bytes] = {}
        self._polls: dict[str, dict[str, Any]] = {}
        self._queues = MadeUpQueues()
        self._workers = MadeUpWorkers(oracle.state if oracle else None)

    def close(self) -> None:
        self._workers.close()

    # --- the emulator

    def explorer(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Ask the real Explorer; its envelope taken apart, or the body as it is."""
        assert self._oracle is not None, "this route needs an emulator behind the stand-in"
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        place = urlsplit(self._oracle.emulator.url)
        target = EXPLORER + path + (f"?{urlencode(query)}" if query else "")
        sent = {"Host": place.netloc} | (headers or {})
        for attempt in (1, 2):
            if connection is None:
                connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
                self._local.connection = connection
            try:
                connection.request(method, target, body or None, sent)
                answer = connection.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                connection = None
                if attempt == 2:
                    raise
        given = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() in ("content-type", "etag", "last-modified")
        }
        if "json" not in (answer.getheader("content-type") or ""):
            return Reply(content, answer.status, headers=given)
        data = json.loads(content)
        if not isinstance(data, dict) or "success" not in data:
            return Reply(content, answer.status, headers=given)
        errors = [(one["code"], one["message"]) for one in data["errors"]]
        return Reply(data["result"], answer.status, data.get("result_info"), errors=errors)

    # --- routes

    def answer(self, request: Request, segments: list[str]) -> Reply:
        match segments:
            case ["user"]:
                return Reply({"id": "user-1", "email": "ann@example.com"})
            case ["user", "tokens", "verify"]:
                return Reply({"id": "token-1", "status": "active"})
            case ["accounts"]:
                rows = [{"id": id, "name": NAMES.get(id, id)} for id in self._stand_in.accounts]
                return _numbered(rows, request)
            case ["accounts", account] if account in self._stand_in.accounts:
                return Reply({"id": account, "name": NAMES.get(account, account)})
            case ["accounts", account, *rest] if account in self._stand_in.accounts:
                return self._account(request, rest)
            case ["zones", *_]:
                return _numbered(
                    [{"id": f"zone-{number}", "name": f"example{number}.com"} for number in range(45)],
                    request,
                )
        return refusal(
            404, 7003, f"Could not route to /{'/'.join(segments)}, perhaps your object identifier is invalid?"
        )

    def _account(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["storage", "kv", *more]:
                return self._kv(request, more)
            case ["r2", "buckets", *more]:
                return self._r2(request, more)
            case ["d1", "database", *more]:
                return self._d1(request, more)
            case ["workers", "durable_objects", "namespaces", *more]:
                return self._durable_objects(request, more)
            case ["workflows", *more]:
                return self._workflows(request, more)
            case ["queues", *more]:
                return self._queues.answer(request, more)
            case ["workers", "scripts", *more]:
                return self._workers.answer(request, more)
        return refusal(404, 7003, "Could not route to that path")

    def _kv(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["namespaces"]:
                rows = self.explorer("GET", "/storage/kv/namespaces").content
                return _numbered([row | {"supports_url_encoding": True} for row in rows], request)
            case ["namespaces", id] if request.method == "DELETE":
                for name in self._kv_names(id):
                    self.explorer("DELETE", _kv_path(id, name))
                return Reply({})
            case ["namespaces", id, "keys"]:
                return self.explorer(
                    "GET", f"/storage/kv/namespaces/{quote(id, safe='')}/keys", request.query
                )
            case ["namespaces", id, "metadata", key]:
                found = self._kv_key(id, key)
                return (
                    refusal(404, 10009, "get: 'key not found'")
                    if found is None
                    else Reply(found.get("metadata"))
                )
            case ["namespaces", id, "values", key] if request.method == "PUT":
                value, metadata = _form(request)
                self._kv_put(id, key, value, metadata, request.query.get("expiration"))
                return Reply({})
            case ["namespaces", id, "values", key]:
                reply = self.explorer(request.method, _kv_path(id, key))
                known = self._kv_key(id, key) if request.method == "GET" and reply.status == 200 else None
                expiration = (known or {}).get("expiration")
                return reply._replace(headers={"expiration": str(expiration)} if expiration else {})
            case ["namespaces", id, "bulk"]:
                for row in request.json():
                    value = base64.b64decode(row["value"]) if row.get("base64") else row["value"].encode()
                    self._kv_put(id, row["key"], value, row.get("metadata"), row.get("expiration"))
                return Reply({"successful_key_count": len(request.json()), "unsuccessful_keys": []})
            case ["namespaces", id, "bulk", "delete"]:
                for key in request.json():
                    self.explorer("DELETE", _kv_path(id, key))
                return Reply({"successful_key_count": len(request.json()), "unsuccessful_keys": []})
        raise KeyError("/".join(rest))

    def _kv_names(self, id: str) -> list[str]:
        names: list[str] = []
        cursor = ""
        while True:
            query = {"cursor": cursor} if cursor else {}
            reply = self.explorer("GET", f"/storage/kv/namespaces/{quote(id, safe='')}/keys", query)
            names += [row["name"] for row in reply.content]
            cursor = (reply.info or {}).get("cursor") or ""
            if not cursor:
                return names

    def _kv_key(self, id: str, key: str) -> dict[str, Any] | None:
        path = f"/storage/kv/namespaces/{quote(id, safe='')}/keys"
        rows = self.explorer("GET", path, {"prefix": key, "limit": 10}).content
        return next((row for row in rows if row["name"] == key), None)

    def _kv_put(self, id: str, key: str, value: bytes, metadata: Any, expiration: Any) -> None:
        """Through the Worker's own binding, which keeps what the Explorer drops."""
        assert self._oracle is not None
        binding = {"cache-namespace": "CACHE", "other-namespace": "OTHER"}[id]
        self._oracle.kv(binding).put(
            key, value, metadata=metadata, expiration=int(expiration) if expiration else None
        )

    def _r2(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                rows = self.explorer("GET", "/r2/buckets").content["buckets"]
                return Reply(
                    {"buckets": [row | {"creation_date": "2026-01-01T00:00:00Z"} for row in rows]}, info={}
                )
            case [bucket, "objects"] if request.method == "GET":
                return self._r2_list(bucket, request.query)
            case [bucket, "objects", *parts]:
                return self._r2_object(request, bucket, "/".join(parts))
        raise KeyError("/".join(rest))

    def _r2_list(self, bucket: str, query: dict[str, str]) -> Reply:
        """Through the binding, asked for the metadata that the Explorer's list leaves out."""
        assert self._oracle is not None
        options: dict[str, Any] = {"include": ["httpMetadata", "customMetadata"]}
        options |= {name: query[name] for name in ("prefix", "delimiter", "cursor") if name in query}
        options["limit"] = int(query.get("per_page", 1000))
        if bucket != "files":
            return refusal(404, 10006, "The specified bucket does not exist.")
        found = self._oracle.ask("r2.list", binding="FILES", options=options)
        rows = [_r2_row(row) for row in found["objects"]]
        info = {
            "delimited": found.get("delimitedPrefixes") or [],
            "cursor": found.get("cursor"),
            "is_truncated": str(found["truncated"]).lower(),
        }
        return Reply(rows, info=info)

    def _r2_object(self, request: Request, bucket: str, key: str) -> Reply:
        path = f"/r2/buckets/{quote(bucket, safe='')}/objects/{quote(key, safe='')}"
        if request.method == "DELETE":
            body = json.dumps([key]).encode()
            self.explorer(
                "DELETE",
                f"/r2/buckets/{quote(bucket, safe='')}/objects",
                None,
                body,
                {"Content-Type": "application/json"},
            )
            return Reply({"key": key})
        if request.method == "PUT":
            assert self._oracle is not None
            names = {
                "content-type": "contentType",
                "content-disposition": "contentDisposition",
                "content-encoding": "contentEncoding",
            }
            names |= {"content-language": "contentLanguage", "cache-control": "cacheControl"}
            http_metadata = {names[name]: value for name, value in request.headers.items() if name in names}
            value = base64.b64encode(request.body).decode()
            options = {"httpMetadata": http_metadata}
            row = self._oracle.ask("r2.put", binding="FILES", key=key, value=value, options=options)
            return Reply(
                {
                    "key": key,
                    "etag": row["etag"],
                    "size": str(row["size"]),
                    "uploaded": row["uploaded"],
                    "version": row["version"],
                }
            )
        reply = self.explorer("GET", path)
        asked = request.headers.get("range", "")
        if reply.status != 200 or not asked or not isinstance(reply.content, bytes):
            return reply
        first, _, last = asked.removeprefix("bytes=").partition("-")
        part = reply.content[int(first) : int(last) + 1]
        where = {"Content-Range": f"bytes {first}-{last}/{len(reply.content)}"}
        return reply._replace(content=part, status=206, headers=reply.headers | where)

    def _d1(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                rows = self.explorer("GET", "/d1/database").content
                return _numbered([row | {"created_at": "2026-01-01T00:00:00Z"} for row in rows], request)
            case [id, "raw"]:
                return self._d1_raw(id, request.json())
            case [id, "import"]:
                return self._d1_import(id, request.json())
            case [id, "export"]:
                return self._d1_export(id, request.json())
        raise KeyError("/".join(rest))

    def _d1_raw(self, id: str, body: Any) -> Reply:
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        reply = self.explorer("POST", f"/d1/database/{quote(id, safe='')}/raw", None, data, headers)
        if reply.errors:  # the account's number and status for a statement that fails
            return reply._replace(
                status=400 if reply.status == 500 else reply.status,
                errors=[(7500, reply.errors[0][1])] if reply.status == 500 else reply.errors,
            )
        return reply

    def _d1_import(self, id: str, body: dict[str, Any]) -> Reply:
        filename = f"{id}.{body.get('etag', '')}.sql"
        match body["action"]:
            case "init" if filename in self._files:
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
                if hashlib.md5(self._files[filename]).hexdigest() != body["etag"]:
                    return Reply({"success": False, "error": "etag mismatch", "status": "error"})
                return self._d1_ingest(id, filename)
            case "poll":
                return Reply(self._polls.pop(body["current_bookmark"]))
        raise KeyError(body["action"])

    def _d1_ingest(self, id: str, filename: str) -> Reply:
        from workbench.backends.local.sql.splitter import cut

        text = self._files[filename].decode()
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
        self._files["export.sql"] = "\n".join(lines).encode() + b"\n"
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

    def _durable_objects(self, request: Request, rest: list[str]) -> Reply:
        rows = self.explorer("GET", "/workers/durable_objects/namespaces").content
        ids = {hashlib.md5(row["id"].encode()).hexdigest(): row for row in rows}
        match rest:
            case []:
                return _numbered([row | {"id": id} for id, row in ids.items()], request)
            case [id, "objects"]:
                path = f"/workers/durable_objects/namespaces/{quote(ids[id]['id'], safe='')}/objects"
                reply = self.explorer("GET", path, request.query)
                return reply._replace(
                    content=[
                        {"id": one["id"], "hasStoredData": True}
                        for one in reply.content
                        if "." not in one["id"]
                    ]
                )
        raise KeyError("/".join(rest))

    def _workflows(self, request: Request, rest: list[str]) -> Reply:
        path = "/workflows" + "".join("/" + quote(part, safe="") for part in rest)
        body = request.json()
        headers = {"Content-Type": "application/json"}
        match rest:
            case []:
                return _numbered(self.explorer("GET", path).content, request)
            case [_, "instances"] if request.method == "POST":
                given = {"id": body["instance_id"]} if "instance_id" in body else {}
                reply = self.explorer(
                    "POST", path, None, json.dumps(given | {"params": body.get("params")}).encode(), headers
                )
                return (
                    reply
                    if reply.errors
                    else Reply(
                        {"id": reply.content["id"], "status": "queued", "version_id": "v", "workflow_id": "w"}
                    )
                )
            case [_, "instances", _, "status"]:
                return self.explorer(
                    "PATCH", path, None, json.dumps({"action": body["status"]}).encode(), headers
                )
            case [_, "instances", _] if request.method == "DELETE":
                raise KeyError("DELETE of an instance")
        return self.explorer(request.method, path, request.query, request.body, headers)

    def beside(self, request: Request) -> Reply:
        """Addresses that the API gave: signed ones, which need no token and must get none."""
        if request.raw.startswith("/signed/"):
            if "authorization" in request.headers or request.query.get("signature") != "s3cr3t":
                return Reply(
                    b"<Error><Message>only the signature opens this</Message></Error>",
                    400,
                    headers={"Content-Type": "application/xml"},
                )
            name = request.raw.removeprefix("/signed/")
            if request.method == "PUT":
                self._files[name] = request.body
                return Reply(b"", headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})
            return Reply(self._files[name], headers={"Content-Type": "application/sql"})
        if request.raw.startswith("/s3/files"):
            return _uploads(request)
        return refusal(404, 7000, "No route for that URI")


def _numbered(rows: list[Any], request: Request) -> Reply:
    """A page of a list, by number."""
    page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 20))
    part = rows[(page - 1) * size : page * size]
    pages = max(1, -(-len(rows) // size))
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": len(rows),
        "total_pages": pages,
    }
    return Reply(part, info=info)


def _kv_path(id: str, key: str) -> str:
    return f"/storage/kv/namespaces/{quote(id, safe='')}/values/{quote(key, safe='')}"


def _form(request: Request) -> tuple[bytes, Any]:
    """The value and the metadata of a write, from a form or from the bare body."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return request.body, None
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    found = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in parts.iter_parts()
    }
    metadata = found.get("metadata")
    return found["value"], None if metadata is None else json.loads(metadata)


def _r2_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": row["key"],
        "etag": row["etag"],
        "size": row["size"],
        "last_modified": row["uploaded"],
        "http_metadata": row.get("httpMetadata") or {},
        "custom_metadata": row.get("customMetadata") or {},
        "storage_class": "Standard",
    }


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "X'" + bytes(value).hex() + "'"
    return repr(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _uploads(request: Request) -> Reply:
    """S3's lists of unfinished uploads and of their parts, which the emulator's S3 endpoint does not have: two pages of one."""
    kind = {"Content-Type": "application/xml"}
    name = "http://s3.amazonaws.com/doc/2006-03-01/"
    if "uploadId" in request.query:
        body = "<Part><PartNumber>1</PartNumber><Size>5242880</Size></Part><Part><PartNumber>2</PartNumber><Size>7</Size></Part>"
        return Reply(f'<ListPartsResult xmlns="{name}">{body}</ListPartsResult>'.encode(), headers=kind)
    number = 2 if request.query.get("key-marker") == "big-1" else 1
    more = "true" if number == 1 else "false"
    body = (
        f"<Upload><Key>big-{number}</Key><UploadId>upload-{number}</UploadId>"
        f"<Initiated>2026-11-23T10:00:0{number}.000Z</Initiated></Upload><IsTruncated>{more}</IsTruncated>"
        "<NextKeyMarker>big-1</NextKeyMarker><NextUploadIdMarker>upload-1</NextUploadIdMarker>"
    )
    return Reply(
        f'<ListMultipartUploadsResult xmlns="{name}">{body}</ListMultipartUploadsResult>'.encode(),
        headers=kind,
    )
