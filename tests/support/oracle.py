"""The oracle: a Worker that does through real bindings what a test asks, and says exactly what it reads.

JavaScript values travel as nodes (tests.support.values); `js` makes one of a plain Python value. Bytes are
bytes here and base64 on the way. What the runtime refuses raises OracleError.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.emulator import Emulator
from tests.support.values import Node, bigint, catalogue, encoded, js, plain

__all__ = ["Node", "Oracle", "OracleError", "Room", "bigint", "catalogue", "js", "plain", "start_oracle"]

SOURCES = Path(__file__).resolve().parent.parent / "workers" / "oracle"


class OracleError(Exception):
    """The runtime threw: `name` is the JavaScript error's, the message is its own."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


class Oracle:
    """A running oracle; close it, or let its fixture. `state` is its `v3` folder."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.orders = OracleWorkflow(self)

    @property
    def state(self) -> Path:
        return self.emulator.state

    @property
    def project(self) -> Path:
        return self.emulator.project

    def ask(self, operation: str, /, **args: Any) -> Any:
        """One operation of the Worker; its result, or OracleError."""
        body = json.dumps({"operation": operation, "args": args}).encode()
        status, answer = self.emulator.request("POST", "/", body, {"Content-Type": "application/json"})
        if status != 200:
            raise OracleError(f"HTTP {status}", answer.decode(errors="replace"))
        said = json.loads(answer)
        if "error" in said:
            raise OracleError(said["error"]["name"], said["error"]["message"])
        return said["result"]

    def kv(self, binding: str = "CACHE") -> OracleKv:
        return OracleKv(self, binding)

    def r2(self, binding: str = "FILES") -> OracleBucket:
        return OracleBucket(self, binding)

    def d1(self, binding: str = "DB") -> OracleDatabase:
        return OracleDatabase(self, binding)

    def durable_object(self, class_name: str, name: str | None = None, *, id: str | None = None) -> Room:
        """An object of Tenant, Legacy, AppRunner or Unbound, by name or by id."""
        return Room(self, class_name, name, id, ())

    def object_id(self, class_name: str, name: str) -> str:
        """What idFromName gives."""
        return str(self.ask("objects.id", **{"class": class_name, "name": name}))

    def new_object_id(self, class_name: str) -> str:
        """What newUniqueId gives."""
        return str(self.ask("objects.new_id", **{"class": class_name}))

    def catalogue_names(self) -> list[str]:
        return list(self.ask("values.names"))

    def describe(self, value: object) -> Node:
        """A value built in the runtime from a node and described again: what a stored one must read as."""
        return dict(self.ask("values.describe", value=js(value)))

    def send_to_queue(self, body: object) -> None:
        """The consumer writes what it gets into OTHER, as `queue/<message id>`."""
        self.ask("queue.send", body=body)

    def stop(self) -> None:
        self.emulator.stop()

    def kill(self) -> None:
        self.emulator.kill()

    def restart(self) -> None:
        """Stop it and start it again on the same state and port."""
        self.emulator.stop()
        self.emulator.run()

    def close(self) -> None:
        self.emulator.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OracleKv:
    """One namespace, through its binding."""

    def __init__(self, oracle: Oracle, binding: str) -> None:
        self._oracle = oracle
        self._binding = binding

    def _ask(self, verb: str, **args: Any) -> Any:
        return self._oracle.ask(f"kv.{verb}", binding=self._binding, **args)

    def put(
        self,
        key: str,
        value: bytes,
        *,
        metadata: object = None,
        expiration: int | None = None,
        ttl: int | None = None,
    ) -> None:
        """Expiration in Unix seconds, ttl in seconds."""
        options = _given(metadata=metadata, expiration=expiration, expirationTtl=ttl)
        self._ask("put", key=key, value=encoded(value), options=options)

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        self._ask(
            "put_many", entries=[{"key": key, "value": encoded(value)} for key, value in entries.items()]
        )

    def get(self, key: str, **options: Any) -> bytes | None:
        found = self._ask("get", key=key, options=options)
        return None if found is None else base64.b64decode(found["value"])

    def metadata(self, key: str) -> Any:
        found = self._ask("get", key=key)
        return None if found is None else found["metadata"]

    def list(self, prefix: str = "", limit: int | None = None, cursor: str | None = None) -> dict[str, Any]:
        """What the binding's list gives: keys, list_complete, cursor."""
        return dict(self._ask("list", options=_given(prefix=prefix, limit=limit, cursor=cursor)))

    def names(self, prefix: str = "") -> Sequence[str]:
        """Every key's name, all pages."""
        names: list[str] = []
        cursor = None
        while True:
            page = self.list(prefix, cursor=cursor)
            names += [key["name"] for key in page["keys"]]
            if page["list_complete"]:
                return names
            cursor = page["cursor"]

    def delete(self, key: str) -> None:
        self._ask("delete", key=key)


