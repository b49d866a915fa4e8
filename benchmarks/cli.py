"""The command line against wrangler's, and against the barest Python that could do the same."""

import os
import sys
import tempfile

from benchmarks.harness import Ratio, command, compare
from tests.support.emulator import install, node_environment


def run() -> list[Ratio]:
    from workbench.demo import unpack

    cfwb = os.path.join(os.path.dirname(sys.executable), "cfwb")
    with tempfile.TemporaryDirectory() as folder:
        project = unpack(folder)
        ours = command(cfwb, "kv", "keys", "list", "--binding", "CACHE", "--limit", "1000", "--json", cwd=project)
        wrangler = os.path.join(install(), "node_modules", "wrangler", "bin", "wrangler.js")
        theirs = command("node", wrangler, "kv", "key", "list", "--binding", "CACHE", "--local", cwd=project, env=node_environment())
        bare = command(sys.executable, "-c", "import sqlite3, json")
        return [
            compare("kv keys list --json, times faster than wrangler kv key list --local", ours, theirs, limit=10, at_most=False, runs=5),
            compare("kv keys list --json against python -c 'import sqlite3, json'", ours, bare, limit=3, runs=25),
        ]
