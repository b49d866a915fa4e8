"""A program from the npm registry, pinned, kept in the cache beside the emulator: a peer to be measured against."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.installation import EmulatorError, cache_folder, node_path

INSTALL_SECONDS = 300


def package(name: str, version: str) -> Path:
    """The package's own folder, installed at the first call. Raises EmulatorError."""
    target = cache_folder() / f"npm-{name}-{version}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
        try:
            _install(part, f"{name}@{version}")
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target / "node_modules" / name


def program(name: str, version: str) -> Path:
    """The JavaScript file that the package's command of the same name runs."""
    folder = package(name, version)
    entry = json.loads((folder / "package.json").read_text())["bin"]
    return folder / (entry if isinstance(entry, str) else entry[name])


def _install(folder: Path, what: str) -> None:
    npm = node_path().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    words = [str(node_path()), str(npm), "install", what, "--prefix", str(folder), "--no-audit", "--no-fund"]
    env = {**os.environ, "PATH": f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            words, cwd=folder, env=env, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmulatorError(f"{what} could not be installed: {error}") from error
    if done.returncode:
        raise EmulatorError(f"{what} could not be installed:\n{done.stdout}{done.stderr}")
