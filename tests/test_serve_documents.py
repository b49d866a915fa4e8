"""The OpenAPI documents of `cfwb serve`, its page in docs/, and what a command pays for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.mirror import Mirror
from tests.support.oracle import Oracle
from workbench.api.differences import as_table
from workbench.api.openapi import explorer_document, operations_document
from workbench.demo import unpack
from workbench.operations import all_operations

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    project = Path(unpack(str(tmp_path_factory.mktemp("demo"))))
    with Mirror(project, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(mirror: Mirror) -> Iterator[httpx.Client]:
    with mirror.client() as client:
        yield client


def operations_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path, whatever the names in it are called."""
    return {
        (method, re.sub(r"{[^}]*}", "{}", path)): described
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in ("get", "put", "post", "patch", "delete")
    }


def test_the_document_has_every_path_of_the_original_s(oracle: Oracle) -> None:
    theirs = operations_of(oracle.emulator.explorer(""))
    ours = operations_of(explorer_document())
    assert len(theirs) > 40
    assert set(theirs) <= set(ours), set(theirs) - set(ours)
    for key, described in theirs.items():
        assert ours[key]["operationId"] == described["operationId"]
        names = {row["name"] for row in described.get("parameters", []) if row.get("in") == "query"}
        if "x-cfwb-operations" in ours[key]:
            assert names <= {row["name"] for row in ours[key].get("parameters", [])}, key


def test_the_document_holds_together(client: httpx.Client) -> None:
    document = result_document = client.get("/").json()
    assert document == client.get("").json() == json.loads(json.dumps(explorer_document()))
    ids = [described["operationId"] for described in operations_of(result_document).values()]
    assert len(ids) == len(set(ids))
    names = {operation.name for operation in all_operations()}
    for (_, path), described in operations_of(document).items():
        assert described["summary"], path
        assert set(described.get("x-cfwb-operations", [])) <= names
        in_path = [row for row in described.get("parameters", []) if row["in"] == "path"]
        assert path.count("{") == len(in_path)
    for reference in _references(document):
        assert reference in document["components"]["schemas"]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix("#/components/schemas/")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_every_command_is_in_the_operations_document(mirror: Mirror, client: httpx.Client) -> None:
    document = client.get(f"{mirror.origin}/cdn-cgi/cfwb/api").json()
    assert document == json.loads(json.dumps(operations_document()))
    assert {path[1:] for path in document["paths"]} == {operation.name for operation in all_operations()}
    put = document["paths"]["/kv.values.put"]["post"]
    schema = put["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["key"] and "force" in schema["properties"]
    assert put["security"] == [{"token": []}]
    for reference in _references(document):
        assert reference in document["components"]["schemas"]


def test_the_page_lists_all_differences() -> None:
    assert as_table() in (ROOT / "docs" / "serve.md").read_text()


def test_the_server_costs_no_other_command_anything(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; sys.argv = ['cfwb', 'schema', '--json']\n"
        "import atexit, os; real = os._exit\n"
        "def leave(status):\n"
        "    loaded = [m for m in sys.modules if m.split('.')[0] in ('starlette', 'uvicorn') or m.startswith('workbench.api')]\n"
        "    sys.stderr.write(repr(loaded)); sys.stderr.flush(); real(status)\n"
        "os._exit = leave\n"
        "from workbench.cli.main import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"HOME": str(tmp_path)}
    )  # fmt: skip
    assert done.stderr == "[]", done.stderr
