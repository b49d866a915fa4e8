"""The sample project of `cfwb demo` is what a real emulator left, and a real emulator runs it."""

from __future__ import annotations

import json
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulator import Emulator
from workbench import demo


@pytest.fixture(scope="module")
def running(emulator_install: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(demo.unpack(str(tmp_path_factory.mktemp("demo")))) as emulator:
        yield emulator


def _get(running: Emulator, path: str, method: str = "GET") -> Any:
    status, body = running.request(method, path)
    assert status == 200, body
    return json.loads(body)


def test_the_sample_opens_in_a_fresh_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = demo.unpack(), demo.unpack()
    assert first != second
    for project in (first, second):
        assert stat.S_IMODE(os.stat(os.path.dirname(project)).st_mode) == 0o700
        assert os.path.isfile(os.path.join(project, "wrangler.jsonc"))
        assert os.path.isdir(os.path.join(project, ".wrangler", "state", "v3"))


def test_a_sample_is_never_unpacked_over_another(tmp_path: Path) -> None:
    demo.unpack(str(tmp_path))
    with pytest.raises(FileExistsError):
        demo.unpack(str(tmp_path))


def test_the_archive_holds_plain_files_and_nothing_of_where_it_was_made() -> None:
    assert os.path.getsize(demo.ARCHIVE) < 2_000_000
    with tarfile.open(demo.ARCHIVE) as archive:
        for member in archive:
            assert member.isfile()
            assert not member.name.endswith("-shm")
            assert "node_modules" not in member.name
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            content = archive.extractfile(member)
            assert content is not None
            data = content.read()
            assert b"/tmp/" not in data, member.name
            assert b"make-demo" not in data, member.name


def test_the_samples_sources_are_those_of_the_repository(tmp_path: Path) -> None:
    project = Path(demo.unpack(str(tmp_path)))
    sources = Path(__file__).parent.parent / "demo"
    kept = {
        path.relative_to(sources)
        for path in sources.rglob("*")
        if path.is_file() and ".wrangler" not in path.parts
    }
    unpacked = {path.relative_to(project) for path in project.rglob("*") if path.is_file()}
    assert {path for path in unpacked if path.parts[0] != ".wrangler"} == kept
    for path in kept:
        assert (project / path).read_bytes() == (sources / path).read_bytes()


def test_the_worker_reads_its_cache(running: Emulator) -> None:
    assert _get(running, "/cache/config/site")["title"] == "Shop"
    assert _get(running, "/cache/user/0042")["id"] == 42
    assert running.request("GET", "/cache/odd/%5Bbold%5Dx%5B/%5D")[1] == b"the value of [bold]x[/]"
    namespace = "5f0c1d2e8a7b4c3d9e6f1a2b3c4d5e6f"
    keys, cursor = 0, ""
    while True:
        page = running.explorer(f"/storage/kv/namespaces/{namespace}/keys?limit=1000&cursor={cursor}")
        keys += len(page["result"])
        cursor = page["result_info"]["cursor"]
        if not cursor:
            break
    assert keys == 1503


def test_the_worker_reads_its_files(running: Emulator) -> None:
    status, cover = running.request("GET", "/files/images/cover.png")
    assert (status, cover[:8]) == (200, b"\x89PNG\r\n\x1a\n")
    status, export = running.request("GET", "/files/exports/catalogue.csv")
    assert status == 200
    assert len(export) > 5 * 1024 * 1024
    assert export.endswith(b"a thing of the catalogue,1999\n")


def test_the_worker_reads_its_shop(running: Emulator) -> None:
    assert _get(running, "/products/7")["price"]["currency"] == "EUR"
    orders = _get(running, "/customers/20/orders")
    assert len(orders) == 5
    assert all(order["vat"] == pytest.approx(order["total"] * 0.2, abs=0.01) for order in orders)


def test_the_agents_code_goes_on_in_its_facets(running: Emulator) -> None:
    assert _get(running, "/apps/my-app/app/counter") == 4
    assert _get(running, "/apps/my-app/app/hit", "POST") == 5
    assert _get(running, "/apps/my-app/app/inner/read") == "123456789012345678901234567890n"
    assert len(_get(running, "/apps/my-app/app/entries")) == 3
    assert len(_get(running, "/apps/my-app/billing/invoices")) == 9


def test_the_worker_reads_its_objects(running: Emulator) -> None:
    assert _get(running, "/tenants/acme/settings")["seats"] == 25
    assert _get(running, "/tenants/acme/limits") == [["requests", "1000000n"], ["storage", "5497558138880n"]]
    assert [line["sku"] for line in _get(running, "/carts/cart-2")] == ["SKU-0001", "SKU-0002"]


def test_the_worker_finds_its_bills(running: Emulator) -> None:
    statuses = {
        name: _get(running, f"/bills/{name}") for name in ("inv-1001", "inv-1002", "inv-1003", "inv-1004")
    }
    assert statuses["inv-1001"]["status"] == "complete"
    assert statuses["inv-1002"]["status"] == "errored"
    assert statuses["inv-1002"]["error"]["message"] == "card declined"
    assert statuses["inv-1003"]["status"] in ("waiting", "running")
    assert statuses["inv-1004"]["status"] in ("waiting", "running")
