"""A configuration that is not as it should be: what is wrong is said with its place, and the rest is shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.model.bindings import Problem, Worker
from workbench.model.errors import WorkbenchError
from workbench.project import load
from workbench.project.environment import INHERITED, NOT_INHERITED, TOP_LEVEL_ONLY
from workbench.project.jsonc import blank, parse
from workbench.project.recovery import Reader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)

JSONC = """\
// the shop
{
  "name": "shop", /* its name */
  "kv_namespaces": [
    { "binding": "CACHE", "id": "cache-id" },   // "not": a string
    { "binding": "URLS", "id": "http://a//b/*c*/" },
  ],
  "d1_databases": [{ "binding": "DB", "database_name": "shop", "database_id": "db-id" }]%s
}
"""


def read(folder: Path, text: str | bytes, name: str = "wrangler.jsonc") -> Worker:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)
    return load(str(folder)).workers[0]


def names(worker: Worker) -> list[str]:
    return [binding.name for binding in worker.bindings]


def places(worker: Worker) -> list[tuple[int | None, int | None]]:
    return [(problem.line, problem.column) for problem in worker.problems]


def test_comments_and_trailing_commas_are_no_problem(tmp_path: Path) -> None:
    worker = read(tmp_path, JSONC % ",")
    assert worker.problems == ()
    assert [binding.resource_id for binding in worker.bindings] == ["cache-id", "http://a//b/*c*/", "db-id"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(tmp_path: Path) -> None:
    worker = read(tmp_path, b"\xef\xbb\xbf" + (JSONC % "").replace("\n", "\r\n").encode())
    assert worker.problems == ()
    assert names(worker) == ["CACHE", "URLS", "DB"]


def test_a_missing_comma_names_line_and_column_and_both_entries_are_shown(tmp_path: Path) -> None:
    worker = read(
        tmp_path,
        '{\n  "name": "shop",\n  "kv_namespaces": [\n    { "binding": "A" }\n    { "binding": "B" }\n  ]\n}\n',
    )
    assert names(worker) == ["A", "B"]
    assert worker.problems == (
        Problem(str(tmp_path / "wrangler.jsonc"), 5, 5, '"," or "]" is missing before this'),
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "kept"),
    [
        ('{"name": "s", "ai": {"binding": "AI"}', 1, 38, ["AI"]),
        ('{"ai": {"binding": "AI"},\n "browser": }', 2, 2, ["AI"]),
        ('{"ai": {"binding": "AI},\n "browser": {"binding": "BR"}}', 1, 20, ["AI", "BR"]),
        ('{ai: {"binding": "AI"}}', 1, 2, ["AI"]),
        ("{'ai': {'binding': 'AI'}}", 1, 2, ["AI"]),
        ('{"ai": {"binding": "AI"}}}', 1, 26, ["AI"]),
        ('{"ai": {"binding": "AI"},, "images": {"binding": "IM"}}', 1, 26, ["AI", "IM"]),
        ('{"kv_namespaces": [{"binding": "A"}, "images": {"binding": "IM"}}', 1, 38, ["A", "IM"]),
        ('/* never closed\n{"ai": {"binding": "AI"}}', 1, 1, []),
        ('{"ai": {"binding": "AI"}, "ai": {"binding": "AI2"}}', 1, 27, ["AI2"]),
        ('{"ai": {"binding": "AI"}, "dev": {"port": NaN}}', 1, 43, ["AI"]),
        ("", 1, 1, []),
        ("[1, 2]", None, None, []),
        ('"text"', None, None, []),
        ("<<<<<<< HEAD\n{}", 1, 1, []),
    ],
)
def test_broken_json_says_where_and_keeps_the_rest(
    tmp_path: Path, text: str, line: int | None, column: int | None, kept: list[str]
) -> None:
    worker = read(tmp_path, text)
    assert names(worker) == kept
    assert places(worker)[0] == (line, column)


def test_a_config_nested_too_deep_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    worker = read(tmp_path, '{"ai": {"binding": "AI"}, "vars": {"A": ' + "[" * 50_000 + "]" * 50_000 + "}}")
    assert "AI" in names(worker)
    assert "deeper" in worker.problems[0].message


def test_a_huge_config_is_read_and_a_larger_one_refused(tmp_path: Path) -> None:
    many = [{"binding": f"KV{n}", "id": "x" * 80} for n in range(30_000)]
    assert len(read(tmp_path, json.dumps({"name": "s", "kv_namespaces": many})).bindings) == 30_000
    worker = read(tmp_path, b" " * (17 << 20))
    assert worker.bindings == ()
    assert "larger than 16 MiB" in worker.problems[0].message


TOML = """\
name = "shop"
[[kv_namespaces]]
binding = "CACHE"
id = "cache-id"

