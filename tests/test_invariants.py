"""What must hold everywhere, watched while real commands run: who opens a state file, and with what.

Each command runs in a process of its own under an audit hook that sees every `open`, rename, removal and `sqlite3.connect` that Python
makes (SQLite's own opens, made by apsw in C, are not Python's and do not show).
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.sample import sample
from workbench.operations import all_operations

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
    return sample(tmp_path_factory.mktemp("demo"))


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


def _modules(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    """The path and every node of each module below some folders of the source."""
    for start in folders:
        for folder, _, names in os.walk(os.path.join(SOURCE, start)):
            for path in (os.path.join(folder, name) for name in names if name.endswith(".py")):
                with open(path, encoding="utf-8") as file:
                    tree = ast.parse(file.read())
                for node in ast.walk(tree):
                    yield path, node


def test_no_module_that_touches_state_knows_another_sqlite() -> None:
    found = []
    for path, node in _modules("model", "project", "backends", "operations", "cli"):
        imported = (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        found += [
            f"{path}: {module}" for module in imported if module.split(".")[0] in ("sqlite3", "aiosqlite")
        ]
    assert found == []


def test_the_command_line_knows_no_operation_by_name() -> None:
    names = {operation.name for operation in all_operations()}
    texts = [
        (path, node.value)
        for path, node in _modules("cli")
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert texts
    assert [(path, text) for path, text in texts if text in names] == []


WRITING = re.compile(
    "(put|delete|set|abort|copy|move|import|create|write|empty|remove|replace|rename|update|start|stop|restart|exec|kill"
    "|terminate|send|restore|schedule)(_.*)?"
)


def test_screens_ask_the_backend_and_write_through_the_executor_alone() -> None:
    asked = []
    for path, node in _modules("screens", "widgets"):
        steps = []
        while isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        steps.append(node.id if isinstance(node, ast.Name) else "")
        steps.reverse()
        if "backend" in steps and steps[-1] != "backend":
            asked += [(path, step) for step in steps[steps.index("backend") + 1 :]]
    assert asked
    assert [one for one in asked if WRITING.fullmatch(one[1])] == []
