"""What a sandbox may reach, and at which address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.outside import Origin, names_on_loopback, origin
from tests.support.proxied import Client, get
from workbench.model.errors import UsageError
from workbench.model.network import NetworkPolicy
from workbench.sandbox.egress import Egress, Limits
from workbench.sandbox.egress.addresses import reach_of
from workbench.sandbox.egress.policy import Access, HostPattern, Refused


@pytest.fixture
async def egress(tmp_path: Path) -> AsyncIterator[Egress]:
    running = await Egress.open(
        tmp_path / "data", keyring=False, limits=Limits(connect=3, resolve=3, handshake=5)
    )
    await running.attach("sbx", tmp_path / "net")
    yield running
    await running.close()


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "net" / "egress.sock"


@pytest.fixture
def server() -> Iterator[Origin]:
    with origin() as running:
        yield running


@pytest.mark.parametrize(
    ("pattern", "host", "port", "fits"),
    [
        ("example.com", "example.com", 443, True),
        ("Example.COM.", "example.com", 80, True),
        ("example.com", "www.example.com", 443, False),
        ("*.example.com", "www.example.com", 443, True),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "badexample.com", 443, False),
        ("example.com:8443", "example.com", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("*:22", "anything.example", 22, True),
        ("*", "anything.example", 1, True),
        ("10.0.0.0/8", "10.20.30.40", 5432, True),
        ("10.0.0.0/8", "11.0.0.1", 5432, False),
        ("10.0.0.0/8:5432", "10.0.0.1", 80, False),
        ("127.0.0.1:8787", "127.0.0.1", 8787, True),
        ("[::1]:8787", "::1", 8787, True),
        ("::1", "::1", 1, True),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
    ],
)
def test_a_host_pattern_means_what_it_looks_like(pattern: str, host: str, port: int, fits: bool) -> None:
    assert HostPattern.parse(pattern).matches(host, port) is fits


@pytest.mark.parametrize(
    "pattern", ["", "a b", "example.com:0", "example.com:99999", "http://x", "a/b", ".."]
)
def test_a_pattern_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        HostPattern.parse(pattern)


def test_denied_wins_over_allowed() -> None:
    access = Access(NetworkPolicy("allow", allow=("*.example.com",), deny=("evil.example.com",)))
    access.check("good.example.com", 443)
    with pytest.raises(Refused, match="denied"):
        access.check("evil.example.com", 443)
    with pytest.raises(Refused, match="not on"):
        access.check("example.org", 443)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%lo",
        "168.63.129.16",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
    ],
)
def test_an_address_of_the_machine_or_a_private_network_is_known(address: str) -> None:
    assert reach_of(address)[0] != "public"


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_known(address: str) -> None:
    assert reach_of(address) == ("public", "")


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "0.0.0.0"]
)
async def test_the_machines_own_loopback_is_refused_by_any_spelling(
    egress: Egress, door: Path, server: Origin, name: str
) -> None:
    answer = await get(door, f"http://{name}:{server.port}/echo")
    assert answer.status == 403
    assert "allowed by name" in answer.body.decode()
    assert server.seen == []
    client = await Client.open(door)
    assert await client.connect(name, server.port) == 403
    await client.close()
    [connect, request] = (await egress.records.list()).items
    assert (connect.method, connect.outcome, connect.status) == ("CONNECT", "refused", 403)
    assert (request.method, request.path, request.outcome) == ("GET", "/echo", "refused")
    assert "machine" in request.reason


async def test_a_private_host_is_reached_where_it_is_allowed_by_name(
    egress: Egress, door: Path, server: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_on_loopback(monkeypatch, corp_test="127.0.0.1", mirror_test="10.255.1.1", pypi_org="10.255.1.2")
    await egress.set_policy("sbx", NetworkPolicy("allow", allow=("corp.test",)))
    assert (await get(door, f"http://corp.test:{server.port}/")).status == 403  # a name, and the machine
    await egress.set_policy("sbx", NetworkPolicy("all", private=(f"corp.test:{server.port}",)))
    assert (await get(door, f"http://corp.test:{server.port}/")).status == 200
    await egress.set_policy("sbx", NetworkPolicy("allow", allow=(f"127.0.0.1:{server.port}",)))
    assert (await get(door, f"http://127.0.0.1:{server.port}/")).status == 200
    await egress.set_policy("sbx", NetworkPolicy("all", allow=(f"host.cfwb.internal:{server.port}",)))
    answer = await get(door, f"http://host.cfwb.internal:{server.port}/")
    assert answer.status == 200
    assert answer.json()["headers"]["Host"] == f"host.cfwb.internal:{server.port}"
    assert (await get(door, f"http://127.0.0.1:{server.port}/")).status == 403


async def test_a_denied_address_is_denied_by_every_name_and_spelling(
    egress: Egress, door: Path, server: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_on_loopback(monkeypatch, named_test="127.0.0.1")
    policy = NetworkPolicy("all", private=("*",), deny=(f"127.0.0.0/8:{server.port}",))
    await egress.set_policy("sbx", policy)
    for name in ("127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]", "named.test"):
        answer = await get(door, f"http://{name}:{server.port}/")
        assert (answer.status, "denied" in answer.body.decode()) == (403, True), name
    assert server.seen == []
    await egress.set_policy("sbx", policy._replace(deny=("127.0.0.1:1",)))
    assert (await get(door, f"http://named.test:{server.port}/")).status == 200


async def test_a_name_that_changes_its_answer_gains_nothing(
    egress: Egress, door: Path, server: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a connection goes to the address that was looked at, and a name is looked up once for it."""
    names_on_loopback(monkeypatch, rebind_test=["127.0.0.1", "127.0.0.77"], mixed_test="127.0.0.1")
    assert (await get(door, f"http://mixed.test:{server.port}/")).status == 403
    await egress.set_policy("sbx", NetworkPolicy("all", private=("rebind.test",)))
    assert (await get(door, f"http://rebind.test:{server.port}/")).status == 200
    assert (
        await get(door, f"http://rebind.test:{server.port}/")
    ).status == 502  # the second answer: nobody is there
    assert len(server.seen) == 1


