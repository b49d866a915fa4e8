"""Sandboxes: made, used and forked, against the barest bwrap and against doing the work again; and fifty at once."""

from __future__ import annotations

import asyncio
import io
import json
import os
import statistics
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from tests.support.installation import node_path
from tests.support.sandbox import USERS, Ground, on_ground, running

from benchmarks.harness import Ratio, of_pairs, ordinary
from workbench.sandbox.disk.layers import Layers
from workbench.sandbox.providers import Running, Spec

RUNS = 15
ALIVE = 50
DEPENDENCIES = {
    "@types/react": "19.1.0", "eslint": "9.24.0", "prettier": "3.5.3", "react": "19.1.0", "react-dom": "19.1.0",
    "typescript": "5.8.3", "vite": "6.2.5", "vitest": "3.1.1", "wrangler": "4.8.0",
}  # fmt: skip


def run() -> list[Ratio]:
    found: list[Ratio] = []

    async def look(ground: Ground) -> None:
        found.append(await created(ground))
        found.append(await executed(ground))
        found.append(await forked(ground))
        found.append(await alive(ground))

    on_ground(USERS[0], look)
    return found


def bare(ground: Ground) -> float:
    """Seconds of `bwrap --ro-bind / / true`: the least that any sandbox costs."""
    found = ground.machine.bubblewrap
    assert found is not None
    start = time.perf_counter()
    subprocess.run([found.path, "--unshare-all", "--ro-bind", "/", "/", "true"], check=True)
    return time.perf_counter() - start


async def start(ground: Ground, name: str, layers: list[str]) -> tuple[float, Running]:
    """Seconds until a program could run in it."""
    began = time.perf_counter()
    started = await ground.provider.start(Spec(), ground.disk(name, layers))
    return time.perf_counter() - began, started


async def created(ground: Ground) -> Ratio:
    pairs: list[tuple[float, float]] = []
    for number in range(RUNS + 1):
        seconds, started = await start(ground, f"create-{number}", [])
        pairs.append((seconds, bare(ground)))
        await ground.provider.kill(started, ground.disk(f"create-{number}"))
    return of_pairs("a sandbox made and ready, against bwrap true", pairs[1:], limit=20)


async def executed(ground: Ground) -> Ratio:
    pairs: list[tuple[float, float]] = []
    async with running(ground.provider, ground.disk("exec"), Spec()) as box:
        for _ in range(2 * RUNS):
            began = time.perf_counter()
            assert (await box.channel.run(["true"])).exit_code == 0
            pairs.append((time.perf_counter() - began, bare(ground)))
    return of_pairs("exec true in a sandbox that runs, against bwrap true", pairs, limit=2)


async def forked(ground: Ground) -> Ratio:
    """A picture with a project installed, forked; against cloning the project and installing it again."""
    with tempfile.TemporaryDirectory() as folder:
        origin = _repository(Path(folder, "origin"))
        began = time.perf_counter()
        _install(origin, Path(folder, "project"), Path(folder, "cache"))
        again = time.perf_counter() - began
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(Path(folder, "project"), "project")
    disk = ground.disk("origin")
    async with running(ground.provider, disk, Spec()) as box:
        put = await box.channel.put_tree("/workspace", packed.getvalue())
    layers = Layers(os.path.join(ground.folder, "l"), ground.machine)
    layer = layers.path(layers.take(disk))
    pairs: list[tuple[float, float]] = []
    for number in range(RUNS):
        seconds, started = await start(ground, f"fork-{number}", [layer])
        pairs.append((seconds, again))
        ready = await started.channel.run(["test", "-d", "/workspace/project/node_modules/vite"])
        assert ready.exit_code == 0
        await ground.provider.kill(started, ground.disk(f"fork-{number}"))
    note = f"{put['files']:,} files, {put['bytes'] >> 20} MiB"
    return of_pairs(
        "a fork ready, times faster than git clone and npm install",
        pairs,
        limit=100,
        at_most=False,
        note=note,
    )


def _repository(folder: Path) -> Path:
    folder.mkdir()
    manifest = {"name": "project", "private": True, "dependencies": DEPENDENCIES}
    (folder / "package.json").write_text(json.dumps(manifest))
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "A project"]):
        subprocess.run([*git, *words], check=True)
    return folder


def _install(origin: Path, target: Path, cache: Path) -> None:
    npm = node_path().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run(["git", "clone", "-q", str(origin), str(target)], check=True)
    env = ordinary(
        {"PATH": f"{node_path().parent}:{os.environ.get('PATH', '')}", "npm_config_cache": str(cache)}
    )
    words = [str(node_path()), str(npm), "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(
        words, cwd=target, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


async def alive(ground: Ground) -> Ratio:
    """Memory of each of fifty: what is its alone and its share of what is shared (PSS), the bwrap outside included."""
    disks = [ground.disk(f"alive-{number}") for number in range(ALIVE)]
    started = [await ground.provider.start(Spec(), disk) for disk in disks]
    peers = [
        subprocess.Popen(  # noqa: ASYNC220
            ["/usr/bin/python3", "-I", "-S", "-c", "import json, socket, selectors; input()"],
            stdin=subprocess.PIPE,
        )
        for _ in range(ALIVE)
    ]
    try:
        await asyncio.gather(*(each.channel.run(["true"]) for each in started))
        each = [_held(one.pid) + _held(_parent(one.pid)) for one in started]
        bare = [_held(peer.pid) for peer in peers]
        note = f"{statistics.median(each):.1f} MiB each, {sum(each):.0f} MiB together"
        # The harness prints thousandths: a MiB reads as a millisecond.
        pairs = [(ours / 1000, peer / 1000) for ours, peer in zip(each, bare, strict=True)]
        name = f"memory of each of {ALIVE} sandboxes against an idle Python (MiB for ms)"
        return of_pairs(name, pairs, limit=3, note=note)
    finally:
        for peer in peers:
            peer.kill()
            peer.communicate()
        for one, disk in zip(started, disks, strict=True):
            await ground.provider.kill(one, disk)


def _held(pid: int) -> float:
    """MiB; of what may not be looked into (another user's, undumpable) the resident size."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
