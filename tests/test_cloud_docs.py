"""What docs/targets.md shows of the account is run, in a project of the same bindings and on the stand-in."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.support.account import StandIn
from tests.support.cli import cfwb
from tests.support.oracle import Oracle

PAGE = (Path(__file__).parent.parent / "docs" / "targets.md").read_text()
SHOWN = [line.strip() for line in PAGE.splitlines() if line.startswith("    cfwb ")]
ASKS = ("api run kv.namespaces.create",)
"""What writes to the account: without a terminal it is refused until it says --force."""


CONFIG = {
    "name": "oracle",
    "kv_namespaces": [{"binding": "CACHE", "id": "cache-namespace"}],
    "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
    "d1_databases": [{"binding": "DB", "database_name": "shop", "database_id": "shop-database"}],
}


def test_the_page_shows_the_account() -> None:
    assert len(SHOWN) > 9


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_of_the_page_does_what_it_says(line: str, oracle: Oracle, tmp_path: Path) -> None:
    words = shlex.split(
        line.replace("shop-api", "oracle").replace("http://localhost:8787", oracle.emulator.url)
    )
    words += ["--count", "1"] if "watch" in words else []
    (tmp_path / "wrangler.json").write_text(json.dumps(CONFIG))
    oracle.kv().put("user/docs", b"1")
    oracle.r2().put("images/docs", b"1")
    oracle.d1().query("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT)")
    try:
        with StandIn(oracle) as stand_in:
            answer = cfwb(*words[1:], cwd=tmp_path, home=tmp_path / "home", **stand_in.environment())
    finally:
        oracle.kv().delete("user/docs")
        oracle.r2().delete("images/docs")
        oracle.d1().query("DROP TABLE customers")
    found = json.loads(answer.out)
    if " ".join(words[1:]).startswith(ASKS):
        assert found["error"]["code"] == "confirmation.needed"
    else:
        assert answer.status == 0, found
