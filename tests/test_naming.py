"""File names: what we compute is where the emulator puts things."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.emulator import node_path
from tests.support.oracle import Oracle
from workbench.backends.local import naming

ODD_NAMES = [
    "plain",
    "..",
    "a/../../b",
    "/../..",
    "./x/.",
    "con",
    "COM1.txt",
    "con.",
    "nul.a.b",
    "conx",
    " lead",
    "trail  ",
    "a\\b",
    "q\"uote's<>|*?^:",
    "bell\x07",
    "\x80\x9f",
    "日本 🎉",
    "x" * 300,
    "🎉" * 100,
    "tab\tnewline\n",
    "",
]


def _the_emulators_folder_names(install: Path, names: list[str]) -> list[str]:
    """What the installed emulator's own function makes of names."""
    bundle = (
        install / "node_modules" / "miniflare" / "dist" / "src" / "workers" / "shared" / "index.worker.js"
    )
    source = bundle.read_text()
    begin = source.index("var dotRegexp")
    # It ends where the function's own closing brace stands alone on a line.
    end = source.index("\n}", source.index("function sanitisePath", begin)) + 2
    script = source[begin:end] + "\nconst names = JSON.parse(require('fs').readFileSync(0));"
    script += "console.log(JSON.stringify(names.map(sanitisePath)))"
    done = subprocess.run(
        [str(node_path()), "-e", script], input=json.dumps(names), capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout))


def test_folders_of_odd_names_are_the_emulators(emulator_install: Path) -> None:
    assert [naming.folder_name(name) for name in ODD_NAMES] == _the_emulators_folder_names(
        emulator_install, ODD_NAMES
    )


def test_folders_of_any_name_are_the_emulators(emulator_install: Path) -> None:
    names: list[str] = []

    @given(st.text(st.sampled_from(" ./\\:*?\"'^\x00\x1f\x85conprnau1.aé🎉\u2028\n\r"), max_size=300))
    def collect(name: str) -> None:
        names.append(name)

    collect()
    ours = [naming.folder_name(name) for name in names]
    assert ours == _the_emulators_folder_names(emulator_install, names)


@given(st.text())
def test_no_name_leads_out_of_the_state_directory(name: str) -> None:
    folder = naming.folder_name(name)
    assert "/" not in folder and "\\" not in folder and folder not in (".", "..")


@pytest.mark.parametrize("name", ["acme", "", "日本 🎉", "a" * 1000, "x\x00y"])
def test_an_objects_id_is_what_the_runtime_makes_of_its_name(oracle: Oracle, name: str) -> None:
    assert naming.id_from_name("oracle-Tenant", name) == oracle.object_id("Tenant", name)


def test_ids_of_a_namespace_are_told_from_other_names(oracle: Oracle) -> None:
    for id in (oracle.object_id("Tenant", "acme"), oracle.new_object_id("Tenant")):
        assert naming.is_object_id("oracle-Tenant", id)
        assert naming.object_id("oracle-Tenant", id) == id
        assert not naming.is_object_id("oracle-Legacy", id)
        assert naming.object_id("oracle-Legacy", id) == oracle.object_id("Legacy", id)


@given(st.text(st.sampled_from("0123456789abcdefABCDEFg-"), min_size=60, max_size=70))
def test_other_text_is_no_id(text: str) -> None:
    assert not naming.is_object_id("oracle-Tenant", text)


def test_values_ids_are_of_the_emulators_shape() -> None:
    assert re.fullmatch(r"[0-9a-f]{80}", naming.new_blob_id())
    assert naming.new_blob_id() != naming.new_blob_id()
    assert re.fullmatch(r"[0-9a-f]{32}", naming.new_version())
