"""Workflows in the state directory, with the real emulator running them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.oracle import Oracle
from workbench.backends.local import LocalBackend
from workbench.backends.local.workflows import LocalWorkflows
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.project import load


@pytest.fixture
def local(oracle: Oracle) -> LocalWorkflows:
    return LocalBackend(load(str(oracle.project))).workflows


def wait_for(oracle: Oracle, id: str, *statuses: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status = oracle.orders.status(id)
        if status["status"] in statuses:
            return status
        time.sleep(0.05)
    raise AssertionError(f"{id} is {status}")


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)


async def test_a_workflow_is_listed_with_its_binding_and_one_on_disk_without_it(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("listed")
    (bound,) = await local.list()
    assert (bound.name, bound.binding, bound.class_name, bound.bound) == (
        "orders",
        "ORDERS",
        "OrderFlow",
        True,
    )
    assert bound.instances is not None and bound.instances >= 1
    unbound = LocalBackend(Project("", (), str(oracle.state.parent))).workflows
    assert [(one.name, one.bound) for one in await unbound.list()] == [("orders", False)]


async def test_a_finished_instance_shows_what_the_runtime_says_of_it(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("finished", order=7)
    wait_for(oracle, "finished", "complete")
    shown = await local.get("orders", "finished")
    said = explorer(oracle, "finished")
    assert (shown.status, shown.params, shown.output) == (
        "complete",
        {"kind": "finish", "order": 7},
        {"shipped": 7},
    )
    assert (shown.started, shown.ended, shown.error) == (said["start"], said["end"], None)
    assert [(step.name, step.kind, step.status) for step in shown.steps] == [
        ("read order-1", "step", "complete"),
        ("a moment-1", "sleep", "complete"),
        ("ship-1", "step", "complete"),
    ]
    for step, other in zip(shown.steps, said["steps"], strict=True):
        assert (step.name, step.started, step.ended) == (other["name"], other["start"], other["end"])
        assert step.output == other.get("output")
        assert step.attempts == len(other.get("attempts", []))
        for one, attempt in zip(step.tries, other.get("attempts", []), strict=True):
            assert (one.started, one.ended, one.error) == (attempt["start"], attempt["end"], attempt["error"])
    assert shown.steps[0].config["retries"] == {"limit": 5, "delay": 1000, "backoff": "exponential"}


def explorer(oracle: Oracle, id: str) -> dict[str, Any]:
    """What the emulator's own explorer says of an instance."""
    path = f"/cdn-cgi/explorer/api/workflows/orders/instances/{id}"
    status, answer = oracle.emulator.request("GET", path)
    assert status == 200, answer
    return dict(json.loads(answer)["result"])