class OracleBucket:
    """One bucket, through its binding. Objects are dicts as R2Object names its fields; checksums in hex."""

    def __init__(self, oracle: Oracle, binding: str) -> None:
        self._oracle = oracle
        self._binding = binding

    def _ask(self, verb: str, **args: Any) -> Any:
        return self._oracle.ask(f"r2.{verb}", binding=self._binding, **args)

    def put(self, key: str, value: bytes, **options: Any) -> dict[str, Any]:
        """Options: httpMetadata, customMetadata, onlyIf, md5, sha256, storageClass."""
        return dict(self._ask("put", key=key, value=encoded(value), options=options))

    def get(self, key: str, **options: Any) -> dict[str, Any] | None:
        """The object with its bytes under `value`; option range: {offset, length} or {suffix}."""
        found = self._ask("get", key=key, options=options)
        if found is None:
            return None
        return {**found, "value": None if found["value"] is None else base64.b64decode(found["value"])}

    def head(self, key: str) -> dict[str, Any] | None:
        found = self._ask("head", key=key)
        return None if found is None else dict(found)

    def list(self, **options: Any) -> dict[str, Any]:
        """Options: prefix, delimiter, limit, cursor, startAfter, include."""
        return dict(self._ask("list", options=options))

    def delete(self, *keys: str) -> None:
        self._ask("delete", keys=list(keys))

    def create_upload(self, key: str, **options: Any) -> str:
        return str(self._ask("multipart.create", key=key, options=options))

    def upload_part(self, key: str, upload_id: str, number: int, value: bytes) -> dict[str, Any]:
        """Gives {partNumber, etag}, which completing wants back."""
        arguments = {"key": key, "upload_id": upload_id, "number": number, "value": encoded(value)}
        return dict(self._ask("multipart.upload", **arguments))

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return dict(self._ask("multipart.complete", key=key, upload_id=upload_id, parts=list(parts)))

    def abort_upload(self, key: str, upload_id: str) -> None:
        self._ask("multipart.abort", key=key, upload_id=upload_id)


class OracleDatabase:
    """One D1 database, through its binding."""

    def __init__(self, oracle: Oracle, binding: str) -> None:
        self._oracle = oracle
        self._binding = binding

    def _ask(self, verb: str, **args: Any) -> Any:
        return self._oracle.ask(f"d1.{verb}", binding=self._binding, **args)

    def query(self, sql: str, *params: object) -> dict[str, Any]:
        """What all() gives: results, success, meta."""
        return dict(self._ask("query", sql=sql, params=[js(one) for one in params]))

    def rows(self, sql: str, *params: object) -> list[list[Any]]:
        """What raw() gives, as Python values (a blob comes as a list of numbers)."""
        found = self._ask("raw", sql=sql, params=[js(one) for one in params])
        return [[plain(cell) for cell in row] for row in found["rows"]]

    def exec(self, sql: str) -> dict[str, Any]:
        """What exec() gives; one statement a line, as D1 wants."""
        return dict(self._ask("exec", sql=sql))

    def batch(self, *statements: str) -> list[dict[str, Any]]:
        """All in one transaction."""
        return list(self._ask("batch", statements=[{"sql": sql} for sql in statements]))


