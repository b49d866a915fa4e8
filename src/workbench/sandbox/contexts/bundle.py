"""The programs inside as one argument of a command line: sources by module name, and the few lines that import them from there."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from importlib import resources

_PYTHON = ("__init__", "host", "cells", "figures", "interactive", "showing")

# Imports modules from a dictionary. Kept small: it is read in process lists.
_BOOT = """\
import sys, json, zlib, base64, importlib.abc, importlib.machinery, linecache
_all = json.loads(zlib.decompress(base64.b64decode(sys.argv[1])))
class Bundle(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        base, _, rest = name.partition(".")
        if base != "cfwb_inside" or (rest or "__init__") not in _all: return None
        return importlib.machinery.ModuleSpec(name, self, is_package=not rest)
    def exec_module(self, module):
        name = module.__name__.partition(".")[2] or "__init__"
        exec(compile(_all[name], "<cfwb %s>" % name, "exec"), module.__dict__)
sys.meta_path.insert(0, Bundle())
"""


@cache
def _sources() -> str:
    folder = resources.files(__package__).joinpath("inside")
    found = {name: folder.joinpath(f"{name}.py").read_text("utf-8") for name in _PYTHON}
    return base64.b64encode(zlib.compress(json.dumps(found).encode(), 9)).decode()


@cache
def _node() -> str:
    return resources.files(__package__).joinpath("inside", "driver.cjs").read_text("utf-8")


def driver(language: str, program: str) -> list[str]:
    """The command line of a language's driver. program: the interpreter, `python3` or `node`."""
    if language == "python":
        run = "from cfwb_inside.cells import main; main()"
        return [program, "-c", _BOOT + run, _sources()]
    return [program, "--no-warnings", "--experimental-vm-modules", "-e", _node(), language]


def host(python: str, socket: str, language: str, program: str, cwd: str) -> list[str]:
    """The command line of a context's host. python: what runs the host; socket: where it is to listen, inside."""
    begin = {"path": socket, "language": language, "argv": driver(language, program), "cwd": cwd}
    run = "from cfwb_inside.host import main; main(**json.loads(sys.argv[2]))"
    return [python, "-c", _BOOT + run, _sources(), json.dumps(begin)]
