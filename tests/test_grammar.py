"""The rules of the grammar, over every operation there is."""

import re

import pytest

from workbench.cli.arguments import GLOBALS, LAUNCHES, parse
from workbench.operations import (
    DESTROYS,
    MODULES,
    READS,
    VERBS,
    WITHOUT_VERB,
    WRITES,
    Operation,
    all_operations,
    get,
    of_word,
)
from workbench.operations.results import describe

OPERATIONS = all_operations()
by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def names(operation: Operation) -> set[str]:
    return {parameter.name for parameter in operation.parameters}


def test_there_are_at_most_forty_verbs_and_no_second_spelling_of_one() -> None:
    assert len(VERBS) <= 40
    assert not {
        "info",
        "show",
        "remove",
        "set",
        "add",
        "rm",
        "ls",
        "view",
        "describe",
        "rename",
        "read",
        "write",
    } & set(VERBS)


@by_name
def test_a_name_is_nouns_and_then_a_verb_from_the_list(operation: Operation) -> None:
    *nouns, verb = operation.words
    if operation.name in WITHOUT_VERB:
        assert not nouns
        return
    assert verb in VERBS
    assert nouns
    assert not set(nouns) & set(VERBS), "a verb stands among the nouns"
    assert all(re.fullmatch(r"[a-z][a-z0-9]*", word) for word in operation.words)


@by_name
def test_the_first_word_leads_to_its_module(operation: Operation) -> None:
    assert operation.words[0] in MODULES
    assert operation in of_word(operation.words[0])
    assert get(operation.name) is operation


def test_no_command_is_the_beginning_of_another() -> None:
    words = {operation.words for operation in OPERATIONS}
    for one in words:
        assert not any(one == other[: len(one)] for other in words if other != one), one


@by_name
def test_lists_have_limit_and_cursor_together(operation: Operation) -> None:
    assert ("cursor" in names(operation)) <= ("limit" in names(operation))
    if operation.pages:
        assert operation.result.startswith("a list of")
        assert operation.words[-1] == "list"


@by_name
def test_what_destroys_has_a_dry_run_and_what_writes_takes_force(operation: Operation) -> None:
    assert operation.effect in (READS, WRITES, DESTROYS)
    copies = operation.between and operation.effect == WRITES
    assert ("dry_run" in names(operation)) == (operation.effect == DESTROYS or copies)
    assert ("force" in names(operation)) == (operation.effect != READS)
    if operation.words[-1] == "delete":
        assert operation.effect == DESTROYS
    if operation.words[-1] in ("list", "get", "export"):
        assert operation.effect == READS


@by_name
def test_it_says_what_it_does_and_what_comes_back(operation: Operation) -> None:
    assert operation.summary.endswith(".")
    assert len(operation.summary) <= 80
    assert operation.result != "an object"
    assert all(parameter.help for parameter in operation.parameters)


@by_name
def test_its_parameters_hide_no_global_flag_and_mean_the_same_everywhere(operation: Operation) -> None:
    for parameter in operation.parameters:
        assert parameter.flag not in GLOBALS
        assert parameter.name not in ("yes", "output_format")
    positional = [parameter for parameter in operation.parameters if parameter.positional]
    assert not any(parameter.repeat for parameter in positional[:-1]), "a repeated one would swallow the rest"


def test_the_same_parameter_has_one_type() -> None:
    types: dict[str, set[tuple[str, bool]]] = {}
    for operation in OPERATIONS:
        for parameter in operation.parameters:
            if not parameter.positional:
                types.setdefault(parameter.name, set()).add((parameter.type, parameter.repeat))
    mixed = {name: found for name, found in types.items() if len(found) > 1}
    assert set(mixed) <= {"value"}, mixed  # text for KV and R2, JSON for an object's entry


@by_name
def test_every_example_is_a_command_that_is_understood(operation: Operation) -> None:
    import shlex

    assert operation.examples
    for example in operation.examples:
        found = None
        for command in re.split(r"\s\|\s", example.replace('eval "$(', "").replace(')"', "")):
            argv = shlex.split(re.split(r"\s>>?\s", command)[0])
            if argv[0] != "cfwb":
                continue
            line = parse(argv[1:])
            found = found or line.operation is operation
        assert found, example


def test_launches_are_no_operations() -> None:
    assert not set(LAUNCHES) & set(MODULES)


def test_a_result_is_described_by_its_fields() -> None:
    assert get("kv.keys.list").result == "a list of {name, expiration, metadata}"
    assert (
        get("r2.objects.list").result
        == "a list of {key, size, etag, uploaded, http_metadata, custom_metadata}"
    )
    assert get("bindings.list").result == "a list of {name, kind, resource_id, resource_name, worker, mode}"
    assert get("do.storage.list").result == "a list of {key, value, size_bytes}"
    assert (
        get("d1.query").result == "a list of {columns, rows, rows_read, rows_written, changes, duration_ms}"
    )
    assert get("do.facets.list").result == (
        "a list of {name, path, id, parent, size_bytes, tables, keys, deleted, facets}"
    )
    assert (
        describe(get("do.objects.list").function.__annotations__["return"])
        == "a list of {id, name, alarm, facets}"
    )
