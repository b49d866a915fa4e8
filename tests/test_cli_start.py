"""Start-up is the product: what a command imports, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import cfwb, environment
from tests.support.sample import sample

HEAVY = {
    *(
        "textual",
        "rich",
        "httpx",
        "asyncio",
        "aiosqlite",
        "sqlite3",
        "pygments",
        "watchfiles",
        "v8serialize",
        "click",
    ),
    *(
        "dataclasses",
        "inspect",
        "pathlib",
        "tomllib",
        "logging",
        "subprocess",
        "urllib",
        "argparse",
        "email",
        "tempfile",
    ),
}
SHOW = """
import json, os, sys
from workbench.cli.main import Command
sys.argv = ["cfwb", *{argv!r}]
sys.stdout = open(os.devnull, "w")
status = Command(sys.argv[1:]).run()
print(json.dumps([status, sorted(sys.modules)]), file=sys.__stdout__)
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(sample(tmp_path_factory.mktemp("sample")))


def imported_by(*argv: str, cwd: Path) -> set[str]:
    """The modules in a process that has done this."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(argv=argv)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        check=True,
    )
    status, modules = json.loads(done.stdout)
    assert status == 0
    return set(modules)


@pytest.mark.parametrize(
    "line",
    [
        "kv keys list --binding CACHE --json",
        "kv values get config/motd --binding CACHE --json",
        "r2 objects list --json",
        "do objects list --namespace Tenant --json",
        "bindings list --json",
    ],
)
def test_a_command_imports_nothing_heavy(line: str, shipped: Path) -> None:
    assert not imported_by(*line.split(), cwd=shipped) & HEAVY


def test_a_command_imports_the_operations_of_its_first_word_only(shipped: Path) -> None:
    modules = imported_by("kv", "keys", "list", "--binding", "CACHE", "--json", cwd=shipped)
    ours = {name for name in modules if name.startswith("workbench.")}
    assert "workbench.operations.kv" in ours
    for other in ("kv_bulk", "r2", "d1", "sql", "durable_objects", "workflows", "bindings", "guide"):
        assert f"workbench.operations.{other}" not in ours
    for other in ("r2", "d1", "durable_objects", "workflows", "inventory", "sql"):
        assert f"workbench.backends.local.{other}" not in ours
    assert not ours & {
        "workbench.cli.people",
        "workbench.cli.table",
        "workbench.cli.help",
        "workbench.cli.log",
    }


def test_nothing_is_written_to_the_user_s_folders_by_a_look(shipped: Path, tmp_path: Path) -> None:
    before = {
        path: path.read_bytes()
        for path in shipped.rglob("*")
        if path.is_file() and path.suffix != ".sqlite-shm"
    }
    for line in (
        "kv keys list --binding CACHE",
        "bindings list",
        "d1 schema get",
        "state list",
        "do objects list --namespace Tenant",
    ):
        assert cfwb(*line.split(), cwd=shipped, home=tmp_path / "home").status == 0
    assert not (tmp_path / "home").exists()
    after = {path: path.read_bytes() for path in shipped.rglob("*") if path.is_file()}
    changed = [str(path) for path in before if after.get(path) != before[path]]
    new = [str(path) for path in after.keys() - before.keys() if not path.name.endswith(("-wal", "-shm"))]
    assert not changed and not new
    assert not [path for path in after if path.name.endswith("-wal") and path not in before and after[path]]


def test_an_error_nobody_foresaw_is_short_and_the_rest_is_in_the_log(shipped: Path, tmp_path: Path) -> None:
    broken = "import workbench.project; workbench.project.load = None; "
    code = (
        broken
        + "import sys; from workbench.cli.main import main; sys.argv = ['cfwb', 'kv', 'keys', 'list', '--binding', 'SECRET']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shipped, env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert not done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "internal.unexpected"
    assert "Traceback" not in done.stdout
    log = tmp_path / "state" / "cfwb" / "cfwb.log"
    assert str(log) in error["hint"]
    text = log.read_text()
    assert "Traceback" in text and "TypeError" in text
    assert "SECRET" not in text.partition("\n")[0]
    assert log.stat().st_mode & 0o077 == 0
