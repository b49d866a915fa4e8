"""The command line against wrangler's, and against the barest Python that could do the same."""

import compileall
import os
import sys
import tempfile
from pathlib import Path

from tests.support.emulator import environment_of_emulator, install, node_path

import workbench
from benchmarks.harness import Ratio, command, compare, script
from workbench.demo import unpack


def run() -> list[Ratio]:
    # An installed package has its bytecode; a checkout where Python may not write any is compiled on every start.
    compileall.compile_dir(os.path.dirname(workbench.__file__), quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        project = unpack(folder)
        ours = command(script("cfwb"), "kv", "keys", "list", "--binding", "CACHE", "--json", cwd=project)
        wrangler = os.path.join(install(), "node_modules", "wrangler", "bin", "wrangler.js")
        words = [str(node_path()), wrangler, "kv", "key", "list", "--binding", "CACHE", "--local"]
        theirs = command(*words, cwd=project, env=environment_of_emulator(Path(folder), {}))
        bare = command(sys.executable, "-c", "import sqlite3, json")
        name = "kv keys list --json"
        return [
            compare(
                f"{name}, times faster than wrangler kv key list --local",
                ours,
                theirs,
                limit=10,
                at_most=False,
                runs=5,
            ),
            compare(f"{name} against python -c 'import sqlite3, json'", ours, bare, limit=3, runs=25),
        ]
