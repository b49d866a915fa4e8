"""The pane of a Workflow, driven as a person does: instances, one as a timeline, values, deleting."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.support.oracle import Oracle
from tests.support.ui import Window, demo, home, window
from workbench.model.workflows import WorkflowInstance, WorkflowStep, WorkflowTry
from workbench.operations.executor import drive, execute, open_state
from workbench.screens import when
from workbench.screens.pane import Locator
from workbench.screens.workflows import WorkflowPane
from workbench.screens.workflows.reading import timeline

pytestmark = pytest.mark.asyncio
__all__ = ["demo", "home"]


def ids(folder: str, workflow: str = "billing-flow") -> list[str]:
    """Instances by a fresh look."""
    state = open_state(folder)
    try:
        page: Any = drive(execute(state, "workflows.instances.list", {"workflow": workflow}))
        return [one.id for one in page.items]
    finally:
        state.backend.close()


async def opened(w: Window, workflow: str = "billing-flow") -> WorkflowPane:
    """The pane, the keyboard in its list."""
    await w.until(lambda: w.app.session is not None)
    pane = await w.app.workbench.open(Locator("workflow", workflow, label=workflow))
    assert isinstance(pane, WorkflowPane)
    await w.until(lambda: pane.instances.pages.ended and pane.instances.has_focus)
    return pane


async def to(w: Window, pane: WorkflowPane, id: str) -> None:
    """Down to an instance, until it is shown."""
    await w.press("home")
    while pane.instances.current is not None and pane.instances.current.key != id:
        await w.press("down")
    await w.until(lambda: pane.panel.instance is not None and pane.panel.instance.id == id)


async def test_instances_are_listed_newest_first_with_their_status(demo: str) -> None:
    async with window(demo, (160, 50)) as w:
        await opened(w)
        await w.until("billing-flow   BillingFlow   4 instances")
        names = [line for line in w.text.splitlines() if "inv-100" in line]
        order = ("▶ inv-1004", "▶ inv-1003", "✗ inv-1002", "✓ inv-1001")
        assert [part in line for part, line in zip(order, names, strict=False)] == [True] * 4, names
        assert "errored" in w.line("✗ inv-1002") and "23:28" in w.line("✗ inv-1002")


async def test_a_finished_instance_is_a_timeline_from_its_parameters_to_its_output(demo: str) -> None:
    async with window(demo, (160, 50)) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1001")
        await w.until("send receipt-1")
        assert w.says("took 261 ms")
        steps = [event.name for event in pane.panel.timeline.events]
        assert steps == [
            "parameters",
            "read order-1",
            "charge card-1",
            "let the payment settle-1",
            "send receipt-1",
            "output",
        ]
        assert "210 ms" in w.line("let the payment settle-1") and "░░░" in w.line("let the payment settle-1")
        assert "█" in w.line("read order-1")
        await w.until('"total": 20')  # the output is what one sees first
        await w.press("enter", "home")
        await w.until('"order": 1')
        await w.press("down")
        await w.until('"vat": 4')
        assert w.says("step · complete · began 23:28:17.676")
        assert w.says("5 retries at most · exponential from 1 s · each up to 10 minutes")


async def test_a_failed_instance_says_why_and_shows_every_try(demo: str) -> None:
    async with window(demo, (160, 50)) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1002")
        await w.until("✗ errored")
        assert w.says("Error: card declined")
        assert "3 tries" in w.line("charge card-1") and w.line("charge card-1").count("█") >= 3
        await w.press("enter", "up")
        await w.until("try 3: 23:28:17.884")
        assert w.says("try 1: 23:28:17.706 · 5 ms · Error: card declined · again after 50 ms")
        await w.until('"message": "card declined"')


async def test_what_an_instance_sleeps_or_waits_for_is_said(demo: str) -> None:
    async with window(demo, (160, 50)) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1003")
        await w.until("waits for approval")
        await w.until("no output yet")
        await to(w, pane, "inv-1004")
        await w.until("sleeps 365 d")
        assert w.says("to go") or w.says("not yet noticed")


async def test_escape_goes_back_from_the_value_to_the_timeline_to_the_list(demo: str) -> None:
    async with window(demo) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1001")
        await w.until('"total": 20')
        await w.press("enter")
        await w.until(lambda: pane.panel.timeline.has_focus)
        await w.press("enter")
        await w.until(lambda: pane.panel.query_one("#view").has_focus_within)
        await w.press("escape")
        await w.until(lambda: pane.panel.timeline.has_focus)
        await w.press("escape")
        await w.until(lambda: pane.instances.has_focus)


async def test_an_instance_is_deleted_after_a_list_of_what_goes(demo: str) -> None:
    async with window(demo) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1002")
        await w.press("d")
        await w.until("Delete inv-1002")
        assert w.says("1 instance of billing-flow") and "LOCAL" in w.text
        await w.press("escape")
        assert len(ids(demo)) == 4
        await w.press("space", "space", "d")
        await w.until("Delete inv-1002, inv-1001")
        await w.press("y")
        await w.until("2 instances")
        assert ids(demo) == ["inv-1004", "inv-1003"]
        assert pane.instances.has_focus
        await w.gone("inv-1002")


async def test_the_instance_one_was_at_is_found_again_after_a_restart(demo: str) -> None:
    async with window(demo) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1002")
        await w.press("ctrl+q")
    async with window(demo) as w:
        await w.until("inv-1002   ✗ errored")


async def test_it_is_usable_at_80_by_24(demo: str) -> None:
    async with window(demo, (80, 24)) as w:
        pane = await opened(w)
        await to(w, pane, "inv-1002")
        await w.until("inv-1002   ✗ errored")
        assert "took 217 ms" in w.text and "charge card-1" in w.text
        await w.press("enter", "home")
        await w.until('"card": "declined"')


async def test_a_workflow_that_never_ran_says_so(demo: str) -> None:
    shutil.rmtree(f"{demo}/.wrangler/state/v3/workflows")
    async with window(demo) as w:
        await opened(w)
        await w.until("it has never run here")
        await w.press("enter", "d", "space", "y")
        assert w.says("0 instances")


async def test_a_workflow_that_is_gone_says_so(demo: str) -> None:
    async with window(demo) as w:
        await w.until(lambda: w.app.session is not None)
        await w.app.workbench.open(Locator("workflow", "no-such-flow"))
        await w.until("no workflow 'no-such-flow'")
        assert "not read" in w.text


async def test_what_a_running_server_does_appears_by_itself(oracle: Oracle, home: Any) -> None:
    async with window(oracle.project, (140, 40)) as w:
        pane = await opened(w, "orders")
        await w.pilot.pause(0.5)  # the watcher has begun
        oracle.orders.create("seen-live", order=3)
        await w.until("seen-live", 40)
        await to(w, pane, "seen-live")
        await w.until("✓ complete", 40)
        await w.until('"shipped": 3')
        assert w.says("✓ ship-1")


async def test_an_instance_that_goes_on_is_drawn_up_to_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(when, "now", lambda: 1_000_100.0)
    step = WorkflowStep(
        "pay",
        "step",
        "waiting",
        "1970-01-12T13:46:50Z",
        None,
        1,
        error={"name": "Error", "message": "no"},
        tries=(WorkflowTry("1970-01-12T13:46:50Z", "1970-01-12T13:47:00Z", {"message": "no"}, 90_000),),
    )
    instance = WorkflowInstance("a", "running", "1970-01-12T13:46:40Z", "1970-01-12T13:46:40Z", None)
    events, length = timeline(instance._replace(steps=(step,)))
    assert length == 100.0
    assert events[1].took == "1 min 30 s"
    assert [(bar.begin, bar.end, bar.waits) for bar in events[1].bars] == [(10, None, True), (10, 20, False)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.0126, "13 ms"),
        (1.25, "1.25 s"),
        (61, "1 min 1 s"),
        (7325, "2 h 2 min"),
        (9e4, "1 d 1 h"),
    ],
)
async def test_how_long_it_took_in_words(seconds: float, words: str) -> None:
    assert when.took(seconds) == words
