"""Fixtures every test may use: the pinned emulator, and the Worker that answers for the runtime."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.support import emulator as emulators
from tests.support.installation import is_required
from tests.support.oracle import Oracle, start_oracle
from tests.support.tools import INAPPLICABLE

OracleFactory = Callable[..., Oracle]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Begun in the background of a shell: what a test starts would inherit that an interrupt is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A short name for a long value: names go between processes, and one of 25 MiB is 100 MB as pytest writes it."""
    return f"{argname}-{len(val):,}" if isinstance(val, str | bytes) and len(val) > 100 else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required a skip is a failure, unless it says that it is for another kind of machine."""
    report = yield
    if report.skipped and is_required() and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(INAPPLICABLE):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} is required here, and skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def emulator_install() -> Path:
    """The installed emulator's folder; where it cannot be had the test skips, or fails if all is required."""
    try:
        return emulators.install()
    except emulators.EmulatorError as error:
        emulators.unavailable(str(error))


@pytest.fixture(scope="session")
def oracle(emulator_install: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """A running oracle shared by all tests: use names of your own, and leave its state as you would find it."""
    running = start_oracle(tmp_path_factory.mktemp("oracle"))
    yield running
    running.close()


@pytest.fixture
def oracle_factory(emulator_install: Path, tmp_path: Path) -> Iterator[OracleFactory]:
    """Starts an oracle of the test's own: `oracle_factory()` on fresh state, `oracle_factory(folder)` on a folder.

    The folder is what `--persist-to` takes (it holds `v3`). All of them end with the test.
    """
    running: list[Oracle] = []

    def start(persist_to: Path | None = None, **options: object) -> Oracle:
        folder = tmp_path / f"oracle-{len(running)}"
        running.append(start_oracle(folder, persist_to=persist_to, **options))
        return running[-1]

    yield start
    for one in running:
        one.close()
