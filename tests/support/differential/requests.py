"""Random requests, the same for the same seed: few names, so that they meet each other, and hostile ones among them."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

KV = ("cache-namespace", "other-namespace")
KEYS = (
    *(f"user/{number}" for number in range(12)),
    *(f"n{number:02}" for number in range(30)),
    "a b", "ä/ö", "😀", "x%2Fy", "..x", "tab\tkey", "q?a=b&c#d", "ÿ" * 256, "z" * 512, "plus+plus", "'\"",
)  # fmt: skip
WRONG_KEYS = ("k" * 513, "é" * 300, "%FF")
PREFIXES = ("", "user/", "n1", "ä", "nothing", "z" * 10, "user/1")
METADATA: tuple[Any, ...] = (
    None, 0, 12.5, "text", "", True, False, [], {}, {"a": [1, {"b": None}]}, "ä😀", "m" * 1000, "m" * 1100,
)  # fmt: skip
TABLES = ("items", "events")
OBJECTS = ("acme", "globex")
NUMBERS: tuple[Any, ...] = (0, 1, -1, 7, 2**31, 2**53 - 1, 2**53 + 1, -(2**63), 2**63 - 1)


class Request(NamedTuple):
    """kind: what it is about, for the allowances. body: bytes or None."""

    kind: str
    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path[:200]} {self.headers or ''} {(self.body or b'')[:300]!r}"


class Requests:
    """A source of requests."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self) -> Request:
        """The next request."""
        makers = (
            (self._kv_read, 14), (self._kv_write, 16), (self._kv_bulk, 8), (self._r2_read, 12),
            (self._r2_write, 12), (self._d1, 22), (self._objects, 12), (self._workflows, 3), (self._lists, 3),
        )  # fmt: skip
        maker = self.random.choices([one for one, _ in makers], [weight for _, weight in makers])[0]
        return maker()

    # -- small parts

    def _pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def _often(self, chance: float) -> bool:
        return self.random.random() < chance

    def _key(self) -> str:
        return str(self._pick(WRONG_KEYS) if self._often(0.03) else self._pick(KEYS))

    def _bytes(self) -> bytes:
        size = self._pick((0, 1, 10, 100, 3000, 70_000) if self._often(0.2) else (0, 1, 5, 20))
        return bytes(self.random.randbytes(size)) if self._often(0.5) else (b"text \xc3\xa4 " * 9000)[:size]

    def _path(self, *segments: str) -> str:
        return "/" + "/".join(quote(segment, safe="") for segment in segments)

    def _query(self, **values: Any) -> str:
        given = [(name, value) for name, value in values.items() if value is not None]
        return "?" + urlencode(given) if given else ""

    def _json(self, kind: str, method: str, path: str, value: Any) -> Request:
        return Request(kind, method, path, {"content-type": "application/json"}, json.dumps(value).encode())

    # -- KV

    def _kv_read(self) -> Request:
        namespace = self._pick(KV)
        if self._often(0.5):
            return Request(
                "kv.value", "GET", self._path("storage", "kv", "namespaces", namespace, "values", self._key())
            )
        limit = self._pick((None, 10, 11, 25, 1000, 9, 1001, "abc", "", "10.5", "0x10", "Infinity"))
        query = self._query(
            limit=limit if self._often(0.5) else self._pick((10, 12, None)),
            prefix=self._pick((None, *PREFIXES)) if self._often(0.6) else None,
            cursor=self._pick((None, "", "bjA1", "dXNlci8x", "!!")) if self._often(0.3) else None,
        )
        return Request("kv.keys", "GET", self._path("storage", "kv", "namespaces", namespace, "keys") + query)

    def _kv_write(self) -> Request:
        path = self._path("storage", "kv", "namespaces", self._pick(KV), "values", self._key())
        if self._often(0.3):
            return Request("kv.delete", "DELETE", path)
        value = self._bytes()
        if self._often(0.5):
            headers = {"content-type": self._pick(("application/octet-stream", "text/plain"))}
            return Request("kv.put", "PUT", path, headers, value)
        file = self._often(0.5) or not _is_text(value)
        parts = [] if self._often(0.05) else [("value", value, file)]
        if self._often(0.8):
            metadata = self._pick(METADATA)
            text = "{bad" if self._often(0.05) else json.dumps(metadata, ensure_ascii=self._often(0.5))
            parts.append(("metadata", text.encode(), self._often(0.2)))
        return Request("kv.put", "PUT", path, *_form(parts))

    def _kv_bulk(self) -> Request:
        base = ("storage", "kv", "namespaces", self._pick(KV), "bulk")
        keys = [self._key() for _ in range(self.random.randrange(0, 6))]
        what = self._pick(("get", "put", "delete"))
        if what == "get":
            body: Any = (
                {"keys": keys}
                if self._often(0.95)
                else self._pick(([], {}, {"keys": [1]}, {"keys": ["a"] * 101}))
            )
            return self._json("kv.bulk.get", "POST", self._path(*base, "get"), body)
        if what == "delete":
            body = keys if self._often(0.95) else self._pick(({}, [3], [""], ["."], "x"))
            return self._json("kv.bulk.delete", "POST", self._path(*base, "delete"), body)
        entries = [self._entry(key) for key in keys]
        if entries and self._often(0.1):
            entries.append(dict(entries[0]))
        if self._often(0.05):
            return Request(
                "kv.bulk.put", "PUT", self._path(*base), {"content-type": "application/json"}, b"{bad"
            )
        return self._json("kv.bulk.put", "PUT", self._path(*base), entries)

    def _entry(self, key: str) -> dict[str, Any]:
        import base64

        entry: dict[str, Any] = {"key": key, "value": self._pick(("", "v", "ä😀", "x" * 500))}
        if self._often(0.3):
            entry |= {"base64": True, "value": base64.b64encode(self._bytes()[:200]).decode()}
        if self._often(0.3):
            entry["metadata"] = self._pick(METADATA)
        if self._often(0.02):
            entry["value"] = self._pick((3, None, "!!"))
        if self._often(0.03):
            entry["expiration_ttl"] = self._pick((10, "60"))
        if self._often(0.03):
            entry["expiration"] = self._pick((10, 2_100_000_000))
        return entry

    # -- R2

    def _r2_read(self) -> Request:
        if self._often(0.5):
            headers = {"cf-metadata-only": "true"} if self._often(0.4) else {}
            key = "k" * 1025 if self._often(0.03) else self._key()
            return Request(
                "r2.object", self._pick(("GET", "GET", "GET", "HEAD")),
                self._path("r2", "buckets", "files", "objects", key), headers,
            )  # fmt: skip
        query = self._query(
            prefix=self._pick((None, *PREFIXES)),
            delimiter=self._pick((None, None, "/", "r", "")),
            per_page=self._pick((None, 1, 2, 3, 10, 1000) if self._often(0.9) else (0, 1001, "abc", 1.5)),
            cursor=self._pick((None, "", "bjA1", "dXNlci8x")) if self._often(0.3) else None,
        )
        return Request("r2.list", "GET", self._path("r2", "buckets", "files", "objects") + query)

    def _r2_write(self) -> Request:
        base = ("r2", "buckets", "files", "objects")
        what = self.random.random()
        if what < 0.2:
            return Request("r2.delete", "DELETE", self._path(*base, self._key()))
        if what < 0.3:
            keys: Any = [self._key() for _ in range(self.random.randrange(0, 5))]
            if self._often(0.1):
                keys = self._pick(([], [1], {}, ["k" * 1025]))
            return self._json("r2.delete", "DELETE", self._path(*base), keys)
        headers: dict[str, str] = {}
        if self._often(0.7):
            headers["content-type"] = self._pick(("text/plain", "image/png", "text/html; charset=utf-8"))
        if self._often(0.4):
            headers["cf-r2-custom-metadata"] = self._pick(
                ('{"owner": "ann"}', '{"a": "1", "b": "\\u00e4"}', "{}", "{bad", "[]", '{"k": "' + "m" * 9000 + '"}', '{"n": 1}')
            )  # fmt: skip
        key = "k" * 1025 if self._often(0.02) else self._key()
        return Request("r2.put", "PUT", self._path(*base, key), headers, self._bytes())

    # -- SQL

    def _d1(self) -> Request:
        path = self._path("d1", "database", "shop-database", "raw")
        if self._often(0.03):
            return self._json(
                "d1",
                "POST",
                path,
                self._pick(({}, [], {"sql": 3}, {"batch": []}, {"sql": "SELECT ?", "params": "a"})),
            )
        if self._often(0.25):
            batch = [self._statement(texts=True) for _ in range(self.random.randrange(1, 5))]
            return self._json("d1", "POST", path, {"batch": batch})
        if self._often(0.03):
            several = {"sql": "SELECT 1; SELECT ? AS second", "params": ["a"]}
            return self._json("d1", "POST", path, self._pick((several, {"sql": "SELECT 1; SELECT 2 AS b"})))
        return self._json("d1", "POST", path, self._statement(texts=True))

    def _statement(self, *, texts: bool) -> dict[str, Any]:
        """texts: parameters are texts, as the original wants them for D1."""
        table = self._pick(TABLES)
        what = self._pick(_STATEMENTS)
        value = self._literal()
        if "RETURNING" in what and "AS TEXT" in value:
            value = "NULL"  # the listed failure, after which the two states would differ
        sql = what.format(
            table=table, n=self.random.randrange(1, 15), value=value, limit=self.random.randrange(0, 6)
        )
        count = sql.count("?")
        if self._often(0.05):
            count += self._pick((-1, 1))
        params = [self._parameter(texts) for _ in range(max(0, count))]
        return {"sql": sql, "params": params} if params or self._often(0.1) else {"sql": sql}

    def _literal(self) -> str:
        return str(
            self._pick((
                *NUMBERS, "1.5", "-0.0", "1e300", "9e999", "'text'", "'ä😀'", "''", "x'0102ff'", "x''", "NULL",
                "CAST(x'ff41' AS TEXT)", "zeroblob(3)", "char(0)",
            ))
        )  # fmt: skip

    def _parameter(self, texts: bool) -> Any:
        words = ("a", "", "ä😀", "12", "x'y")
        return self._pick(words if texts else (*words, 2.5, None, -0.25))

    def _objects(self) -> Request:
        namespace = self._pick(
            ("oracle-Tenant", "oracle-Tenant", "oracle-AppRunner", "oracle-Legacy", "oracle-Nope")
        )
        base = ("workers", "durable_objects", "namespaces", namespace)
        if self._often(0.2):
            query = self._query(
                limit=self._pick((None, 10, 1000, 5, "x")), cursor=self._pick((None, None, "", "8", "zz"))
            )
            return Request("do.objects", "GET", self._path(*base, "objects") + query)
        body: dict[str, Any] = {
            "queries": [self._statement(texts=False) for _ in range(self.random.randrange(0, 4))]
        }
        if self._often(0.1):
            body["durable_object_id"] = self._pick(("zz", "0" * 64))
        else:
            body["durable_object_name"] = self._pick(OBJECTS) if namespace == "oracle-Tenant" else "app"
        if self._often(0.03):
            body = self._pick(({}, [], {"queries": []}, {"durable_object_name": "", "queries": []}))
        return self._json("do.query", "POST", self._path(*base, "query"), body)

    # -- the rest

    def _workflows(self) -> Request:
        name = self._pick(("orders", "orders", "nope"))
        what = self._pick(("list", "details", "instances", "instance", "batch"))
        if what == "list":
            return Request("workflows", "GET", "/workflows")
        if what == "details":
            return Request("workflows", "GET", self._path("workflows", name))
        if what == "instances":
            query = self._query(
                status=self._pick((None, "complete", "errored", "odd")),
                page=self._pick((None, None, 1, 0)),
                date_start=self._pick((None, None, "2020-01-01T00:00:00Z", "yesterday")),
                date_end=self._pick((None, None, "2019-01-01T00:00:00Z", "2099-01-01T00:00:00.000Z")),
            )
            return Request("workflows.instances", "GET", self._path("workflows", name, "instances") + query)
        if what == "instance":
            id = self._pick(("one", "two", "three", "none", "0" * 64))
            return Request("workflows.instance", "GET", self._path("workflows", name, "instances", id))
        ids = self._pick((["none"], ["none", "nor this"], [], ["ä"], [""]))
        path = self._path("workflows", name, "instances", "batch", "delete")
        return self._json("workflows.batch", "POST", path, {"instances": ids})

    def _lists(self) -> Request:
        if self._often(0.3):
            body = {"sql": self._pick(_OF_TRACES)}
            return self._json("traces", "POST", "/local/observability/query", body)
        path = self._pick((
            "/storage/kv/namespaces", "/storage/kv/namespaces?order=title&direction=desc",
            "/storage/kv/namespaces?order=odd", "/r2/buckets", "/d1/database", "/d1/database?name=d",
            "/d1/database?name=zz", "/workers/durable_objects/namespaces", "/local/workers",
        ))  # fmt: skip
        return Request("lists", "GET", path)


