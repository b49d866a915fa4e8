"""Names, values and arguments made to do harm, at the command line: shown visibly, exact in JSON, refused in words."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import hostile
from tests.support.cli import cfwb, on_terminal
from tests.support.hostile import Hostile
from workbench.model.errors import WorkbenchError
from workbench.operations import all_operations, get
from workbench.operations.executor import drive, execute, open_state
from workbench.operations.parameters import check, from_text

COLOURS = re.compile("\x1b\\[[0-9;]*m")
OBJECT = f"--namespace Room --object {hostile.OBJECT}"
READS = [
    "bindings list --reveal",
    "project get",
    "state list",
    "kv namespaces list",
    "kv keys list --binding KV",
    "kv keys list --binding SURROGATE",
    "kv values export --binding KV",
    "kv namespaces delete --binding KV --dry-run",
    "r2 buckets list",
    "r2 objects list --bucket hostile-files",
    "r2 objects list --bucket hostile-files --delimiter /",
    "r2 uploads list --bucket hostile-files",
    "d1 databases list",
    "d1 schema get --database hostile-db --counts",
    "d1 query 'SELECT * FROM texts' --database hostile-db",
    "d1 export --database hostile-db",
    "d1 export --format csv --table texts --database hostile-db",
    "d1 export --format json --table texts --database hostile-db",
    "do namespaces list",
    "do objects list --namespace Room",
    "do alarms list --namespace Room",
    f"do facets list {OBJECT}",
    f"do schema get {OBJECT}",
    f"do storage list {OBJECT}",
    "workflows list",
    "workflows instances list --workflow flow",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    return hostile.build(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("line", READS)
def test_nothing_that_is_stored_acts_on_the_terminal_and_json_is_json(project: Hostile, line: str) -> None:
    words = shlex.split(line)
    shown = on_terminal(*words, cwd=project.folder).text
    assert not hostile.FORBIDDEN.findall(COLOURS.sub("", shown))
    assert len(shown) > 20
    answer = cfwb(*words, "--json", cwd=project.folder).json
    assert "result" in answer or "error" in answer
    assert answer.get("error", {}).get("code", "state.damaged") in ("state.damaged", "kv.values_not_read")


def test_what_was_stored_is_exact_in_json(project: Hostile) -> None:
    names = {key["name"] for key in cfwb("kv", "keys", "list", "--binding", "KV", cwd=project.folder).result}
    assert names > set(hostile.TEXTS)
    assert hostile.INVALID.decode("utf-8", "surrogateescape") in names
    sql = "SELECT t, b FROM texts ORDER BY id"
    rows = cfwb("d1", "query", sql, "--database", "hostile-db", cwd=project.folder).result[0]["rows"]
    assert [row[0] for row in rows[:-1]] == list(hostile.TEXTS)
    assert rows[-1][0].keys() == {"$text"}
    entries = cfwb("do", "storage", "list", *shlex.split(OBJECT), cwd=project.folder).result
    stored = {entry["key"]: entry["value"] for entry in entries}
    assert stored["surrogate"] == hostile.SURROGATE
    assert all(stored[f"text {name}"] == text for name, text in hostile.NASTY.items())
    assert stored["garbage"].keys() == {"$bytes"}


def test_what_bears_a_key_that_is_no_utf8_is_read_renamed_and_deleted_by_it(tmp_path: Path) -> None:
    made = hostile.build(tmp_path)
    odd = hostile.INVALID.decode("utf-8", "surrogateescape")
    value = cfwb("kv", "values", "get", odd, "--binding", "KV", cwd=made.folder).result
    assert value["name"] == odd
    moved = cfwb("kv", "values", "move", odd, "plain name", "--binding", "KV", cwd=made.folder)
    assert moved.result["name"] == "plain name"
    refused = cfwb("kv", "values", "put", odd, "--value", "x", "--binding", "KV", cwd=made.folder)
    assert refused.error["code"] == "kv.bad_key"
    bucket = ("--bucket", hostile.BUCKET)
    assert cfwb("r2", "objects", "get", odd, *bucket, cwd=made.folder).result["key"] == odd
    gone = cfwb("r2", "objects", "delete", odd, *bucket, "--force", cwd=made.folder)
    assert gone.result["total"] == 1


def test_a_key_that_is_not_there_is_named_without_acting_on_the_terminal(project: Hostile) -> None:
    for name, text in hostile.NASTY.items():
        if "\0" in text or len(text) > 1000:
            continue
        for words in (
            ["kv", "values", "get", "--binding", "KV", "--", f"no {text}"],
            ["d1", "query", "--database", "hostile-db", "--", f'SELECT "no {text}" FROM {text}'],
        ):
            shown = on_terminal(*words, cwd=project.folder).text
            assert not hostile.FORBIDDEN.findall(COLOURS.sub("", shown)), name


BAD: dict[str, list[Any]] = {
    "string": ["", "\x1b[31m", "[bold]x[/]", "L" * 100_000, "\udcff", "../../x", "-", "%s{}", "a/b", "a\0b"],
    "integer": ["-1", "0", "x", "9" * 5000, "1e5", "", str(2**63), str(10**20)],
    "json": [
        "{",
        "[" * 100_000,
        '"\\ud800"',
        "NaN",
        '{"$bytes": 5}',
        '{"$ref": "/x"}',
        '{"$date": "no"}',
        "",
    ],
    "value": ["", "\x1b", "\udcff"],
    "content": ["", "\udcff"],
    "file": ["/nonexistent\x1b[31m", "/", os.devnull, ""],
    "path": ["/nonexistent/x", ""],
    "boolean": [],
    "number": ["", "x", "nan", "-inf", "1e999"],
}
GIVEN = {
    "namespace": "Room",
    "object": "home",
    "binding": "KV",
    "bucket": "hostile-files",
    "database": "hostile-db",
    "workflow": "flow",
    "sql": "SELECT 1",
    "file": os.devnull,
    "folder": "/nonexistent/folder",
    "shell": "bash",
    "value": "1",
    "operation": "kv.keys.list",
}


def _attempts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with each of its parameters bad in every way, the others as they should be. Nothing is destroyed."""
    for operation in all_operations():
        if operation.name == "state.delete":
            continue
        names = {parameter.name for parameter in operation.parameters}
        base = {
            p.name: GIVEN.get(p.name, "x")
            for p in operation.parameters
            if p.required or p.name in list(GIVEN)[:6]
        }
        base |= {"dry_run": True} if "dry_run" in names else {}
        for parameter in operation.parameters:
            for bad in BAD[parameter.type]:
                try:
                    value = from_text(parameter, bad)
                except WorkbenchError:
                    continue
                yield operation.name, base | {parameter.name: [value] if parameter.repeat else value}
            if parameter.name in base:
                yield operation.name, {name: v for name, v in base.items() if name != parameter.name}
            yield operation.name, base | {parameter.name: object()}
        yield operation.name, base | {"unknown": 1}


