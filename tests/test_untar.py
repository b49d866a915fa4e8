"""What a sandbox packs and somebody unpacks on the machine: it stays in the folder it was meant for."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from workbench.model.errors import WorkbenchError
from workbench.operations.untar import unpack


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


def packed(*entries: tarfile.TarInfo, content: bytes = b"owned") -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for each in entries:
            each.size = len(content) if each.isreg() else 0
            tar.addfile(each, io.BytesIO(content) if each.isreg() else None)
    out.seek(0)
    return out


def link(name: str, to: str) -> tarfile.TarInfo:
    return entry(name, tarfile.SYMTYPE, to)


def longer_than_a_path() -> list[tarfile.TarInfo]:
    """CVE-2025-4517: a chain of links whose real path is longer than the kernel's, behind which `..` was not looked at."""
    long, made, path = "d" * 247, [], ""
    for letter in "abcdefghijklmnop":
        made += [entry(os.path.join(path, long), tarfile.DIRTYPE), link(os.path.join(path, letter), long)]
        path = os.path.join(path, long)
    end = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/" + "l" * 254
    return [*made, link(end, "../" * 16), link("out", f"{end}/../.."), entry("out/victim")]


HOSTILE = [
    [entry("../victim")],
    [entry("/victim")],
    [entry("a/../../victim")],
    [link("a", ".."), entry("a/victim")],
    [link("a", "/tmp")],
    [entry("d/e", tarfile.DIRTYPE), link("a", "d/e"), link("b", "a/../../.."), entry("b/victim")],
    [link("a", "."), link("a/b", ".."), entry("a/b/victim")],
    [link("d/a", "../../victim")],
    [entry("a", tarfile.LNKTYPE, "../victim"), entry("a")],
    [entry("d", tarfile.DIRTYPE), link("d/l", "../x"), entry("a", tarfile.LNKTYPE, "d/l")],
    [entry("pipe", tarfile.FIFOTYPE)],
    [entry("disk", tarfile.BLKTYPE)],
    [entry("/".join(["d"] * 500))],
    [link("a", "x\0y")],
    longer_than_a_path(),
]


@pytest.mark.parametrize("entries", HOSTILE)
def test_nothing_is_written_outside_the_folder(entries: list[tarfile.TarInfo], tmp_path: Path) -> None:
    into = tmp_path / "over" / "into"
    into.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "over"):
        (place / "victim").write_text("as it was")
    archive = packed(*entries)
    try:
        unpack(archive, str(into))
    except (WorkbenchError, tarfile.TarError):
        pass
    else:  # a NUL ends a name in a tar: what is left of it is a link within
        assert entries[0].linkname == "x\0y"
    for place in (tmp_path, tmp_path / "over"):
        assert (place / "victim").read_text() == "as it was" and (place / "victim").stat().st_nlink == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["over", "victim"]
    for path in into.rglob("*"):
        assert not path.is_symlink() or path.resolve().is_relative_to(into)


def test_a_link_of_ones_own_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    into = tmp_path / "into"
    into.mkdir()
    (into / "way").symlink_to(tmp_path / "out")
    (into / "file").symlink_to(tmp_path / "out" / "victim")
    with pytest.raises(WorkbenchError) as raised:
        unpack(packed(entry("way/victim")), str(into))
    assert raised.value.code == "file.unsafe_archive"
    unpack(packed(entry("file")), str(into))
    assert list((tmp_path / "out").iterdir()) == [] and (into / "file").read_text() == "owned"


def test_what_an_ordinary_tree_holds_arrives(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    entries = [
        entry("d", tarfile.DIRTYPE, mode=0o700),
        entry("a"),
        entry("d/run", mode=0o6777),
        entry("d/again", tarfile.LNKTYPE, "d/run"),
        link("d/up", "../a"),
        link("here", "./d/nothing"),
        entry("d", tarfile.DIRTYPE),
    ]
    assert unpack(packed(*entries), str(tmp_path)) == len(entries)
    assert (tmp_path / "a").read_text() == (tmp_path / "d" / "up").read_text() == "owned"
    assert stat.S_IMODE((tmp_path / "d" / "run").stat().st_mode) == 0o755
    assert (tmp_path / "d" / "again").samefile(tmp_path / "d" / "run")
    assert os.readlink(tmp_path / "here") == "./d/nothing"


def test_a_header_does_not_make_the_reader_grow(tmp_path: Path) -> None:
    sparse = entry("a")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}  # type: ignore[misc]
    negative = entry("a")
    negative.pax_headers = {"size": "-100000"}  # type: ignore[misc]
    for made in (sparse, negative):
        with pytest.raises(tarfile.TarError):
            unpack(packed(made, content=b"1000000\n" + b"0\n" * 252), str(tmp_path))
