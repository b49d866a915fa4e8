"""The tree of bindings: everything the config says and the disk holds, with counts, read again when files change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.ui import Window, demo, home, window
from workbench.operations.executor import drive, execute, open_state
from workbench.widgets import binding_tree
from workbench.widgets.binding_tree import BindingTree

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]


def tree(w: Window) -> BindingTree:
    return w.app.workbench.query_one(BindingTree)


async def to(w: Window, label: str) -> None:
    """Put the cursor on the line with this label."""
    item = next((item for item in tree(w).in_sight() if item.label == label), None)
    if item is None:
        pytest.fail(f"{label} is not in the tree:\n{w.text}")
    tree(w).go_to(item.key)
    await w.pilot.pause()


async def test_every_kind_of_binding_is_there_with_its_count(demo: str) -> None:
    async with window(demo) as w:
        await w.until(lambda: "1,503" in w.line("CACHE  "))
        for label, count in (("SESSIONS", "60"), ("FILES", "122"), ("Tenant", "7"), ("shop  ", "tbls")):
            await w.until(lambda label=label, count=count: count in w.line(label))
        for heading in (
            "Queues",
            "Services",
            "Worker loaders",
            "Assets",
            "Vars and secrets",
            "State directory",
        ):
            assert heading in w.text


async def test_a_class_unfolds_into_objects_and_an_object_into_facets_deleted_ones_marked(demo: str) -> None:
    async with window(demo, (140, 50)) as w:
        await w.until("AppRunner")
        await to(w, "AppRunner")
        await w.press("right")
        await w.until("my-app")
        await w.until("facets")
        await to(w, "my-app")
        await w.press("right")
        await w.until("billing  ")
        assert "× temp" in w.text
        assert "deleted" in w.line("× temp")
        await to(w, "app")
        await w.press("right")
        await w.until("inner")


async def test_a_class_reached_without_a_binding_is_marked(demo: str) -> None:
    async with window(demo) as w:
        await w.until("○ Auditor")
        await to(w, "Auditor")
        await w.press("right")
        await w.until(lambda: len(tree(w).in_sight()) > 20)


async def test_state_dropped_from_the_config_is_listed_as_without_a_binding(demo: str) -> None:
    config = Path(demo) / "wrangler.jsonc"
    config.write_text(config.read_text().replace('"sessions-preview"', '"another"'))
    async with window(demo, (120, 50)) as w:
        await w.until("Without a binding")
        await w.until("○ sessions-preview")
        await w.until(lambda: "60" in w.line("○ sessions-preview"))
        assert "0" in w.line("SESSIONS")


async def test_typing_filters_what_is_shown_and_escape_shows_all_again(demo: str) -> None:
    async with window(demo) as w:
        await w.until("Tenant")
        await w.press("slash")
        await w.type("ten")
        await w.gone("SESSIONS")
        assert "Tenant" in w.text
        await w.press("escape")
        await w.until("SESSIONS")
        await w.press("slash")
        await w.until(lambda: w.app.screen.query("#filter"))
        await w.press("enter")
        await w.until(lambda: not w.app.screen.query("#filter"))


async def test_what_is_found_in_a_worker_of_that_name_is_shown_and_opened(demo: str) -> None:
    async with window(demo) as w:
        await w.until("14 tbls")
        await w.press("slash")
        await w.type("shop")
        await w.gone("SESSIONS")
        await w.press("enter")
        await w.press("enter")
        await w.until("run the statement at the cursor")


async def test_a_secret_is_masked_until_it_is_asked_for(demo: str) -> None:
    lines = (Path(demo) / ".dev.vars").read_text().splitlines()
    name, _, value = next(line for line in lines if "=" in line and not line.startswith("#")).partition("=")
    value = value.strip().strip('"')
    async with window(demo, (200, 50)) as w:
        await w.until("Vars and secrets")
        await to(w, "Vars and secrets")
        await w.press("right")
        await w.until(name)
        assert value not in w.text
        assert "••••••" in w.line(name)
        await w.press("f3")
        await to(w, name)
        assert value not in w.text
        await w.press("x")
        await w.until(value)
        await w.press("x")
        await w.gone(value)


async def test_a_key_written_by_someone_else_changes_the_count(demo: str) -> None:
    async with window(demo) as w:
        await w.until(lambda: "60" in w.line("SESSIONS"))
        await w.pilot.pause(1)
        state = open_state(demo)
        drive(execute(state, "kv.values.put", {"binding": "SESSIONS", "key": "new", "value": "1"}))
        state.backend.close()
        await w.until(lambda: "61" in w.line("SESSIONS"))


async def test_a_config_changed_while_one_looks_changes_the_tree(demo: str) -> None:
    config = Path(demo) / "wrangler.jsonc"
    async with window(demo) as w:
        await w.until("SESSIONS")
        await w.pilot.pause(1)
        config.write_text(config.read_text().replace('"SESSIONS"', '"LOGINS"'))
        await w.until("LOGINS")
        assert "SESSIONS" not in w.text


async def test_problems_in_a_config_are_named_with_their_place_and_the_rest_is_shown(home: Path) -> None:
    project = home / "broken"
    project.mkdir()
    (project / "wrangler.jsonc").write_text(
        '{\n "name": "broken",\n "kv_namespaces": [{"binding": "KV", "id": "x"}, {"id": 5}],\n "d1_databases": 7\n}\n'
    )
    async with window(project) as w:
        await w.until("problem")
        assert "KV" in w.text
        await to(w, "broken")
        await w.press("enter")
        await w.until("wrangler.jsonc:")


async def test_the_state_directory_says_what_lies_in_it(demo: str) -> None:
    async with window(demo, (140, 50)) as w:
        await w.until("State directory")
        await to(w, "State directory")
        await w.press("enter")
        await w.until("in all")
        assert "durable_object" in w.text


async def test_names_with_escape_sequences_and_markup_are_shown_as_data(home: Path) -> None:
    project = home / "evil"
    project.mkdir()
    name = "[red]K[/red]\x1b[31m"
    (project / "wrangler.json").write_text(
        json.dumps(
            {
                "name": "e[b]v\x1bil",
                "kv_namespaces": [{"binding": name, "id": "x"}],
                "vars": {"V": "\x1b]0;x\x07"},
            }
        )
    )
    async with window(project, (140, 40)) as w:
        await w.until("[red]K[/red]␛[31m")
        assert "\x1b" not in w.text
        await w.press("f3")
        await w.pilot.pause(0.2)
        assert "\x1b" not in w.text


async def test_objects_come_a_page_at_a_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import apsw

    from workbench.backends.local.naming import id_from_name

    project = home / "crowd"
    folder = project / ".wrangler/state/v3/do/crowd-Room"
    folder.mkdir(parents=True)
    (project / "wrangler.json").write_text(
        json.dumps(
            {
                "name": "crowd",
                "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
                "migrations": [{"tag": "1", "new_sqlite_classes": ["Room"]}],
            }
        )
    )
    first = folder / "first.sqlite"
    connection = apsw.Connection(str(first))
    connection.execute("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    connection.close()
    content = first.read_bytes()
    first.unlink()
    for number in range(250):
        (folder / f"{id_from_name('crowd-Room', f'room {number}')}.sqlite").write_bytes(content)
    async with window(project, (100, 40)) as w:
        await w.until(lambda: "250" in w.line("Room"))
        await to(w, "Room")
        await w.press("right")
        await w.until(lambda: sum(item.kind == "do_object" for item in tree(w).in_sight()) == 100)
        await to(w, "more")
        await w.press("enter")
        await w.until(lambda: sum(item.kind == "do_object" for item in tree(w).in_sight()) == 200)
        connection = apsw.Connection(str(folder / f"{id_from_name('crowd-Room', 'one more')}.sqlite"))
        connection.execute("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        connection.close()
        await w.until(lambda: any(item.note == "251" for item in tree(w).in_sight()))
        assert sum(item.kind == "do_object" for item in tree(w).in_sight()) == 200, "it stays as far unfolded"
        monkeypatch.setattr(binding_tree, "MOST_FOUND", 20)
        await w.press("slash")
        await w.type("roo")
        await w.until("more: type on")
        assert sum(item.kind == "do_object" for item in tree(w).in_sight()) == 20


async def test_another_worker_nearby_opens_in_this_window_and_no_tab_of_the_first_stays(home: Path) -> None:
    for name in ("api", "web"):
        (home / "mono" / name).mkdir(parents=True)
        config = {"name": name, "main": "i.js", "kv_namespaces": [{"binding": f"{name}_KV", "id": name}]}
        (home / "mono" / name / "wrangler.json").write_text(json.dumps(config))
        state = open_state(str(home / "mono" / name))
        drive(
            execute(state, "kv.values.put", {"binding": f"{name}_KV", "key": f"key of {name}", "value": "1"})
        )
        state.backend.close()
    async with window(home / "mono") as w:
        await w.until("key of api")
        tree(w).go_to("elsewhere")
        await w.press("right", "down")
        await w.until("../web")
        await w.press("enter")
        await w.until("key of web")
        assert "api_KV" not in w.text and len(w.app.workbench.tabs.panes) == 1
        assert w.app.session is not None and w.app.session.target.source.endswith("/web/.wrangler/state")
        await w.until("Other Workers")


async def test_the_sample_opened_from_a_project_takes_its_place(demo: str, home: Path) -> None:
    async with window(demo) as w:
        await w.until("1,503 keys")
        before = w.app.session
        await w.press("ctrl+p")
        await w.type("sample project")
        await w.until("in a fresh temporary folder")
        await w.press("enter")
        await w.until("shop-api (demo)")
        await w.until("1,503 keys")
        (pane,) = w.app.workbench.tabs.panes.values()
        assert before is not None and pane.session is w.app.session is not before
        assert pane.session.target.source != before.target.source
