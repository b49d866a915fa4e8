"""Our side of a test: the local backend on a state directory, and its coroutines run to their end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from workbench.backends.local import LocalBackend
from workbench.model.bindings import Binding, Project, Worker
from workbench.operations.executor import drive

T = TypeVar("T")

WITHOUT_PRIVILEGES = """
import ctypes, os
if os.geteuid() == 0:
    # Even root is held to permissions without its capabilities: capset(version 3, no capability at all).
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) == 0
"""
"""Code for the beginning of a child that is to be refused what an ordinary user is refused."""


def local_backend(state: Path, *bindings: Binding) -> LocalBackend:
    """The backend of a project with these bindings; `state` is the folder that holds `v3`, or `v3` itself."""
    directory = state.parent if state.name == "v3" else state
    worker = Worker("oracle", str(directory / "wrangler.jsonc"), None, (), bindings)
    return LocalBackend(Project(str(directory.parent), (worker,), str(directory)))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result; the local backend never waits."""
    return drive(coroutine)


def in_child(code: str, *arguments: object, timeout: float = 60) -> Any:
    """Run code in a Python of its own; what it prints is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
