"""The envelope is one JSON value whatever happens while it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cli import output
from workbench.model.errors import WorkbenchError
from workbench.model.kv import KvKey
from workbench.model.page import Page
from workbench.model.sql import InvalidText, SqlResult
from workbench.model.target import Target
from workbench.operations import get
from workbench.operations.results import Document, to_json

HERE = Target("local", "/here/.wrangler/state")
KEYS = get("kv.keys.list")


def pages(*counts: int, then: BaseException | None = None) -> Iterator[Page[Any]]:
    for number, count in enumerate(counts):
        last = number == len(counts) - 1 and then is None
        yield Page(
            [KvKey(f"{number}/{i}") for i in range(count)], None if last else f"c{number}", (f"p{number}/",)
        )
    if then is not None:
        raise then


def written(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("counts", [(0,), (3,), (2, 2, 1), (0, 2), (2, 0), (2, 0, 2)])
def test_pages_are_one_list(counts: tuple[int, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert output.stream(HERE, KEYS, pages(*counts)) is None
    envelope = written(capsys)
    assert len(envelope["result"]) == sum(counts) == envelope["result_info"]["count"]
    assert envelope["result_info"]["cursor"] is None
    assert envelope["result_info"]["prefixes"] == [f"p{number}/" for number in range(len(counts))]
    assert list(envelope) == ["target", "operation", "result", "result_info"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WorkbenchError("state.truncated", "cut short"), "state.truncated"),
        (KeyboardInterrupt(), "cancelled"),
        (KeyError("x"), "internal.unexpected"),
    ],
)
def test_a_list_that_breaks_off_says_so_at_its_end(
    error: BaseException,
    code: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    failed = output.stream(HERE, KEYS, pages(2, 1, then=error))
    assert failed is not None
    envelope = written(capsys)
    assert envelope["error"]["code"] == code
    assert envelope["result_info"]["count"] == len(envelope["result"]) == 3
    assert envelope["result_info"]["cursor"] == "c1"


def test_a_list_that_fails_at_once_has_written_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkbenchError):
        output.stream(HERE, KEYS, pages(then=WorkbenchError("kv.none", "none")))
    assert capsys.readouterr().out == ""


def test_a_text_that_breaks_off_says_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    def chunks() -> Iterator[str]:
        yield 'one "quoted"\n'
        raise WorkbenchError("sql.error", "no")

    assert output.envelope(HERE, get("d1.export"), Document(chunks(), "application/sql")) is not None
    envelope = written(capsys)
    assert envelope["result"] == 'one "quoted"\n'
    assert envelope["error"]["code"] == "sql.error"


def test_a_json_document_is_part_of_the_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    output.envelope(HERE, get("kv.values.export"), Document(iter(['[{"a": ', "1}]"]), "application/json"))
    assert written(capsys)["result"] == [{"a": 1}]


@given(st.text(), st.text(), st.text())
def test_an_error_of_any_text_is_one_ascii_line(code: str, message: str, hint: str) -> None:
    lines: list[str] = []
    original, output.write = output.write, lines.append  # type: ignore[assignment]
    try:
        output.error_envelope(HERE, None, WorkbenchError(code, message, hint))
    finally:
        output.write = original
    text = "".join(lines)
    assert text.isascii() and text.count("\n") == 1
    assert json.loads(text)["error"] == {"code": code, "message": message, "hint": hint}


def test_sql_values_are_exact_in_json() -> None:
    row = (2**63 - 1, 0.1, float("-inf"), -0.0, "x", b"\x00", InvalidText(b"\xff"), None)
    [result] = to_json([SqlResult([], [row], None, None, 0, 0.0)])
    assert result["rows"] == [
        [
            9223372036854775807,
            0.1,
            {"$number": "-Infinity"},
            {"$number": "-0"},
            "x",
            {"$bytes": "AA=="},
            {"$text": "/w=="},
            None,
        ]
    ]


def test_an_interrupt_between_two_pieces_ends_the_one_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def write(text: str) -> None:
        written.append(text)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(output, "write", write)
    pages = iter([Page([KvKey(name)], name) for name in "abc"])
    failed = output.stream(Target("local", "here"), get("kv.keys.list"), pages)
    said = json.loads("".join(written))
    assert [key["name"] for key in said["result"]] == ["a", "b"]
    assert failed is not None and said["error"]["code"] == failed.code == "cancelled"
