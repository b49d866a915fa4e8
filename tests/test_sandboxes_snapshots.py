"""Whole disks: pictures of what runs and what does not, forks, disks put back, archives there and back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cli import cfwb
from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap
from workbench.backends.sandboxes import SandboxServer
from workbench.model.errors import WorkbenchError

home = pytest.fixture(a_home)


@pytest.fixture
async def server(home: Home) -> AsyncIterator[SandboxServer]:
    needs_bubblewrap()
    server = home.server()
    await server.create({"name": "it", "env": {"COLOUR": "blue"}})
    yield server
    await server.close()


async def sh(server: SandboxServer, sandbox: str, script: str) -> str:
    running = await server.exec(sandbox, ["sh", "-c", script])
    output = b"".join([data async for _, data in running])
    assert running.exit_code == 0, output
    return output.decode()


def layers(home: Home) -> list[str]:
    return sorted(name for name in os.listdir(home.places.layers) if not name.startswith("."))


async def test_four_forks_each_with_the_whole_disk_each_on_its_own(home: Home, server: SandboxServer) -> None:
    """Something is installed and configured once; the tests run in four forks at once."""
    await sh(
        server,
        "it",
        "printf '#!/bin/sh\\necho \"$1 is $COLOUR\"\\n' > /usr/local/bin/tool; chmod +x /usr/local/bin/tool",
    )
    await sh(server, "it", "echo setting > /etc/tool.conf; mkdir project; echo code > project/file")
    await server.snapshots.create("it", "installed")
    names = [f"try-{number}" for number in range(4)]
    forks = await server.fork("it", names, "installed")
    assert [fork.name for fork in forks] == names
    assert {fork.state for fork in forks} == {"running"}
    script = "echo {0} >> project/file; tool {0}; cat /etc/tool.conf project/file"
    said = await asyncio.gather(*(sh(server, name, script.format(name)) for name in names))
    assert said == [f"{name} is blue\nsetting\ncode\n{name}\n" for name in names]
    assert await sh(server, "it", "cat project/file") == "code\n"


CART = "def total(prices, vat):\n    return sum(prices)\n"
CART_TEST = """
import unittest
from cart import total
class Totals(unittest.TestCase):
    def test_vat(self):
        self.assertEqual(total([40, 60], 20), 120)
    def test_empty(self):
        self.assertEqual(total([], 20), 0)
