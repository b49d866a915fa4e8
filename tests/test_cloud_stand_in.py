"""The stand-in for the account answers in the documented shapes: the official client reads it, and checks every field it wants."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from cloudflare import Cloudflare

from tests.support.account import ACCOUNT, TOKEN, StandIn
from tests.support.account.queues import QUEUE_ID
from tests.support.oracle import Oracle


@pytest.fixture(scope="module")
def stand_in(oracle: Oracle) -> Iterator[StandIn]:
    with StandIn(oracle) as running:
        yield running


@pytest.fixture(scope="module")
def client(stand_in: StandIn) -> Cloudflare:
    return Cloudflare(api_token=TOKEN, base_url=stand_in.url, max_retries=0, _strict_response_validation=True)


def test_it_says_what_it_is(client: Cloudflare) -> None:
    answer = client.accounts.with_raw_response.get(account_id=ACCOUNT)
    assert "not Cloudflare" in answer.headers["X-Stand-In"]


def test_who_and_what(client: Cloudflare) -> None:
    assert client.user.get().email == "ann@example.com"  # type: ignore[union-attr]
    assert client.user.tokens.verify().status == "active"  # type: ignore[union-attr]
    assert [one.name for one in client.accounts.list()] == ["Acme"]
    assert len(list(client.zones.list())) == 45


def test_kv(client: Cloudflare, oracle: Oracle) -> None:
    where = {"account_id": ACCOUNT, "namespace_id": "cache-namespace"}
    kv = client.kv.namespaces
    assert {one.id for one in kv.list(account_id=ACCOUNT)} == {"cache-namespace", "other-namespace"}
    assert kv.get("cache-namespace", account_id=ACCOUNT).title == "CACHE"  # type: ignore[union-attr]
    kv.values.update("shape/k", **where, value=b"v", metadata={"a": 1})
    try:
        assert kv.values.get("shape/k", **where).read() == b"v"
        assert kv.metadata.get("shape/k", **where) == {"a": 1}
        rows = kv.keys.list("cache-namespace", account_id=ACCOUNT, prefix="shape/")
        assert [row.name for row in rows] == ["shape/k"]
        body = [{"key": "shape/b", "value": "v"}]
        kv.bulk_update("cache-namespace", account_id=ACCOUNT, body=body)  # type: ignore[arg-type]
    finally:
        kv.bulk_delete("cache-namespace", account_id=ACCOUNT, body=["shape/k", "shape/b"])
    assert oracle.kv().names("shape/") == []


def test_r2(client: Cloudflare) -> None:
    r2 = client.r2.buckets
    assert [one.name for one in r2.list(account_id=ACCOUNT).buckets or ()] == ["files"]
    r2.objects.upload("shape/a b", account_id=ACCOUNT, bucket_name="files", body=b"x")
    rows = r2.objects.list("files", account_id=ACCOUNT, prefix="shape/")
    assert [row.key for row in rows] == ["shape/a b"]
    assert r2.objects.get("shape/a b", account_id=ACCOUNT, bucket_name="files").read() == b"x"
    r2.objects.delete("shape/a b", account_id=ACCOUNT, bucket_name="files")


def test_d1(client: Cloudflare) -> None:
    d1 = client.d1.database
    (database,) = d1.list(account_id=ACCOUNT)
    assert d1.get(str(database.uuid), account_id=ACCOUNT).num_tables == 3
    (found,) = d1.raw("shop-database", account_id=ACCOUNT, sql="SELECT 1 AS a")
    assert found.results is not None and found.results.rows == [[1]]
    # Its first answer, "active", is missing from the client's types; wrangler's (packages/wrangler/src/d1/types.ts) have it.
    d1.with_raw_response.export("shop-database", account_id=ACCOUNT, output_format="polling")
    done = d1.export(
        "shop-database", account_id=ACCOUNT, output_format="polling", current_bookmark="bookmark-2"
    )
    assert done.status == "complete" and done.result is not None and done.result.signed_url  # type: ignore[union-attr]
    begun = d1.import_("shop-database", account_id=ACCOUNT, action="init", etag="0" * 32)
    assert begun.upload_url and begun.filename  # type: ignore[union-attr]


def test_durable_objects(client: Cloudflare) -> None:
    namespaces = list(client.durable_objects.namespaces.list(account_id=ACCOUNT))
    assert "Tenant" in [one.class_ for one in namespaces]
    list(client.durable_objects.namespaces.objects.list(str(namespaces[0].id), account_id=ACCOUNT))


def test_workflows(client: Cloudflare) -> None:
    flows, id = client.workflows, f"shape-{uuid4().hex[:8]}"
    assert [one.name for one in flows.list(account_id=ACCOUNT)] == ["orders"]
    assert flows.get("orders", account_id=ACCOUNT).class_name == "OrderFlow"
    flows.instances.create("orders", account_id=ACCOUNT, instance_id=id, params={"kind": "wait"})
    assert id in [one.id for one in flows.instances.list("orders", account_id=ACCOUNT)]
    where = {"account_id": ACCOUNT, "workflow_name": "orders"}
    event = flows.instances.events.create("other", **where, instance_id=id, body={"a": 1})
    assert event.instance_id == id
    told = flows.instances.status.edit(id, **where, status="terminate")
    assert told.status


def test_queues(client: Cloudflare) -> None:
    queues = client.queues
    assert [one.queue_name for one in queues.list(account_id=ACCOUNT)] == ["jobs"]
    queues.messages.push(QUEUE_ID, account_id=ACCOUNT, body={"x": 1}, content_type="json")
    assert queues.get_metrics(QUEUE_ID, account_id=ACCOUNT).backlog_count == 1  # type: ignore[union-attr]
    pulled = queues.messages.pull(QUEUE_ID, account_id=ACCOUNT, batch_size=5)
    lease = pulled.messages[0].lease_id  # type: ignore[union-attr,index]
    done = queues.messages.ack(QUEUE_ID, account_id=ACCOUNT, acks=[{"lease_id": str(lease)}])
    assert done.ack_count == 1  # type: ignore[union-attr]
    queues.purge.start(QUEUE_ID, account_id=ACCOUNT, delete_messages_permanently=True)


def test_workers(client: Cloudflare) -> None:
    scripts = client.workers.scripts
    assert [one.id for one in scripts.list(account_id=ACCOUNT)] == ["oracle"]
    versions = list(scripts.versions.list("oracle", account_id=ACCOUNT))
    assert [one.number for one in versions] == [2, 1]
    scripts.deployments.list("oracle", account_id=ACCOUNT)
    assert [one.name for one in scripts.secrets.list("oracle", account_id=ACCOUNT)] == ["API_KEY"]
    scripts.tail.delete("tail-1", account_id=ACCOUNT, script_name="oracle")
