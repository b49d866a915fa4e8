"""What a command line means, and what is said of one that means nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import cfwb
from workbench.cli.arguments import Line, parse
from workbench.model.errors import UsageError


def test_global_flags_stand_anywhere() -> None:
    expected = {"--project": "shop", "--json": True, "--worker": "w"}
    for line in (
        "--project shop --json --worker w kv keys list --binding A",
        "kv --project=shop keys --json list --worker w --binding A",
        "kv keys list --binding A --worker=w --project shop --json",
    ):
        found = parse(line.split())
        assert found.operation is not None
        assert (found.operation.name, found.options, found.arguments) == (
            "kv.keys.list",
            expected,
            {"binding": "A"},
        )


def test_a_value_may_look_like_anything() -> None:
    assert parse(["kv", "values", "put", "k", "--value", "-5"]).arguments["value"] == b"-5"
    assert parse(["kv", "values", "put", "k", "--value=--json"]).arguments["value"] == b"--json"
    assert parse(["kv", "values", "get", "--", "--json"]).arguments == {"key": "--json"}
    assert parse(["d1", "query", "-- a comment\nSELECT 1"]).arguments == {"sql": "-- a comment\nSELECT 1"}
    assert parse(["kv", "values", "get", "-5"]).arguments == {"key": "-5"}
    assert parse(["kv", "values", "get", ""]).arguments == {"key": ""}


def test_a_dash_is_standard_input_where_a_file_is_taken_and_a_key_elsewhere() -> None:
    assert parse(["kv", "values", "put", "k", "-"]).arguments == {"key": "k", "file": "-"}
    assert parse(["kv", "values", "get", "-"]).arguments == {"key": "-"}


def test_parameters_of_a_statement_keep_their_order_and_their_types() -> None:
    line = parse(
        [
            "d1",
            "query",
            "?",
            "--param",
            "1",
            "--param-json",
            "1",
            "--param-json",
            '{"$bytes": "AA=="}',
            "--param",
            "",
        ]
    )
    assert line.arguments["param"] == ["1", 1, {"$bytes": "AA=="}, ""]


def test_a_facet_inside_a_facet_is_reached_by_repeating() -> None:
    line = parse(["do", "storage", "list", "--object", "o", "--facet", "a", "--facet", "b/c"])
    assert line.arguments["facet"] == ["a", "b/c"]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("kv", "needs one more word", "keys, namespaces, values"),
        ("kv key list", "cfwb kv has no 'key'", "did you mean keys?"),
        ("kvs", "cfwb has no 'kvs'", "did you mean kv?"),
        ("kv keys list extra", "one argument too many: 'extra'", "cfwb kv keys list"),
        ("kv keys list --bindng A", "has no --bindng", "did you mean --binding?"),
        ("kv keys list --binding", "--binding needs a value", ""),
        ("kv keys list --binding --json", "--binding needs a value", "--binding=VALUE"),
        ("kv keys list --binding A --binding B", "--binding was given twice", ""),
        ("kv keys list --limit many", "wants a whole number", ""),
        ("kv keys list --json=1", "--json takes no value", ""),
        ("kv values delete a --dry-run=yes", "--dry-run takes no value", ""),
        ("kv values put k --metadata {", "--metadata wants JSON", ""),
        ("kv --binding A keys list", "--binding comes after the command", ""),
        ("--binding A kv keys list", "cfwb has no --binding before a command", "come after it"),
        ("demo now", "cfwb demo takes nothing more", ""),
        ("kv keys list --force", "has no --force", ""),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_what_there_is(line: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line.split())
    assert message in caught.value.message
    assert hint in caught.value.hint


def understood(argv: list[str]) -> bool:
    """Whether a line is a line; any error but UsageError is a failure."""
    with contextlib.suppress(UsageError):
        return isinstance(parse(argv), Line)
    return True


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=6))
def test_any_words_are_understood_or_refused(words: list[str]) -> None:
    for argv in (words, ["kv", "values", "put", *words], ["do", "query", *words], ["--json", *words]):
        assert understood(argv)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_any_key_and_value_arrive_as_they_are(key: str, value: str) -> None:
    arguments = parse(["kv", "values", "put", f"--value={value}", "--binding", "A", "--", key]).arguments
    assert arguments == {"key": key, "value": value.encode(), "binding": "A"}


def test_wrong_usage_is_an_envelope_with_json_and_words_without(tmp_path: Path) -> None:
    answer = cfwb("kv", "keys", "list", "--nope", "--json", cwd=tmp_path)
    assert answer.status == 2
    assert not answer.err
    assert answer.json["operation"] == "kv.keys.list"
    assert answer.json["target"] == {"kind": "local", "source": str(tmp_path)}
    assert answer.json["error"]["code"] == "usage"


def test_help_is_there_for_everything_a_group_and_a_command(tmp_path: Path) -> None:
    everything = cfwb("--help", cwd=tmp_path)
    assert all(len(line) <= 80 for line in everything.text.splitlines())
    assert everything.status == 0 and "kv keys list" in everything.text and "--project DIR" in everything.text
    assert cfwb("kv", "--help", cwd=tmp_path).text.startswith("usage: cfwb kv ...")
    command = cfwb("kv", "values", "put", "k", "-h", cwd=tmp_path).text
    assert command.startswith("usage: cfwb kv values put KEY")
    assert "Examples:" in command
    assert cfwb("demo", "--help", cwd=tmp_path).status == 0


def test_the_version_is_the_package_s(tmp_path: Path) -> None:
    from workbench import __version__

    assert cfwb("--version", cwd=tmp_path).text == f"cfwb {__version__}\n"


def test_the_workbench_wants_a_terminal(tmp_path: Path) -> None:
    answer = cfwb(cwd=tmp_path)
    assert answer.status == 2
    assert answer.error["message"] == "the workbench needs a terminal"


def test_what_is_positional_may_also_be_named() -> None:
    from workbench.cli.arguments import parse

    said = parse(["kv", "namespaces", "delete", "CACHE"])
    named = parse(["kv", "namespaces", "delete", "--binding", "CACHE"])
    assert said.arguments == named.arguments == {"binding": "CACHE"}
    assert parse(["kv", "values", "get", "--key", "a", "--binding", "B"]).arguments == {
        "key": "a",
        "binding": "B",
    }


def test_a_namespace_is_never_started_over_without_being_named() -> None:
    import pytest

    from workbench.model.errors import UsageError
    from workbench.operations.executor import drive, execute

    with pytest.raises(UsageError, match="NAMESPACE is missing"):
        drive(execute(None, "kv.namespaces.delete", {}, force=True))
