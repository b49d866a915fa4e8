"""The official client, unchanged, on `cfwb serve`: `base_url` is all it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare

from tests.support.mirror import Mirror
from workbench.demo import unpack

ACCOUNT: dict[str, Any] = {"account_id": "0123456789abcdef0123456789abcdef"}
KV: dict[str, Any] = {**ACCOUNT, "namespace_id": "sessions-preview"}
R2: dict[str, Any] = {**ACCOUNT, "bucket_name": "files"}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    project = Path(unpack(str(tmp_path_factory.mktemp("demo"))))
    with Mirror(project, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def client(mirror: Mirror) -> Iterator[Cloudflare]:
    with Cloudflare(api_token=mirror.token, base_url=mirror.url, max_retries=0) as client:
        yield client


def test_kv_namespaces(client: Cloudflare) -> None:
    found = {row.id: row.title for row in client.kv.namespaces.list(**ACCOUNT)}
    assert found["sessions-preview"] == "SESSIONS"
    assert client.kv.namespaces.get("sessions-preview", **ACCOUNT).title == "SESSIONS"


def test_kv_values(client: Cloudflare) -> None:
    values = client.kv.namespaces.values
    values.update("client/ä key", value=b"plain", metadata={"by": "ann"}, expiration_ttl=3600, **KV)
    assert values.get("client/ä key", **KV).read() == b"plain"
    assert client.kv.namespaces.metadata.get("client/ä key", **KV) == {"by": "ann"}
    values.update("client/bytes", value=b"\x00\xff", **KV)
    assert values.get("client/bytes", **KV).read() == b"\x00\xff"
    keys = {key.name: key for key in client.kv.namespaces.keys.list(prefix="client/", **KV)}
    assert set(keys) == {"client/ä key", "client/bytes"}
    assert keys["client/ä key"].metadata == {"by": "ann"} and keys["client/ä key"].expiration
    for name in keys:
        values.delete(name, **KV)
    with pytest.raises(cloudflare.NotFoundError) as missing:
        values.get("client/bytes", **KV)
    assert missing.value.errors[0].code == 10009


def test_many_kv_values(client: Cloudflare) -> None:
    namespaces = client.kv.namespaces
    body = [{"key": f"many/{number:04}", "value": str(number)} for number in range(1100)]
    assert namespaces.bulk_update("sessions-preview", body=body, **ACCOUNT).successful_key_count == 1100
    listed = [key.name for key in namespaces.keys.list(prefix="many/", **KV)]
    assert listed == [row["key"] for row in body], "over two pages"
    found = namespaces.bulk_get("sessions-preview", keys=["many/0007", "nothing"], **ACCOUNT)
    assert found.values == {"many/0007": "7", "nothing": None}
    assert namespaces.bulk_delete("sessions-preview", body=listed, **ACCOUNT).successful_key_count == 1100
    assert not list(namespaces.keys.list(prefix="many/", **KV))


def test_r2(client: Cloudflare) -> None:
    assert "files" in [row.name for row in client.r2.buckets.list(**ACCOUNT).buckets]
    assert client.r2.buckets.get("files", **ACCOUNT).name == "files"
    objects = client.r2.buckets.objects
    written = objects.upload("client/a b.bin", b"\x00body" * 1000, **R2)
    assert (written.key, int(written.size)) == ("client/a b.bin", 5000)
    assert objects.get("client/a b.bin", **R2).read() == b"\x00body" * 1000
    (row,) = objects.list(prefix="client/", **R2)
    assert row.key == "client/a b.bin" and row.size == 5000
    for number in range(3):
        objects.upload(f"client/page/{number}", b"x", **R2)
    assert len(list(objects.list(prefix="client/page/", per_page=1, **R2))) == 3
    objects.delete("client/a b.bin", **R2)
    with pytest.raises(cloudflare.NotFoundError):
        objects.get("client/a b.bin", **R2)


def test_d1(client: Cloudflare) -> None:
    databases = list(client.d1.database.list(**ACCOUNT))
    database: dict[str, Any] = {**ACCOUNT, "database_id": databases[0].uuid}
    assert client.d1.database.get(**database).uuid == databases[0].uuid
    sql = "SELECT name, id FROM customers WHERE id >= ? ORDER BY id LIMIT 2"
    (page,) = client.d1.database.query(sql=sql, params=["1"], **database)
    assert page.success and len(page.results) == 2 and set(page.results[0]) == {"name", "id"}
    big = "SELECT 9007199254740993 AS big"
    (exact,) = client.d1.database.query(sql=big, **database)
    assert exact.results == [{"big": 9007199254740993}]
    (raw,) = client.d1.database.raw(sql=big, **database)
    assert raw.results.columns == ["big"]
    assert raw.results.rows == [[9007199254740992.0]], "the client's own type of a cell is a float"


def test_durable_objects(client: Cloudflare) -> None:
    namespaces = {row.class_: row for row in client.durable_objects.namespaces.list(**ACCOUNT)}
    runner = namespaces["AppRunner"]
    assert runner.use_sqlite is True
    objects = list(client.durable_objects.namespaces.objects.list(runner.id, limit=10, **ACCOUNT))
    assert objects and all(len(row.id) == 64 and row.has_stored_data for row in objects)


def test_objects_over_several_pages(client: Cloudflare) -> None:
    namespaces = client.durable_objects.namespaces
    for row in namespaces.list(**ACCOUNT):
        whole = list(namespaces.objects.list(row.id, limit=1000, **ACCOUNT))
        paged = list(namespaces.objects.list(row.id, limit=10, **ACCOUNT))
        assert [one.id for one in paged] == [one.id for one in whole]


def test_workflows(client: Cloudflare) -> None:
    (flow,) = client.workflows.list(**ACCOUNT)
    instances = list(client.workflows.instances.list(flow.name, **ACCOUNT))
    assert instances
    paged = list(client.workflows.instances.list(flow.name, per_page=1, **ACCOUNT))
    assert [row.id for row in paged] == [row.id for row in instances]
    one = client.workflows.instances.get(instances[0].id, workflow_name=flow.name, **ACCOUNT)
    assert one.status == instances[0].status and one.step_count == len(one.steps)


def test_without_the_token_it_reads_and_may_not_write(mirror: Mirror) -> None:
    with Cloudflare(api_token="wrong", base_url=mirror.url, max_retries=0) as client:
        assert list(client.kv.namespaces.keys.list(**KV)) is not None
        with pytest.raises(cloudflare.AuthenticationError) as refused:
            client.kv.namespaces.values.update("k", value=b"v", **KV)
        assert "token" in str(refused.value)