[ai]
binding = "AI"
"""


def test_toml_is_read(tmp_path: Path) -> None:
    worker = read(tmp_path, TOML, "wrangler.toml")
    assert (worker.name, names(worker), worker.problems) == ("shop", ["CACHE", "AI"], ())


@pytest.mark.parametrize(
    ("broken", "line", "kept"),
    [
        (TOML.replace('id = "cache-id"', 'id = "cache-id'), 4, ["CACHE", "AI"]),
        (TOML.replace('id = "cache-id"', "id cache-id"), 4, ["CACHE", "AI"]),
        (TOML.replace("[ai]", "[ai"), 6, ["CACHE"]),
        (TOML + "[vars]\nA = 1\nA = 2\n", 10, ["CACHE", "AI", "A"]),
        (TOML + 'LIST = ["a",\n "b"\n', None, ["CACHE", "AI"]),
        (TOML + 'text = """never closed\n', None, ["CACHE", "AI"]),
        ("=\n" + TOML, 1, ["CACHE", "AI"]),
    ],
)
def test_broken_toml_says_where_and_keeps_the_rest(
    tmp_path: Path, broken: str, line: int | None, kept: list[str]
) -> None:
    worker = read(tmp_path, broken, "wrangler.toml")
    assert names(worker)[: len(kept)] == kept
    assert worker.problems[0].line == line or (line is None and worker.problems[0].line is not None)


@pytest.mark.parametrize("key", ["a", '"a"', "'a' ", "[a"])
def test_a_key_without_end_in_toml_is_a_problem_and_no_memory(tmp_path: Path, key: str) -> None:
    end = "]" if key.startswith("[") else " = 1"
    broken = TOML + "\n" + ".".join([key, *["a"] * 200_000]) + end + "\n"
    worker = read(tmp_path, broken, "wrangler.toml")
    assert names(worker) == names(read(tmp_path, TOML, "wrangler.toml"))
    assert any("more than 100 parts" in problem.message for problem in worker.problems)


def test_a_field_of_the_wrong_type_in_toml_is_placed(tmp_path: Path) -> None:
    worker = read(tmp_path, TOML + '\n[[kv_namespaces]]\nbinding = "B"\nid = 5\n', "wrangler.toml")
    assert names(worker) == ["CACHE", "B", "AI"]
    assert worker.problems == (
        Problem(str(tmp_path / "wrangler.toml"), 11, 1, '"id" should be text, not a number'),
    )


@pytest.mark.parametrize(
    ("fields", "said", "kept"),
    [
        ({"kv_namespaces": {"binding": "A"}}, '"kv_namespaces" should be a list, not an object', []),
        (
            {"kv_namespaces": ["A", {"binding": "B"}]},
            'an entry of "kv_namespaces" should be an object',
            ["B"],
        ),
        ({"kv_namespaces": [{"id": "1"}]}, '"binding" is missing', []),
        (
            {"kv_namespaces": [{"binding": 7}, {"binding": "B"}]},
            '"binding" should be text, not a number',
            ["B"],
        ),
        ({"r2_buckets": [{"binding": "B", "remote": "yes"}]}, '"remote" should be true or false', ["B"]),
        ({"ai": "AI"}, '"ai" should be an object, not text', []),
        ({"vars": ["A"]}, '"vars" should be an object, not a list', []),
        ({"durable_objects": {"bindings": {"name": "A"}}}, '"bindings" should be a list', []),
        ({"durable_objects": {"bindings": [{"name": "A"}]}}, '"class_name" is missing', []),
        ({"queues": []}, '"queues" should be an object', []),
        ({"migrations": [{"tag": "v1", "new_classes": "A"}]}, '"new_classes" should be a list', []),
        (
            {"migrations": [{"tag": "v1", "renamed_classes": [{"from": "A", "to": "B"}]}]},
            "no migration made it",
            ["B"],
        ),
        ({"exports": {"A": "durable-object"}}, '"A" should be an object', []),
        ({"env": []}, '"env" should be an object', []),
        ({"name": ["shop"]}, '"name" should be text', []),
        ({"kv_namespace": [{"id": "1"}]}, 'the field "kv_namespace" is not known', []),
        ({"containers": [{"image": "./Dockerfile"}]}, "neither a name nor a class_name", ["shop"]),
        (
            {"kv_namespaces": [{"binding": "A"}], "r2_buckets": [{"binding": "A"}]},
            "two bindings are named A: kv and r2",
            ["A", "A"],
        ),
        ({"secrets": {"required": "A"}}, '"required" should be a list', []),
    ],
)
def test_a_field_of_the_wrong_shape_is_a_problem_and_the_rest_is_shown(
    tmp_path: Path, fields: dict[str, object], said: str, kept: list[str]
) -> None:
    text = json.dumps({"name": "shop", **fields}, indent=2)
    worker = read(tmp_path, text)
    assert [problem for problem in worker.problems if said in problem.message], worker.problems
    assert names(worker) == [*kept, *["AI"] * ("AI" in kept)]


