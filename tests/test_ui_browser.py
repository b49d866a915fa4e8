"""The browser of KV and R2, driven as a person does: what is on screen, and what the state then holds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.support.ui import Window, demo, home, window
from workbench.operations.executor import drive, execute, open_state
from workbench.widgets.key_list import KeyList
from workbench.widgets.value_view import ValueView

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]


def ask(folder: str, operation: str, **arguments: Any) -> Any:
    """What the state holds, by a fresh look."""
    state = open_state(folder)
    try:
        return drive(execute(state, operation, arguments))
    finally:
        state.backend.close()


def listed(folder: str, operation: str = "kv.keys.list", **arguments: Any) -> list[Any]:
    """Every item of a list, over all its pages."""
    found: list[Any] = []
    cursor = None
    while True:
        page = ask(folder, operation, cursor=cursor, **arguments)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


def mode_of(script: Path) -> str:
    """The mode of the file that the editor was given."""
    return Path(f"{script}.mode").read_text().strip()


def is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def at_cache(w: Window, prefix: str = "") -> None:
    """In the CACHE namespace, the keyboard in the list, narrowed to a folder."""
    await w.until("CACHE ×")
    await w.until(lambda: w.app.workbench.active_pane is not None)
    w.app.workbench.active_pane.focus_first()  # type: ignore[union-attr]
    w.app.workbench.active_pane.go(prefix)  # type: ignore[union-attr]
    await w.until(lambda: keys(w).current is not None)


async def at_files(w: Window, prefix: str = "") -> None:
    await w.until("1,503 keys")
    await w.press("down", "down", "down", "enter")
    await w.until("122 objects")
    w.app.workbench.active_pane.go(prefix)  # type: ignore[union-attr]
    await w.until(lambda: keys(w).current is not None)


def keys(w: Window) -> KeyList:
    pane = w.app.workbench.active_pane
    assert pane is not None
    return pane.query_one(KeyList)


async def to(w: Window, name: str) -> None:
    """Put the cursor on a key by its shown name."""
    for row in range(keys(w).pages.rows):
        entry = keys(w).pages.get(row)
        if entry is not None and entry.name == name:
            keys(w).cursor = row
            await w.pilot.pause(0.1)
            return
    pytest.fail(f"{name} is not listed:\n{w.text}")


async def test_folders_open_with_enter_and_backspace_goes_back_to_where_one_was(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w)
        await to(w, "user/")
        await w.press("enter")
        await w.until("CACHE ▸ user/")
        await w.press("backspace")
        await w.until("1,503 keys")
        await w.until(lambda: keys(w).current is not None and keys(w).current.key == "user/")


async def test_a_value_is_shown_with_its_metadata_and_expiry(demo: str) -> None:
    found = listed(demo, binding="CACHE")
    expiring = next(one.name for one in found if one.expiration)
    described = next(one.name for one in found if one.metadata and "/" in one.name)
    async with window(demo) as w:
        for name, shown in ((expiring, "expires 2"), (described, "metadata {")):
            folder, slash, last = name.rpartition("/")
            await at_cache(w, folder + slash)
            await to(w, last)
            await w.until(shown)


async def test_enter_goes_into_the_value_in_the_way_it_is_shown(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "config/")
        for name, way in (("motd", "text"), ("features", "json")):
            await to(w, name)
            await w.until(lambda way=way: way == w.app.screen.query_one(ValueView).way)  # type: ignore[misc]
            await w.press("enter")
            await w.until(lambda way=way: w.app.focused is not None and w.app.focused.id == way)  # type: ignore[misc]
            keys(w).focus()


async def test_find_narrows_to_a_prefix_as_it_is_typed(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "user/")
        first = keys(w).pages.get(0)
        assert first is not None
        await w.press("slash")
        await w.type(first.name[:4])
        count = sum(1 for one in listed(demo, binding="CACHE", prefix="user/" + first.name[:4]))
        await w.until(f"{count:,} key")
        await w.press("escape")
        await w.until(lambda: keys(w).pages.rows > 1)


async def test_keys_with_escape_sequences_and_markup_are_shown_as_text(demo: str) -> None:
    async with window(demo, (160, 40)) as w:
        await at_cache(w, "odd/")
        await w.until("23 keys")
        assert "\x1b" not in w.text
        assert "␛]0;title␇" in w.text
        assert "[bold]x[" in w.text
        await to(w, "\x1b]0;title\x07")
        await w.until("the value of ␛]0;title␇")


async def test_a_value_edited_is_what_the_state_holds_with_its_metadata_kept(demo: str) -> None:
    before = next(one for one in listed(demo, binding="CACHE", prefix="config/"))
    async with window(demo) as w:
        await at_cache(w, "config/")
        await to(w, before.name.removeprefix("config/"))
        await w.press("e")
        await w.until("ctrl+s write")
        area = w.app.screen.query_one("#text")
        area.text = '{"changed": true}'  # type: ignore[attr-defined]
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
        await w.until("changed")
    after = ask(demo, "kv.values.get", binding="CACHE", key=before.name)
    assert after.value == b'{"changed": true}'
    assert (after.metadata, after.expiration) == (before.metadata, before.expiration)


async def test_json_that_breaks_is_named_by_line_and_column_and_written_only_when_asked_again(
    demo: str,
) -> None:
    name = next(
        one.name
        for one in listed(demo, binding="CACHE")
        if is_json(ask(demo, "kv.values.get", binding="CACHE", key=one.name).value)
    )
    async with window(demo) as w:
        folder, slash, last = name.rpartition("/")
        await at_cache(w, folder + slash)
        await to(w, last)
        await w.press("e")
        await w.until("ctrl+s write")
        w.app.screen.query_one("#text").text = '{"a": 1,\n "b" 2}'  # type: ignore[attr-defined]
        await w.press("ctrl+s")
        await w.until("line 2 column 6")
        assert b"1,\n" not in ask(demo, "kv.values.get", binding="CACHE", key=name).value
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
        assert ask(demo, "kv.values.get", binding="CACHE", key=name).value == b'{"a": 1,\n "b" 2}'


async def test_what_was_typed_is_not_thrown_away_by_one_escape(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "config/")
        await w.press("n")
        await w.until("ctrl+s write")
        await w.type("mine")
        await w.press("escape")
        await w.until("Throw away what you typed?")
        await w.press("n")
        await w.until("config/mine")
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
        await w.until(lambda: keys(w).current is not None and keys(w).current.key == "config/mine")
    assert ask(demo, "kv.values.get", binding="CACHE", key="config/mine").value == b""


async def test_a_new_key_with_metadata_and_an_expiry_from_now(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "config/")
        await w.press("n")
        await w.until("ctrl+s write")
        await w.type("fresh")
        w.app.screen.query_one("#text").text = "hello"  # type: ignore[attr-defined]
        w.app.screen.query_one("#metadata").value = '{"by": "me"}'  # type: ignore[attr-defined]
        w.app.screen.query_one("#expires").value = "2 d"  # type: ignore[attr-defined]
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
    value = ask(demo, "kv.values.get", binding="CACHE", key="config/fresh")
    assert (value.value, value.metadata) == (b"hello", {"by": "me"})
    assert abs(value.expiration - time.time() - 2 * 86_400) < 60


async def test_an_editor_outside_changes_the_value(
    demo: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nstat -c %a "$1" > "$0.mode"\nprintf "from outside" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    async with window(demo) as w:
        monkeypatch.setattr(w.app, "suspend", nullcontext)  # a test has no terminal to give away
        await at_cache(w, "config/")
        await w.press("n")
        await w.until("ctrl+s write")
        await w.type("ext")
        await w.press("ctrl+e")
        await w.until("from outside")
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
    assert ask(demo, "kv.values.get", binding="CACHE", key="config/ext").value == b"from outside"
    assert mode_of(script) == "600"


async def test_where_a_terminal_cannot_be_given_away_it_is_said_and_what_was_typed_stays(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "config/")
        await w.press("n")
        await w.until("ctrl+s write")
        await w.type("ext")
        await w.press("tab")
        await w.type("half a thought")
        await w.press("ctrl+e")
        await w.until("this terminal can't be handed to another program")
        assert "half a thought" in w.text
        await w.press("ctrl+s")
        await w.gone("ctrl+s write")
    assert ask(demo, "kv.values.get", binding="CACHE", key="config/ext").value == b"half a thought"


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 3", "status 3"), ("printf '\\377' > \"$1\"", "UTF-8")],
)
async def test_an_editor_that_fails_loses_nothing(
    demo: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    from contextlib import nullcontext

    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    async with window(demo) as w:
        monkeypatch.setattr(w.app, "suspend", nullcontext)  # a test has no terminal to give away
        await at_cache(w, "config/")
        await w.press("n")
        await w.until("ctrl+s write")
        await w.press("tab")
        await w.type("mine")
        await w.press("ctrl+e")
        await w.until(lambda: w.says(said))
        assert "mine" in w.text


async def test_marked_keys_and_a_folder_are_deleted_after_a_list_of_all_that_goes(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w)
        await to(w, "config/")
        configs = listed(demo, binding="CACHE", prefix="config/")
        pages = listed(demo, binding="CACHE", prefix="page/")
        await w.press("space")
        await to(w, "page/")
        await w.press("space")
        await w.until("2 marked")
        await w.press("d")
        await w.until("● LOCAL")
        await w.until(f"{len(configs) + len(pages)} keys of CACHE")
        assert configs[0].name in w.text
        await w.press("y")
        await w.until(f"{1503 - len(configs) - len(pages):,} keys")
    assert listed(demo, binding="CACHE", prefix="config/") == []
    assert listed(demo, binding="CACHE", prefix="page/") == []
    assert len(listed(demo, binding="CACHE")) == 1503 - len(configs) - len(pages)


async def test_cancel_is_what_has_the_focus_when_a_deletion_asks(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w)
        await to(w, "config/")
        await w.press("d")
        await w.until("Delete config/")
        await w.press("enter")
        await w.gone("Delete config/")
        await w.pilot.pause(0.3)
    assert len(listed(demo, binding="CACHE")) == 1503


async def test_a_key_renamed_takes_its_value_and_metadata_along(demo: str) -> None:
    before = next(one for one in listed(demo, binding="CACHE", prefix="config/"))
    value = ask(demo, "kv.values.get", binding="CACHE", key=before.name)
    async with window(demo) as w:
        await at_cache(w, "config/")
        await to(w, before.name.removeprefix("config/"))
        await w.press("m")
        await w.until("Rename to")
        w.app.screen.query_one("#answer").value = "config/renamed"  # type: ignore[attr-defined]
        await w.press("enter")
        await w.until(lambda: keys(w).current is not None and keys(w).current.key == "config/renamed")
    after = ask(demo, "kv.values.get", binding="CACHE", key="config/renamed")
    assert after[1:] == value[1:]
    assert all(one.name != before.name for one in listed(demo, binding="CACHE", prefix="config/"))


async def test_a_folder_of_files_goes_up_and_comes_down_the_same(demo: str, home: Path) -> None:
    source = home / "public"
    (source / "css").mkdir(parents=True)
    (source / "index.html").write_text("<h1>hi</h1>")
    (source / "css" / "a.css").write_text("b{}")
    (source / "big.bin").write_bytes(bytes(range(256)) * 8192)
    async with window(demo) as w:
        await at_files(w)
        await w.press("i")
        await w.until("Upload to FILES")
        await w.type(str(source))
        await w.press("enter")
        await w.until("under the prefix")
        await w.press("enter")
        await w.until("3 objects")
        await w.until("3 files uploaded")
        w.app.workbench.active_pane.go("")  # type: ignore[union-attr]
        await w.until(lambda: keys(w).current is not None)
        await to(w, "public/")
        await w.press("s")
        await w.until("into the folder")
        w.app.screen.query_one("#answer").value = str(home / "back")  # type: ignore[attr-defined]
        await w.press("enter")
        await w.until("3 saved below")
    html = ask(demo, "r2.objects.list", bucket="FILES", prefix="public/index").items[0]
    assert html.http_metadata["contentType"] == "text/html"
    for name in ("index.html", "css/a.css", "big.bin"):
        assert (home / "back" / "public" / name).read_bytes() == (source / name).read_bytes()


async def test_an_upload_is_stopped_by_escape(demo: str, home: Path) -> None:
    source = home / "many"
    source.mkdir()
    for number in range(3000):
        (source / f"{number:04}.bin").write_bytes(b"x" * 1000)
    async with window(demo) as w:
        await at_files(w)
        await w.press("i")
        await w.until("Upload to FILES")
        await w.type(str(source))
        await w.press("enter")
        await w.until("under the prefix")
        await w.press("enter")
        await w.until("esc stop")
        await w.until("/3000")
        await w.press("escape")
        await w.until("stopped after")
    assert 0 < len(listed(demo, "r2.objects.list", bucket="FILES", prefix="many/")) < 3000


async def test_keys_that_are_no_file_names_are_left_out_and_counted(demo: str, home: Path) -> None:
    async with window(demo) as w:
        await at_cache(w)
        await to(w, "odd/")
        await w.press("s")
        await w.until("into the folder")
        w.app.screen.query_one("#answer").value = str(home / "out" / "deep")  # type: ignore[attr-defined]
        await w.press("enter")
        await w.until(lambda: "saved below" in w.text)
    assert names_in(home) == ["out", "sample"]
    assert names_in(home / "out") == ["deep"]


async def test_a_damaged_value_costs_a_folder_that_is_saved_itself_alone(demo: str, home: Path) -> None:
    from workbench.backends.local import database, naming

    state = open_state(demo)
    namespace = drive(state.kv("CACHE"))
    state.backend.close()
    path = naming.database_path(f"{demo}/.wrangler/state", "kv", naming.KV, namespace)
    with database.write(path) as connection:
        connection.execute("UPDATE _mf_entries SET blob_id = '../x' WHERE key = 'config/features'")
    others = {key.name for key in listed(demo, binding="CACHE", prefix="config/")} - {"config/features"}
    async with window(demo) as w:
        await at_cache(w)
        await to(w, "config/")
        await w.press("s")
        await w.until("into the folder")
        w.app.screen.query_one("#answer", Input).value = str(home / "down")
        await w.press("enter")
        await w.until(lambda: w.says(f"{len(others)} saved below"))
        assert w.says("1 left out:") and "config/features: " in w.text
    saved = {str(path.relative_to(home / "down")) for path in (home / "down").rglob("*") if path.is_file()}
    assert saved == others


async def test_an_object_shows_its_type_and_metadata_and_an_edit_keeps_them(demo: str) -> None:
    objects = ask(demo, "r2.objects.list", bucket="FILES").items
    before = next(
        one
        for one in objects
        if one.custom_metadata
        and one.size < 1000
        and str(one.http_metadata.get("contentType", "")).startswith(("text/", "application/json"))
    )
    folder = before.key[: before.key.rfind("/") + 1]
    async with window(demo) as w:
        await at_files(w, folder)
        await to(w, before.key[len(folder) :])
        await w.until(str(before.http_metadata["contentType"]))
        await w.press("e")
        await w.until("ctrl+s write")
        w.app.screen.query_one("#text").text = "edited"  # type: ignore[attr-defined]
        await w.press("ctrl+s")
        await w.pilot.pause(0.2)
        if "ctrl+s again" in w.text:
            await w.press("ctrl+s")
        await w.gone("ctrl+s write")
    after = ask(demo, "r2.objects.list", bucket="FILES", prefix=before.key).items[0]
    assert (after.size, after.custom_metadata) == (6, before.custom_metadata)
    assert after.http_metadata == before.http_metadata


async def test_pending_uploads_are_listed_and_aborted(demo: str) -> None:
    pending = ask(demo, "r2.uploads.list", bucket="FILES").items
    assert pending
    async with window(demo) as w:
        await at_files(w)
        await w.press("p")
        await w.until("Pending uploads of")
        await w.until(pending[0].key[:20])
        await w.press("d")
        await w.until("Abort the upload of")
        await w.press("y")
        await w.until(f"{pending[0].parts} parts" if len(pending) > 1 else "None: every upload")
    assert len(ask(demo, "r2.uploads.list", bucket="FILES").items) == len(pending) - 1


async def test_a_key_written_elsewhere_appears_by_itself(demo: str) -> None:
    async with window(demo) as w:
        await at_cache(w, "config/")
        before = keys(w).pages.rows
        await w.pilot.pause(1)  # the watch is set up after the first paint
        state = open_state(demo)
        drive(
            execute(state, "kv.values.put", {"binding": "CACHE", "key": "config/zz-elsewhere", "value": "1"})
        )
        state.backend.close()
        await w.until("zz-elsewhere")
        assert keys(w).pages.rows == before + 1
        await w.until(lambda: "1,504" in w.line("CACHE  "))


def big_namespace(folder: Path, count: int) -> str:
    """A project whose namespace holds `count` keys below one prefix; the values share a blob."""
    import apsw

    from workbench.backends.local.naming import database_path

    project = folder / "big"
    project.mkdir()
    (project / "wrangler.json").write_text(
        json.dumps({"name": "big", "kv_namespaces": [{"binding": "KV", "id": "many"}]})
    )
    state = project / ".wrangler/state/v3/kv"
    (state / "many" / "blobs").mkdir(parents=True)
    (state / "many" / "blobs" / ("a" * 80)).write_bytes(b"v")
    (state / "miniflare-KVNamespaceObject").mkdir()
    path = database_path(str(project / ".wrangler/state"), "kv", "miniflare-KVNamespaceObject", "many")
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF")
    connection.execute(
        "CREATE TABLE _mf_entries (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, expiration INTEGER, metadata TEXT)"
    )
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO _mf_entries SELECT printf('k/%07d', i), ?, NULL, NULL FROM n",
        (count - 1, "a" * 80),
    )
    connection.close()
    return str(project)


async def test_a_prefix_with_a_million_keys_answers_every_key(home: Path) -> None:
    project = big_namespace(home, 1_000_000)
    async with window(project) as w:
        await w.until("KV ×")
        await w.press("f6")
        await w.until("k/")
        await w.press("enter")
        await w.until("0000000")
        for key in ["down", "pagedown", "pagedown", "up", "pagedown"] * 4:
            was = keys(w).cursor
            await w.press(key)
            assert keys(w).cursor != was
        assert keys(w).pages.rows <= 1500, "no more is read than one looks at"
        await w.press("slash")
        await w.type("07654")
        await w.until("0765400")
        await w.until("100 keys")
        await w.press("escape")
        await w.until("0000000")
        await w.press("end")
        await w.until("reading on")
        await w.press("escape")
        await w.gone("reading on")
        assert len(list(keys(w).pages.kept())) <= 40 * 500


async def test_a_value_with_a_very_long_line_goes_straight_to_the_editor_outside(
    demo: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import nullcontext

    long = json.dumps({"text": "x" * 200_000})
    state = open_state(demo)
    drive(execute(state, "kv.values.put", {"binding": "CACHE", "key": "config/long.json", "value": long}))
    state.backend.close()
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "short now" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    async with window(demo) as w:
        monkeypatch.setattr(w.app, "suspend", nullcontext)  # a test has no terminal to give away
        await at_cache(w, "config/")
        await to(w, "long.json")
        await w.press("e")
        await w.until("short now")
    assert ask(demo, "kv.values.get", binding="CACHE", key="config/long.json").value == b"short now"