"""


async def test_four_ideas_are_tried_in_four_forks_and_the_tests_say_which_is_right(
    server: SandboxServer,
) -> None:
    """A project with tests that fail, once; in each fork another change, and the tests run in all of them at once."""
    for name, text in (("cart.py", CART), ("test_cart.py", CART_TEST)):
        await server.files.put("it", f"shop/{name}", [text.encode()])
    await server.snapshots.create("it", "before")
    ideas = {
        "as-it-is": "sum(prices)",
        "adds-it": "sum(prices) + vat",
        "per-cent": "sum(prices) * (100 + vat) / 100",
        "typo": "sum(prices) * (100 + vat / 100",
    }
    await server.fork("it", list(ideas), "before")

    async def tried(fork: str) -> bool:
        await sh(server, fork, f"sed -i 's|return .*|return {ideas[fork]}|' shop/cart.py")
        running = await server.exec(fork, ["python3", "-m", "unittest", "-q"], cwd="shop")
        async for _ in running:
            pass
        return running.exit_code == 0

    passed = dict(zip(ideas, await asyncio.gather(*map(tried, ideas)), strict=True))
    assert passed == {"as-it-is": False, "adds-it": False, "per-cent": True, "typo": False}
    assert await sh(server, "it", "cat shop/cart.py") == CART


async def test_a_picture_of_what_runs_lets_it_go_on(server: SandboxServer) -> None:
    await server.processes.start("it", ["sh", "-c", "while :; do echo tick >> log; sleep 0.01; done"], id="p")
    await server.processes.wait("it", "p", pattern="never", time_limit=0.2)
    await server.snapshots.create("it", "while it ran")
    assert (await server.processes.get("it", "p")).state == "running"
    before = len(await sh(server, "it", "cat log"))
    await server.processes.wait("it", "p", pattern="never", time_limit=0.1)
    assert len(await sh(server, "it", "cat log")) > before
    await server.fork("it", ["then"], "while it ran")
    assert 0 < len(await sh(server, "then", "cat log")) <= before


async def test_put_back_the_disk_is_as_it_was_and_what_it_was_is_kept(
    home: Home, server: SandboxServer
) -> None:
    await sh(server, "it", "echo one > file; rm /etc/hostname || true; rm -rf /usr/share/doc")
    await server.stop("it")
    first = await server.snapshots.create("it")
    await sh(server, "it", "echo two > file; echo more > other")
    restored = await server.snapshots.restore("it", first.id)
    assert restored.state == "stopped"
    assert await sh(server, "it", "cat file; ls; ls -d /usr/share/doc 2>/dev/null || true") == "one\nfile\n"
    kept = (await server.snapshots.list("it"))[0]
    assert kept.automatic
    await server.snapshots.restore("it", kept.id)
    assert await sh(server, "it", "cat file other") == "two\nmore\n"


async def test_one_that_goes_to_sleep_leaves_a_picture(home: Home, server: SandboxServer) -> None:
    await sh(server, "it", "echo asleep > file")
    await server.update("it", {"sleep_after": 1})
    async with asyncio.timeout(30):
        while not (found := await server.snapshots.list("it")):
            await asyncio.sleep(0.02)
    assert found[0].automatic
    await server.fork("it", ["fork"], found[0].id)
    assert await sh(server, "fork", "cat file") == "asleep\n"
    assert await sh(server, "it", "cat file") == "asleep\n"


async def test_layers_that_nobody_names_go_also_those_of_a_hub_that_was_killed(
    home: Home, server: SandboxServer
) -> None:
    await sh(server, "it", "echo x > file")
    picture = await server.snapshots.create("it")
    await server.fork("it", ["fork"], picture.id)
    assert len(layers(home)) == 1
    await server.snapshots.delete(picture.id)
    assert len(layers(home)) == 1, "the fork lies over it"
    await server.delete("fork")
    async with asyncio.timeout(20):
        while layers(home):
            await asyncio.sleep(0.01)
    await server.snapshots.create("it", "kept")
    stray = Path(home.places.layers) / "abcdef12"
    (stray / "top").mkdir(parents=True)
    home.kill_hub()
    server = home.server()
    assert [picture.name for picture in await server.snapshots.list()] == ["kept"]
    assert "abcdef12" not in layers(home)
    assert len(layers(home)) == 1
    assert await sh(server, "it", "cat file") == "x\n"


async def test_killed_between_a_picture_and_its_record_nothing_is_lost(
    home: Home, server: SandboxServer
) -> None:
    await sh(server, "it", "echo precious > file")
    await server.stop("it")
    id = (await server.get("it")).id[:8]
    home.kill_hub()
    where = Path(home.places.sandboxes) / id
    (where / "moving").write_text("12345678")
    (where / "up").rename(Path(home.places.layers) / "12345678")
    assert await sh(home.server(), "it", "cat file") == "precious\n"


async def test_many_pictures_are_made_one_layer_now_and_then(home: Home, server: SandboxServer) -> None:
    for number in range(15):
        await sh(server, "it", f"echo {number} > file-{number}; echo {number} > last")
        await server.stop("it")
        await server.snapshots.create("it", f"s{number}")
    said = await sh(server, "it", "cat last; ls | wc -l")
    assert said == "14\n16\n"
    assert (await server.snapshots.get("s14")).layers <= 12
    await server.fork("it", ["fork"], "s3")
    assert await sh(server, "fork", "cat last; ls | wc -l") == "3\n5\n"


def test_an_archive_there_and_back(home: Home, tmp_path: Path) -> None:
    needs_bubblewrap()

    def shell(*argv: str) -> bytes:
        done = cfwb("--json", *argv, cwd=home.project, **home.env)
        assert done.status == 0, done.out
        return done.out

    shell("sandboxes", "create", "it", "--var", "A=1")
    shell(
        "sandboxes",
        "exec",
        "it",
        "--",
        "sh",
        "-c",
        "echo data > file; echo conf > /etc/mine; rm -rf /usr/share/doc",
    )
    shell("sandboxes", "snapshots", "create", "it")
    shell("sandboxes", "exec", "it", "--", "sh", "-c", "echo later > later")
    shell("sandboxes", "export", "it", "--output", str(tmp_path / "it.tar.gz"))
    shell("sandboxes", "import", "again", "--file", str(tmp_path / "it.tar.gz"))
    script = "cat file /etc/mine later; echo $A; ls /usr/share/doc 2>/dev/null | wc -l"
    done = cfwb("sandboxes", "exec", "again", "--", "sh", "-c", script, cwd=home.project, **home.env)
    assert done.text == "data\nconf\nlater\n1\n0\n"
    (tmp_path / "no archive").write_bytes(b"nonsense")
    error = cfwb(
        "--json",
        "sandboxes",
        "import",
        "x",
        "--file",
        str(tmp_path / "no archive"),
        cwd=home.project,
        **home.env,
    ).error
    assert error["code"] == "sandbox.bad_archive"
    assert not [name for name in os.listdir(home.places.layers) if name.startswith(".")]


async def test_without_isolation_there_are_no_snapshots(home: Home) -> None:
    server = home.server()
    await server.create({"name": "bare", "provider": "process", "unsafe": True})
    with pytest.raises(WorkbenchError) as caught:
        await server.snapshots.create("bare")
    assert caught.value.code == "target.not_capable"
    with pytest.raises(WorkbenchError):
        await server.fork("bare", ["x"])
    assert len((await server.list()).items) == 1
    await server.close()
