"""The init as one file: its modules, compiled for the Python that will run it, in a zip made once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from functools import cache
from typing import NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.sandbox import init

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
    """A Python that can run the init: the program itself, its version, its standard library, and where its libraries lie."""

    path: str
    version: tuple[int, int, int]
    library: str
    libraries: str


_ASK = """\
import os, sys, sysconfig
print(*sys.version_info[:3])
print(os.path.realpath(sys.executable))
print(sysconfig.get_path("stdlib"))
print(sysconfig.get_config_var("LIBDIR"))
"""


@cache
def interpreter(*, system: bool) -> Interpreter:
    """The system's /usr/bin/python3 where it will do, else the one that runs us; system=False: the one that runs us."""
    asked = ["/usr/bin/python3"] if system and os.path.exists("/usr/bin/python3") else []
    for path in (*asked, sys.executable):
        try:
            said = subprocess.run(
                [path, "-I", "-S", "-c", _ASK], capture_output=True, check=True, timeout=30, text=True
            )
            version, program, library, libraries = said.stdout.splitlines()
            major, minor, micro = map(int, version.split())
        except (OSError, subprocess.SubprocessError, ValueError):
            continue
        if (major, minor, micro) >= OLDEST:
            return Interpreter(program, (major, minor, micro), library, libraries)
    raise WorkbenchError(
        "sandbox.no_init", "there is no Python of 3.9 or newer that could run inside a sandbox"
    )


def sources() -> dict[str, str]:
    """The modules of the init by their name in the zip."""
    found = {"__main__.py": _MAIN}
    folder = os.path.dirname(init.__file__)
    for name in os.listdir(folder):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found[f"init/{name}"] = file.read()
    return found


def unpacked(path: str) -> None:
    """Write the init as a zip of its sources, for a Python that is not known here."""
    with zipfile.ZipFile(path + ".new", "w") as made:
        for name, source in sources().items():
            made.writestr(name, source)
    os.replace(path + ".new", path)


@cache
def packed(folder: str, python: Interpreter) -> str:
    """The path of the zip for this interpreter in a folder, made where it is missing; complete or not there at all."""
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