_STATEMENTS = (
    "INSERT INTO {table} (label, amount) VALUES (?, {value})",
    "INSERT INTO {table} (label, amount) VALUES (?, ?), ({value}, ?)",
    "INSERT INTO {table} (id, label) VALUES ({n}, ?)",
    "INSERT OR REPLACE INTO {table} (id, label, amount) VALUES ({n}, ?, {value})",
    "INSERT INTO {table} (label, amount) VALUES (?, {value}) RETURNING id, label, amount",
    "UPDATE {table} SET amount = {value} WHERE id = {n}",
    "UPDATE {table} SET label = label || ? WHERE id > {n}",
    "DELETE FROM {table} WHERE id = {n}",
    "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id DESC LIMIT {limit})",
    "SELECT * FROM {table} ORDER BY id LIMIT {limit}",
    "SELECT id, label, amount, typeof(amount) AS kind FROM {table} WHERE label >= ? ORDER BY id LIMIT 20",
    "SELECT count(*) AS n, max(id), sum(length(label)) FROM {table}",
    "SELECT {value} AS v, typeof({value}), ? AS p",
    "SELECT a.id, b.id FROM {table} a JOIN items b ON a.id = b.id ORDER BY 1, 2 LIMIT {limit}",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT i FROM n",
    "CREATE TABLE IF NOT EXISTS extra{n} (id INTEGER PRIMARY KEY, note TEXT UNIQUE, CHECK (length(note) < 20))",
    "INSERT INTO extra{n} (note) VALUES (?)",
    "DROP TABLE IF EXISTS extra{n}",
    "SELECT name, type FROM sqlite_schema WHERE name LIKE 'extra%' ORDER BY name",
    "PRAGMA table_info({table})",
    "SELECT * FROM missing{n}",
    "SELEC {n}",
    "SELECT label FROM {table} WHERE nothing = 1",
    "INSERT INTO {table} (id, label) VALUES (1, NULL)",
    "",
    "-- only a comment",
    "/* a comment */",
    "SELECT ?1, ?1",
    "SELECT json_extract(?, '$.a')",
    "SELECT upper('ä'), lower('Ä'), length('😀'), hex({value})",
    "SELECT abs(-9223372036854775808)",
    "BEGIN",
    "PRAGMA journal_mode = DELETE",
    "SELECT * FROM _cf_KV",
    "CREATE TABLE _cf_mine (a)",
    "VACUUM",
    "ATTACH ':memory:' AS other",
    "SELECT load_extension('x')",
)


_OF_TRACES = (
    "SELECT trace_id, span_id, parent_id, service, name, kind, duration_ms, outcome, json(attributes) FROM spans"
    " WHERE name <> 'none' ORDER BY start_ms, span_id LIMIT 7",
    "SELECT count(*) AS n FROM logs WHERE level = 'nothing'",
    "WITH s AS (SELECT service FROM spans ORDER BY start_ms LIMIT 1) SELECT * FROM s;",
    "DELETE FROM spans",
    "WITH s AS (SELECT 1) DELETE FROM logs",
    "SELECT 1; SELECT 2",
    "SELECT nothing FROM spans",
    "PRAGMA table_info(spans)",
    "SELEC 1",
)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _form(parts: list[tuple[str, bytes, bool]]) -> tuple[dict[str, str], bytes]:
    """A multipart body: (name, data, whether it names a file)."""
    mark = "cfwb-differential-boundary"
    pieces = []
    for name, data, file in parts:
        named = '; filename="blob"' if file else ""
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n" if file else "\r\n"
        pieces.append(head.encode() + data + b"\r\n")
    body = b"".join(pieces) + f"--{mark}--\r\n".encode()
    return {"content-type": f"multipart/form-data; boundary={mark}"}, body
