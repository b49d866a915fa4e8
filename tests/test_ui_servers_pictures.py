"""Pictures of the dev server's panes, in both themes at both sizes; what is said in them is made up, for no two real servers say the
same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ui import Window, demo, home
from tests.test_ui_snapshots import in_both_sizes, in_both_themes, picture, still
from workbench.model.servers import Answered, Asked, LogLine, ServedClass, ServedWorker
from workbench.model.traces import Span, Trace, TraceDetail, TraceLog
from workbench.operations.servers import ServerDetail
from workbench.screens.session import Session

__all__ = ["demo", "home", "picture", "still"]

URL = "http://localhost:8787"
MORNING = "2026-11-25T11:58:0{}Z"
WORKER = ServedWorker(
    "shop-api",
    ("cache",),
    ("files",),
    ("shop",),
    (ServedClass("AppRunner", "shop-api", "APP", True),),
    ("billing-flow",),
    ("0 3 * * 1",),
    True,
)
DETAIL = ServerDetail(
    URL,
    "running",
    "wrangler",
    "/home/ann/shop",
    4711,
    True,
    True,
    (WORKER,),
    ("shop-api",),
    "98a14609",
    ("node_modules/.bin/wrangler", "dev"),
    MORNING.format(0),
    None,
    None,
    None,
    "",
)
LINES = [
    LogLine(MORNING.format(0), "stdout", "info", "⎔ Starting local server..."),
    LogLine(MORNING.format(2), "stdout", "info", "[wrangler:info] Ready on http://localhost:8787"),
    LogLine(MORNING.format(5), "stdout", "info", "[wrangler:info] GET /api/cart 200 OK (12ms)"),
    LogLine(MORNING.format(6), "stderr", "warn", "▲ [WARNING] the cart of ann is 3 days old"),
    LogLine(MORNING.format(8), "stderr", "error", "✘ [ERROR] Uncaught Error: no such order"),
    LogLine(MORNING.format(8), "stderr", "error", "    at Object.fetch (src/index.js:41:11)"),
]
HISTORY = [
    Asked(
        2,
        MORNING.format(8),
        "POST",
        "/api/orders?dry=1",
        (("Content-Type", "application/json"),),
        '{"order": 7}',
        URL,
        500,
        31.0,
    ),
    Asked(1, MORNING.format(5), "GET", "/api/cart", (), "", URL, 200, 12.0),
]
ANSWER = Answered(
    200,
    "OK",
    (("Content-Type", "application/json"), ("Content-Length", "57")),
    b'{"cart": [{"sku": "lamp", "count": 2}], "total": 118.0}',
    12.4,
    f"{URL}/api/cart",
)
FAILED = Trace(
    "b" * 32,
    "shop-api",
    "POST /api/orders?dry=1",
    "http",
    500,
    MORNING.format(8),
    31,
    "exception",
    "no such order",
    4,
    2,
)
CART = Trace("a" * 32, "shop-api", "GET /api/cart", "http", 200, MORNING.format(5), 12, "ok", None, 2, 0)
SPANS = (
    Span("1", None, "shop-api", "POST", "http", 0, 31, "exception", "no such order", {}),
    Span(
        "2",
        "1",
        "shop-api",
        "kv_get",
        "kv",
        1,
        6,
        "ok",
        None,
        {"cloudflare.binding.name": "CACHE", "cloudflare.kv.query.keys": "cart/ann"},
    ),
    Span("3", "1", "shop-api", "d1_all", "d1", 8, 19, "ok", None, {"db.query.text": "SELECT * FROM orders"}),
    Span("4", "1", "shop-api", "fetch", "fetch", 20, 9, "ok", None, {"url.full": "https://tax.example/"}),
)
LOGS = (
    TraceLog("1", 7, "warn", "the cart of ann is 3 days old"),
    TraceLog("1", 30, "error", "no such order"),
)
SAID: dict[str, Callable[[], Any]] = {
    "servers.get": lambda: DETAIL,
    "servers.logs.watch": lambda: iter(LINES),
    "servers.requests.list": lambda: HISTORY,
    "servers.requests.send": lambda: ANSWER,
    "traces.list": lambda: [FAILED, CART],
    "traces.get": lambda: TraceDetail(FAILED, SPANS, LOGS),
}


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server would say."""
    call = Session.call

    async def answered(self: Session, operation: str, /, **arguments: Any) -> Any:
        return SAID[operation]() if operation in SAID else await call(self, operation, **arguments)

    monkeypatch.setattr(Session, "call", answered)
    monkeypatch.setattr("workbench.screens.servers.saying.time.localtime", __import__("time").gmtime)


@in_both_themes
@in_both_sizes
def test_the_dev_server(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("f4")
        await w.until("Ready on")
        await w.until("stays until it is stopped")
        await w.until("at Object.fetch")

    picture(act)


@in_both_themes
@in_both_sizes
def test_a_request_with_its_answer(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.press("a")
        await w.until("sent before")
        await w.until("GET    /api/cart")
        await w.press("tab", "tab", "tab", "down", "enter", "enter")
        await w.until('"total"')
        await w.press("tab", "tab", "tab")  # out of the fields, in which a cursor blinks
        await w.until(lambda: w.app.focused is not None and w.app.focused.id == "history")

    picture(act)


@in_both_themes
@in_both_sizes
def test_a_request_that_failed_as_a_waterfall(picture: Callable[..., None]) -> None:
    async def act(w: Window) -> None:
        await w.press("f4")
        await w.until("stays until it is stopped")
        await w.press("t")
        await w.until("kv_get")
        await w.press("enter", "down", "down", "down")
        await w.until("kv · after 1 ms")

    picture(act)
