"""What must hold everywhere, watched while real commands run: who opens a state file, and with what.

Each command runs in a process of its own under an audit hook that sees every `open`, rename, removal and `sqlite3.connect` that Python
makes (SQLite's own opens, made by apsw in C, are not Python's and do not show).
"""

import ast
import os
import subprocess
import sys

import pytest

from workbench.demo import unpack

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "workbench")
WATCHED = """
import os, sys
LIVE = (".sqlite", ".sqlite-wal", ".sqlite-shm")
def hook(event, args):
    if event == "sqlite3.connect":
        print("TOUCHED", event, args[0], file=sys.stderr, flush=True)
    elif event in ("open", "os.rename", "shutil.copyfile", "os.link"):
        for path in args[:2]:
            if isinstance(path, (str, bytes)) and os.fsdecode(path).endswith(LIVE):
                print("TOUCHED", event, os.fsdecode(path), file=sys.stderr, flush=True)
sys.addaudithook(hook)
from workbench.cli.main import main
main()
"""

COMMANDS = [
    "kv keys list --binding CACHE --limit 5",
    "kv values get config/site --binding CACHE",
    "kv values put a/b --value 1 --binding CACHE",
    "kv values delete a/b --binding CACHE --force",
    "r2 objects list --bucket files --limit 5",
    "r2 uploads list --bucket files",
    "d1 databases list",
    "d1 query SELECT(1) --database shop",
    "d1 export --database shop",
    "do objects list --namespace AppRunner",
    "do facets list --namespace AppRunner --object my-app",
    "do storage list --namespace AppRunner --object my-app --facet app",
    "do storage put counter --value 5 --namespace AppRunner --object my-app --facet app",
    "do alarms list --namespace AppRunner",
    "workflows instances list --workflow billing-flow",
    "state list",
    "kv namespaces delete --binding CACHE --force",
    "do objects delete my-app --namespace AppRunner --force",
    "state delete --force",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> str:
    return unpack(str(tmp_path_factory.mktemp("demo")))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_leaves_state_files_to_sqlite_alone(project: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *line.split(), "--json"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert [line for line in done.stderr.splitlines() if line.startswith("TOUCHED")] == []


def test_the_watch_sees_a_plain_open(project: str) -> None:
    script = WATCHED.replace("from workbench.cli", "open('x.sqlite', 'w').close(); from workbench.cli")
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"], cwd=project, capture_output=True, text=True
    )
    assert "TOUCHED open x.sqlite" in done.stderr


def test_no_module_that_touches_state_knows_another_sqlite() -> None:
    found = []
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(".py") or "/screens/" in path or "/widgets/" in path:
                continue
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read())
            for node in ast.walk(tree):
                imported = (
                    [a.name for a in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                found += [
                    f"{path}: {module}"
                    for module in imported
                    if module.split(".")[0] in ("sqlite3", "aiosqlite")
                ]
    assert found == []
