"""Every command the README shows is run, on the sample project it speaks of."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from tests.support.sample import sample
from tests.support.sandbox import needs_bubblewrap
from workbench.sandbox.disk.remove import remove

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def shown(page: str) -> list[str]:
    """The lines that begin with `$ ` in the page's console blocks."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        blocks = re.findall(r"```console\n(.*?)```", file.read(), re.S)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def hub_home() -> Iterator[str]:
    """Where hubs keep their data: a folder that the id sandboxes run as can walk through. Hubs end with it."""
    folder = tempfile.mkdtemp(prefix="hub-", dir="/tmp")
    os.chmod(folder, 0o711)
    yield folder
    for key in os.listdir(folder):
        with open(os.path.join(folder, key, "hub.json"), encoding="utf-8") as file:
            state = json.load(file)["state_directory"]
        command = ["cfwb", "hub", "stop", "--sandboxes", "--persist-to", state]
        subprocess.run(command, env=environment(folder) | {"CFWB_HUB_HOME": folder}, check=False, cwd=folder)
    remove(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> str:
    return sample(tmp_path_factory.mktemp("demo"))


def environment(home: str) -> dict[str, str]:
    """The user's shell: cfwb on the path, a home of its own."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return {"PATH": path, "HOME": home, "LANG": "C.UTF-8"}


PAGES = ["README.md"] + [
    f"docs/{name}" for name in sorted(os.listdir(os.path.join(ROOT, "docs"))) if name.endswith(".md")
]


@pytest.mark.parametrize("page", [page for page in PAGES if shown(page)])
def test_every_command_shown_works_in_the_order_shown(
    page: str, project: str, tmp_path: str, hub_home: str
) -> None:
    if page == "docs/sandboxes.md":
        needs_bubblewrap()
    for line in shown(page):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=project,
            env=environment(str(tmp_path)) | {"CFWB_HUB_HOME": hub_home},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1000:]}{done.stderr[-1000:]}"


def test_the_readme_shows_commands() -> None:
    assert len(shown("README.md")) > 8


def test_the_two_commands_of_the_readme_are_make_targets() -> None:
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        targets = set(re.findall(r"^([a-z]+):", file.read(), re.M))
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        named = set(re.findall(r"`make ([a-z]+)`|^ {4}make ([a-z]+)", file.read(), re.M))
    assert {name for pair in named for name in pair if name} <= targets


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_what_a_page_links_to_is_there(page: str) -> None:
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        targets = re.findall(r"\]\((?!https?:)([^)#]+)", file.read())
    assert [target for target in targets if not os.path.exists(os.path.join(ROOT, target))] == []
