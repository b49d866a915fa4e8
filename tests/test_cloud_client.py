"""The client against an account that misbehaves (a stand-in, no emulator behind it): what is repeated, what is told, what is waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.account import ACCOUNT, StandIn
from tests.support.account.queues import QUEUE_ID
from tests.support.local import run
from tests.support.targets import account
from workbench.backends.cloudflare import line as asking
from workbench.backends.cloudflare import repeating
from workbench.backends.cloudflare.api import Api, Line, Timeouts, join
from workbench.backends.cloudflare.budget import Budget
from workbench.backends.cloudflare.paging import Place, place
from workbench.backends.cloudflare.refusals import ApiError, refused
from workbench.model.errors import Cancelled, WorkbenchError
from workbench.model.progress import Cancel
from workbench.operations.executor import State, execute


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def state(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """The account, with short pauses before a request is repeated."""
    real = repeating.pause
    monkeypatch.setattr(asking, "pause", lambda attempt, asked=None: real(attempt, asked) if asked else 0.01)
    stand_in.requests.clear()
    with account(stand_in, timeouts=Timeouts(connect=2, silence=0.5)) as opened:
        yield opened


def api(state: State) -> Api:
    return state.backend.api  # type: ignore[attr-defined,no-any-return]


def send(state: State) -> Any:
    return run(execute(state, "queues.messages.send", {"queue": "jobs", "value": "x"}, force=True))


def failing(call: Any, *arguments: Any) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as caught:
        run(call(*arguments))
    return caught.value


# --- repeated, or not


@pytest.mark.parametrize("kind", ["cut", "after", "half"])
def test_a_read_is_repeated_when_the_connection_breaks(state: State, stand_in: StandIn, kind: str) -> None:
    with stand_in.fault(kind, "/workers/scripts", times=2):
        assert [row.name for row in run(state.backend.workers.scripts())] == ["oracle"]
    assert len(stand_in.asked("GET", "/workers/scripts")) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 520, 524])
def test_a_read_is_repeated_when_the_other_side_fails(state: State, stand_in: StandIn, status: int) -> None:
    with stand_in.fault("status", "/workers/scripts", times=2, status=status):
        assert run(state.backend.workers.scripts())


def test_it_gives_up_after_a_few_tries_with_the_error_and_its_request_id(
    state: State, stand_in: StandIn
) -> None:
    with stand_in.fault("status", "/workers/scripts", times=9, status=503):
        error = failing(state.backend.workers.scripts)
    assert error.code == "remote.failed" and "on purpose" in error.message
    assert isinstance(error, ApiError) and error.status == 503
    assert error.request_id.startswith("ray") and error.request_id in error.hint
    assert len(stand_in.asked("GET", "/workers/scripts")) == repeating.ATTEMPTS


@pytest.mark.parametrize("kind", ["cut", "after"])
def test_a_write_that_may_have_been_done_is_sent_once_and_said_to_be_unknown(
    state: State, stand_in: StandIn, kind: str
) -> None:
    with stand_in.fault(kind, "/messages", method="POST"), pytest.raises(WorkbenchError) as caught:
        send(state)
    assert caught.value.code == "remote.outcome_unknown"
    assert "may or may not" in caught.value.message and "jobs" not in caught.value.code
    assert len(stand_in.asked("POST", "/messages")) == 1


def test_a_gateway_s_word_on_a_write_is_no_word(state: State, stand_in: StandIn) -> None:
    with stand_in.fault("status", "/messages", method="POST", status=502, body=b"<html>bad gateway</html>"):
        with pytest.raises(WorkbenchError) as caught:
            send(state)
        assert caught.value.code == "remote.outcome_unknown"
    with stand_in.fault(
        "status", "/messages", method="POST", status=500
    ):  # the API itself says that it failed
        with pytest.raises(WorkbenchError) as caught:
            send(state)
        assert caught.value.code == "remote.failed"


def test_a_deletion_that_is_repeated_and_finds_nothing_has_been_done(state: State, stand_in: StandIn) -> None:
    with stand_in.fault("cut", "/tails/t", method="DELETE"), stand_in.fault("status", "/tails/t", status=404):
        run(api(state).send("DELETE", "/workers/scripts/oracle/tails/t"))
    error = failing(api(state).send, "DELETE", "/nothing/here")
    assert error.code == "remote.not_found"


def test_nobody_there_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "pause", lambda attempt, asked=None: 0.01)
    line = Line("http://127.0.0.1:9/client/v4")
    try:
        error = failing(Api(line).send, "POST", "/x")
        assert error.code == "remote.unreachable" and "127.0.0.1:9" in error.message
    finally:
        line.close()


# --- limits


def test_429_is_obeyed_for_as_long_as_it_says_and_shown(state: State, stand_in: StandIn) -> None:
    told: list[str] = []
    backend = state.backend.watched(None, told.append)
    with stand_in.fault("status", "/messages", method="POST", status=429, headers={"Retry-After": "0.3"}):
        begun = time.monotonic()
        run(
            backend.queues.send(QUEUE_ID, "x", "text")
        )  # refused before it was looked at, so a write too is repeated
        assert time.monotonic() - begun >= 0.3
    assert told == [f"{api(state).line.host} allows no more requests now: again in 0 s"]
    assert len(stand_in.asked("POST", "/messages")) == 2


def test_a_wait_of_an_hour_is_told_instead(state: State, stand_in: StandIn) -> None:
    with stand_in.fault("status", "/workers/scripts", status=429, headers={"Retry-After": "3600"}):
        error = failing(state.backend.workers.scripts)
    assert error.code == "remote.rate_limited" and "3600 s" in error.hint


def test_a_date_is_understood_as_a_retry_after() -> None:
    assert repeating.pause(1, "Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert repeating.pause(1, "7") == 7
    assert 0 < repeating.pause(1, "soon") < 1
    assert len({repeating.pause(3) for _ in range(20)}) > 1, "pauses have jitter"


def test_requests_wait_for_their_place_in_the_budget() -> None:
    now = [0.0]
    budget = Budget(3, 300, clock=lambda: now[0])

    async def take() -> None:
        await budget.take()

    for _ in range(3):
        asyncio.run(take())
    assert budget.left() == 0 and budget.until_free() == 300
    now[0] = 200
    assert budget.until_free() == 100
    now[0] = 300
    asyncio.run(take())
    assert budget.left() == 2


def test_the_budget_is_asked_before_every_request(stand_in: StandIn) -> None:
    budget = Budget(4, 0.3)
    told: list[str] = []
    with account(stand_in, budget=budget) as state:
        workers = state.backend.watched(None, told.append).workers
        begun = time.monotonic()
        for _ in range(5):
            run(workers.scripts())
        assert time.monotonic() - begun >= 0.3
    assert told and "requests" in told[0]


# --- time-outs, cancelling, connections


def test_silence_ends_in_an_error(state: State, stand_in: StandIn) -> None:
    with stand_in.fault("slow", "/workers/scripts", times=9, seconds=2):
        begun = time.monotonic()
        error = failing(state.backend.workers.scripts)
    assert error.code == "remote.unreachable"
    assert time.monotonic() - begun < 10


def test_a_request_is_cancelled_from_another_thread(state: State, stand_in: StandIn) -> None:
    cancel = Cancel()
    backend = state.backend.watched(cancel)
    with stand_in.fault("slow", "/workers/scripts", seconds=3):
        threading.Timer(0.1, cancel.cancel).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            run(backend.workers.scripts())
        assert time.monotonic() - begun < 2
    assert run(state.backend.workers.scripts()), "the connection pool goes on"


def test_a_caller_with_an_event_loop_is_suspended_not_blocked(state: State, stand_in: StandIn) -> None:
    async def both() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        ticking = asyncio.create_task(tick())
        rows = await state.backend.workers.scripts()
        ticking.cancel()
        return len(rows), ticks

    with stand_in.fault("slow", "/workers/scripts", seconds=0.3):
        rows, ticks = asyncio.run(both())
    assert rows == 1 and ticks > 3


def test_connections_are_reused(stand_in: StandIn) -> None:
    with account(stand_in) as state:
        before = threading.active_count()
        for _ in range(10):
            run(state.backend.workers.scripts())
        assert threading.active_count() <= before + 1, "a thread of the stand-in is a connection"


def test_several_threads_ask_at_once(state: State) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(len(run(state.backend.workers.scripts())))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [1] * 8


def test_a_log_is_left_and_ended_on_the_other_side(state: State, stand_in: StandIn) -> None:
    workers = stand_in._routes._workers
    workers.ended.clear()
    events = run(state.backend.workers.logs("oracle", {}))
    assert next(events).outcome == "ok"
    events.close()  # type: ignore[attr-defined]
    assert workers.ended == ["tail-1"]


# --- errors


@pytest.mark.parametrize(
    ("product", "status", "body", "code"),
    [
        (
            "kv",
            404,
            b'{"success": false, "errors": [{"code": 10009, "message": "key not found"}]}',
            "kv.key_not_found",
        ),
        (
            "r2",
            404,
            b'{"success": false, "errors": [{"code": 10006, "message": "no bucket"}]}',
            "r2.bucket_not_found",
        ),
        (
            "workers",
            404,
            b'{"errors": [{"code": 10007, "message": "no script"}]}',
            "workers.script_not_found",
        ),
        ("d1", 400, b'{"errors": [{"code": 7500, "message": "near x: syntax error"}]}', "sql.error"),
        ("", 403, b'{"errors": [{"code": 10000, "message": "Authentication error"}]}', "remote.not_allowed"),
        (
            "",
            400,
            b'{"errors": [{"code": 6003, "message": "Bad headers", "error_chain": [{"code": 6111, "message": "no"}]}]}',
            "remote.not_authenticated",
        ),
        ("", 500, b"<html>\nnot JSON</html>", "remote.failed"),
        ("", 500, b'{"errors": "text"}', "remote.failed"),
        ("", 418, b"", "remote.failed"),
    ],
)
def test_the_envelope_becomes_the_one_family(product: str, status: int, body: bytes, code: str) -> None:
    error = refused(product, status, body, "ray-1")
    assert error.code == code and error.message
    assert "ray-1" in error.hint


def test_an_answer_that_is_no_json_is_said_to_be_none(state: State, stand_in: StandIn) -> None:
    with stand_in.fault("status", "/workers/scripts", status=200, body=b"<html>login</html>"):
        assert failing(state.backend.workers.scripts).code == "remote.bad_answer"


# --- names and cursors


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_no_url_can_say_is_refused(name: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        join("a", name)
    assert caught.value.code == "remote.bad_name"


def test_a_name_is_one_segment_whatever_is_in_it() -> None:
    assert join("a/b", "../c", "d?e#f%20g", "é") == "/a%2Fb/..%2Fc/d%3Fe%23f%2520g/%C3%A9"


def test_a_cursor_says_where_in_a_page_it_points() -> None:
    assert place(Place("abc", 3, "x/").written()) == Place("abc", 3, "x/")
    assert place(None) == Place()
    for wrong in ("", "%%%", "bm8", Place("a", 1, None).written()[:-3]):
        with pytest.raises(WorkbenchError) as caught:
            place(wrong)
        assert caught.value.code == "remote.bad_cursor"


def test_credentials_go_over_tls_only() -> None:
    from workbench.backends.cloudflare.credentials import Credentials
    from workbench.model.secrets import Secret

    with pytest.raises(WorkbenchError) as caught:
        Line("http://example.com", Credentials("token", "test", Secret("abcdef")))
    assert caught.value.code == "remote.not_encrypted"


def test_the_stand_in_says_what_it_is(stand_in: StandIn) -> None:
    import urllib.request

    with urllib.request.urlopen(stand_in.origin) as answer:
        assert b"stand-in for tests, not Cloudflare" in answer.read()
        assert answer.headers["X-Stand-In"] == "this is not Cloudflare"
    assert ACCOUNT in "".join(stand_in.accounts)
