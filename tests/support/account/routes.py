"""What the stand-in answers: the Explorer's own answers under the account API's paths, and made-up ones where it has none."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from tests.support.oracle import Oracle

from .databases import Databases
from .server import ACCOUNT, ACCOUNT_TOKEN, OTHER_ACCOUNT, Reply, Request, numbered, refusal
from .storage import Storage, uploads

if TYPE_CHECKING:
    from .server import StandIn

EXPLORER = "/cdn-cgi/explorer/api"
NAMES = {ACCOUNT: "Acme", OTHER_ACCOUNT: "Other"}


_DATES = {"created_on": "2026-01-01T00:00:00Z", "modified_on": "2026-02-01T00:00:00Z"}


def _account_row(id: str) -> dict[str, Any]:
    return {"id": id, "name": NAMES.get(id, id), "type": "standard"}


def _zone_row(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"{id}.example.com",
        "account": {"id": ACCOUNT, "name": NAMES[ACCOUNT]},
        "activated_on": None,
        "development_mode": 0,
        "meta": {},
        "name_servers": ["a.ns.example.com", "b.ns.example.com"],
        "original_dnshost": None,
        "original_name_servers": None,
        "original_registrar": None,
        "owner": {"id": None, "type": "user"},
        "plan": {"id": "free", "name": "Free Website"},
    } | _DATES


class Routes:
    """Routes of one stand-in; `oracle` is the emulator behind it (None: only what needs none)."""

    def __init__(self, stand_in: StandIn, oracle: Oracle | None) -> None:
        from .queues import MadeUpQueues
        from .workers import MadeUpWorkers

        self._stand_in = stand_in
        self._oracle = oracle
        self._local = threading.local()
        self._storage = Storage(self, oracle)
        self._databases = Databases(self, stand_in)
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
            case ["user", *_] if request.token == ACCOUNT_TOKEN:
                return refusal(401 if segments[-1] == "verify" else 403, 1000, "Invalid API Token")
            case ["user"]:
                return Reply({"id": "user-1", "email": "ann@example.com"})
            case ["user", "tokens", "verify"]:
                return Reply({"id": "token-1", "status": "active"})
            case ["user", "tokens", _]:
                return refusal(403, 9109, "Unauthorized to access requested resource")
            case ["accounts", account, "tokens", "verify"] if account in self._stand_in.accounts:
                return Reply({"id": "token-2", "status": "active", "expires_on": "2027-01-01T00:00:00Z"})
            case ["accounts", account, "tokens", id] if account in self._stand_in.accounts:
                groups = [{"id": "g-1", "name": "Workers KV Storage Write"}, {"id": "g-2", "name": "D1 Read"}]
                policy = {"id": "p-1", "effect": "allow", "permission_groups": groups, "resources": {}}
                return Reply({"id": id, "name": "ci", "status": "active", "policies": [policy]})
            case ["accounts"]:
                return numbered([_account_row(id) for id in self._stand_in.accounts], request)
            case ["accounts", account] if account in self._stand_in.accounts:
                return Reply(_account_row(account))
            case ["accounts", account, *rest] if account in self._stand_in.accounts:
                return self._account(request, rest)
            case ["zones", zone]:
                return Reply(_zone_row(zone))
            case ["zones"]:
                return numbered([_zone_row(f"zone-{number}") for number in range(45)], request)
        return refusal(
            404, 7003, f"Could not route to /{'/'.join(segments)}, perhaps your object identifier is invalid?"
        )

    def _account(self, request: Request, rest: list[str]) -> Reply:
        match rest:
            case ["storage", "kv", *more]:
                return self._storage.kv(request, more)
            case ["r2", "buckets", *more]:
                return self._storage.r2(request, more)
            case ["d1", "database", *more]:
                return self._databases.answer(request, more)
            case ["workers", "durable_objects", "namespaces", *more]:
                return self._durable_objects(request, more)
            case ["workflows", *more]:
                return self._workflows(request, more)
            case ["queues", *more]:
                return self._queues.answer(request, more)
            case ["workers", "scripts", *more]:
                return self._workers.answer(request, more)
        return refusal(404, 7003, "Could not route to that path")

    def _durable_objects(self, request: Request, rest: list[str]) -> Reply:
        rows = self.explorer("GET", "/workers/durable_objects/namespaces").content
        ids = {hashlib.md5(row["id"].encode()).hexdigest(): row for row in rows}
        match rest:
            case []:
                return numbered([row | {"id": id} for id, row in ids.items()], request)
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
                rows = self.explorer("GET", path).content
                counted = [
                    self.explorer("GET", f"/workflows/{quote(row['name'], safe='')}").content for row in rows
                ]
                return numbered([row | _DATES | {"id": f"id-of-{row['name']}"} for row in counted], request)
            case [name] if request.method == "GET":
                return Reply(self.explorer("GET", path).content | _DATES | {"id": f"id-of-{name}"})
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
            case [_, "instances"]:
                reply = self.explorer("GET", path, request.query)
                more = {"modified_on": _DATES["modified_on"], "version_id": "v", "workflow_id": "w"}
                # The dev server lists an instance that has not begun by its id alone.
                less = {"created_on": _DATES["created_on"], "status": "queued"}
                return reply._replace(content=[less | row | more for row in reply.content])
            case [_, "instances", id, "events", _]:
                reply = self.explorer("POST", path, request.query, request.body, headers)
                told = {"instanceId": id, "timestamp": _DATES["modified_on"]}
                return reply if reply.errors else Reply(told)
            case [_, "instances", _] if request.method == "DELETE":
                raise KeyError("DELETE of an instance")
        return self.explorer(
            request.method, path, request.query, request.body, headers if request.body else None
        )

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
                self._databases.files[name] = request.body
                return Reply(b"", headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})
            return Reply(self._databases.files[name], headers={"Content-Type": "application/sql"})
        if request.raw.startswith("/s3/files"):
            return uploads(request)
        return refusal(404, 7000, "No route for that URI")
