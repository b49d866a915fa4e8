"""A state directory that came with somebody else's project: links out of it, pipes and devices in the place of its files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.support.local import in_child, local_backend, run
from workbench.backends.local import LocalBackend, facets, naming
from workbench.model.errors import WorkbenchError

ID = "0123456789abcdef"
OBJECT = naming.id_from_name("worker-Room", "home")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    backend = local_backend(tmp_path / "state")
    run(backend.kv.put(ID, "k", b"mine"))
    run(backend.r2.put("files", "k", [b"mine"]))
    return tmp_path / "state"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / "product" / "below").mkdir(parents=True)
    (folder / "thesis").write_text("years of work")
    (folder / "product" / "below" / "places.sqlite").write_text("")
    other = apsw.Connection(str(folder / "other.sqlite"))
    other.execute("CREATE TABLE _mf_entries (key TEXT, blob_id TEXT, expiration, metadata)")
    other.close()
    return folder


def value_file(state: Path) -> Path:
    return next(state.joinpath("v3", "kv", ID, "blobs").iterdir())


def replaced(path: Path, by: Path | str) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(by)


def everything(backend: LocalBackend) -> list[tuple[str, Callable[[], object]]]:
    return [
        ("kv get", lambda: run(backend.kv.get(ID, "k"))),
        ("kv put", lambda: run(backend.kv.put(ID, "k", b"2"))),
        ("kv delete", lambda: run(backend.kv.delete_namespace(ID))),
        ("start over", lambda: run(backend.state.delete())),
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("which", ["v3", "kv", "folder", "blobs", "value", "database"])
def test_no_link_out_is_read_changed_or_removed_through(state: Path, out: Path, which: str) -> None:
    database = Path(naming.database_path(str(state), "kv", naming.KV, ID))
    link, to = {
        "v3": (state / "v3", out),
        "kv": (state / "v3" / "kv", out),
        "folder": (state / "v3" / "kv" / ID, out),
        "blobs": (state / "v3" / "kv" / ID / "blobs", out),
        "value": (value_file(state), out / "thesis"),
        "database": (database, out / "other.sqlite"),
    }[which]
    replaced(link, to)
    before = contents(out)
    refused: set[str] = set()
    for name, act in everything(local_backend(state)):
        try:
            assert b"years" not in (getattr(act(), "value", None) or b""), name
        except WorkbenchError as error:
            refused.add(error.code)
    assert "state.link_out" in refused and refused <= {"state.link_out", "kv.key_not_found"}
    assert contents(out) == before


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_not_waited_for(state: Path, kind: str) -> None:
    backend = local_backend(state)
    path = value_file(state)
    folder = state / "v3" / "do" / "worker-Room"
    folder.mkdir(parents=True)
    for odd in (path, folder / f"{OBJECT}.facets"):
        odd.unlink(missing_ok=True)
        os.mkfifo(odd) if kind == "pipe" else odd.symlink_to(kind)
    for look in (
        lambda: run(backend.kv.get(ID, "k")),
        lambda: facets.read_index(str(folder / f"{OBJECT}.facets")),
    ):
        with pytest.raises(WorkbenchError) as raised:
            look()
        assert raised.value.code in ("state.not_a_file", "state.link_out")


def test_a_state_directory_that_is_a_link_itself_and_links_within_are_followed(
    state: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(state)
    assert run(local_backend(tmp_path / "link").kv.get(ID, "k")).value == b"mine"
    path = value_file(state)
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    assert run(local_backend(state).kv.get(ID, "k")).value == b"mine"


@pytest.mark.parametrize(
    "entries",
    [
        [(number, "f") for number in range(0xFFFF)],  # each inside the one before
        [(min(number, 50), "n" * 60_000 if number < 50 else str(number)) for number in range(1000)],
    ],
)
def test_an_index_of_facets_that_would_never_be_shown_to_its_end_is_refused(
    entries: list[tuple[int, str]],
) -> None:
    with pytest.raises(WorkbenchError) as raised:
        facets.parse(facets.serialize(entries))
    assert raised.value.code == "do.facet_index"


def test_a_trigger_that_never_ends_is_ended_by_ctrl_c(state: Path) -> None:
    """In a process of its own: it interrupts itself, once the statement runs."""
    database = apsw.Connection(naming.database_path(str(state), "kv", naming.KV, ID))
    endless = "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r)"
    database.execute(f"CREATE TRIGGER t AFTER INSERT ON _mf_entries BEGIN SELECT {endless}; END")
    database.close()
    told = in_child(
        """
import os, signal, sys, threading, json
from pathlib import Path
from tests.support.local import in_child, local_backend, run
backend = local_backend(Path(sys.argv[1]))
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    run(backend.kv.put(sys.argv[2], "k", b"2"))
    print(json.dumps("put"))
except KeyboardInterrupt:
    print(json.dumps("interrupted"))
""",
        state,
        ID,
    )
    assert told == "interrupted"
    assert run(local_backend(state).kv.get(ID, "k")).value == b"mine"


def test_a_schema_that_reaches_out_is_not_trusted(tmp_path: Path) -> None:
    from workbench.backends.local import database

    path = str(tmp_path / "state" / "v3" / "d1" / "x.sqlite")
    with database.write(path, create=True) as connection:
        connection.execute("CREATE VIEW harm AS SELECT load_extension('/tmp/evil.so')")
    with (
        database.read(path) as connection,
        pytest.raises(apsw.SQLError, match="unsafe use of load_extension"),
    ):
        connection.execute("SELECT * FROM harm").fetchall()
