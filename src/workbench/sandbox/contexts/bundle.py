"""The programs inside, as the two files that are put into a sandbox, and the command lines that run them."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from importlib import resources

_PYTHON = ("__init__", "host", "cells", "figures", "interactive", "showing")
_MAIN = """\
import sys
if __name__ == "__main__":
    if sys.argv[1] == "host":
        import json
        from cfwb_inside.host import main
        main(**json.loads(sys.argv[2]))
    else:
        from cfwb_inside.cells import main
        main()
"""
ARCHIVE = "contexts.pyz"
DRIVER = "driver.cjs"


@cache
def files() -> dict[str, bytes]:
    """By name: an archive that Python runs, with a package that no name of a cell's can meet, and Node's driver."""
    folder = resources.files(__package__).joinpath("inside")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        for name in _PYTHON:
            archive.writestr(f"cfwb_inside/{name}.py", folder.joinpath(f"{name}.py").read_bytes())
    return {ARCHIVE: packed.getvalue(), DRIVER: folder.joinpath(DRIVER).read_bytes()}


def driver(folder: str, language: str, program: str) -> list[str]:
    """The command line of a language's driver. folder: where the files are, inside; program: the interpreter."""
    if language == "python":
        return [program, f"{folder}/{ARCHIVE}", "cells"]
    # What -e says lies in the current folder, and so what it imports is looked for from there.
    load = "globalThis[Symbol.for('cfwb.load')] = (module, options) => import(module, options)"
    return [program, "--no-warnings", "-e", f"{load}; require({json.dumps(f'{folder}/{DRIVER}')})", language]


def host(folder: str, socket: str, language: str, program: str, cwd: str) -> list[str]:
    """What follows the interpreter on the command line of a context's host. socket: where it is to listen, inside."""
    begin = {"path": socket, "language": language, "argv": driver(folder, language, program), "cwd": cwd}
    return [f"{folder}/{ARCHIVE}", "host", json.dumps(begin)]