async def test_a_failed_instance_shows_each_error_and_how_often_it_was_tried(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("failed", "fail")
    oracle.orders.create("refused", "refuse")
    for id in ("failed", "refused"):
        wait_for(oracle, id, "errored")
    failed = await local.get("orders", "failed")
    assert failed.status == "errored" and failed.error == {"name": "Error", "message": "card declined"}
    step = failed.steps[-1]
    assert (step.name, step.status, step.attempts) == ("charge card-1", "failed", 2)
    assert step.error == {"name": "Error", "message": "card declined"} and step.output is None
    first, last = step.tries
    assert first.error == last.error == step.error and first.retry_ms is not None and last.retry_ms is None
    assert first.ended is not None and last.ended is not None and first.started <= first.ended <= last.started
    refused = await local.get("orders", "refused")
    assert refused.steps[-1].attempts == 1
    assert refused.steps[-1].error is not None and "out of stock" in refused.steps[-1].error["message"]


async def test_what_an_instance_waits_for_is_shown_and_then_what_came(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("waiting", "wait")
    oracle.orders.create("sleeping", "sleep")
    wait_until(
        lambda: len(explorer(oracle, "waiting")["steps"]) == len(explorer(oracle, "sleeping")["steps"]) == 2
    )
    waiting, sleeping = [await local.get("orders", id) for id in ("waiting", "sleeping")]
    assert (waiting.steps[-1].kind, waiting.steps[-1].status, waiting.ended) == ("wait", "waiting", None)
    assert waiting.steps[-1].config == {"event": "payment"}
    assert (sleeping.steps[-1].kind, sleeping.steps[-1].status) == ("sleep", "waiting")
    assert sleeping.steps[-1].config == {"durationMs": 31_536_000_000}
    oracle.orders.send_event("waiting", "payment", {"paid": 12.5})
    wait_for(oracle, "waiting", "complete")
    done = await local.get("orders", "waiting")
    assert done.steps[-1].status == "complete" and done.steps[-1].output["payload"] == {"paid": 12.5}
    assert done.output["payload"] == {"paid": 12.5}
    oracle.orders.act("sleeping", "terminate")
    wait_for(oracle, "sleeping", "terminated")
    assert (await local.get("orders", "sleeping")).status == "terminated"


async def test_instances_come_newest_first_a_page_at_a_time(oracle: Oracle, local: LocalWorkflows) -> None:
    for number in range(3):
        oracle.orders.create(f"page-{number}")
        wait_for(oracle, f"page-{number}", "complete")
    every = (await local.instances("orders")).items
    assert [one.id for one in every][:3] == ["page-2", "page-1", "page-0"]
    assert [one.created for one in every] == sorted((one.created or "" for one in every), reverse=True)
    first = await local.instances("orders", limit=2)
    second = await local.instances("orders", limit=2, cursor=first.cursor)
    assert [one.id for one in first.items + second.items] == [one.id for one in every[:4]]
    assert (await local.instances("no-such-workflow")).items == []


async def test_an_instance_deleted_beside_the_server_is_gone_and_its_id_free(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("deleted", order=1)
    wait_for(oracle, "deleted", "complete")
    would = await local.delete_instance("orders", "deleted", dry_run=True)
    assert would.total == 1 and (await local.get("orders", "deleted")).status == "complete"
    done = await local.delete_instance("orders", "deleted")
    assert done.needs_restart and "in place" in done.note
    assert "deleted" not in [one.id for one in (await local.instances("orders")).items]
    with pytest.raises(WorkbenchError) as caught:
        await local.get("orders", "deleted")
    assert caught.value.code == "workflows.instance_not_found"
    oracle.orders.create("deleted", order=2)
    assert wait_for(oracle, "deleted", "complete")["output"] == {"shipped": 2}
    assert (await local.get("orders", "deleted")).params == {"kind": "finish", "order": 2}


async def test_an_instance_deleted_with_the_server_stopped_may_be_made_again(
    oracle_factory: Callable[..., Oracle],
) -> None:
    oracle = oracle_factory()
    local = LocalBackend(load(str(oracle.project))).workflows
    oracle.orders.create("again", order=1)
    wait_for(oracle, "again", "complete")
    oracle.stop()
    assert not (await local.delete_instance("orders", "again")).needs_restart
    assert (await local.list())[0].instances == 0
    oracle.emulator.run()
    oracle.orders.create("again", order=2)
    assert wait_for(oracle, "again", "complete")["output"] == {"shipped": 2}
    assert (await local.get("orders", "again")).output == {"shipped": 2}


async def test_an_instance_that_was_read_before_is_read_again_when_it_went_on(
    oracle: Oracle, local: LocalWorkflows
) -> None:
    oracle.orders.create("goes-on", "wait")
    wait_until(lambda: len(explorer(oracle, "goes-on")["steps"]) == 2)

    async def status() -> str:
        return next(one.status for one in (await local.instances("orders")).items if one.id == "goes-on")

    assert await status() in ("running", "waiting")
    oracle.orders.send_event("goes-on", "payment", {"paid": 1})
    wait_for(oracle, "goes-on", "complete")
    assert await status() == "complete"
    await local.delete_instance("orders", "goes-on")
    assert "goes-on" not in [one.id for one in (await local.instances("orders")).items]