async def test_no_network_means_none(egress: Egress, door: Path, server: Origin) -> None:
    await egress.set_policy("sbx", NetworkPolicy("none", allow=(f"127.0.0.1:{server.port}",)))
    answer = await get(door, f"http://127.0.0.1:{server.port}/")
    assert answer.status == 403 and b"has no network" in answer.body
    assert answer.headers["cfwb-refused"] == "this sandbox has no network"


async def test_a_policy_changed_while_it_runs_ends_what_it_no_longer_allows(
    egress: Egress, door: Path, server: Origin
) -> None:
    allowed = NetworkPolicy("allow", allow=(f"127.0.0.1:{server.port}",))
    await egress.set_policy("sbx", allowed)
    kept = await Client.open(door)
    assert (await kept.get(f"http://127.0.0.1:{server.port}/")).status == 200
    hanging = await Client.open(door)
    await hanging.send("GET", f"http://127.0.0.1:{server.port}/hang")
    while len(server.seen) < 2:
        await asyncio.sleep(0.01)
    tunnel = await Client.open(door)
    assert await tunnel.connect("127.0.0.1", server.port) == 200
    await egress.set_policy("sbx", NetworkPolicy("none"))
    for client in (kept, hanging, tunnel):
        assert await client.stream.read() == b""
        await client.close()
    outcomes = {(entry.path, entry.outcome) for entry in (await egress.records.list()).items}
    assert ("/hang", "cut") in outcomes
    await egress.set_policy("sbx", allowed)
    assert (await get(door, f"http://127.0.0.1:{server.port}/")).status == 200


async def test_policies_and_rules_outlive_the_hub(tmp_path: Path) -> None:
    policy = NetworkPolicy("allow", allow=("example.com",), tunnel=("pinned.example",))
    first = await Egress.open(tmp_path, keyring=False)
    await first.set_policy("sbx", policy)
    await first.close()
    second = await Egress.open(tmp_path, keyring=False)
    assert await second.policy("sbx") == policy
    await second.copy("sbx", "fork")
    assert await second.policy("fork") == policy
    await second.forget("sbx")
    assert await second.policy("sbx") == NetworkPolicy()
    await second.close()
