"""Folders of the machine and buckets inside a sandbox: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.account import ACCOUNT, StandIn
from tests.support.cli import cfwb
from tests.support.hubs import Home, a_home
from tests.support.oracle import Oracle
from tests.support.sandbox import needs_bubblewrap
from workbench.hub.mounts.bucket import Bucket, account_state, local_state
from workbench.hub.mounts.folders import inside_path, machine_folder, still_machine_folder
from workbench.hub.mounts.plan import Agreed, Stamp, plan, representable
from workbench.model.errors import WorkbenchError
from workbench.model.places import HubPlaces

# -- what brings both together


class World:
    """A folder and a bucket as dictionaries, brought together by `plan` as the hub does it with real ones."""

    def __init__(self) -> None:
        self.inside: dict[str, str] = {}
        self.bucket: dict[str, str] = {}
        self.agreed: dict[str, Agreed] = {}
        self.kept_aside: list[str] = []

    def stamps(self) -> dict[str, Stamp]:
        return {path: (len(text), float(hash(text) % 1000)) for path, text in self.inside.items()}

    def together(self, read_only: bool = False) -> int:
        steps = plan(self.agreed, self.stamps(), dict(self.bucket), read_only=read_only)
        for step in steps:
            path = step.path
            if step.kind == "conflict" and self.inside[path] != self.bucket[path]:
                self.kept_aside.append(self.inside[path])
            if step.kind in ("pull", "conflict"):
                self.inside[path] = self.bucket[path]
            elif step.kind == "push":
                self.bucket[path] = self.inside[path]
            elif step.kind == "delete_inside":
                del self.inside[path]
            elif step.kind == "delete_object":
                del self.bucket[path]
            if path in self.inside and path in self.bucket:
                self.agreed[path] = Agreed(self.bucket[path], self.stamps()[path])
            else:
                self.agreed.pop(path, None)
        return len(steps)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("inside", "bucket")), st.sampled_from("abc"), st.sampled_from((None, "1", "2", "3"))
    ),
    max_size=12,
)


@settings(max_examples=200)
@given(CHANGES, CHANGES)
def test_both_sides_end_up_alike_and_nothing_written_is_lost(first: Any, second: Any) -> None:
    world = World()
    for changes in (first, second):
        before = dict(world.bucket)
        for side, path, text in changes:
            files: dict[str, str] = getattr(world, side)
            if text is None:
                files.pop(path, None)
            else:
                files[path] = text
        fresh = {
            (path, text)
            for files in (world.inside, world.bucket)
            for path, text in files.items()
            if text != before.get(path)
        }
        world.together()
        assert world.inside == world.bucket
        assert world.together() == 0
        for path, text in fresh:
            assert world.bucket.get(path) == text or text in world.kept_aside


@pytest.mark.parametrize(
    ("inside", "bucket", "outcome"),
    [
        ("old", "old", []),
        ("new", "old", ["push"]),
        ("old", "new", ["pull"]),
        ("new", "new2", ["conflict"]),
        (None, "old", ["delete_object"]),
        ("old", None, ["delete_inside"]),
        (None, None, ["forget"]),
        ("new", None, ["push"]),  # a change wins over a deletion
        (None, "new", ["pull"]),
    ],
)
def test_what_happens_to_a_file_both_sides_knew(
    inside: str | None, bucket: str | None, outcome: list[str]
) -> None:
    stamp = {"old": (1, 1.0), "new": (2, 2.0)}
    steps = plan(
        {"f": Agreed("old", stamp["old"])},
        {"f": stamp[inside]} if inside else {},
        {"f": bucket} if bucket else {},
        read_only=False,
    )
    assert [step.kind for step in steps] == outcome


def test_a_copy_that_is_read_only_never_writes_to_the_bucket() -> None:
    known = {"f": Agreed("old", (1, 1.0))}
    for inside in ({}, {"f": (1, 1.0)}, {"f": (2, 2.0)}, {"f": (1, 1.0), "own": (3, 3.0)}):
        for bucket in ({}, {"f": "old"}, {"f": "new"}):
            kinds = {step.kind for step in plan(known, inside, bucket, read_only=True)}
            assert kinds <= {"pull", "delete_inside", "forget"}


def test_keys_that_are_no_paths_stay_out() -> None:
    keys = [
        "a/b",
        "ok.txt",
        "",
        "/lead",
        "trail/",
        "a//b",
        "../up",
        "x/./y",
        "nul\0",
        "n" * 300,
        "ok.txt/below",
    ]
    kept, left = representable(dict.fromkeys(keys, "etag"))
    assert sorted(kept) == ["a/b", "ok.txt"]
    assert set(left) == set(keys) - set(kept)


# -- folders of the machine


@pytest.fixture
def places(tmp_path: Path) -> HubPlaces:
    for name in ("data", "run"):
        (tmp_path / "hub" / name).mkdir(parents=True)
    return HubPlaces(
        str(tmp_path / "state"), "key", str(tmp_path / "hub" / "data"), str(tmp_path / "hub" / "run")
    )


def test_folders_that_would_open_the_machine_are_refused(
    places: HubPlaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "link").symlink_to(home)
    (home / "sneaky").symlink_to("/proc")
    for bad in (
        "/",
        str(home),
        str(tmp_path),  # holds the home folder, and the hub's
        str(tmp_path / "link"),
        str(home / "sneaky"),
        str(home / "project" / ".."),
        "/proc",
        "/dev/shm",
        "/run",
        "/sys/kernel",
        places.data,
        places.runtime,
        os.path.dirname(places.data),
        "relative",
        str(tmp_path / "missing"),
    ):
        with pytest.raises(WorkbenchError):
            machine_folder(bad, "/mnt/x", writable=False, places=places)
    mount = machine_folder(str(home / "project"), "/mnt/x/../y", writable=True, places=places)
    assert mount == (str(home / "project"), "/mnt/y", True)
    again = {"writable": True, "places": places}
    assert still_machine_folder(mount.source, "/mnt/y", **again) == mount  # type: ignore[arg-type]
    (home / "project").rename(home / "moved")
    (home / "project").symlink_to("/etc")
    with pytest.raises(WorkbenchError, match="has become a link"):
        still_machine_folder(mount.source, "/mnt/y", **again)  # type: ignore[arg-type]
    for bad in ("relative", "/", "/usr/lib", "/etc", "/proc/1", "/mnt/../etc", "/run/cfwb", "/bin", "/x\0"):
        with pytest.raises(WorkbenchError):
            inside_path(bad)


# -- over a hub


class Place:
    """A hub on a project whose Worker binds the bucket `files` as FILES, and one sandbox."""

    def __init__(self, home: Home, http: httpx.Client, **options: Any) -> None:
        self.home = home
        self.http = http
        made = http.post("/v1/sandbox", json={"provider": "bubblewrap"} | options)
        assert made.status_code == 200, made.text
        self.url = f"/v1/sandbox/{made.json()['id']}"
        self.bucket = Bucket(local_state(home.places.state_directory), "files")

    def sh(self, script: str) -> str:
        answer = self.http.post(f"{self.url}/exec", json={"argv": ["sh", "-c", script]})
        import base64

        out = ""
        for block in answer.text.split("\n\n"):
            lines = block.splitlines()
            if lines and lines[0] in ("event: stdout", "event: stderr"):
                out += base64.b64decode(lines[1][6:]).decode()
        return out.strip()

    def mount(self, **body: Any) -> httpx.Response:
        return self.http.post(f"{self.url}/mount", json={"options": {}} | body)

    def put(self, key: str, text: str) -> None:
        async def content() -> Any:
            yield text.encode()

        asyncio.run(self._put(key, content()))

    async def _put(self, key: str, content: Any) -> None:
        await self.bucket.write(key, content, None)

    def objects(self) -> dict[str, str]:
        async def read() -> dict[str, str]:
            found = {}
            for path in await self.bucket.list():
                try:
                    _, pieces = await self.bucket.read(path)
                except WorkbenchError as error:
                    if error.code != "r2.object_not_found":
                        raise
                    continue  # it went after it was listed
                found[path] = b"".join([piece async for piece in pieces]).decode()
            return found

        return asyncio.run(read())

    def until(self, holds: Callable[[], Any], seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, (self.objects(), self.told())
            time.sleep(0.1)
        return found

    def told(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.http.get(f"{self.url}/mount").json()["mounts"]
        return told


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    needs_bubblewrap()
    for made in a_home(monkeypatch):
        config = {
            "name": "worker",
            "main": "index.js",
            "compatibility_date": "2026-01-01",
            "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
        }
        (made.project / "wrangler.jsonc").write_text(json.dumps(config))
        yield made


@pytest.fixture
def place(home: Home) -> Iterator[Place]:
    with home.http() as http:
        yield Place(home, http)


def test_a_bucket_is_a_folder_both_ways(place: Place) -> None:
    place.put("docs/a.txt", "from the bucket")
    place.put("not//a path", "stays out")
    mounted = place.mount(binding="FILES", mountPath="/mnt/files")
    assert mounted.status_code == 200, mounted.text
    assert place.sh("cat /mnt/files/docs/a.txt") == "from the bucket"
    assert place.told()[0]["left_out"] == ["not//a path"]
    place.sh(
        "mkdir -p /mnt/files/new; echo inside > /mnt/files/new/b.txt; echo changed > /mnt/files/docs/a.txt"
    )
    place.until(lambda: place.objects().get("new/b.txt") == "inside\n")
    place.until(lambda: place.objects()["docs/a.txt"] == "changed\n")
    place.put("new/b.txt", "changed outside")
    place.until(lambda: place.sh("cat /mnt/files/new/b.txt") == "changed outside")
    place.sh("rm /mnt/files/docs/a.txt; ln -s /etc/passwd /mnt/files/link; mkfifo /mnt/files/pipe")
    place.until(lambda: "docs/a.txt" not in place.objects())
    asyncio.run(place.bucket.delete("new/b.txt"))
    place.until(lambda: place.sh("ls /mnt/files/new") == "")
    assert set(place.objects()) == {"not//a path"}  # links and pipes are no objects
    assert place.mount(binding="FILES", mountPath="/mnt/files/below").status_code == 409


def test_changed_on_both_sides_is_kept_twice(place: Place) -> None:
    place.put("f", "first")
    place.mount(binding="FILES", mountPath="/mnt/files")
    # A stopped sandbox sees nothing, so both sides can change before they meet again.
    place.http.post(f"{place.url}/stop")
    place.put("f", "bucket's")
    place.http.post(f"{place.url}/start")
    place.until(lambda: place.sh("cat /mnt/files/f") == "bucket's")
    place.http.post(f"{place.url}/freeze")
    place.http.post(f"{place.url}/thaw")
    place.sh("echo -n mine > /mnt/files/g")
    place.until(lambda: place.objects().get("g") == "mine")
    place.http.post(f"{place.url}/unmount", json={"mountPath": "/mnt/files"})
    assert place.sh("ls /mnt/files 2>/dev/null") == ""
    place.sh("mkdir -p /mnt/files; echo -n other > /mnt/files/g; echo -n 'bucket'\"'\"s > /mnt/files/f")
    assert place.mount(binding="FILES", mountPath="/mnt/files").status_code == 200
    assert place.sh("cat /mnt/files/g") == "mine"
    names = place.sh("cd /mnt/files; ls").split()
    assert names[:2] == ["f", "g"] and names[2].startswith("g.conflict-") and len(names) == 3
    assert place.sh(f"cat /mnt/files/{names[2]}") == "other"
    assert place.objects() == {"f": "bucket's", "g": "mine"}
    assert len(place.told()[0]["conflicts"]) == 1


def test_a_read_only_bucket_is_put_right(place: Place) -> None:
    place.put("p/f", "kept")
    body = {"bucket": "files", "mountPath": "/workspace/data", "options": {"readOnly": True, "prefix": "p/"}}
    assert place.http.post(f"{place.url}/mount", json=body).json().get("error", "") == ""
    place.sh("echo -n spoilt > /workspace/data/f; echo own > /workspace/data/own")
    place.until(lambda: place.sh("cat /workspace/data/f") == "kept")
    assert place.objects() == {"p/f": "kept"} and place.sh("cat /workspace/data/own") == "own"


def test_what_was_written_before_a_stop_or_while_the_hub_was_away_arrives(place: Place) -> None:
    place.mount(binding="FILES", mountPath="/mnt/files")
    place.sh("echo -n late > /mnt/files/late")
    place.http.post(f"{place.url}/stop")
    assert place.objects() == {"late": "late"}
    place.http.post(f"{place.url}/start")
    place.home.kill_hub()
    with place.home.http() as http:
        place.http = http
        place.sh("echo -n later > /mnt/files/later")
        place.until(lambda: place.objects().get("later") == "later")


def test_a_mount_that_cannot_be_is_refused(place: Place) -> None:
    for body, status in (
        ({"mountPath": "/mnt/x"}, 400),
        ({"bucket": "", "mountPath": "/mnt/x"}, 400),
        ({"bucket": "files", "mountPath": ""}, 400),
        ({"bucket": "files", "mountPath": "relative"}, 400),
        ({"bucket": "files", "mountPath": "/mnt/x", "options": []}, 400),
        ({"bucket": "files", "mountPath": "/mnt/x", "options": {"readOnly": "yes"}}, 400),
        ({"bucket": "files", "mountPath": "/mnt/x", "options": {"endpoint": "https://s3.example"}}, 502),
        ({"bucket": "no-such-bucket", "mountPath": "/mnt/x"}, 502),
        ({"bucket": "files", "mountPath": "/etc"}, 403),
        ({"folder": "/", "mountPath": "/mnt/x"}, 403),
    ):
        answer = place.mount(**body)
        assert answer.status_code == status, (body, answer.text)
    assert place.told() == []
    assert place.http.post(f"{place.url}/unmount", json={"mountPath": "/mnt/x"}).status_code == 502


def test_a_folder_of_the_machine_is_bound_by_name(home: Home) -> None:
    folder = home.base / "shared"
    folder.mkdir()
    (folder / "hello").write_text("from the machine")
    with home.http() as http:
        place = Place(home, http, mounts=[{"folder": str(folder), "mountPath": "/mnt/shared"}])
        assert place.sh("cat /mnt/shared/hello") == "from the machine"
        assert "ead-only" in place.sh("echo x > /mnt/shared/new")
        told = http.get(place.url).json()
        assert f"it can read this machine's folder {folder} (at /mnt/shared)" in told["exposure"]
        details = told["detail"]["mounts"]
        assert details == [{"path": "/mnt/shared", "folder": str(folder), "read_only": True}]
        writable = {"folder": str(folder), "mountPath": "/mnt/open", "options": {"readOnly": False}}
        assert place.mount(**writable).status_code == 409
        assert place.mount(**writable, restart=True).status_code == 200
        place.sh("echo -n written > /mnt/open/new")
        made = folder / "new"
        assert made.read_text() == "written" and made.stat().st_uid == folder.stat().st_uid
        forked = http.post(f"{place.url}/fork", json={"names": ["fork"]}).json()["sandboxes"][0]
        told = http.get(f"/v1/sandbox/{forked['id']}/mount").json()["mounts"]
        assert [each["path"] for each in told] == ["/mnt/shared", "/mnt/open"]
        gone = http.post(f"{place.url}/unmount", json={"mountPath": "/mnt/open", "restart": True})
        assert gone.status_code == 200 and place.sh("ls /mnt/open 2>/dev/null") == ""
        assert (folder / "new").exists()


def test_mounts_from_the_command_line(place: Place) -> None:
    home = place.home
    folder = home.base / "given"
    folder.mkdir()

    def run(*argv: str) -> Any:
        return cfwb("sandboxes", *argv, "--json", cwd=home.project, **home.env)

    place.put("images/a.txt", "a")
    name = place.url.rpartition("/")[2]
    made = run("mounts", "create", name, "/mnt/f", "--bucket", "FILES", "--prefix", "images/").result
    assert (made["bucket"], made["files"]) == ("FILES", 1)
    assert (
        run("mounts", "create", name, "/mnt/d", "--folder", str(folder)).error["code"]
        == "mounts.needs_restart"
    )
    assert run("mounts", "list", name).result[0]["path"] == "/mnt/f"
    assert run("mounts", "delete", name, "/mnt/f", "--force").result["total"] == 1
    assert run("mounts", "list", name).result == []
    assert run("create", "two", "--mount", f"{folder}:/mnt/d:rw").result["name"] == "two"
    listed = run("mounts", "list", "two").result
    assert listed[0]["folder"] == str(folder) and listed[0]["read_only"] is False
    assert run("create", "three", "--mount", "no-colon").error["code"] == "usage"
    assert run("create", "four", "--mount", "/:/mnt/d").error["code"] == "mounts.refused"


async def test_a_bucket_of_the_account_is_read_and_written_the_same_way(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn(oracle) as stand_in:
        for name, value in (stand_in.environment() | {"CLOUDFLARE_ACCOUNT_ID": ACCOUNT}).items():
            monkeypatch.setenv(name, value)
        bucket = Bucket(await asyncio.to_thread(account_state), "files", "mounted/")

        async def content() -> Any:
            yield b"some "
            yield b"bytes"

        written = await bucket.write("a.txt", content(), None)
        assert (await bucket.list())["a.txt"].etag == written.etag
        found, pieces = await bucket.read("a.txt")
        assert b"".join([piece async for piece in pieces]) == b"some bytes"
        assert found.http_metadata["contentType"] == "text/plain"
        await bucket.delete("a.txt")
        assert await bucket.list() == {}
