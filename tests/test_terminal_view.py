"""The terminal on screen, with real programs in it, driven as a person does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from tests.support.program import ProgramApp
from tests.support.tools import needs
from workbench.terminal import ClipboardWrite, Modes
from workbench.widgets.alt_parser import AltParser
from workbench.widgets.terminal import TerminalView
from workbench.widgets.terminal.keyboard import encode


class Desk:
    """A program in a window, with a person at it."""

    def __init__(self, app: ProgramApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot, self.view = app, pilot, app.view

    @property
    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def until(self, seen: str | Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not (seen in self.text if isinstance(seen, str) else seen()):
            if time.monotonic() > end:
                pytest.fail(f"not seen: {seen!r}\n{self.text}")
            await self.pilot.pause(0.02)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        self.view.post_message(TerminalView.Input(text.encode()))

    async def enter(self, command: str, seen: str | Callable[[], object]) -> None:
        await self.type(command + "\r")
        await self.until(seen)


@asynccontextmanager
async def desk(*argv: str, size: tuple[int, int] = (80, 24), **options: str) -> AsyncIterator[Desk]:
    app = ProgramApp(*argv, env=options)
    async with app.run_test(size=size) as pilot:
        opened = Desk(app, pilot)
        await opened.until(lambda: app.pid > 0)
        yield opened


@pytest.fixture
async def bash() -> AsyncIterator[Desk]:
    async with desk("bash", "--norc", "--noprofile") as opened:
        await opened.until("$")
        yield opened


async def test_keys_reach_the_shell_and_its_output_is_drawn(bash: Desk) -> None:
    await bash.press(
        *"echo", "space", "h", "i", "exclamation_mark", "space", "A", "minus", "underscore", "enter"
    )
    await bash.until(lambda: "hi! A-_" in bash.lines)


async def test_control_and_alt_keys_do_what_they_do_in_a_shell(bash: Desk) -> None:
    await bash.press(
        *"echo", "space", *"one", "space", *"two", "alt+b", "X", "ctrl+a", "ctrl+k", "ctrl+y", "enter"
    )
    await bash.until(lambda: "one Xtwo" in bash.lines)
    await bash.enter("cat", "cat")
    await bash.press("a", "tab", "ctrl+v", "ctrl+c", "enter", "ctrl+d", "ctrl+c")
    await bash.until(lambda: any("^C" in line for line in bash.lines))


async def test_colours_and_wide_characters_are_on_their_columns(bash: Desk) -> None:
    await bash.enter("printf '\\e[1;38;2;1;2;3mrgb\\e[0m \\e[7mrev\\e[0m 漢字|é|\\n'", "漢字|é|")
    row = next(at for at, line in enumerate(bash.lines) if line.startswith("rgb"))
    strip = bash.view.render_line(row)
    first = next(iter(strip))
    assert first.text == "rgb" and first.style is not None and first.style.color is not None
    assert tuple(first.style.color.triplet or ()) == (1, 2, 3) and first.style.bold
    assert strip.cell_length == 80


async def test_a_terminal_gets_the_room_it_has(bash: Desk) -> None:
    await bash.enter("stty size", "24 80")
    await bash.pilot.resize_terminal(100, 30)
    await bash.until(lambda: bash.view.terminal.columns == 100)
    await bash.enter("stty size", "30 100")


async def test_one_reads_back_while_output_goes_on_and_a_key_returns(bash: Desk) -> None:
    await bash.enter("for i in $(seq 1 300); do echo line $i; done", "line 300")
    await bash.press("shift+pageup")
    await bash.until(lambda: "line 300" not in bash.text)
    seen = bash.text
    await bash.type("echo more\r")
    terminal = bash.view.terminal
    await bash.until(lambda: "more" in [terminal.text(line) for line in terminal.rows])
    await bash.pilot.pause(0.1)
    assert bash.text == seen
    await bash.press("x")
    await bash.until("more")


async def test_the_key_that_frees_the_keyboard_and_what_is_copied_then(bash: Desk) -> None:
    await bash.enter("echo copy this text; echo below", lambda: "below" in bash.lines)
    await bash.press("f8")
    assert not bash.view.captured
    await bash.press("v", "k", "k", "home")
    place = bash.lines.index("copy this text") + bash.view.top
    while bash.view.place.line < place:
        await bash.press("j")
    await bash.press("escape", "v")
    bash.view._move(place, 5)
    await bash.press("v", "l", "l", "l", "y")
    assert bash.app.clipboard == "this"
    await bash.press("f8", *"echo", "space", *"again", "enter")
    await bash.until(lambda: "again" in bash.lines)


async def test_text_is_chosen_by_the_mouse(bash: Desk) -> None:
    long = "x" * 90
    await bash.enter(f"clear; echo {long}; echo 'two  words'", lambda: "two  words" in bash.lines)
    row = bash.lines.index("two  words")
    await bash.pilot.mouse_down(TerminalView, offset=(5, row))
    await bash.pilot.hover(TerminalView, offset=(9, row))
    await bash.pilot.mouse_up(TerminalView, offset=(9, row))
    assert bash.view.selection is not None and bash.view.selection.text() == "words"
    await bash.pilot.click(TerminalView, offset=(1, row), times=2)
    assert bash.view.selection.text() == "two"
    await bash.pilot.click(TerminalView, offset=(1, row - 2), times=3)
    assert bash.view.selection.text() == long


async def found(bash: Desk, text: str, *, regex: bool = False) -> int:
    bash.view.find(text, regex=regex)
    await bash.until(lambda: bash.view.search is not None and bash.view.search.done)
    assert bash.view.search is not None
    return len(bash.view.search.found)


async def test_text_is_found_in_what_scrolled_away(bash: Desk) -> None:
    await bash.enter("clear; for i in $(seq 1 200); do echo item $i; done", "item 200")
    await bash.press("f8")
    assert await found(bash, "item 5") == 11
    assert "item 59" in bash.text
    await bash.press("n")
    assert "item 58" in bash.text
    await bash.press("N", "N")
    assert bash.view.search is not None and bash.view.search.found[bash.view.search.at].start.line > 0
    assert await found(bash, r"item 1\d$", regex=True) == 10
    assert "item 19" in bash.text
    await bash.press("escape")
    assert "item 200" in bash.text


async def test_an_expression_that_would_take_for_ever_is_given_up_and_the_window_goes_on(bash: Desk) -> None:
    await bash.enter(f"clear; echo {'a' * 60}; seq 600", "600")
    await bash.press("f8")
    assert await found(bash, "(a+)+b", regex=True) == 0
    assert bash.view.search is not None and "given up" in bash.view.search.said
    assert await found(bash, "599") == 1


async def test_a_paste_with_control_characters_is_asked_about(bash: Desk) -> None:
    bash.view.post_message(events.Paste("echo pasted"))
    await bash.until("echo pasted")
    bash.view.post_message(events.Paste("rm\x1b[201~ -rf\x07"))
    await bash.until(lambda: bash.app.asked)
    assert "rm" not in bash.text
    asked = bash.app.asked[0]
    assert asked.found.end_marks == 1 and "\x1b" in asked.found.controls


async def test_a_link_is_asked_about_and_never_handed_to_the_outer_terminal(bash: Desk) -> None:
    await bash.enter(
        "printf '\\e]8;;https://example.com/x\\e\\\\click me\\e]8;;\\e\\\\\\n'",
        lambda: "click me" in bash.lines,
    )
    row = bash.lines.index("click me")
    await bash.pilot.click(TerminalView, offset=(2, row), control=True)
    await bash.until(lambda: bash.app.asked)
    assert bash.app.asked[0].uri == "https://example.com/x"
    assert all(segment.style is None or segment.style.link is None for segment in bash.view.render_line(row))


async def test_the_clipboard_is_written_only_by_whoever_owns_the_window(bash: Desk) -> None:
    before = bash.app.clipboard
    await bash.enter("printf '\\e]52;c;aGVsbG8=\\a'; echo done", lambda: "done" in bash.lines)
    await bash.until(lambda: ClipboardWrite("c", b"hello") in bash.app.told)
    assert bash.app.clipboard == before


async def test_queries_are_answered_where_the_view_is_the_terminal(bash: Desk) -> None:
    await bash.enter("read -rs -d c -p $'\\e[c' answer; echo \"got ${answer#*[}\"", "got ?")


@pytest.mark.parametrize("command", ["seq 1 100000", "yes | head -c 3000000"])
async def test_a_flood_ends_on_the_same_screen_and_keys_go_through_meanwhile(
    bash: Desk, command: str
) -> None:
    await bash.enter(f"{command}; echo the end", lambda: "the end" in bash.lines)
    assert bash.view.feeding.waiting == 0
    last = next(line for line in reversed(bash.lines) if line and line not in ("the end", "$"))
    assert last in ("100000", "y")


@needs("vim")
async def test_vim_edits_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vim") / "notes.txt"
    path.write_text("first\nsecond\nthird\n")
    async with desk("vim", "-u", "NONE", "-N", "--cmd", "set mouse=a ttymouse=sgr", str(path)) as vim:
        await vim.until("third")
        assert vim.view.terminal.modes.alternate
        await vim.press("G", "o", *"fourth", "escape", "g", "g", "d", "d")
        await vim.until(lambda: vim.lines[0] == "second" and "fourth" in vim.text)
        await vim.pilot.click(TerminalView, offset=(2, 1))
        await vim.until(lambda: vim.view.terminal.cursor[:2] == (2, 1))
        await vim.press("colon", "w", "q", "enter")
        await asyncio.wait_for(vim.app.ended.wait(), 20)
    assert path.read_text() == "second\nthird\nfourth\n"


@needs("less")
async def test_less_pages_and_the_wheel_scrolls_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("less") / "long.txt"
    path.write_text("".join(f"row {number}\n" for number in range(1000)))
    async with desk("less", str(path), LESS="") as less:
        await less.until("row 5")
        await less.press("space")
        await less.until("row 40")
        await less.press("slash", *"row", "space", *"777", "enter")
        await less.until("row 777")
        less.view.post_message(
            events.MouseScrollUp(less.view, 5, 5, 0, -1, 0, False, False, False, screen_x=5, screen_y=5)
        )
        await less.until("row 774")


@needs("htop")
async def test_htop_is_drawn_and_its_keys_work() -> None:
    async with desk("htop", "-d", "5", size=(100, 30)) as htop:
        await htop.until("F10Quit")
        await htop.press("f2")
        await htop.until("Setup")
        await htop.press("f10")
        await htop.until("F2Setup")
        await htop.press("q")
        await asyncio.wait_for(htop.app.ended.wait(), 20)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("\x1b.", b"\x1b."),
        ("\x1bb", b"\x1bb"),
        ("\x1bB", b"\x1bB"),
        ("\x1b\x7f", b"\x1b\x7f"),
        ("\x1b\r", b"\x1b\r"),
        ("\x1c\x1f\x1d\x00", b"\x1c\x1f\x1d\x00"),
        ("\x1b[1;3A\x1b[3;5~\x1b[15;2~", b"\x1b[1;3A\x1b[3;5~\x1b[15;2~"),
        ("\x1b[Z\x7f\r\t", b"\x1b[Z\x7f\r\t"),
        ("\x1b[46;3u\x1b[97;5u", b"\x1b.\x01"),
        ("é漢+", "é漢+".encode()),
    ],
)
def test_what_the_outer_terminal_sends_for_a_key_is_what_the_program_gets(typed: str, sent: bytes) -> None:
    parser = AltParser()
    given = [*parser.feed(typed), *parser.feed("")]
    assert b"".join(encode(event, Modes()) for event in given if isinstance(event, events.Key)) == sent


def test_alt_and_a_digit_is_that_where_the_outer_terminal_sends_an_escape_before_it() -> None:
    parser = AltParser()
    given = [*parser.feed("\x1b1\x1b9"), *parser.feed("")]
    assert [event.key for event in given if isinstance(event, events.Key)] == ["alt+1", "alt+9"]


async def test_while_a_program_has_the_keyboard_no_key_is_the_windows(bash: Desk) -> None:
    await bash.enter("cat -v", "cat -v")
    await bash.press("ctrl+q", "f12", "ctrl+p", "ctrl+w", "f1", "escape", "tab", "question_mark", "enter")
    await bash.until(lambda: "?" in bash.text)
    assert bash.app.is_running and bash.app.screen is bash.app.screen_stack[0]
