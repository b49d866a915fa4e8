"""The wall of sandboxes behind a stand-in bridge that has 10,000 of them, against one that has ten: its first rows, and its keys."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from benchmarks.harness import Ratio, of_pairs
from benchmarks.keys import Scene, Watched, latencies
from workbench.backends.sandboxes.bridges import Bridges
from workbench.screens.pane import Locator
from workbench.screens.sandboxes import SandboxesPane

MANY, FEW = 10_000, 10
OPENED = 31
LIMIT = 2


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder, _bridge(MANY) as many, _bridge(FEW) as few:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "home")
        with open(os.path.join(folder, "wrangler.jsonc"), "w") as config:
            json.dump({"name": "benchmark", "kv_namespaces": [{"binding": "KV", "id": "kv"}]}, config)
        asyncio.run(_added({"many": many, "few": few}))
        pairs = asyncio.run(_first_rows(folder))
        found = [of_pairs(f"the wall of {MANY:,} sandboxes opened, against {FEW}", pairs[1:], limit=LIMIT)]
        for name, jump in (("its beginning", "home"), ("its end", "end")):
            ours, peer = (asyncio.run(latencies(folder, _scene(bridge, jump))) for bridge in ("many", "few"))
            note = f"the slowest {max(ours) * 1000:.0f} ms, {max(peer) * 1000:.0f} ms"
            title = f"a key on the wall of {MANY:,} sandboxes, at {name}, against {FEW}"
            found.append(of_pairs(title, list(zip(ours, peer, strict=True)), limit=LIMIT)._replace(note=note))
        return found


async def _added(bridges: dict[str, str]) -> None:
    for name, url in bridges.items():
        await Bridges(keyring=False).put(name, url, "token")


async def _opened(app: Watched, bridge: str) -> SandboxesPane:
    """A wall with rows on it."""
    session = await app.targets.bridge(bridge)
    pane = await app.workbench.tabs.open(Locator("sandboxes", "all", label=bridge), session=session)
    assert isinstance(pane, SandboxesPane)
    while not pane.all.pages.rows:
        app.painted.clear()
        await asyncio.wait_for(app.painted.wait(), 30)
    return pane


def _shown(pane: SandboxesPane) -> str:
    """The first line of the list, as it was drawn."""
    width, height = pane.app.size
    strips = pane.app.screen._compositor.render_strips()
    x, y = pane.all.content_region.offset
    return strips[y].text[x:width] if y < height else ""


async def _first_rows(project: str) -> list[tuple[float, float]]:
    """Seconds from opening to the frame with rows, (many, few) each."""
    app = Watched(project)
    pairs = []
    async with app.run_test(size=(160, 50)):
        await app.until(lambda: app.session is not None and app.workbench.active_pane is not None)
        for _ in range(OPENED + 1):
            taken = []
            for bridge in ("many", "few"):
                began = time.perf_counter()
                pane = await _opened(app, bridge)
                while "agent-00000" not in _shown(pane):
                    app.painted.clear()
                    await asyncio.wait_for(app.painted.wait(), 30)
                taken.append(time.perf_counter() - began)
                await app.workbench.tabs.close_all()
                await asyncio.sleep(0.1)
            pairs.append((taken[0], taken[1]))
    return pairs


def _scene(bridge: str, jump: str) -> Scene:
    async def scene(app: Watched) -> tuple[str, str]:
        pane = await _opened(app, bridge)
        await asyncio.sleep(0.3)
        app.press(jump)
        if jump == "end":
            last = f"agent-{(MANY if bridge == 'many' else FEW) - 1:05}"
            await app.until(lambda: pane.all.current and pane.all.current.name == last)
        await asyncio.sleep(0.5)
        return ("down", "up") if jump == "home" else ("up", "down")

    return scene


@contextmanager
def _bridge(sandboxes: int) -> Iterator[str]:
    """What stands for a bridge that lists so many, as one that `bridges export` wrote does, by its address."""
    kept = {"created": "2026-11-23T12:00:00Z", "state": "unknown"}
    rows = [{"name": f"agent-{each:05}", "id": f"id{each:05}"} | kept for each in range(sandboxes)]

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            first, limit = int(asked.get("cursor", 0)), int(asked.get("limit", 100))
            held = rows
            if "name" in asked:
                number = int(asked["name"].removeprefix("id").removeprefix("agent-"))
                held = rows[number : number + 1]
            cursor = str(first + limit) if first + limit < len(held) else None
            body = json.dumps({"sandboxes": held[first : first + limit], "cursor": cursor}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Who asked has gone."""

    server = Server(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
