"""The API's clients: lists over a live server and the account's stand-in against a bare httpx loop; the whole API's help against `cf`."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import httpx
from tests.support.account import ACCOUNT, TOKEN, StandIn
from tests.support.installation import node_path
from tests.support.npm import program
from tests.support.oracle import Oracle, start_oracle

from benchmarks.harness import Ratio, command, compare, script
from benchmarks.kv import fill
from workbench.backends.cloudflare import live, remote
from workbench.backends.cloudflare.budget import Budget
from workbench.backends.cloudflare.mirrored import MIRROR
from workbench.backends.protocol import Kv
from workbench.model.bindings import Project
from workbench.operations.executor import drive

KEYS = 10_000
PAGE = 1_000
NAMESPACE = "cache-namespace"


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        fill(str(state), NAMESPACE, KEYS)
        with start_oracle(Path(folder) / "oracle", persist_to=state) as oracle:
            return [_live(oracle), _remote(oracle), _help(folder)]


def _names(kv: Kv) -> list[str]:
    """Every key, as a pane or an export reads them."""
    names: list[str] = []
    cursor = None
    while True:
        page = drive(kv.list(NAMESPACE, "", PAGE, cursor))
        names += [key.name for key in page.items]
        cursor = page.cursor
        if cursor is None:
            return names


def _bare(client: httpx.Client, base: str) -> list[str]:
    """The least that does it: no error is foreseen, nothing is checked, nothing is kept but the names."""
    names: list[str] = []
    cursor = ""
    while True:
        query = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        data = client.get(f"{base}/storage/kv/namespaces/{NAMESPACE}/keys", params=query).json()
        names += [row["name"] for row in data["result"]]
        cursor = data["result_info"]["cursor"]
        if not cursor:
            return names


def _live(oracle: Oracle) -> Ratio:
    backend = live.connect(Project(".", (), "."), oracle.emulator.url)
    with httpx.Client(trust_env=False) as client:
        base = oracle.emulator.url + MIRROR
        assert _names(backend.kv) == _bare(client, base)
        name = f"a list of {KEYS:,} keys over a live server, against a bare httpx loop"
        found = compare(name, lambda: _names(backend.kv), lambda: _bare(client, base), limit=1.3, runs=25)
    backend.close()
    return found


def _remote(oracle: Oracle) -> Ratio:
    with StandIn(oracle) as stand_in:
        with patch.dict("os.environ", stand_in.environment() | {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT}):
            backend = remote.connect(Project(".", (), "."), budget=Budget(1_000_000))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(trust_env=False, headers=headers) as client:
            base = f"{stand_in.url}/accounts/{ACCOUNT}"
            assert _names(backend.kv) == _bare(client, base)
            name = "the same over the account's stand-in, against a bare httpx loop"
            found = compare(name, lambda: _names(backend.kv), lambda: _bare(client, base), limit=1.3, runs=15)
        backend.close()
    return found


def _help(folder: str) -> Ratio:
    ours = command(script("cfwb"), "api", "get", "kv.namespaces.keys.list", "--json", cwd=folder)
    theirs = command(str(node_path()), str(program("cf", "0.0.5")), "--version", cwd=folder)
    name = "api get OPERATION, times faster than cf --version"
    return compare(name, ours, theirs, limit=4, at_most=False, runs=9)
