"""Copies between targets: 1,000 keys of the stand-in against a bare loop that reads them, and an object of 1 GiB in flat memory."""

import json
import os
import tempfile
from itertools import count
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import httpx
from tests.support.account import ACCOUNT, TOKEN, StandIn
from tests.support.oracle import Oracle, start_oracle

from benchmarks.harness import Ratio, compare, peak_memory, script
from workbench.model.kv import KvValue
from workbench.operations.executor import drive, execute, open_state

KEYS = 1_000
NAMESPACE = "cache-namespace"
GIB, SMALL = 1 << 30, 1 << 20
PIECE = bytes(range(256)) * 4096


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        with start_oracle(Path(folder) / "oracle") as oracle:
            keys = _keys(oracle, folder)
        return [keys, _memory(folder)]


def _keys(oracle: Oracle, folder: str) -> Ratio:
    """Each run copies into a state of its own; the bare loop reads the values and drops them."""
    source = open_state(str(oracle.project), persist_to=str(oracle.state.parent))
    drive(
        source.backend.kv.put_many(
            NAMESPACE, [KvValue(f"user/{n:04}", b"x" * 1000, None, {"n": n}) for n in range(KEYS)]
        )
    )
    fresh = count()
    with StandIn(oracle) as stand_in:
        variables = stand_in.environment() | {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT}

        def ours() -> None:
            with patch.dict("os.environ", variables):  # a client of its own, so a budget of its own
                state = open_state(
                    str(oracle.project), persist_to=os.path.join(folder, f"into-{next(fresh)}")
                )
                report = drive(
                    execute(state, "kv.keys.copy", {"from": "remote", "to": "local", "binding": "CACHE"})
                )
            assert report.verified == KEYS, report

        def bare() -> None:
            base = f"{stand_in.url}/accounts/{ACCOUNT}/storage/kv/namespaces/{NAMESPACE}"
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(trust_env=False, headers=headers) as client:
                names = client.get(f"{base}/keys", params={"limit": 1000}).json()["result"]
                for row in names:
                    assert client.get(f"{base}/values/{quote(row['name'], safe='')}").content

        name = f"a copy of {KEYS:,} keys from the account's stand-in, verified, against a bare loop that reads them"
        return compare(name, ours, bare, limit=2.0, runs=3)


def _memory(folder: str) -> Ratio:
    """The same copy of a body of 1 GiB and of 1 MiB, from one project's local state to another's."""
    for place in ("from", "to"):
        os.makedirs(os.path.join(folder, place))
        with open(os.path.join(folder, place, "wrangler.json"), "w") as config:
            json.dump({"name": place, "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}]}, config)
    source = open_state(os.path.join(folder, "from"))
    for name, size in (("large", GIB), ("small", SMALL)):
        drive(source.backend.r2.put("files", name, (PIECE for _ in range(size // len(PIECE)))))
    peaks = [
        peak_memory(
            script("cfwb"),
            *("r2", "objects", "copy", name, "--from", os.path.join(folder, "from"), "--bucket", "files"),
            cwd=os.path.join(folder, "to"),
        )
        for name in ("large", "small")
    ]
    name = "memory of a copy of 1 GiB against one of 1 MiB"
    note = f"{peaks[0]:.0f} MiB and {peaks[1]:.0f} MiB (the times shown are these)"
    return Ratio(name, peaks[0] / 1000, peaks[1] / 1000, peaks[0] / peaks[1], 1.3, note=note)
