"""Every operation's JSON on the sample project, as it is kept in tests/golden.

`CFWB_UPDATE_GOLDENS=1 pytest tests/test_cli_goldens.py` writes them again; read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import cfwb
from tests.support.sample import copy, sample
from workbench.operations import READS, all_operations, get

GOLDEN = Path(__file__).parent / "golden"
APP = ("--namespace", "AppRunner", "--object", "my-app")

# Name of the golden -> the command lines, one after another on one copy of the sample; the last one's answer is kept.
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "bindings.list": [()],
    "project.get": [()],
    "kv.namespaces.list": [()],
    "kv.namespaces.delete": [("--binding", "SESSIONS", "--dry-run")],
    "kv.keys.list": [("--binding", "CACHE", "--prefix", "config/")],
    "kv.values.get": [("config/features", "--binding", "CACHE")],
    "kv.values.put": [
        (
            "new/key",
            "--binding",
            "CACHE",
            "--value",
            "é",
            "--metadata",
            '{"v": 1}',
            "--expiration",
            "4102444800",
        )
    ],
    "kv.values.delete": [("config/motd", "nope", "--binding", "CACHE", "--force")],
    "kv.values.copy": [("config/motd", "config/motd2", "--binding", "CACHE", "--to-binding", "SESSIONS")],
    "kv.values.move": [("config/motd", "config/motd2", "--binding", "CACHE")],
    "kv.values.export": [("--binding", "CACHE", "--prefix", "config/m")],
    "kv.values.import": [("--binding", "CACHE", "--file", "import.json")],
    "r2.buckets.list": [()],
    "r2.buckets.delete": [("files", "--dry-run")],
    "r2.objects.list": [("--delimiter", "/")],
    "r2.objects.get": [("reports/2026-11-01.json", "--range", "0-9")],
    "r2.objects.put": [
        ("new.txt", "--value", "text", "--content-type", "text/plain", "--custom-metadata", '{"a": "b"}')
    ],
    "r2.objects.delete": [("empty", "--force")],
    "r2.objects.copy": [("empty", "empty2")],
    "r2.objects.move": [("empty", "empty2")],
    "r2.objects.import": [("public", "--prefix", "site/")],
    "r2.objects.export": [("out", "--prefix", "images/")],
    "r2.uploads.list": [()],
    "d1.databases.list": [()],
    "d1.databases.delete": [("shop", "--dry-run")],
    "d1.query": [
        (
            "SELECT 1 AS a, 2.5 AS b, x'00ff' AS c, 9007199254740993 AS d, NULL AS e, 9e999 AS f; SELECT count(*) FROM customers",
        )
    ],
    "d1.batches.run": [
        (
            '[{"sql": "INSERT INTO customers (id, name, email) VALUES (?, ?, ?)", "params": [90071992547, "Zoe", "z@example.com"]},'
            ' {"sql": "SELECT 1; SELECT id, name FROM customers WHERE id = ?", "params": [90071992547]}]',
        )
    ],
    "d1.schema.get": [("--counts",)],
    "d1.plans.get": [("SELECT * FROM customers WHERE id = ?", "--param-json", "1")],
    "d1.import": [("--file", "rows.csv", "--format", "csv", "--into", "customers")],
    "d1.export": [("--table", "customers", "--schema-only")],
    "do.namespaces.list": [()],
    "do.objects.list": [("--namespace", "AppRunner")],
    "do.objects.get": [("my-app", "--namespace", "AppRunner")],
    "do.objects.delete": [("my-app", "--namespace", "AppRunner", "--dry-run")],
    "do.ids.get": [("acme", "--namespace", "Tenant")],
    "do.facets.list": [APP],
    "do.facets.delete": [(*APP, "--facet", "app", "--facet", "inner", "--dry-run")],
    "do.storage.list": [(*APP, "--facet", "app")],
    "do.storage.get": [("counter", *APP, "--facet", "app")],
    "do.storage.put": [("counter", *APP, "--facet", "app", "--value", '{"$map": [["k", {"$bigint": "7"}]]}')],
    "do.storage.delete": [("counter", "nope", *APP, "--facet", "app", "--force")],
    "do.query": [("SELECT id, body FROM entries", *APP, "--facet", "app")],
    "do.batches.run": [
        ('[{"sql": "SELECT ? AS a", "params": [{"$bytes": "AP8="}]}]', *APP, "--facet", "app")
    ],
    "do.schema.get": [(*APP, "--facet", "app")],
    "do.plans.get": [("SELECT * FROM entries", *APP, "--facet", "app")],
    "do.import": [
        (*APP, "--facet", "app", "--file", "entries.json", "--format", "json", "--into", "entries")
    ],
    "do.export": [(*APP, "--facet", "app")],
    "do.alarms.list": [("--namespace", "Tenant")],
    "do.alarms.update": [("--namespace", "Tenant", "--object", "acme", "--at", "2030-06-01T12:00:00Z")],
    "do.alarms.delete": [("--namespace", "Tenant", "--object", "acme", "--force")],
    "workflows.list": [()],
    "workflows.instances.list": [("--limit", "2")],
    "workflows.instances.get": [("inv-1002",)],
    "workflows.instances.delete": [("inv-1002", "--dry-run")],
    "traces.query": [("SELECT service, name, kind, outcome FROM spans ORDER BY start_ms, span_id LIMIT 3",)],
    "traces.list": [("--limit", "2")],
    "traces.get": [("e1a3b7fe",)],
    "traces.delete": [("--dry-run",)],
    "state.list": [()],
    "state.delete": [("--dry-run",)],
    "terminals.render": [("output.bin", "--cols", "20", "--rows", "3")],
    "schema": [("kv.values.put",)],
    "api.list": [("--product", "d1")],
    "api.get": [("kv.namespaces.keys.list",)],
    "api.run": [("d1.database.create", "--param", "name=shop", "--param", "account_id=abc", "--dry-run")],
}
NOT_KEPT = (
    {
        "r2.uploads.delete": "an upload's id is a random text; test_cli_values aborts the sample's own",
        "agent-context": "a text made from all summaries; test_cli_guide reads it",
        "completion": "a script; test_cli_guide runs it in a shell",
        "project.update": "it writes the user's settings; test_cloud_cli reads them back",
    }
    | dict.fromkeys(
        ["d1.tables.copy", "d1.tables.diff", "kv.keys.copy", "kv.keys.diff", "r2.objects.diff"],
        "it is between two targets; test_between_targets runs it with a stand-in for the account",
    )
    | dict.fromkeys(
        [
            "auth.get",
            "queues.list",
            "queues.messages.delete",
            "queues.messages.list",
            "queues.messages.pull",
            "queues.messages.send",
            "queues.metrics.get",
            "workers.bindings.list",
            "workers.deployments.list",
            "workers.list",
            "workers.logs.watch",
            "workers.secrets.list",
            "workers.versions.list",
            "workflows.events.send",
            "workflows.instances.create",
            "workflows.instances.pause",
            "workflows.instances.restart",
            "workflows.instances.resume",
            "workflows.instances.terminate",
        ],
        "it is for the account or a running server; test_cloud_cli runs it on a stand-in",
    )
)
NOT_KEPT_OF_WORD = {
    "servers": "they are of whatever runs on this machine; test_servers_start starts some",
    "hub": "a process of the user's own; test_hub_process starts and stops it",
    "sandboxes": "it needs a hub; test_sandboxes_cli runs it",
    "terminals": "it needs a hub; test_sandboxes_cli runs it",
    "bridges": "they are the user's own, whatever the project; test_bridges runs it",
}
FILES = {
    "import.json": '[{"key": "a", "value": "1"}, {"name": "b", "value": "AP8=", "base64": true, "metadata": {"m": 1}}]',
    "rows.csv": "id,name,email\n90071992547,Ann,ann@example.com\n90071992548,Bob,bob@example.com\n",
    "output.bin": "\x1b]2;make\x07\x1b[31mred\x1b[m \x1b(0lqqk\x1b(B é\r\n0123456789abcdefghij",
    "entries.json": '[{"id": 50, "body": "new", "at": "2030"}]',
}
# What differs from one run to the next: the time, and the size of files that reading makes and drops (-shm).
VOLATILE = {"duration_ms", "uploaded", "version"}
VOLATILE_HERE = {
    "state.list": {"size_bytes", "files"},
    "r2.objects.list": set(),
    "state.delete": {"removed", "total"},
}


def masked(value: Any, names: set[str], project: str) -> Any:
    if isinstance(value, dict):
        return {key: "*" if key in names else masked(item, names, project) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, names, project) for item in value]
    return value.replace(project, "PROJECT") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Path(sample(tmp_path_factory.mktemp("sample")))
    for name, text in FILES.items():
        (project / name).write_text(text)
    return project


@pytest.fixture
def project(request: pytest.FixtureRequest, shipped: Path, tmp_path: Path) -> Path:
    """A copy that a test may write to."""
    copy(shipped, tmp_path / "shop-api")
    return tmp_path / "shop-api"


def test_every_operation_has_a_golden_or_a_reason() -> None:
    names = {operation.name for operation in all_operations()}
    elsewhere = {name for name in names if name.partition(".")[0] in NOT_KEPT_OF_WORD}
    assert names - elsewhere == (set(COMMANDS) | set(NOT_KEPT)) - elsewhere
    assert set(COMMANDS) | set(NOT_KEPT) <= names
    assert not set(COMMANDS) & set(NOT_KEPT)
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_json_of_a_command_is_the_one_that_is_kept(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    copy = get(name).effect != READS or name in ("state.list", "r2.objects.export")
    folder: Path = request.getfixturevalue("project" if copy else "shipped")
    for argv in COMMANDS[name]:
        answer = cfwb(*name.split("."), *argv, "--json", cwd=folder, home=tmp_path)
    assert answer.status == 0, answer.out
    assert not answer.err
    names = VOLATILE_HERE.get(name, VOLATILE)
    found = json.dumps(masked(answer.json, names, str(folder)), indent=1, ensure_ascii=False) + "\n"
    kept = GOLDEN / f"{name}.json"
    if os.environ.get("CFWB_UPDATE_GOLDENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(found)
    assert json.loads(found) == json.loads(kept.read_text())
    assert list(json.loads(found)) == list(json.loads(kept.read_text()))
