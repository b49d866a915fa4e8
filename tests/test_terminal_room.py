"""A terminal in a room of another size than its own, and a cursor that no cell can show: what is seen, and where the mouse is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from workbench.terminal import Terminal
from workbench.widgets.terminal import TerminalView


class Room(App[None]):
    """A window of 40 by 10 with a terminal of any size in it."""

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False

    def compose(self) -> ComposeResult:
        yield TerminalView(Terminal(100, 30))

    def on_mount(self) -> None:
        self.inputs: list[bytes] = []
        self.view.focus()
        self.view.captured = True

    @property
    def view(self) -> TerminalView:
        return self.query_one(TerminalView)

    @property
    def lines(self) -> list[str]:
        return [self.view.render_line(y).text for y in range(self.view.size.height)]

    def on_terminal_canvas_input(self, event: TerminalView.Input) -> None:
        self.inputs.append(event.data)


@pytest.fixture
async def room() -> AsyncIterator[tuple[Room, Pilot[None]]]:
    app = Room()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        yield app, pilot


def at(column: int, line: int, text: str) -> bytes:
    return f"\x1b[{line + 1};{column + 1}H{text}".encode()


async def test_of_a_larger_terminal_the_part_around_the_cursor_is_seen(
    room: tuple[Room, Pilot[None]],
) -> None:
    app, pilot = room
    app.view.put(at(0, 0, "top") + at(80, 25, "here"))
    await pilot.pause()
    assert any("here" in line for line in app.lines) and not any("top" in line for line in app.lines)
    app.view.put(at(0, 0, ""))
    await pilot.pause(0.05)
    assert app.lines[0].startswith("top")


async def test_a_reader_moves_about_in_a_larger_terminal_and_typing_leads_back_to_the_cursor(
    room: tuple[Room, Pilot[None]],
) -> None:
    app, pilot = room
    app.view.put(at(60, 0, "right") + at(0, 29, "low") + at(0, 0, "home"))
    await pilot.pause(0.05)
    assert "home" in app.lines[0]
    await pilot.press("f8", *["right"] * 4)
    assert "right" in app.lines[0] and "home" not in app.lines[0]
    await pilot.press("end")
    assert not any("right" in line for line in app.lines)
    await pilot.press(*["left"] * 4)
    assert "low" in app.lines[-1]
    await pilot.press("f8", "x")
    await pilot.pause(0.05)
    assert app.lines[0].startswith("home") and app.inputs[-1] == b"x"


async def test_the_mouse_reports_the_terminals_own_cells(room: tuple[Room, Pilot[None]]) -> None:
    app, pilot = room
    app.view.put(b"\x1b[?1000h\x1b[?1006h" + at(90, 25, "x"))
    await pilot.pause(0.05)
    column, row = app.view.viewport.left, app.view.viewport.above
    assert column and row
    await pilot.click(TerminalView, offset=(3, 2))
    assert app.inputs[0] == f"\x1b[<0;{column + 4};{row + 3}M".encode()


async def test_beside_a_smaller_terminal_are_dots(room: tuple[Room, Pilot[None]]) -> None:
    app, pilot = room
    app.view.resize_terminal(20, 5)
    app.view.put(b"small")
    await pilot.pause(0.05)
    assert app.lines[0] == "small" + " " * 15 + "·" * 20 and app.lines[5] == "·" * 40


async def test_a_bar_is_drawn_by_the_terminal_one_sits_at_and_goes_with_the_keyboard(
    room: tuple[Room, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = room
    written: list[str] = []
    monkeypatch.setattr(app._driver, "write", written.append)
    app.view.resize_terminal(40, 10)
    app.view.put(b"\x1b[5 qab")
    await pilot.pause(0.05)
    assert written[-1] == "\x1b[1;3H\x1b[5 q\x1b[?25h" and tuple(app.cursor_position) == (2, 0)
    app.view.put(b"c")
    await pilot.pause(0.05)
    assert written[-1] == "\x1b[1;4H"
    await pilot.press("f8")
    assert written[-1] == "\x1b[?25l\x1b[0 q"


async def test_a_link_written_out_is_one_and_is_asked_for_by_key(room: tuple[Room, Pilot[None]]) -> None:
    app, pilot = room
    asked: list[str] = []
    app.view.post_message = _noting(app.view.post_message, asked)  # type: ignore[assignment,method-assign]
    app.view.resize_terminal(40, 10)
    app.view.put(b"see (https://example.com/a/long/path?x=1) and \x1b]8;;https://other.example\x1b\\this")
    await pilot.pause(0.05)
    await pilot.press("f8", "v", "home", "w", "l", "u")
    assert asked == ["https://example.com/a/long/path?x=1"]
    await pilot.press("escape")
    await pilot.click(TerminalView, offset=(8, 1))
    assert asked[1:] == ["https://other.example"]


def _noting(post: object, asked: list[str]) -> object:
    def noted(message: object) -> bool:
        if isinstance(message, TerminalView.LinkAsked):
            asked.append(message.uri)
        return bool(post(message))  # type: ignore[operator]

    return noted
