"""Sandboxes in containers: over an engine of this machine where there is one, and over a stand-in that writes down what it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import engine
from tests.support.sandbox import process_disk, running
from workbench.model.errors import WorkbenchError
from workbench.sandbox.disk import Disk
from workbench.sandbox.providers import Limits, Spec
from workbench.sandbox.providers.container import ContainerProvider
from workbench.sandbox.spec import Mount


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


async def lived(provider: ContainerProvider, disk: Disk, spec: Spec) -> None:
    """A life: made, used, stopped, started again with what it had, found, frozen, taken away."""
    async with running(provider, disk, spec) as box:
        done = await box.channel.run(["python3", "-c", "print(6 * 7)"])
        assert done.stdout == b"42\n", done
        await box.channel.start_process(
            "p", ["python3", "-c", "import time; print('up', flush=True); time.sleep(99)"]
        )
        assert (await box.channel.wait("p", pattern="up", within=30))["matched"]
        found = await provider.find(disk)
        assert found is not None and found.pid == box.running.pid
        with pytest.raises(WorkbenchError):
            await provider.start(spec, disk)
        await provider.freeze(box.running)
        await provider.thaw(box.running)
        assert (await provider.usage(box.running, disk)).processes >= 2
        await provider.stop(box.running, disk, 1)
        assert not box.running.alive() and await provider.find(disk) is None
    async with running(provider, disk, spec) as box:
        states = {each["id"]: each["state"] for each in await box.channel.processes()}
        assert states["p"] in ("exited", "lost")
    async with running(provider, disk, spec._replace(limits=Limits(memory=300 << 20))) as box:
        assert (await box.channel.run(["python3", "-c", "print(1)"])).stdout == b"1\n"
    await provider.delete(disk)


async def test_a_containers_life_over_a_stand_in(tmp_path: Path) -> None:
    provider = ContainerProvider(str(engine.stand_in(tmp_path)))
    assert provider.check().usable
    mount = Mount("/usr/share", "/mnt/share")
    await lived(
        provider,
        process_disk(tmp_path),
        Spec("My Box", limits=Limits(cpus=1.5, processes=100), mounts=(mount,), image="some/image"),
    )
    said = calls(tmp_path)
    first = next(words for words in said if words[0] == "run")
    assert first[first.index("--network") + 1] == "none"
    assert first[first.index("--cap-drop") + 1] == "ALL"
    assert first[first.index("--security-opt") + 1] == "no-new-privileges"
    assert first[first.index("--hostname") + 1] == "my-box"
    assert first[first.index("--cpus") + 1] == "1.5" and first[first.index("--pids-limit") + 1] == "140"
    assert "/usr/share:/mnt/share:ro" in first and "some/image" in first
    assert not any("docker.sock" in word or word == "--privileged" for words in said for word in words)
    assert [words[0] for words in said if words[0] in ("run", "start", "commit", "rm", "rmi")] == [
        "run", "start", "commit", "rm", "run", "rm", "rmi",
    ]  # fmt: skip


async def test_a_containers_life_over_an_engine_of_this_machine(tmp_path: Path) -> None:
    path = engine.real(tmp_path)
    if path is None:
        pytest.skip("no engine on this machine runs a container here")
    provider = ContainerProvider(path)
    disk = process_disk(tmp_path)
    await lived(provider, disk, Spec("My Box", image=engine.IMAGE))
    async with running(provider, disk, Spec("My Box", image=engine.IMAGE)) as box:
        try:
            assert await box.sh("hostname; id -u; ls /home 2>&1; cat /proc/1/environ | head -c 1") != ""
            await box.sh("echo kept > /workspace/file; echo kept > /root/file")
            assert (Path(disk.outside("/workspace")) / "file").read_text() == "kept\n"
        finally:
            await provider.delete(disk)


async def test_links_that_a_container_leaves_for_the_next_start_are_not_followed(tmp_path: Path) -> None:
    provider = ContainerProvider(str(engine.stand_in(tmp_path)))
    disk = process_disk(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    async with running(provider, disk, Spec()):
        pass
    shared = Path(disk.folder) / "container"
    (shared / "init.pyz").unlink()
    (shared / "init.pyz").mkdir()
    for name in ("init.pyz.new", "config.json"):
        (shared / name).unlink(missing_ok=True)
        (shared / name).symlink_to(victim)
    async with running(provider, disk, Spec()) as box:
        assert (await box.channel.run(["python3", "-c", "print(1)"])).stdout == b"1\n"
    assert victim.read_text() == "as it was"
    await provider.delete(disk)


async def test_without_an_engine_it_says_so(tmp_path: Path) -> None:
    provider = ContainerProvider("no-such-engine")
    assert not provider.check().usable and "installed" in provider.check().reason
    with pytest.raises(WorkbenchError) as raised:
        await provider.start(Spec(), process_disk(tmp_path))
    assert "installed" in raised.value.message


async def test_an_image_without_a_python_is_said(tmp_path: Path) -> None:
    script = engine.stand_in(tmp_path)
    script.write_text(script.read_text().replace("[sys.executable, *argv]", '["false"]'))
    provider = ContainerProvider(str(script))
    with pytest.raises(WorkbenchError) as raised:
        await provider.start(Spec(), process_disk(tmp_path))
    assert raised.value.code == "sandbox.not_started"