def test_a_wrong_field_is_placed_at_its_key(tmp_path: Path) -> None:
    worker = read(
        tmp_path, '{\n  "name": "s",\n  "kv_namespaces": [\n    { "binding": "A",\n      "id": 7 }\n  ]\n}'
    )
    assert worker.problems == (
        Problem(str(tmp_path / "wrangler.jsonc"), 5, 7, '"id" should be text, not a number'),
    )


@pytest.mark.parametrize(
    "data", [b'{"name": "\xff\xfe"}', '{"name": "sh\u00f6p"}'.encode("utf-16"), b"\x00\x01\x02"]
)
def test_bytes_that_are_no_utf8_are_a_problem(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, data).problems[0].line == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="not on this machine: root reads everything")
def test_an_unreadable_config_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "wrangler.jsonc"
    path.write_text("{}")
    path.chmod(0)
    assert "can't be read" in load(str(tmp_path)).workers[0].problems[0].message


def test_a_hostile_config_comes_through_as_it_is(tmp_path: Path) -> None:
    odd = "\x1b[31m[bold]\u202e\ud800"
    worker = read(tmp_path, json.dumps({"name": odd, "kv_namespaces": [{"binding": odd, "id": odd}]}))
    assert worker.bindings[0].name == odd


FIELDS = sorted(INHERITED | NOT_INHERITED | TOP_LEVEL_ONLY) + ["new_product"]
WORDS = [
    "binding",
    "name",
    "id",
    "class_name",
    "bindings",
    "producers",
    "consumers",
    "remote",
    "required",
    "type",
]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "A", "durable-object", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=6)


@settings(max_examples=300, deadline=None)
@given(CONFIGS, st.none() | st.dictionaries(st.sampled_from(["staging", "other"]), ODD | CONFIGS), st.data())
def test_no_content_of_any_field_makes_it_raise(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, object], envs: object, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    if envs is not None:
        fields["env"] = envs
    (folder / "wrangler.json").write_text(json.dumps(fields))
    worker, code = None, ""
    try:
        worker = load(str(folder), environment=data.draw(st.sampled_from(["", "staging"]))).workers[0]
    except WorkbenchError as error:
        code = error.code
    if worker is None:
        assert code == "project.unknown_environment"
        return
    assert all(isinstance(binding.name, str) for binding in worker.bindings)
    assert all(problem.line is None or problem.line >= 1 for problem in worker.problems)


@given(JSON)
def test_the_tolerant_parser_agrees_with_json_on_what_is_valid(value: object) -> None:
    text = json.dumps(value)
    reader = Reader(text)
    assert reader.read() == value
    assert reader.faults == []


@settings(max_examples=300)
@given(JSON, st.data())
def test_no_damage_makes_it_raise_or_point_outside(value: object, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 3)))
    damaged = text[:at] + data.draw(st.text('{}[]",:/*\\\n\r\t a1\ud800', max_size=4)) + text[until:]
    _, faults = parse(damaged)
    assert all(0 <= fault.offset <= len(damaged) for fault in faults)
    assert len(blank(damaged)) == len(damaged)


@settings(max_examples=200)
@given(st.text("[]{}=\"'#,.\nabc1-\\", max_size=60))
def test_no_toml_makes_it_raise(text: str) -> None:
    from workbench.project.toml import parse as parse_toml
    from workbench.project.toml import places as toml_places

    value, faults = parse_toml(text)
    assert isinstance(value, dict)
    assert all(0 <= fault.offset <= len(text) for fault in faults)
    toml_places(text)
