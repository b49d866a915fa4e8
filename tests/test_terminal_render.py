"""`cfwb terminals render`: what a program printed, as the screen it leaves."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.cli import cfwb
from workbench.terminal import Terminal
from workbench.terminal.svg import svg

OUTPUT = b"\x1b]2;title\x07plain \x1b[1;31mred\x1b[m \x1b(0lqk\x1b(B\r\n0123456789"
CAST = '{"version": 2, "width": 30, "height": 3}\n[1, "o", "hi\\r\\nthere"]\n[2, "r", "20x4"]\n[3, "o", "x"]\n[3, "o", "cut'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is no project: none is needed."""
    (tmp_path / "raw").write_bytes(OUTPUT)
    (tmp_path / "cast").write_text(CAST)
    return tmp_path


def test_raw_output_becomes_lines(folder: Path) -> None:
    answer = cfwb("terminals", "render", "raw", "--cols", "10", "--rows", "5", "--json", cwd=folder)
    assert answer.json["result"] == {
        "lines": ["plain red", "┌─┐", "0123456789", "", ""],
        "cursor": [10, 2],
        "title": "title",
        "alternate": False,
    }


def test_without_sizes_it_is_eighty_by_twenty_four(folder: Path) -> None:
    result = cfwb("terminals", "render", "raw", "--json", cwd=folder).json["result"]
    assert len(result["lines"]) == 24
    assert result["lines"][:2] == ["plain red ┌─┐", "0123456789"]


def test_a_recording_has_its_own_size_unless_one_is_given(folder: Path) -> None:
    result = cfwb("terminals", "render", "cast", "--json", cwd=folder).json["result"]
    assert (result["lines"], result["cursor"]) == (["hi", "therex", "", ""], [6, 1])
    result = cfwb("terminals", "render", "cast", "--rows", "2", "--json", cwd=folder).json["result"]
    assert result["lines"] == ["hi", "therex"]


def test_json_that_a_program_printed_is_no_recording(folder: Path) -> None:
    (folder / "json").write_bytes(b'{"version": 3}\r\n[1, "o", "x"]')
    result = cfwb("terminals", "render", "json", "--rows", "2", "--json", cwd=folder).json["result"]
    assert result["lines"] == ['{"version": 3}', '[1, "o", "x"]']


def test_the_picture_goes_to_standard_output_or_a_file(folder: Path) -> None:
    picture = cfwb("terminals", "render", "--svg", "raw", cwd=folder).out.decode()
    assert picture.startswith("<svg ")
    written = cfwb("terminals", "render", "raw", "--svg", "screen.svg", "--json", cwd=folder).json["result"]
    assert (folder / "screen.svg").read_text() == picture
    assert written == {"output": "screen.svg", "size_bytes": len(picture.encode())}
    assert cfwb("terminals", "render", "raw", "--svg", "--json", cwd=folder).json["result"] == picture


@pytest.mark.parametrize(
    "wrong", [("--cols", "1"), ("--cols", "2001"), ("--rows", "0"), ("--rows", "x"), ("more",)]
)
def test_wrong_sizes_are_wrong_usage(folder: Path, wrong: tuple[str, ...]) -> None:
    answer = cfwb("terminals", "render", "raw", *wrong, "--json", cwd=folder)
    assert (answer.status, answer.json["error"]["code"]) == (2, "usage")


def test_a_file_that_is_not_there(folder: Path) -> None:
    answer = cfwb("terminals", "render", "nothing", "--json", cwd=folder)
    assert (answer.status, answer.json["error"]["code"]) == (1, "file.not_found")


def test_a_picture_is_well_formed_and_holds_nothing_that_acts() -> None:
    terminal = Terminal(20, 3)
    terminal.feed(
        b'\x1b]2;<script>alert("1")</script>\x07\x1b]8;;javascript:alert(1)\x07<a href="x">&\x1b]8;;\x07'
        + "\x1b[4:3;58;2;1;2;3;9;53m中\x1b[7m\u202eé\ufffe".encode()
    )
    root = ElementTree.fromstring("".join(svg(terminal)))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "title", "rect", "text"}
    assert (
        "".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
        == '<a href="x">&中é'
    )


def test_a_picture_follows_the_palette_and_the_modes() -> None:
    terminal = Terminal(20, 3)
    terminal.feed(
        b"\x1b]11;#102030\x07\x1b]4;1;#abcdef\x07\x1b[31ma\x1b[38;2;1;2;3mb\x1b[38;5;196mc\x1b[?25l"
    )
    picture = "".join(svg(terminal))
    for colour in ("#102030", "#abcdef", "#010203", "#ff0000"):
        assert colour in picture
    assert 'opacity="0.5"' not in picture
    assert json.dumps(picture)
