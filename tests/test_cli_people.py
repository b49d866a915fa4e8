"""What a person at a terminal sees and is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import cfwb, on_terminal
from tests.support.sample import copy, sample
from workbench.cli.table import clip, grid, record, rows, width

CONTROL = [chr(code) for code in range(0x20) if chr(code) != "\n"] + ["\x7f", "\x9b", "\u202e", "\u2066"]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(sample(tmp_path_factory.mktemp("sample")))


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    copy(shipped, tmp_path / "shop-api")
    return tmp_path / "shop-api"


def test_a_list_is_a_table_that_fits_and_the_target_is_the_last_line(shipped: Path) -> None:
    lines = on_terminal(
        "kv", "keys", "list", "--binding", "CACHE", "--prefix", "odd/", cwd=shipped, columns=60, NO_COLOR="1"
    ).text
    table = lines.splitlines()
    assert table[0].split() == ["name", "metadata"]
    assert table[-1] == f"LOCAL {shipped}/.wrangler/state"
    assert all(width(line) <= 60 for line in table[:-1])


def test_what_has_no_room_in_a_table_is_left_out_and_named_before_names_are_cut_to_nothing(
    shipped: Path,
) -> None:
    lines = on_terminal("state", "list", cwd=shipped, columns=80, NO_COLOR="1").text.splitlines()
    assert lines[0].split()[:3] == ["kind", "path", "size_bytes"]
    assert any("v3/do/shop-api-AppRunner" in line for line in lines)
    assert lines[-2] == "no room for note: --json has it all"
    assert all(width(line) <= 80 for line in lines[:-1])


def test_one_alone_that_has_no_room_in_a_table_is_shown_field_by_field(shipped: Path) -> None:
    text = on_terminal("schema", "kv.keys.list", cwd=shipped, columns=80, NO_COLOR="1").text
    assert "Expired ones are left out, as the emulator does." in text
    assert "cfwb kv keys list --binding CACHE" in text
    wrong = on_terminal("schema", "kv.key.list", cwd=shipped, NO_COLOR="1")
    assert "did you mean kv.keys.list?" in wrong.text


def test_hostile_names_and_values_reach_the_terminal_as_visible_text(shipped: Path) -> None:
    for argv in (
        ("kv", "keys", "list", "--binding", "CACHE"),
        ("kv", "values", "get", "config/motd", "--binding", "CACHE"),
        ("kv", "values", "export", "--binding", "CACHE", "--prefix", "config/m"),
        ("r2", "objects", "list", "--prefix", "odd/"),
        ("d1", "query", "SELECT char(27) || '[31m', x'1b5b', 'a' || char(8238) AS \"\x1b[1m\""),
        ("d1", "query", "SELECT \x1b[31m FROM x"),
        ("kv", "values", "get", "no\x1b[31m\u202esuch", "--binding", "CACHE"),
        ("kv", "\x1b[31mkeys"),
    ):
        text = on_terminal(*argv, cwd=shipped, NO_COLOR="1").text
        assert text
        assert not [character for character in CONTROL if character in text], (argv, text)


def test_colours_are_only_where_they_are_wanted(shipped: Path) -> None:
    assert "\x1b[1m" in on_terminal("kv", "namespaces", "list", cwd=shipped).text
    assert "\x1b" not in on_terminal("kv", "namespaces", "list", cwd=shipped, NO_COLOR="1").text
    assert "\x1b" not in on_terminal("kv", "namespaces", "list", cwd=shipped, TERM="dumb").text


def test_a_long_list_stops_and_says_how_to_go_on(shipped: Path) -> None:
    text = on_terminal("kv", "keys", "list", "--binding", "CACHE", cwd=shipped, NO_COLOR="1").text
    assert len(text.splitlines()) < 250
    assert "more: --cursor " in text


def test_a_result_of_many_rows_stops_and_says_so(shipped: Path) -> None:
    endless = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 5000) SELECT i FROM c"
    text = on_terminal("d1", "query", endless, cwd=shipped, NO_COLOR="1").text
    assert len(text.splitlines()) == 203
    assert "the first 200 rows" in text


def test_json_on_a_terminal_is_the_same_envelope(shipped: Path) -> None:
    argv = ("kv", "namespaces", "list", "--json")
    assert on_terminal(*argv, cwd=shipped).out == cfwb(*argv, cwd=shipped).out


def test_what_destroys_shows_what_goes_and_asks(project: Path) -> None:
    refused = on_terminal(
        "kv", "values", "delete", "config/motd", "--binding", "CACHE", cwd=project, typed="n", NO_COLOR="1"
    )
    assert refused.status == 1
    assert "key config/motd" in refused.text
    assert f"kv.values.delete on LOCAL {project}/.wrangler/state: delete 1? [y/N]" in refused.text
    assert cfwb("kv", "values", "get", "config/motd", "--binding", "CACHE", cwd=project).status == 0
    agreed = on_terminal(
        "kv", "values", "delete", "config/motd", "--binding", "CACHE", cwd=project, typed="y", NO_COLOR="1"
    )
    assert agreed.status == 0
    assert cfwb("kv", "values", "get", "config/motd", "--binding", "CACHE", cwd=project).status == 1


def deleted(project: Path) -> dict[str, bool]:
    listed = cfwb("do", "facets", "list", "--namespace", "AppRunner", "--object", "my-app", cwd=project)
    return {facet["name"]: facet["deleted"] for facet in listed.result}


def test_without_a_terminal_nothing_is_asked_and_force_is_needed(project: Path) -> None:
    argv = ("do", "facets", "delete", "--namespace", "AppRunner", "--object", "my-app", "--facet", "billing")
    answer = cfwb(*argv, cwd=project, input=b"y\n")
    assert answer.error["code"] == "confirmation.needed"
    planned = cfwb(*argv, "--dry-run", cwd=project).result
    assert planned["dry_run"] is True and planned["total"] > 0
    assert deleted(project) == {"app": False, "billing": False, "temp": True}
    assert cfwb(*argv, "--force", cwd=project).result["total"] >= planned["total"]
    assert deleted(project) == {"app": False, "billing": True, "temp": True}


def test_raw_bytes_that_would_act_on_the_terminal_are_not_sent_there(shipped: Path) -> None:
    answer = on_terminal("r2", "objects", "get", "images/logo.png", "--raw", cwd=shipped, NO_COLOR="1")
    assert answer.status == 1
    assert "output.not_for_a_terminal" in answer.text
    assert (
        "not_for"
        not in on_terminal(
            "kv", "values", "get", "config/features", "--binding", "CACHE", "--raw", cwd=shipped
        ).text
    )


def test_a_broken_config_is_named_with_its_place_and_the_rest_is_done(tmp_path: Path) -> None:
    (tmp_path / "wrangler.jsonc").write_text(
        '{\n  "name": "x",\n  "kv_namespaces": [{"binding": "KV", "id": "a"}\n  "vars": 1\n}'
    )
    answer = cfwb("kv", "keys", "list", cwd=tmp_path)
    assert answer.result == []
    assert answer.err.startswith(f"{tmp_path}/wrangler.jsonc:4:3: ")
    assert cfwb("project", "get", cwd=tmp_path).result["problems"][0]["line"] == 4


def test_an_error_is_one_sentence_and_the_way_out(shipped: Path) -> None:
    answer = on_terminal("kv", "keys", "lst", cwd=shipped, NO_COLOR="1")
    assert answer.status == 2
    assert answer.text == "error cfwb kv keys has no 'lst' (usage)\n  did you mean list?\n"
    answer = on_terminal("kv", "values", "get", cwd=shipped, NO_COLOR="1")
    assert answer.text == "error KEY is missing (usage)\n  cfwb kv values get KEY [--binding NAME]\n"


def test_a_table_measures_as_a_terminal_does() -> None:
    assert width("日本") == 4
    assert width("e\u0301") == 1
    assert width(clip("日本語日本語", 7)) <= 7
    assert clip("v3/do/shop-AppRunner/0123456789.sqlite", 20) == "v3/do/shop…89.sqlite"
    table = rows([{"name": "日本", "n": 1}, {"name": "x", "n": 22}]).splitlines()
    assert [line.rstrip() for line in table] == ["name   n", "日本   1", "x     22"]


def test_a_tree_is_indented_and_columns_that_say_nothing_are_left_out() -> None:
    leaf = {"name": "inner", "path": ["app", "inner"], "deleted": False, "facets": []}
    tree = rows([{"name": "app", "path": ["app"], "deleted": False, "facets": [leaf]}]).splitlines()
    assert tree == ["name     path", "app      app", "  inner  app, inner"]


def test_sql_values_keep_their_kinds_apart() -> None:
    text = grid(["a", "b", "c"], [[None, "NULL", b"\x00\xff"], [9007199254740993, "x\ny", b""]])
    assert text.splitlines()[1].split()[:2] == ["NULL", "NULL"]
    assert "x'00ff' 2 B" in text
    assert "9007199254740993" in text
    assert "x␊y" in text


def test_a_record_shows_text_as_text() -> None:
    assert record({"value": "line\nline \x1b[31m", "n": None}) == "value\nline\nline ␛[31m\nn      –"


def test_the_end_of_a_key_is_a_date_to_a_person() -> None:
    key = {"name": "session", "expiration": 1_767_225_600}
    assert "2026-01-01T00:00:00Z" in rows([key, {"name": "other", "expiration": None}])
    assert "2026-01-01T00:00:00Z" in record(key)
