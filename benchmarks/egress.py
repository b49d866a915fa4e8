"""What the way out costs, and whether a list behind a bridge is as quick with ten thousand sandboxes as with a hundred."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.outside import relay

from benchmarks.harness import Ratio, of_pairs
from workbench.backends.sandboxes import of_bridge
from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.authority import Authority
from workbench.sandbox.egress.upstream import trusting

SIZE = 100_000_000
ROUNDS = 5
_SERVER = """
import sys, time
from pathlib import Path
from tests.support.outside import Origin
from workbench.sandbox.egress.authority import Authority
print(Origin(Authority(Path(sys.argv[1]), "public"), "localhost").port, flush=True)
time.sleep(3600)
"""


def run() -> list[Ratio]:
    """Both figures."""
    return [asyncio.run(_through()), asyncio.run(_listed())]


async def _through() -> Ratio:
    """100 MB over TLS by curl: opened, recorded, lent a credential and looked through for it, against straight from the server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        public, roots = Authority(folder / "ca.pem", "public"), folder / "roots.pem"
        roots.write_bytes(public.certificate)
        server = _serving(folder / "ca.pem")
        egress = await Egress.open(folder / "data", keyring=False, trust=trusting(str(roots)))
        try:
            assert server.stdout is not None
            url = f"https://localhost:{int(server.stdout.readline())}/big/{SIZE}"
            await egress.attach("box", folder / "net")
            await egress.set_policy("box", NetworkPolicy("allow", private=("localhost",)))
            await egress.secrets.put("TOKEN", "a-secret-of-some-length")
            await egress.add_rule("box", CredentialRule("", "localhost", "bearer", "TOKEN"))
            async with relay(folder / "net" / "egress.sock") as port:
                proxied = ("-x", f"http://127.0.0.1:{port}", "--cacert", f"{folder}/net/bundle.pem")
                pairs = [
                    (await _curl(url, *proxied), await _curl(url, "--cacert", str(roots)))
                    for _ in range(ROUNDS + 1)
                ]
        finally:
            server.kill()
            await egress.close()
    return of_pairs("100 MB over TLS through a sandbox's way out, against straight", pairs[1:], limit=8)


def _serving(authority: Path) -> subprocess.Popen[str]:
    """An HTTPS server in a process of its own; it prints its port."""
    command = [sys.executable, "-c", _SERVER, str(authority)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def _curl(url: str, *options: str) -> float:
    start = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-o", os.devnull, *options, url, env=environment
    )
    assert await process.wait() == 0
    return time.perf_counter() - start


class _Bridge(BaseHTTPRequestHandler):
    """A stand-in for a bridge, with as many sandboxes as its path's port says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    names: list[str] = []

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after, limit = query.get("cursor", [""])[0], int(query.get("limit", ["100"])[0])
        begin = self.names.index(after) + 1 if after else 0
        page = self.names[begin : begin + limit]
        cursor = page[-1] if begin + limit < len(self.names) else None
        rows = [{"id": name, "name": name, "state": "unknown"} for name in page]
        body = json.dumps({"sandboxes": rows, "cursor": cursor}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


async def _listed() -> Ratio:
    """The first hundred of ten thousand, against the only hundred there are."""
    servers, clients = [], []
    for count in (10_000, 100):
        handler = type("Bridge", (_Bridge,), {"names": [f"s{number:05}" for number in range(count)]})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        clients.append(of_bridge(f"http://127.0.0.1:{server.server_address[1]}", "token"))
    try:
        pairs = []
        for _ in range(30):
            times = []
            for client in clients:
                start = time.perf_counter()
                page = await client.list(limit=100)
                times.append(time.perf_counter() - start)
                assert len(page.items) == 100
            pairs.append((times[0], times[1]))
    finally:
        for client in clients:
            await client.close()
        for server in servers:
            server.shutdown()
    return of_pairs(
        "a page of 100 behind a bridge: of 10,000 sandboxes, against of 100", pairs[5:], limit=1.5
    )


__all__ = ["run"]
