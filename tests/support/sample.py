"""The sample project for tests, unpacked once a process: a copy takes a hundredth of the time.

The copies share the files of values, which nothing ever writes in place; a test that does so unlinks them first.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache

from workbench import demo


def sample(into: str | os.PathLike[str]) -> str:
    """A copy of the sample in a folder, made where it is missing; the project's folder, as `demo.unpack` gives it."""
    os.makedirs(into, mode=0o700, exist_ok=True)
    project = os.path.join(into, demo.NAME)
    copy(_unpacked(), project)
    return project


def copy(project: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copy a project that nobody has open, sharing its values."""
    shutil.copytree(project, target, copy_function=_copy_or_share)


def _copy_or_share(source: str, target: str) -> None:
    if os.path.basename(os.path.dirname(source)) == "blobs":
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@cache
def _original() -> tuple[str, list[tuple[str, int, int]]]:
    folder = tempfile.mkdtemp(prefix="cfwb-sample-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = demo.unpack(folder)
    return project, _values(project)


def _unpacked() -> str:
    project, values = _original()
    assert _values(project) == values, "a test wrote into the file of a value, which all copies share"
    return project


def _values(project: str) -> list[tuple[str, int, int]]:
    found = []
    for folder, _, names in os.walk(os.path.join(project, ".wrangler", "state", "v3")):
        if os.path.basename(folder) == "blobs":
            for name in names:
                status = os.stat(os.path.join(folder, name))
                found.append((name, status.st_size, status.st_mtime_ns))
    return sorted(found)
