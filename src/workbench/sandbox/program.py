"""The init as one file: its modules, compiled for the Python that will run it, in a zip made once and kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from importlib import resources
from typing import NamedTuple

from workbench.model.errors import WorkbenchError

OLDEST = (3, 9)

# Run by the interpreter inside, so that what it compiles is what it loads. Names and sources come through standard input.
_PACK = """\
import sys, json, zipfile, importlib.util, marshal, struct
given = json.load(sys.stdin)
with zipfile.ZipFile(sys.argv[1], "w") as made:
    for name, source in sorted(given.items()):
        code = compile(source, "<init>/" + name, "exec", dont_inherit=True, optimize=2)
        head = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, 0, len(source))
        made.writestr(zipfile.ZipInfo(name + "c"), head + marshal.dumps(code))
"""
_MAIN = "from init.main import main\nmain()\n"


class Interpreter(NamedTuple):
    """A Python that can run the init: its path, its version, and the folder it needs besides (None: it is the system's)."""

    path: str
    version: tuple[int, int, int]
    prefix: str | None


@cache
def interpreter(*, system: bool) -> Interpreter:
    """The system's /usr/bin/python3 where it will do, else the one that runs us; system=False: the one that runs us."""
    if system:
        try:
            said = subprocess.run(
                ["/usr/bin/python3", "-I", "-S", "-c", "import sys; print(*sys.version_info[:3])"],
                capture_output=True,
                check=True,
                timeout=30,
            ).stdout.split()
            version = (int(said[0]), int(said[1]), int(said[2]))
            if version >= OLDEST:
                return Interpreter("/usr/bin/python3", version, None)
        except (OSError, subprocess.SubprocessError, ValueError, IndexError):
            pass
    path = os.path.realpath(sys.executable)
    prefix = None if path.startswith("/usr/bin/") else os.path.realpath(sys.base_prefix)
    major, minor, micro = sys.version_info[:3]
    return Interpreter(path, (major, minor, micro), prefix)


def sources() -> dict[str, str]:
    """The modules of the init by their name in the zip."""
    found = {"__main__.py": _MAIN}
    for file in resources.files("workbench.sandbox.init").iterdir():
        if file.name.endswith(".py"):
            found[f"init/{file.name}"] = file.read_text("utf-8")
    return found


def packed(folder: str, python: Interpreter) -> str:
    """The path of the zip for this interpreter in a folder, made where it is missing; complete or not there at all."""
    import json

    given = sources()
    version = ".".join(map(str, python.version))
    digest = hashlib.sha256(json.dumps([version, given, _PACK], sort_keys=True).encode()).hexdigest()[:16]
    path = os.path.join(folder, f"init-{digest}.pyz")
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    made = f"{path}.{os.getpid()}"
    try:
        subprocess.run(
            [python.path, "-I", "-S", "-c", _PACK, made],
            input=json.dumps(given).encode(),
            capture_output=True,
            check=True,
            timeout=60,
        )
        os.chmod(made, 0o644)
        os.rename(made, path)
    except (OSError, subprocess.SubprocessError) as problem:
        said = getattr(problem, "stderr", b"") or b""
        raise WorkbenchError(
            "sandbox.no_init", f"the init cannot be packed: {problem} {said.decode(errors='replace')[-500:]}"
        ) from problem
    return path
