"""A value is shown as what it is, whatever it holds and however large it is."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult

from workbench.model.errors import Cancelled
from workbench.model.progress import Cancel
from workbench.themes import DARK
from workbench.widgets import json_parse, value_view
from workbench.widgets.hex_view import HexView
from workbench.widgets.json_parse import parse
from workbench.widgets.json_tree import Node
from workbench.widgets.json_view import JsonView
from workbench.widgets.text_view import TextView
from workbench.widgets.value_view import ValueView


class Window(App[None]):
    """One value view and nothing else."""

    def compose(self) -> ComposeResult:
        yield ValueView()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name

    @property
    def view(self) -> ValueView:
        return self.query_one(ValueView)

    def screen_text(self) -> str:
        """What a person reads: the lines of the view that is in front, and the line above it."""
        front = self.query_one(f"#{self.view.way or 'text'}")
        lines = [front.render_line(y).text.rstrip() for y in range(front.size.height)]  # type: ignore[attr-defined]
        above = str(self.query_one("#ways").render())
        return "\n".join([above, *lines])


def png(width: int, height: int) -> bytes:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", (width, height), (250, 20, 20)).save(out, "PNG")
    return out.getvalue()


async def test_json_is_folded_open_where_it_is_small_and_folds_by_key() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(b'{"name": "Ann", "orders": [{"id": 9007199254740993, "total": 1.50}], "gone": null}')
        await pilot.pause()
        text = app.screen_text()
        assert '"name": "Ann"' in text
        assert "9007199254740993" in text and "1.50" in text, "digits are those that were written"
        app.query_one(JsonView).focus()
        await pilot.press("down", "down", "left")
        text = app.screen_text()
        assert '▸ "orders": [{"id": 9007199254740993, "total": 1.50}]' in text
        assert "$.orders" in text


async def test_a_stored_javascript_value_reads_as_javascript() -> None:
    app = Window()
    value = {
        "n": 3,
        "when": {"$date": "1970-01-01T00:00:00.000Z"},
        "tags": {"$set": ["a", "b"]},
        "m": {"$map": [["k", {"$bigint": "1"}]]},
        "none": {"$undefined": True},
        "$$date": "my own",
        "nan": {"$number": "NaN"},
        "re": {"$regexp": {"source": "a+", "flags": "gi"}},
        "bytes": {"$bytes": "AP8="},
    }
    async with app.run_test(size=(100, 30)) as pilot:
        app.view.show_tagged(value, b"\xff\x0f")
        await pilot.pause()
        text = app.screen_text()
        for expected in (
            '"when": Date 1970-01-01T00:00:00.000Z',
            '"tags": Set {2}',
            '"k" → 1n',
            '"none": undefined',
            '"$date": "my own"',
            '"nan": NaN',
            '"re": /a+/gi',
            "\"bytes\": Uint8Array 2 B x'00ff'",
        ):
            assert expected in text
    folded = "".join(text for text, _ in Node(value, tagged=True).pieces(400))
    assert 'Set {"a", "b"}' in folded and 'Map {"k" → 1n}' in folded


async def test_control_codes_and_markup_in_a_value_are_shown_and_do_nothing() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        for data in (
            b"[bold red]x[/] \x1b[2J\x1b]0;t\x07 \xe2\x80\xae \xc2\x9b31m",
            b'{"[red]\\u001b[2J": "\\u202e\\ud800[/]"}',
        ):
            app.view.show(data)
            await pilot.pause()
            text = app.screen_text()
            assert "\x1b" not in text and "\u202e" not in text and "\x9b" not in text and "\x07" not in text
            assert "[red]" in text or "[bold red]" in text


async def test_a_line_of_100_000_characters_wraps_and_is_all_there() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(b"x" * 99_999 + b"END")
        await pilot.pause()
        view = app.query_one(TextView)
        view.focus()
        await pilot.press("end")
        await pilot.pause(0.3)
        assert "END" in app.screen_text().replace("\n", "")


async def test_25_mib_of_json_shows_its_head_at_once_and_keys_answer_while_it_is_read() -> None:
    item = {"id": 1, "name": "x" * 60, "tags": [1, 2, 3], "nested": {"a": 1.5}}
    one = json.dumps(item).encode()
    data = b"[" + b",".join([one] * (25 * 1024 * 1024 // len(one))) + b"]"
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(data)
        await asyncio.sleep(0)
        assert "reading" in app.screen_text()
        text = app.query_one(TextView)
        text.focus()
        turns = 0
        while app.view.way is None:
            if turns < 3:
                app.post_message(events.Key("down", None))
            await asyncio.sleep(0.005)
            turns += 1
        assert turns > 3 and text.scroll_target_y == 3
        await pilot.pause()
        assert "JSON" in app.screen_text() and "0 … 999" in app.screen_text()
        app.query_one(JsonView).focus()
        await pilot.press("down", "right", "down")
        assert '0: {"id": 1' in app.screen_text()


async def test_bytes_are_hex_and_keys_switch_to_other_ways() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(bytes(range(256)) * 100_000)
        await pilot.pause(0.5)
        assert app.view.way == "hex"
        assert "00000000  00 01 02" in app.screen_text()
        app.query_one(HexView).focus()
        await pilot.press("end")
        await pilot.pause(0.3)
        assert "fe ff" in app.screen_text()
        app.view.show(b'{"a": 1}')
        await pilot.press("X")
        assert "7b 22 61 22" in app.screen_text()
        await pilot.press("v")
        assert app.view.way == "json"


async def test_a_picture_is_drawn() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(png(64, 48))
        await pilot.pause(0.3)
        await app.workers.wait_for_complete()
        text = app.screen_text()
        assert "PNG, 64 × 48 pixels" in text and "▀▀▀" in text


async def test_a_picture_that_claims_to_be_huge_is_described_not_decoded() -> None:
    data = bytearray(png(8, 8))
    data[16:24] = (100_000).to_bytes(4, "big") * 2
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(bytes(data))
        await pilot.pause(0.3)
        await app.workers.wait_for_complete()
        assert "100,000 × 100,000" in app.screen_text()
        assert "▀" not in app.screen_text()


@pytest.mark.parametrize(
    ("text", "problem"),
    [('{"a": }', "line 1 column 7"), ("[NaN]", "NaN is not JSON"), ("[" * 200_000, "nested too deep")],
)
async def test_broken_json_is_text_and_says_what_is_wrong(text: str, problem: str) -> None:
    app = Window()
    async with app.run_test(size=(120, 24)) as pilot:
        app.view.show(text.encode())
        await pilot.pause(0.2)
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.view.way == "text" and problem in app.screen_text()


def test_an_object_with_a_million_keys_opens_in_groups() -> None:
    value: Any = parse("{" + ",".join(f'"k{n}":{n}' for n in range(1_000_001)) + "}")
    root = Node(value, tagged=False)
    children = root.children()
    assert len(children) <= 1000
    assert sum(1 for _ in children[0].children()) <= 1000
    first = children[0].children()[0].children()[0]
    assert "".join(text for text, _ in first.pieces(80)) == '"k0": 0'
    assert first.path() == "$.k0"


async def test_a_value_that_is_left_is_read_no_further_and_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    began, given_up = threading.Event(), threading.Event()

    def endless(text: str, cancel: Cancel) -> None:
        began.set()
        assert cancel.cancelled or cancel.on(given_up.set) is None
        assert given_up.wait(30)
        cancel.check()

    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(b'{"a": [1, 2]}')
        await pilot.pause()
        assert app.query_one(JsonView).lines[0].value
        monkeypatch.setattr(value_view, "parse", endless)
        app.view.show(b"[" + b"1," * 100_000 + b"1]")
        assert await asyncio.to_thread(began.wait, 30)
        app.view.show(b"short")
        assert await asyncio.to_thread(given_up.wait, 30)
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.view.way == "text" and "short" in app.screen_text()
        assert app.query_one(JsonView).lines[0].value is None


def test_parsing_stops_when_nobody_waits_for_it() -> None:
    cancel = Cancel()
    cancel.cancel()
    for text in ("[1, 2]", '{"a": {}}'):
        with pytest.raises(Cancelled):
            parse(text, cancel)


def test_json_of_too_many_values_to_hold_is_text_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_parse, "MOST_VALUES", 1_000)
    found = value_view.look(b"[" + b"{}," * 1_000 + b"1]")
    assert found.ways == ("text", "hex") and "values are not folded" in found.problem
    assert value_view.look(b"[" + b"1," * 100 + b"1]").ways[0] == "json"


def test_equal_numbers_are_kept_once() -> None:
    first, second, third = parse("[1.50, 1.50, 2]")
    assert first is second and (first, third) == ("1.50", "2")


async def test_a_string_of_any_length_opens_into_a_thousand_lines_and_is_copied_whole() -> None:
    app = Window()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(json.dumps(["first\n" + "x" * 5_000_000]).encode())
        await app.workers.wait_for_complete()
        view = app.query_one(JsonView)
        view.focus()
        await pilot.press("down", "asterisk")
        assert [str(node.value) for node in view.lines[2:5]] == ["first", "x" * 100, "x" * 100]
        assert len(view.lines) == 2 + 1_000 + 1
        await pilot.press("end")
        assert "4,900,100 characters more" in app.screen_text()
        await pilot.press("y")
        assert len(app.clipboard) == 5_000_006


def test_lines_of_a_string_are_all_of_it() -> None:
    for text in ("", "a\n", "\n\n", "x" * 100 + "\n" + "y", "x" * 250, "\n".join(["z" * 99] * 5)):
        lines = [str(child.value) for child in Node(text, tagged=False).children()]
        assert all(len(line) <= 100 for line in lines)
        assert [line for whole in text.split("\n") for line in _cut(whole)] == lines


def _cut(line: str) -> list[str]:
    return [line[start : start + 100] for start in range(0, max(1, len(line)), 100)]
