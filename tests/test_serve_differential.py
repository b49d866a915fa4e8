"""The real Explorer and `cfwb serve`, asked the same on copies of one state, answer the same and leave the same state behind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import OracleFactory
from tests.support.differential.allowances import ALLOWANCES, NOT_DRIVEN, compare
from tests.support.differential.answers import Side
from tests.support.differential.requests import Request, Requests
from tests.support.differential.states import contents, copy_of, fill, orphans
from tests.support.emulator import EXPLORER, Emulator
from tests.support.mirror import Mirror
from workbench.api.differences import DIFFERENCES

SEED = int(os.environ.get("CFWB_SEED", "20261124"))


class Run:
    """Both sides on their copies. met: which listed differences were seen, how often."""

    def __init__(self, theirs: Emulator, ours: Mirror) -> None:
        self.theirs = Side(theirs.url + EXPLORER)
        self.ours = Side(ours.url, ours.token)
        self.met: Counter[str] = Counter()
        self.differing: list[str] = []

    def ask(self, request: Request) -> None:
        difference, met = compare(request, self.theirs.ask(request), self.ours.ask(request))
        self.met.update(met)
        if difference:
            self.differing.append(difference)

    def close(self) -> None:
        self.theirs.close()
        self.ours.close()


Ask = Callable[[int, int], "tuple[Run, Path, Path]"]


@pytest.fixture
def differential(oracle_factory: OracleFactory, tmp_path: Path) -> Ask:
    def run(count: int, seed: int) -> tuple[Run, Path, Path]:
        oracle = oracle_factory()
        fill(oracle)
        oracle.stop()
        left, right = copy_of(oracle.project, tmp_path / "theirs"), copy_of(oracle.project, tmp_path / "ours")
        home = tmp_path / "home"
        home.mkdir()
        requests = Requests(seed)
        with Emulator.start(left) as emulator, Mirror(right, home) as mirror:
            both = Run(emulator, mirror)
            for _ in range(count):
                both.ask(requests.one())
            both.close()
        return both, left, right

    return run


def check(both: Run, left: Path, right: Path) -> None:
    assert not both.differing, f"seed {SEED}: {len(both.differing)} differ\n" + "\n".join(both.differing[:20])
    theirs, ours = contents(left), contents(right)
    for name, value in theirs.items():
        assert ours[name] == value, name
    assert orphans(right) == 0


def test_the_list_of_differences_is_the_list_the_run_allows() -> None:
    assert set(ALLOWANCES) | NOT_DRIVEN == {one.key for one in DIFFERENCES}
    assert not set(ALLOWANCES) & NOT_DRIVEN


def test_a_few_hundred_requests_get_the_same_answers(differential: Ask) -> None:
    check(*differential(400, SEED))


@pytest.mark.soak
def test_ten_thousand_requests_get_the_same_answers(differential: Ask) -> None:
    both, left, right = differential(10_000, SEED + 1)
    print(f"listed differences met: {dict(both.met)}")
    check(both, left, right)
