"""Every command over HTTP, on the sample project: the envelope of the command line, and its rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cli import cfwb
from tests.support.mirror import Mirror
from workbench.demo import unpack

NAMESPACE = "/storage/kv/namespaces/sessions-preview"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    project = Path(unpack(str(tmp_path_factory.mktemp("demo"))))
    with Mirror(project, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(mirror: Mirror) -> Iterator[httpx.Client]:
    with mirror.client() as client:
        yield client


def operation(mirror: Mirror, client: httpx.Client, name: str, **arguments: Any) -> httpx.Response:
    return client.post(f"{mirror.origin}/cdn-cgi/cfwb/api/{name}", json=arguments)


@pytest.mark.parametrize(
    ("name", "words", "arguments"),
    [
        ("kv.keys.list", ["--binding", "CACHE", "--limit", "3"], {"binding": "CACHE", "limit": 3}),
        ("kv.values.get", ["config/site", "--binding", "CACHE"], {"key": "config/site", "binding": "CACHE"}),
        ("r2.objects.list", ["--delimiter", "/", "--limit", "10"], {"delimiter": "/", "limit": 10}),
        ("do.facets.list", ["--namespace", "AppRunner", "--object", "my-app"], {"namespace": "AppRunner", "object": "my-app"}),
        ("d1.export", ["--schema-only"], {"schema_only": True}),
        ("kv.values.export", ["--binding", "CACHE", "--prefix", "config/m"], {"binding": "CACHE", "prefix": "config/m"}),
        ("workflows.instances.list", ["--limit", "2"], {"limit": 2}),
        ("kv.values.get", ["nothing", "--binding", "CACHE"], {"key": "nothing", "binding": "CACHE"}),
        ("state.delete", [], {}),
        ("schema", ["kv.values.put"], {"operation": "kv.values.put"}),
    ],
)  # fmt: skip
def test_a_command_answers_as_on_the_command_line(
    mirror: Mirror,
    client: httpx.Client,
    tmp_path: Path,
    name: str,
    words: list[str],
    arguments: dict[str, Any],
) -> None:
    there = cfwb(*name.split("."), *words, "--json", cwd=mirror.project, home=tmp_path).json
    here = operation(mirror, client, name, **arguments).json()
    if name == "schema":  # it needs no project, so a command line only tells the folder
        there["target"] = here["target"]
    assert here == there


def test_rows_are_sent_while_they_are_read(mirror: Mirror, client: httpx.Client) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i, 'text' FROM n"
    operation(mirror, client, "d1.query", sql="SELECT 1")
    before = mirror.peak
    said = operation(mirror, client, "d1.query", sql=sql).json()
    (found,) = said["result"]
    assert found["columns"] == ["i", "'text'"] and len(found["rows"]) == 400_000
    assert found["rows"][-1] == [400_000, "text"] and said["result_info"] == {"count": 1, "cursor": None}
    if before is not None:
        assert (mirror.peak or 0) - before < 40 << 20


def test_an_answer_that_breaks_off_stays_one_value(mirror: Mirror, client: httpx.Client) -> None:
    sql = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "SELECT CASE WHEN i > 90000 THEN abs(-9223372036854775807 - 1) ELSE i END FROM n"
    )
    said = operation(mirror, client, "d1.query", sql=sql)
    assert said.status_code == 200
    assert said.json()["error"]["code"] == "sql.error"
    assert 0 < len(said.json()["result"][0]["rows"]) <= 90_000


def test_lists_page_unless_a_limit_is_given(mirror: Mirror, client: httpx.Client) -> None:
    where = {"binding": "CACHE", "prefix": "config/"}
    first = operation(mirror, client, "kv.keys.list", limit=2, **where).json()
    then = operation(mirror, client, "kv.keys.list", cursor=first["result_info"]["cursor"], **where).json()
    whole = operation(mirror, client, "kv.keys.list", **where).json()
    assert operation(mirror, client, "kv.keys.list", binding="CACHE").json()["result_info"]["count"] == 1000
    assert first["result"] + then["result"] == whole["result"]


def test_what_destroys_has_to_be_forced_here_too(mirror: Mirror, client: httpx.Client) -> None:
    put = operation(mirror, client, "kv.values.put", binding="SESSIONS", key="gone", value={"$bytes": "AP8="})
    assert put.json()["result"]["size_bytes"] == 2
    asked = operation(mirror, client, "kv.values.delete", binding="SESSIONS", key=["gone"])
    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "confirmation.needed")
    dry = operation(mirror, client, "kv.values.delete", binding="SESSIONS", key=["gone"], dry_run=True)
    assert dry.json()["result"]["total"] == 1 and dry.json()["result"]["dry_run"] is True
    done = operation(mirror, client, "kv.values.delete", binding="SESSIONS", key=["gone"], force=True)
    assert done.json()["result"]["total"] == 1


def test_no_file_of_the_server_is_read_or_written(
    mirror: Mirror, client: httpx.Client, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    put = operation(mirror, client, "kv.values.put", binding="SESSIONS", key="f", file=str(secret))
    assert put.status_code == 200
    assert client.get(f"{NAMESPACE}/values/f").text == str(secret), "a file is given as its content"
    out = operation(mirror, client, "d1.export", output=str(tmp_path / "out.sql"))
    assert out.status_code == 400 and not (tmp_path / "out.sql").exists()


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("kv.nothing.list", b"{}", 400, "usage"),
        ("kv.keys.list", b"{bad", 400, "usage"),
        ("kv.keys.list", b"[]", 400, "usage"),
        ("kv.keys.list", b'{"odd": 1}', 400, "usage"),
        ("kv.keys.list", b'{"binding": "NOPE"}', 404, "kv.namespace_not_found"),
        ("kv.keys.list", b'{"binding": "CACHE", "limit": "x"}', 400, "usage"),
    ],
)
def test_a_wrong_request_is_an_envelope(
    mirror: Mirror, client: httpx.Client, name: str, body: bytes, status: int, code: str
) -> None:
    answer = client.post(f"{mirror.origin}/cdn-cgi/cfwb/api/{name}", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["target"]["kind"] == "local"