def test_every_operation_refuses_bad_arguments_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything but a WorkbenchError fails here, as it would be `internal.unexpected` at the command line."""
    made = hostile.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    state = open_state(str(made.folder))
    said: list[tuple[str, WorkbenchError]] = []
    for name, arguments in _attempts():
        try:
            # Those would start the user's hub, or ask whatever servers run on the machine: only their arguments are looked at.
            if get(name).suspends or name.startswith("servers."):
                check(get(name).parameters, arguments)
                continue
            result = drive(execute(state, name, arguments))
            for chunk in getattr(result, "chunks", ()):
                assert chunk is not None
        except WorkbenchError as error:
            said.append((name, error))
    state.backend.close()
    assert len(said) > 500
    assert not [name for name, error in said if not error.code or not 0 < len(error.message) <= 4000]


@pytest.mark.parametrize(
    "words",
    [
        ["kv", "keys", "list", "--limit", "9" * 5000],
        ["kv", "keys", "list", "--limit", str(2**63)],
        ["kv", "keys", "list", "--cursor", "\x1b[31m"],
        ["kv", "keys", "list", "--unknown"],
        ["kv", "values", "put", "k", "--metadata", "[" * 50_000, "--value", "x"],
        ["d1", "query", "SELECT ?", "--database", "hostile-db", "--param-json", "{"],
        ["do", "storage", "put", "k", "--object", "home", "--namespace", "Room", "--value", '{"$map": 3}'],
        ["no", "such", "\x1b[2J"],
        ["kv", "keys", "list", "--worker", "\x1b]0;x\x07"],
        ["kv", "keys", "list", "--project", "/nope\x1b"],
        ["kv", "keys", "list", "--remote"],
    ],
)
def test_a_bad_command_line_is_an_envelope(project: Hostile, words: list[str]) -> None:
    binding = ["--binding", "KV"] if words[0] == "kv" else []
    error = cfwb(*words, *binding, "--json", cwd=project.folder, home=project.folder / "nobody").error
    assert error["code"] and not error["code"].startswith("internal")
    assert error["message"]


def test_a_damaged_value_costs_an_export_itself_alone(project: Hostile, tmp_path: Path) -> None:
    words = ("kv", "values", "export", "--binding", "KV")
    readable = _readable(project)
    answer = cfwb(*words, "--json", cwd=project.folder)
    assert answer.status == 1
    assert {entry["name"] for entry in answer.json["result"]} == readable
    error = answer.json["error"]
    assert error["code"] == "kv.values_not_read" and "bad blob" in error["message"]
    piped = cfwb(*words, cwd=project.folder)
    assert piped.status == 1 and "bad blob" in piped.err
    assert {entry["name"] for entry in piped.json} == readable
    file = tmp_path / "out.json"
    written = cfwb(*words, "--output", str(file), "--json", cwd=project.folder)
    assert written.status == 1 and written.json["result"]["output"] == str(file)
    assert written.json["error"]["code"] == "kv.values_not_read"
    assert {entry["name"] for entry in json.loads(file.read_text())} == readable


def _readable(project: Hostile) -> set[str]:
    """Keys whose values can be got one by one."""
    names = [key["name"] for key in cfwb("kv", "keys", "list", "--binding", "KV", cwd=project.folder).result]
    state = open_state(str(project.folder))
    found = set()
    for name in names:
        try:
            drive(state.backend.kv.get(hostile.KV, name))
        except WorkbenchError:
            continue
        found.add(name)
    state.backend.close()
    assert 0 < len(found) < len(names)
    return found


def test_a_number_that_json_lacks_in_stored_metadata_is_tagged(tmp_path: Path) -> None:
    made = hostile.build(tmp_path)
    path = hostile.naming.database_path(str(made.state), "kv", hostile.naming.KV, hostile.KV)
    connection = hostile.open_database(Path(path))
    connection.execute("UPDATE _mf_entries SET metadata = '[NaN, 1e999]' WHERE key = 'bad metadata'")
    connection.close()
    keys = cfwb("kv", "keys", "list", "--binding", "KV", cwd=made.folder).result
    found = next(key["metadata"] for key in keys if key["name"] == "bad metadata")
    assert json.dumps(found) == '[{"$number": "NaN"}, {"$number": "Infinity"}]'
