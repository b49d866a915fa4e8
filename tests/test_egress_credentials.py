"""Credentials lent on the way out: they arrive, and they never come back."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outside import Origin, names_on_loopback, origin, secret_of
from tests.support.proxied import Client, get
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.masking import MaskedStream, Masker, spellings
from workbench.sandbox.egress.rules import check_rule, path_begins
from workbench.secret_store import Secrets

SECRET = 'ghp_R4nd0m+/"key&=9f8e7d6c'


@pytest.fixture
async def egress(tmp_path: Path) -> AsyncIterator[Egress]:
    running = await Egress.open(tmp_path / "data", keyring=False)
    await running.attach("sbx", tmp_path / "net")
    await running.set_policy("sbx", NetworkPolicy("all", private=("127.0.0.1", "*.test")))
    await secret_of(running, SECRET)
    yield running
    await running.close()


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "net" / "egress.sock"


@pytest.fixture
def server() -> Iterator[Origin]:
    with origin() as running:
        yield running


def rule(kind: str, **fields: object) -> CredentialRule:
    return CredentialRule("", "127.0.0.1", kind, "TOKEN", **fields)  # type: ignore[arg-type]


def here(server: Origin, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


async def test_each_kind_of_credential_arrives_and_is_masked_in_the_echo(
    egress: Egress, door: Path, server: Origin
) -> None:
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    for each, header, value in (
        (rule("bearer"), "authorization", f"Bearer {SECRET}"),
        (rule("basic", user="me"), "authorization", f"Basic {basic}"),
        (rule("header", name="X-Api-Key"), "x-api-key", SECRET),
        (rule("header", name="Authorization", prefix="token "), "authorization", f"token {SECRET}"),
    ):
        made = await egress.add_rule("sbx", each)
        answer = await get(door, here(server, "/echo"), Authorization="mine", **{"X-Api-Key": "mine"})
        assert server.seen[-1][2][header] == value
        everything = answer.body.decode() + json.dumps(answer.headers)
        assert SECRET not in everything and json.dumps(SECRET)[1:-1] not in everything
        assert basic not in everything and basic[4:-4] not in everything
        assert "*" * 20 in everything
        [entry, *_] = (await egress.records.list()).items
        assert entry.rule == made.id
        await egress.delete_rule("sbx", made.id)
    answer = await get(door, here(server, "/echo"), Authorization="mine")
    assert answer.json()["headers"]["Authorization"] == "mine"


async def test_a_credential_in_the_query_replaces_what_the_sandbox_put_there(
    egress: Egress, door: Path, server: Origin
) -> None:
    await egress.add_rule("sbx", rule("query", name="api key"))
    answer = await get(door, here(server, "/echo?a=1&api+key=mine&b=%202"))
    assert server.seen[-1][1] == f"/echo?a=1&b=%202&api%20key={quote(SECRET, safe='')}"
    assert quote(SECRET, safe="") not in answer.body.decode() and b"***" in answer.body
    assert (await egress.records.list()).items[0].path == "/echo?a=1&api+key=mine&b=%202"


@pytest.mark.parametrize("path", ["/one-byte-chunks", "/gzip", "/deflate", "/ranges"])
async def test_an_echo_is_masked_however_it_is_packed(
    egress: Egress, door: Path, server: Origin, path: str
) -> None:
    await egress.add_rule("sbx", rule("header", name="X-Api-Key"))
    answer = await get(door, here(server, path), **{"Accept-Encoding": "gzip, br", "Range": "bytes=0-5"})
    assert answer.status == 200
    assert answer.body.startswith(b"<" + b"*" * len(SECRET) + b">")
    assert "content-encoding" not in answer.headers
    assert answer.trailers in ({}, {"x-trailer": "*" * len(SECRET)})
    seen = server.seen[-1][2]
    assert seen["accept-encoding"] == "identity" and "range" not in seen


async def test_a_response_that_cannot_be_looked_through_is_not_passed_on(
    egress: Egress, door: Path, server: Origin
) -> None:
    plain = await get(door, here(server, "/brotli"))
    assert plain.status == 200 and plain.headers["content-encoding"] == "br"
    await egress.add_rule("sbx", rule("bearer"))
    answer = await get(door, here(server, "/brotli"))
    assert answer.status == 502 and b"compressed (br)" in answer.body


async def test_an_echo_in_a_websocket_is_masked(egress: Egress, door: Path, server: Origin) -> None:
    await egress.add_rule("sbx", rule("header", name="X-Api-Key"))
    client = await Client.open(door)
    await client.send(
        "GET",
        here(server, "/websocket"),
        Connection="Upgrade",
        Upgrade="websocket",
        **{
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Extensions": "permessage-deflate",
        },
    )
    assert (await client.answer()).status == 101
    assert "sec-websocket-extensions" not in server.seen[-1][2]
    got = client.h11.trailing_data[0]
    while len(got) < 2 + len(SECRET):
        got += await client.stream.read()
    assert got == bytes([0x81, len(SECRET)]) + b"*" * len(SECRET)
    await client.stream.write(b"ping through")
    got = b""
    while len(got) < 12:
        got += await client.stream.read()
    assert got == b"ping through"
    await client.close()


async def test_a_redirect_to_another_host_does_not_carry_it(
    egress: Egress, door: Path, server: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_on_loopback(monkeypatch, api_test="127.0.0.1", evil_test="127.0.0.1")
    await egress.add_rule("sbx", rule("bearer")._replace(host="api.test"))
    target = quote(f"http://evil.test:{server.port}/echo", safe="")
    answer = await get(door, f"http://api.test:{server.port}/redirect?to={target}")
    assert server.seen[-1][2]["authorization"] == f"Bearer {SECRET}"
    followed = await get(door, answer.headers["location"])
    assert followed.status == 200
    assert "authorization" not in server.seen[-1][2]


async def test_a_rule_holds_for_its_path_and_methods_alone(
    egress: Egress, door: Path, server: Origin
) -> None:
    await egress.add_rule("sbx", rule("bearer", path="/repos/me", methods=("GET",)))
    for path, method, lent in (
        ("/repos/me/x", "GET", True),
        ("/repos/me?x=1", "GET", True),
        ("/repos/me", "POST", False),
        ("/repos/mean", "GET", False),
        ("/repos/me/../you", "GET", False),
        ("/repos/me/%2e%2e/you", "GET", False),
        ("/repos/me/..%2fyou", "GET", False),
        ("/repos/me/%252e%252e/you", "GET", False),
        ("/repos/me/..;x=1/you", "GET", False),
        ("/repos/me/a%20b%2fc", "GET", True),
        ("/repos/me/%25252525252525", "GET", False),
        ("//repos/me", "GET", True),
        ("/other", "GET", False),
    ):
        client = await Client.open(door)
        another = {"X_HTTP_Method_Override": "DELETE", "X_Original_URL": "/other"}
        await client.send(method, here(server, path), b"" if method == "POST" else None, **another)
        assert (await client.answer()).status == 200
        await client.close()
        assert ("authorization" in server.seen[-1][2]) is lent, (path, method)
        assert ("x-http-method-override" in server.seen[-1][2]) is not lent
        assert ("x-original-url" in server.seen[-1][2]) is not lent


async def test_the_narrower_rule_has_the_last_word(egress: Egress, door: Path, server: Origin) -> None:
    await secret_of(egress, "the-other-secret", "OTHER")
    await egress.add_rule("sbx", rule("bearer")._replace(host="127.*"))
    await egress.add_rule("sbx", rule("bearer", path="/special")._replace(secret="OTHER"))
    await get(door, here(server, "/special"))
    assert server.seen[-1][2]["authorization"] == "Bearer the-other-secret"
    await get(door, here(server, "/else"))
    assert server.seen[-1][2]["authorization"] == f"Bearer {SECRET}"


async def test_a_credential_does_not_go_over_a_network_in_plain_text(tmp_path: Path) -> None:
    from workbench.sandbox.egress.rules import Credentials

    lending = {
        "scheme": "http",
        "host": "api.example",
        "port": 80,
        "method": "GET",
        "target": "/",
        "headers": [],
    }
    guarded = Credentials((CredentialRule("r1", "api.example", "bearer", "T"),), {"T": SECRET})
    lent = guarded.lend(**lending, on_machine=False)  # type: ignore[arg-type]
    assert lent.headers == [] and "https only" in lent.withheld
    assert guarded.lend(**(lending | {"scheme": "https"}), on_machine=False).headers  # type: ignore[arg-type]
    assert guarded.lend(**lending, on_machine=True).headers  # type: ignore[arg-type]
    open_to_all = Credentials(
        (CredentialRule("r1", "api.example", "bearer", "T", plain=True),), {"T": SECRET}
    )
    assert open_to_all.lend(**lending, on_machine=False).headers  # type: ignore[arg-type]


async def test_a_rotated_or_deleted_secret_holds_at_once(egress: Egress, door: Path, server: Origin) -> None:
    await egress.add_rule("sbx", rule("bearer"))
    client = await Client.open(door)
    await client.get(here(server, "/"))
    await egress.secrets.put("TOKEN", "a-newer-secret")
    await egress.reload_secrets()
    await client.get(here(server, "/"))
    assert server.seen[-1][2]["authorization"] == "Bearer a-newer-secret"
    await egress.secrets.delete("TOKEN")
    await egress.reload_secrets()
    await client.get(here(server, "/"))
    assert "authorization" not in server.seen[-1][2]
    assert "is gone" in (await egress.records.list()).items[0].reason
    await client.close()


async def test_nothing_a_sandbox_can_see_holds_the_secret(
    egress: Egress, door: Path, server: Origin, tmp_path: Path
) -> None:
    await egress.add_rule("sbx", rule("bearer", variable="GITHUB_TOKEN"))
    await get(door, here(server, f"/echo?leak={quote(SECRET, safe='')}"))
    await egress.records.flush()
    environment = await egress.environment("sbx")
    assert environment["GITHUB_TOKEN"] == "lent-by-cfwb"
    assert SECRET not in json.dumps(environment)
    for path in [*(tmp_path / "net").iterdir(), *(tmp_path / "data" / "egress").glob("egress.sqlite*")]:
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    [entry] = (await egress.records.list()).items
    assert SECRET not in repr(entry) and quote(SECRET, safe="") not in repr(entry)


async def test_secrets_are_kept_in_a_file_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    secrets = Secrets(path, "test", keyring=False)
    await secrets.put("A", "first-value\n")
    await secrets.put("B", "second-value")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Secrets(path, "test", keyring=False)
    assert [one.name for one in again.list()] == ["A", "B"]
    assert await again.value("A") == "first-value"
    assert "first-value" not in repr(again.list())
    await again.delete("A")
    with pytest.raises(WorkbenchError, match="no secret"):
        await again.delete("A")
    for bad in ("", "abc", "line\nbreak", "nul\0inside", "x" * 20_000):
        with pytest.raises(WorkbenchError):
            await again.put("C", bad)
    path.chmod(0o644)
    with pytest.raises(WorkbenchError, match="read by others"):
        Secrets(path, "test", keyring=False)


async def test_a_system_keyring_is_used_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = pytest.importorskip("keyring")
    backend = pytest.importorskip("keyring.backend")

    class Vault(backend.KeyringBackend):  # type: ignore[misc, name-defined]
        priority = 1
        held: dict[tuple[str, str], str] = {}

        def set_password(self, service: str, username: str, password: str) -> None:
            self.held[service, username] = password

        def get_password(self, service: str, username: str) -> str | None:
            return self.held.get((service, username))

        def delete_password(self, service: str, username: str) -> None:
            del self.held[service, username]

    monkeypatch.setattr(keyring, "get_keyring", lambda: vault)
    for name in ("set_password", "get_password", "delete_password"):
        monkeypatch.setattr(keyring, name, getattr(vault := Vault(), name))
    secrets = Secrets(tmp_path / "secrets.json", "cfwb test")
    assert (await secrets.put("A", "in-the-vault")).kept_in == "keyring"
    assert "in-the-vault" not in (tmp_path / "secrets.json").read_text()
    assert await Secrets(tmp_path / "secrets.json", "cfwb test").value("A") == "in-the-vault"
    await secrets.delete("A")
    assert Vault.held == {}


@pytest.mark.parametrize(
    "bad",
    [
        rule("header", name="Host"),
        rule("header", name="Transfer-Encoding"),
        rule("header", name="X: y\r\nZ"),
        rule("header"),
        rule("query"),
        rule("basic", user="a:b"),
        rule("cookie"),
        rule("bearer", path="x"),
        rule("bearer", variable="A B"),
        rule("bearer", prefix="\n"),
        rule("bearer")._replace(host="*"),
        rule("bearer")._replace(host="*.*"),
    ],
)
def test_a_rule_that_would_do_harm_is_refused(bad: CredentialRule) -> None:
    with pytest.raises(UsageError):
        check_rule(bad)


@given(st.text("ab/.%2eF", max_size=20))
def test_a_path_below_a_prefix_stays_below_it_once_resolved(path: str) -> None:
    from posixpath import normpath
    from urllib.parse import unquote

    if path_begins("/" + path, "/a"):
        assert normpath("/" + unquote("/" + path).lstrip("/")).split("/")[1] == "a"


@given(st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(1, 30), max_size=8), st.data())
def test_every_spelling_is_masked_wherever_a_stream_is_split(
    before: bytes, after: bytes, cuts: list[int], data: st.DataObject
) -> None:
    masker = Masker([("me", SECRET)])
    spelling = data.draw(st.sampled_from(spellings("me", SECRET)))
    whole = before + spelling + after
    stream, out = MaskedStream(masker), b""
    left = whole
    for cut in cuts:
        out += stream.feed(left[:cut])
        left = left[cut:]
    out += stream.feed(left) + stream.finish()
    assert len(out) == len(whole)
    assert spelling not in out


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_a_secret_inside_longer_base64_is_masked(before: bytes, after: bytes) -> None:
    masker = Masker([("", SECRET)])
    encoded = base64.b64encode(before + SECRET.encode() + after)
    # At each end up to one character mixes with what stands beside.
    assert masker.mask(encoded).count(b"*") >= len(SECRET) * 8 // 6 - 2


@given(st.lists(st.binary(max_size=64), max_size=10))
def test_what_holds_no_secret_passes_unchanged(chunks: list[bytes]) -> None:
    stream = MaskedStream(Masker([("", SECRET)]))
    assert b"".join(stream.feed(chunk) for chunk in chunks) + stream.finish() == b"".join(chunks)


async def test_an_events_line_is_not_held_back(egress: Egress, door: Path, server: Origin) -> None:
    await egress.add_rule("sbx", rule("bearer"))
    client = await Client.open(door)
    await client.send("GET", here(server, "/events"))
    head = await client.event()
    assert head.status_code == 200
    async with asyncio.timeout(10):
        assert bytes((await client.event()).data) == b"data: 1\n\n"
    server.release.set()
    assert bytes((await client.event()).data) == b"data: 2\n\n"
    await client.close()


def test_the_authoritys_key_is_for_the_hub_alone(tmp_path: Path) -> None:
    from workbench.sandbox.egress.authority import Authority

    path = tmp_path / "a" / "sbx.pem"
    first = Authority(path, "sbx")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o700
    assert Authority(path, "sbx").certificate == first.certificate
    assert b"PRIVATE" not in first.certificate
    path.write_bytes(path.read_bytes()[:100])  # half written
    assert Authority(path, "sbx").certificate != first.certificate
