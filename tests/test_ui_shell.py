"""The frame as a person meets it: what it says, its tabs, its help, its palette, and what it keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from textual.driver import Driver
from textual.widgets import Input

from tests.support.ui import demo, home, window
from workbench.screens.pane import Locator

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]


async def test_the_frame_says_which_project_and_which_target(demo: str) -> None:
    async with window(demo) as w:
        await w.until("CACHE")
        top = w.text.splitlines()[0]
        assert "shop-api" in top
        assert "● LOCAL .wrangler/state" in top
        assert "no dev server" in top


async def test_a_first_start_opens_the_first_resource_and_leaves_the_keyboard_in_the_tree(demo: str) -> None:
    async with window(demo, (80, 24)) as w:
        await w.until("1,503 keys")
        assert w.app.focused is not None and w.app.focused.id == "tree"
        assert "CACHE ×" in w.text


async def test_without_a_project_it_says_what_was_looked_for_and_opens_the_sample_at_one_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(home))
    empty = home / "empty"
    empty.mkdir()
    async with window(empty) as w:
        await w.until("No Worker project here")
        assert str(empty) in "".join(w.text.replace("│", "").split())
        assert "wrangler.jsonc" in w.text
        await w.press("d")
        await w.until("shop-api (demo)")
        await w.until("CACHE")


async def test_help_explains_what_has_the_focus(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("question_mark")
        await w.until("Every Worker with its bindings")
        await w.press("escape", "f6", "question_mark")
        await w.until("Keys in the order of their bytes")
        assert "Rename" in w.text
        await w.press("escape")
        await w.gone("Keys in the order")


async def test_the_tree_folds_away_and_comes_back(demo: str) -> None:
    async with window(demo, (80, 24)) as w:
        await w.until("SESSIONS")
        await w.press("f2")
        await w.gone("SESSIONS")
        await w.press("f2")
        await w.until("SESSIONS")


async def test_open_tabs_are_there_again_after_a_restart(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("down", "enter")
        await w.until("60 keys")
        await w.press("ctrl+q")
    async with window(demo) as w:
        await w.until("60 keys")
        assert "CACHE ×" in w.text and "SESSIONS ×" in w.text


async def test_a_broken_memory_of_tabs_is_no_obstacle(demo: str, home: Path) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("ctrl+q")
    (kept,) = (home / "home" / "cfwb" / "windows").iterdir()
    kept.write_text(
        json.dumps({"version": 1, "active": "x", "tabs": [{"locator": [1, 2]}, 5, {"locator": ["kv"]}]})
    )
    async with window(demo) as w:
        await w.until("SESSIONS")


async def test_a_tab_closes_and_the_next_one_is_shown(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("down", "enter")
        await w.until("60 keys")
        await w.press("ctrl+w")
        await w.until("1,503 keys")
        assert "SESSIONS ×" not in w.text
        await w.press("ctrl+w")
        await w.until("Nothing is open.")


async def test_the_palette_runs_any_operation_and_shows_what_it_gave(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("colon")
        await w.type("kv keys list")
        await w.until("Keys of a namespace")
        await w.press("enter")
        await w.until("binding")
        await w.until("LOCAL")
        await w.type("config/")
        await w.press("enter")
        await w.until("rows")
        assert "config/" in w.text


async def test_enter_runs_a_command_that_asks_for_nothing(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("colon")
        await w.type("state list")
        await w.until("Everything in the state directory")
        await w.press("enter")
        await w.until("enter or ctrl+r run")
        await w.press("enter")
        await w.until("durable_object")


async def test_an_operation_that_destroys_asks_first_and_names_the_target(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("colon")
        await w.type("kv namespaces delete")
        await w.until("Start a namespace over")
        await w.press("enter")
        await w.until("destroys")
        await w.press("ctrl+r")
        await w.until("would go")
        assert "● LOCAL" in w.text
        await w.press("n")
        await w.gone("would go")
        await w.press("escape")
        await w.until("1,503 keys")


async def test_dark_and_light_at_a_key_and_kept(demo: str) -> None:
    async with window(demo) as w:
        await w.until("CACHE")
        before = w.app.theme
        await w.press("ctrl+t")
        after = w.app.theme
        assert after != before
    async with window(demo) as w:
        await w.until("CACHE")
        assert w.app.theme == after


async def test_jump_puts_a_letter_on_everything_that_takes_the_focus(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("ctrl+o")
        await w.pilot.pause(0.2)
        await w.press("s")
        await w.until(lambda: w.app.focused is not None and w.app.focused.id == "keys")


async def test_details_lie_over_the_panes_at_80_columns_and_beside_them_on_a_wide_screen(demo: str) -> None:
    async with window(demo, (80, 24)) as w:
        await w.until("1,503")
        await w.press("f3")
        await w.until("scroll · esc back")
        assert "CACHE" in w.text
        await w.press("escape")
        await w.gone("scroll · esc back")
    async with window(demo, (140, 40)) as w:
        await w.until("1,503")
        await w.press("f3")
        await w.until("kind")


async def test_the_window_writes_nothing_into_the_project(demo: str) -> None:
    def files() -> dict[str, tuple[int, int]]:
        found = {}
        for folder, _, names in os.walk(demo):
            for name in names:
                if not name.endswith(("-shm", "-wal")):
                    status = os.stat(os.path.join(folder, name))
                    found[os.path.join(folder, name)] = (status.st_size, status.st_mtime_ns)
        return found

    before = files()
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.press("f6", "down", "down", "enter")
        await w.pilot.pause(0.3)
        await w.press("ctrl+q")
    assert files() == before


async def test_where_one_types_the_hints_name_keys_that_are_not_text(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        assert "? Help  : Commands" in w.text.splitlines()[-1]
        await w.press("slash")
        await w.until(lambda: "f1 Help  ^p Commands" in w.text.splitlines()[-1])
        await w.press("f1")
        await w.until("Everywhere")


async def test_the_form_of_a_command_begins_with_what_is_selected(demo: str) -> None:
    async with window(demo) as w:
        await w.until("4 · 1 ✗")
        await w.app.workbench.open(Locator("workflow", "billing-flow", label="billing-flow"))
        await w.until("inv-1003")
        await w.press("down", "down", "ctrl+p")
        await w.type("workflows instances get")
        await w.until("One instance with its")
        await w.press("enter")
        await w.until("enter or ctrl+r run")
        assert "inv-1002" in [field.value for field in w.app.screen.query(Input)]
        await w.press("ctrl+r")
        await w.until('"card declined"')


async def test_a_document_is_read_beside_the_window_and_shown_as_text(demo: str) -> None:
    async with window(demo) as w:
        await w.until("4 · 1 ✗")
        await w.press("ctrl+p")
        await w.type("d1 export")
        await w.until("A database as a .sql script")
        await w.press("enter")
        await w.until("enter or ctrl+r run")
        await w.press("ctrl+r")
        await w.until("PRAGMA defer_foreign_keys")


async def test_back_from_the_shell_everything_is_painted_again(demo: str) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        await w.pilot.pause(0.3)
        assert w.text
        await w.app._post_message(Driver.SignalResume())
        await w.until(lambda: w._text is None)
        assert "1,503 keys" in w.text
