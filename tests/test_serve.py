"""What `cfwb serve` adds to the Explorer's paths, on the sample project: facets, exact values, metadata, pages, uploads of any size."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.emulator import EXPLORER
from tests.support.mirror import Mirror
from workbench.api.app import Application
from workbench.api.door import Door
from workbench.api.lacking import NEEDS_A_SERVER
from workbench.api.opened import Opened
from workbench.demo import unpack
from workbench.model.errors import WorkbenchError

NAMESPACE = "/storage/kv/namespaces/sessions-preview"
OBJECTS = "/r2/buckets/files/objects"
CLASS = "/workers/durable_objects/namespaces/shop-api-AppRunner"
APP = f"{CLASS}/objects/my-app"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    project = Path(unpack(str(tmp_path_factory.mktemp("demo"))))
    with Mirror(project, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(mirror: Mirror) -> Iterator[httpx.Client]:
    with mirror.client() as client:
        yield client


def result(answer: httpx.Response) -> Any:
    said = answer.json()
    assert said["success"] is True, said
    assert said["errors"] == said["messages"] == []
    return said["result"]


# -- facets and storage


def test_facets_are_listed_and_no_objects(client: httpx.Client) -> None:
    tree = result(client.get(f"{APP}/facets"))
    names = {facet["name"]: facet for facet in tree}
    assert names["app"]["facets"][0]["name"] == "inner"
    ids = [row["id"] for row in result(client.get(f"{CLASS}/objects"))]
    assert ids and all(len(id) == 64 for id in ids)


def test_sql_reaches_a_facet_inside_a_facet(client: httpx.Client) -> None:
    def ask(*facets: str) -> Any:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1"
        body = {"durable_object_name": "my-app", "facets": list(facets), "queries": [{"sql": sql}]}
        return result(client.post(f"{CLASS}/query", json=body))[0]["rows"]

    assert ["entries"] in ask("app")
    assert ask("app") != ask() and ask("app", "inner") != ask("app")


def test_storage_of_a_facet_is_read_and_written_decoded(client: httpx.Client) -> None:
    path = f"{APP}/storage/{quote('made/here', safe='')}"
    value = {"$map": [["eu", {"$bigint": "12"}]]}
    assert result(client.put(f"{path}?facet=app", content=json.dumps(value)))["value"] == value
    assert result(client.get(f"{path}?facet=app"))["value"] == value
    listed = client.get(f"{APP}/storage?facet=app&prefix=made").json()
    assert [row["key"] for row in listed["result"]] == ["made/here"]
    assert listed["result_info"] == {"count": 1, "cursor": ""}
    raw = client.get(f"{path}?facet=app", headers={"accept": "application/octet-stream"}).content
    assert raw[:2] == b"\xff\x0f"
    assert client.get(path).status_code == 404, "the object's own storage is another room"
    assert client.put(f"{path}?facet=app&facet=inner&format=v8", content=raw).status_code == 200
    assert result(client.get(f"{path}?facet=app&facet=inner"))["value"] == value
    for query in ("facet=app", "facet=app&facet=inner"):
        assert result(client.delete(f"{path}?{query}"))["total"] == 1


def test_entries_are_paged(client: httpx.Client) -> None:
    whole = client.get(f"{APP}/storage?facet=app").json()["result"]
    first = client.get(f"{APP}/storage?facet=app&limit=1").json()
    rest = client.get(
        f"{APP}/storage", params={"facet": "app", "cursor": first["result_info"]["cursor"]}
    ).json()
    assert len(whole) > 1
    assert first["result"] + rest["result"] == whole


# -- exact values, metadata, what the account API has


def test_integers_are_exact_both_ways(client: httpx.Client) -> None:
    path = f"/d1/database/{result(client.get('/d1/database'))[0]['uuid']}"
    sql = {
        "sql": "SELECT ? AS a, ? AS b, ? AS c, ? AS d",
        "params": [2**63 - 1, -(2**53) - 1, [1, 255], None],
    }
    (raw,) = result(client.post(f"{path}/raw", json=sql))
    assert raw["results"] == {
        "columns": ["a", "b", "c", "d"],
        "rows": [[2**63 - 1, -(2**53) - 1, [1, 255], None]],
    }
    (query,) = result(client.post(f"{path}/query", json=sql))
    assert query["results"] == [{"a": 2**63 - 1, "b": -(2**53) - 1, "c": [1, 255], "d": None}]
    kinds = "SELECT typeof(?) AS k, typeof(?), typeof(?), typeof(?)"
    (types,) = result(client.post(f"{path}/raw", json={"sql": kinds, "params": [1, 1.5, [1], "1"]}))
    assert types["results"]["rows"] == [["integer", "real", "blob", "text"]]


def test_a_batch_is_done_whole_or_not_at_all(client: httpx.Client) -> None:
    path = f"/d1/database/{result(client.get('/d1/database'))[0]['uuid']}/raw"
    count = {"sql": "SELECT count(*) FROM customers WHERE name = 'made by a test'"}
    before = result(client.post(path, json=count))[0]["results"]["rows"]
    batch = {
        "batch": [
            {"sql": "UPDATE customers SET name = 'made by a test'"},
            {"sql": "SELECT * FROM nowhere"},
        ]
    }
    answer = client.post(path, json=batch)
    assert answer.status_code == 500 and answer.headers["x-cfwb-error"] == "sql.error"
    assert answer.json()["errors"][0]["message"] == "no such table: nowhere: SQLITE_ERROR"
    assert result(client.post(path, json=count))[0]["results"]["rows"] == before


def test_a_list_of_objects_carries_their_metadata(client: httpx.Client) -> None:
    headers = {
        "content-type": "image/png",
        "cache-control": "no-store",
        "content-disposition": "inline",
        "content-language": "de",
        "cf-r2-custom-metadata": '{"owner": "ann"}',
    }
    result(client.put(f"{OBJECTS}/made/here.png", content=b"png", headers=headers))
    (row,) = result(client.get(f"{OBJECTS}?prefix=made/"))
    assert row["custom_metadata"] == {"owner": "ann"}
    assert row["http_metadata"] == {
        "contentType": "image/png",
        "cacheControl": "no-store",
        "contentDisposition": "inline",
        "contentLanguage": "de",
    }
    got = client.get(f"{OBJECTS}/made%2Fhere.png")
    assert (got.content, got.headers["content-type"]) == (b"png", "image/png")
    assert got.headers["x-r2-custom-metadata-owner"] == "ann"
    assert result(client.delete(f"{OBJECTS}/made/here.png")) == {"key": "made/here.png"}


def test_a_value_expires_when_it_was_told_to(client: httpx.Client) -> None:
    result(client.put(f"{NAMESPACE}/values/short?expiration_ttl=100", content=b"x"))
    left = int(client.get(f"{NAMESPACE}/values/short").headers["expiration"]) - time.time()
    assert 0 < left <= 100
    assert client.put(f"{NAMESPACE}/values/short?expiration_ttl=10", content=b"x").status_code == 400


def test_bulk_reads_parse_and_carry_metadata(client: httpx.Client) -> None:
    entries = [
        {"key": "bulk/a", "value": '{"n": 1}', "metadata": {"m": 1}, "expiration_ttl": 100},
        {"key": "bulk/b", "value": "AAH/", "base64": True},
    ]
    assert result(client.put(f"{NAMESPACE}/bulk", json=entries))["successful_key_count"] == 2
    assert client.get(f"{NAMESPACE}/values/bulk/b").content == b"\x00\x01\xff"
    assert result(client.get(f"{NAMESPACE}/metadata/bulk/a")) == {"m": 1}
    body = {"keys": ["bulk/a", "nothing"], "type": "json", "withMetadata": True}
    values = result(client.post(f"{NAMESPACE}/bulk/get", json=body))["values"]
    assert values["nothing"] is None
    assert values["bulk/a"]["value"] == {"n": 1} and values["bulk/a"]["metadata"] == {"m": 1}
    assert values["bulk/a"]["expiration"] > time.time()
    assert (
        result(client.post(f"{NAMESPACE}/bulk/delete", json=["bulk/a", "bulk/b"]))["successful_key_count"]
        == 2
    )


def test_every_path_answers_below_any_account(mirror: Mirror, client: httpx.Client) -> None:
    for path in ("/storage/kv/namespaces", "/r2/buckets", "/d1/database", "/workflows", f"{CLASS}/objects"):
        assert client.get(f"/accounts/0123abc{path}").json() == client.get(path).json()
        same = client.get(f"{mirror.origin}/cdn-cgi/local/explorer/api{path}")
        assert same.json() == client.get(path).json()


def test_whole_lists_have_pages(client: httpx.Client) -> None:
    whole = result(client.get("/storage/kv/namespaces"))
    pages = [
        client.get(f"/storage/kv/namespaces?page={n}&per_page=1").json() for n in range(1, len(whole) + 2)
    ]
    assert [row for page in pages for row in page["result"]] == whole
    assert pages[0]["result_info"] == {
        "count": 1, "page": 1, "per_page": 1, "total_count": len(whole), "total_pages": len(whole),
    }  # fmt: skip
    assert client.get("/storage/kv/namespaces?page=2").json()["result"] == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/storage/kv/namespaces/nothing/keys", 404, 10013),
        ("/r2/buckets/nothing/objects", 404, 10006),
        ("/d1/database/nothing", 404, 7404),
        ("/workers/durable_objects/namespaces/nothing/objects", 404, 10066),
        ("/workflows/nothing", 404, 10501),
        ("/nothing/at/all", 404, 10000),
        ("/storage/kv/namespaces/sessions-preview/bulk", 405, 10000),
    ],
)
def test_what_is_not_there_is_said_and_not_made(
    client: httpx.Client, mirror: Mirror, path: str, status: int, code: int
) -> None:
    before = _files(mirror)
    answer = client.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert _files(mirror) == before


def _files(mirror: Mirror) -> set[str]:
    state = Path(mirror.said["target"]["source"])
    return {str(path) for path in state.rglob("*") if not path.name.endswith(("-shm", "-wal"))}


def test_a_binding_s_name_is_no_id(client: httpx.Client) -> None:
    assert client.get("/storage/kv/namespaces/CACHE/keys").status_code == 404


@pytest.mark.parametrize("what", NEEDS_A_SERVER)
def test_what_needs_a_running_server_says_so(client: httpx.Client, what: str) -> None:
    for method, path, _ in NEEDS_A_SERVER[what]:
        answer = client.request(method, path.replace("{", "").replace("}", ""))
        assert answer.status_code == 501
        assert "running dev server" in answer.json()["errors"][0]["message"]


# -- bodies of any size


def test_an_upload_streams_both_ways_in_flat_memory(mirror: Mirror, client: httpx.Client) -> None:
    size, piece = 192 << 20, bytes(range(256)) * 4096
    result(client.put(f"{OBJECTS}/warm", content=piece))
    before = mirror.peak

    def pieces() -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    assert result(client.put(f"{OBJECTS}/large", content=pieces()))["size"] == size
    got = 0
    with client.stream("GET", f"{OBJECTS}/large") as answer:
        assert int(answer.headers["content-length"]) == size
        for chunk in answer.iter_raw():
            got += len(chunk)
    assert got == size
    assert result(client.get(f"{OBJECTS}/large", headers={"cf-metadata-only": "true"}))["size"] == size
    result(client.request("DELETE", OBJECTS, json=["large", "warm"]))
    if before is not None:
        assert (mirror.peak or 0) - before < 48 << 20


def test_an_upload_that_breaks_off_leaves_nothing(mirror: Mirror, client: httpx.Client) -> None:
    before = _files(mirror)
    with socket.create_connection(("127.0.0.1", mirror.port)) as raw:
        raw.sendall(
            f"PUT {EXPLORER}{OBJECTS}/broken HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
            f"Authorization: Bearer {mirror.token}\r\n\r\n".encode()
            + b"x" * 300_000
        )
        deadline = time.monotonic() + 20
        while _files(mirror) == before:
            assert time.monotonic() < deadline, "the upload has begun"
    deadline = time.monotonic() + 20
    while _files(mirror) != before:
        assert time.monotonic() < deadline, _files(mirror) - before
    assert client.get(f"{OBJECTS}/broken").status_code == 404


def test_a_value_that_is_too_large_is_refused(client: httpx.Client) -> None:
    answer = client.put(f"{NAMESPACE}/values/large", content=b"x" * ((25 << 20) + 1))
    assert answer.status_code == 413
    assert client.get(f"{NAMESPACE}/values/large").status_code == 404


async def test_a_client_that_leaves_stops_its_query(tmp_path: Path) -> None:
    project = unpack(str(tmp_path / "demo"))
    application = Application(Opened(folder=project), Door("t" * 40), _unexpected)
    gone = asyncio.Event()
    body = json.dumps(
        {"sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"}
    )
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body.encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"host": "localhost", "authorization": f"Bearer {'t' * 40}"}
    request = asyncio.create_task(
        application(
            {
                "type": "http",
                "method": "POST",
                "path": "",
                "raw_path": b"/cdn-cgi/cfwb/api/d1.query",
                "query_string": b"",
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
                "client": None,
                "server": None,
            },
            receive,  # type: ignore[arg-type]
            send,
        )
    )
    await asyncio.sleep(0.05)
    assert not request.done(), "it would never end by itself"
    gone.set()
    await asyncio.wait_for(request, 30)
    assert sent[0]["status"] == 499
    application.close()


def _unexpected(error: Exception) -> WorkbenchError:
    raise error
