"""KV and R2 of the stand-in: the Explorer's answers, and through the Worker's bindings what it lacks."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.support.oracle import Oracle

from .server import Reply, Request, numbered, refusal

if TYPE_CHECKING:
    from .routes import Routes


class Storage:
    """The routes below `/storage/kv` and `/r2/buckets`."""

    def __init__(self, routes: Routes, oracle: Oracle | None) -> None:
        self._routes = routes
        self._oracle = oracle

    def kv(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["namespaces"]:
                rows = self._routes.explorer("GET", "/storage/kv/namespaces").content
                return numbered([row | {"supports_url_encoding": True} for row in rows], request)
            case ["namespaces", id] if request.method == "GET":
                rows = self._routes.explorer("GET", "/storage/kv/namespaces").content
                named = [row | {"supports_url_encoding": True} for row in rows if row["id"] == id]
                return (
                    Reply(named[0]) if named else refusal(404, 10013, "get namespace: 'namespace not found'")
                )
            case ["namespaces", id] if request.method == "DELETE":
                for name in self._kv_names(id):
                    self._routes.explorer("DELETE", _kv_path(id, name))
                return Reply({})
            case ["namespaces", id, "keys"]:
                return self._routes.explorer(
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
                reply = self._routes.explorer(request.method, _kv_path(id, key))
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
                    self._routes.explorer("DELETE", _kv_path(id, key))
                return Reply({"successful_key_count": len(request.json()), "unsuccessful_keys": []})
        raise KeyError("/".join(rest))

    def _kv_names(self, id: str) -> list[str]:
        names: list[str] = []
        cursor = ""
        while True:
            query = {"cursor": cursor} if cursor else {}
            reply = self._routes.explorer("GET", f"/storage/kv/namespaces/{quote(id, safe='')}/keys", query)
            names += [row["name"] for row in reply.content]
            cursor = (reply.info or {}).get("cursor") or ""
            if not cursor:
                return names

    def _kv_key(self, id: str, key: str) -> dict[str, Any] | None:
        path = f"/storage/kv/namespaces/{quote(id, safe='')}/keys"
        rows = self._routes.explorer("GET", path, {"prefix": key, "limit": 10}).content
        return next((row for row in rows if row["name"] == key), None)

    def _kv_put(self, id: str, key: str, value: bytes, metadata: Any, expiration: Any) -> None:
        """Through the Worker's own binding, which keeps what the Explorer drops."""
        assert self._oracle is not None
        binding = {"cache-namespace": "CACHE", "other-namespace": "OTHER"}[id]
        self._oracle.kv(binding).put(
            key, value, metadata=metadata, expiration=int(expiration) if expiration else None
        )

    def r2(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case []:
                rows = self._routes.explorer("GET", "/r2/buckets").content["buckets"]
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
            self._routes.explorer(
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
        reply = self._routes.explorer("GET", path)
        asked = request.headers.get("range", "")
        if reply.status != 200 or not asked or not isinstance(reply.content, bytes):
            return reply
        first, _, last = asked.removeprefix("bytes=").partition("-")
        part = reply.content[int(first) : int(last) + 1]
        where = {"Content-Range": f"bytes {first}-{last}/{len(reply.content)}"}
        return reply._replace(content=part, status=206, headers=reply.headers | where)


def _kv_path(id: str, key: str) -> str:
    return f"/storage/kv/namespaces/{quote(id, safe='')}/values/{quote(key, safe='')}"


def _form(request: Request) -> tuple[bytes, Any]:
    """The value and the metadata of a write, from a form or from the bare body."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return request.body, None
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    found: dict[str, bytes] = {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True))
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


def uploads(request: Request) -> Reply:
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