class Room:
    """The storage of one object, or of a facet inside it."""

    def __init__(
        self, oracle: Oracle, class_name: str, name: str | None, id: str | None, path: tuple[str, ...]
    ) -> None:
        self._oracle = oracle
        self._address: dict[str, Any] = {"class": class_name, **_given(name=name, id=id)}
        self._path = path
        self._of = (class_name, name, id)

    def ask(self, operation: str, /, **args: Any) -> Any:
        return self._oracle.ask(
            "room", **self._address, path=list(self._path), operation=operation, args=args
        )

    def facet(self, *names: str) -> Room:
        """A facet of this one, by one name a level; it comes into being when first asked."""
        return Room(self._oracle, *self._of, (*self._path, *names))

    def delete_facet(self, name: str) -> None:
        self.ask("facet.delete", name=name)

    def abort_facet(self, name: str, reason: str = "aborted") -> None:
        self.ask("facet.abort", name=name, reason=reason)

    def sql(self, sql: str, *params: object) -> list[list[Any]]:
        """Rows as Python values; a blob is bytes."""
        found = self.ask("sql", sql=sql, params=[js(one) for one in params])
        return [[plain(cell) for cell in row] for row in found["rows"]]

    def get(self, key: str) -> Node:
        """What storage.kv.get reads, as a node."""
        return dict(self.ask("kv.get", key=key))

    def put(self, key: str, value: object) -> None:
        self.ask("kv.put", key=key, value=js(value))

    def delete(self, key: str) -> bool:
        return bool(self.ask("kv.delete", key=key))

    def list(self, **options: Any) -> dict[str, Node]:
        """What storage.kv.list reads, in its order."""
        return dict(self.ask("kv.list", options=options))

    def async_get(self, key: str) -> Node:
        """What the asynchronous storage.get reads; the one way in for a legacy class."""
        return dict(self.ask("async.get", key=key))

    def async_put(self, key: str, value: object) -> None:
        self.ask("async.put", key=key, value=js(value))

    def async_delete(self, key: str) -> bool:
        return bool(self.ask("async.delete", key=key))

    def async_list(self, **options: Any) -> dict[str, Node]:
        return dict(self.ask("async.list", options=options))

    def put_catalogue(self, *names: str) -> Sequence[str]:
        """Store values of the catalogue, each under its name (all of them without names)."""
        return tuple(self.ask("put.catalogue", **({"names": list(names)} if names else {})))

    def delete_all(self) -> None:
        self.ask("delete.all")

    def alarm(self) -> int | None:
        """Milliseconds since 1970, or None."""
        at = self.ask("alarm.get")
        return None if at is None else int(at)

    def set_alarm(self, at: int) -> None:
        self.ask("alarm.set", at=at)

    def delete_alarm(self) -> None:
        self.ask("alarm.delete")

    def identity(self) -> dict[str, Any]:
        """{id, name} as the object itself sees them."""
        return dict(self.ask("name"))


class OracleWorkflow:
    """The workflow `orders`. Its kinds: finish, fail (after a retry), refuse (no retry), wait, sleep."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def create(self, id: str, kind: str = "finish", **params: Any) -> str:
        return str(self._oracle.ask("workflows.create", id=id, params={"kind": kind, **params}))

    def status(self, id: str) -> dict[str, Any]:
        """{status, error, output}."""
        return dict(self._oracle.ask("workflows.status", id=id))

    def act(self, id: str, action: str) -> None:
        """pause, resume, terminate or restart."""
        self._oracle.ask("workflows.act", id=id, action=action)

    def send_event(self, id: str, type: str, payload: object) -> None:
        self._oracle.ask("workflows.send", id=id, type=type, payload=payload)


def start_oracle(folder: Path, *, persist_to: Path | None = None, **options: Any) -> Oracle:
    """Copy the Worker into `folder` and run it there; state below the folder unless `persist_to` says where."""
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    return Oracle(Emulator.start(folder, persist_to=persist_to, **options))
