"""The command on the deployed account (a stand-in in front of a real emulator): what it asks, what it says it touched."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.account import ACCOUNT, ACCOUNT_TOKEN, OTHER_ACCOUNT, TOKEN, StandIn
from tests.support.cli import PROGRAM, Answer, cfwb, environment, on_terminal
from tests.support.oracle import Oracle

Command = Callable[..., Answer]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def stand_in(oracle: Oracle) -> Iterator[StandIn]:
    with StandIn(oracle) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def remote(stand_in: StandIn, oracle: Oracle, home: Path) -> Command:
    def run(*argv: str, input: bytes | None = None, **more: str) -> Answer:
        env = stand_in.environment() | {"XDG_CONFIG_HOME": str(home / "config")} | more
        return cfwb(*argv, "--remote", cwd=oracle.project, input=input, home=home, **env)

    return run


@pytest.fixture
def at_terminal(stand_in: StandIn, oracle: Oracle, home: Path) -> Command:
    def run(*argv: str, typed: str = "") -> Answer:
        env = stand_in.environment() | {"XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home)}
        return on_terminal(*argv, "--remote", cwd=oracle.project, typed=typed, columns=200, **env)

    return run


@pytest.fixture
def key(oracle: Oracle) -> Iterator[str]:
    name = f"cli-{uuid4().hex[:8]}"
    yield name
    oracle.kv().delete(name)


def test_the_envelope_says_which_account(remote: Command, oracle: Oracle, key: str) -> None:
    oracle.kv().put(key, b"hello", metadata={"a": 1})
    found = remote("kv", "values", "get", key, "--binding", "CACHE").json
    assert found["target"] == {"kind": "remote", "source": ACCOUNT}
    assert found["result"] == {"name": key, "value": "hello", "expiration": None, "metadata": {"a": 1}}


def test_a_table_says_which_account(at_terminal: Command, oracle: Oracle, key: str) -> None:
    oracle.kv().put(key, b"hello")
    answer = at_terminal("kv", "keys", "list", "--binding", "CACHE", "--prefix", key)
    assert answer.status == 0
    assert f"REMOTE {ACCOUNT}" in answer.text


def test_nothing_is_asked_of_the_account_without_the_flag(
    stand_in: StandIn, oracle: Oracle, home: Path
) -> None:
    before = len(stand_in.requests)
    cfwb("kv", "keys", "list", "--binding", "CACHE", cwd=oracle.project, home=home, **stand_in.environment())
    cfwb("bindings", "list", cwd=oracle.project, home=home, **stand_in.environment())
    assert len(stand_in.requests) == before


def test_a_write_needs_force_without_a_terminal_and_names_what_it_touches(
    remote: Command, oracle: Oracle, stand_in: StandIn, key: str
) -> None:
    error = remote("kv", "values", "put", key, "--value", "1", "--binding", "CACHE").error
    assert error["code"] == "confirmation.needed"
    assert (
        ACCOUNT in error["message"]
        and "KV namespace CACHE" in error["message"]
        and "--force" in error["message"]
    )
    assert oracle.kv().get(key) is None
    assert not stand_in.asked("PUT", key)
    assert remote("kv", "values", "put", key, "--value", "1", "--binding", "CACHE", "--force").status == 0
    assert oracle.kv().get(key) == b"1"


def test_a_write_asks_on_a_terminal(at_terminal: Command, oracle: Oracle, key: str) -> None:
    write = ("kv", "values", "put", key, "--value", "1", "--binding", "CACHE")
    refused = at_terminal(*write, typed="n")
    assert refused.status == 1
    assert re.search(rf"REMOTE {ACCOUNT}.*KV namespace CACHE \(cache-namespace\)", refused.text)
    assert oracle.kv().get(key) is None
    assert at_terminal(*write, typed="y").status == 0
    assert oracle.kv().get(key) == b"1"


def test_what_destroys_asks_for_the_name(at_terminal: Command, oracle: Oracle, key: str) -> None:
    oracle.kv().put(key, b"1")
    delete = ("kv", "values", "delete", key, "--binding", "CACHE")
    for typed in ("y", "yes", "cache"):
        assert at_terminal(*delete, typed=typed).status == 1
    assert oracle.kv().get(key) == b"1"
    answer = at_terminal(*delete, typed="CACHE")
    assert answer.status == 0 and "type CACHE" in answer.text
    assert oracle.kv().get(key) is None


def test_a_dry_run_asks_nothing_and_changes_nothing(remote: Command, oracle: Oracle, key: str) -> None:
    oracle.kv().put(key, b"1")
    found = remote("kv", "values", "delete", key, "--binding", "CACHE", "--dry-run").result
    assert found["total"] == 1
    assert oracle.kv().get(key) == b"1"


def test_a_query_asks_only_when_it_writes(remote: Command, at_terminal: Command, oracle: Oracle) -> None:
    oracle.d1().query("CREATE TABLE IF NOT EXISTS cli_asks (a)")
    try:
        assert remote("d1", "query", "SELECT 1 AS one", "--database", "shop").result[0]["rows"] == [[1]]
        error = remote("d1", "query", "INSERT INTO cli_asks VALUES (1)", "--database", "shop").error
        assert error["code"] == "confirmation.needed" and "D1 database shop" in error["message"]
        sneaky = "WITH x AS (SELECT 1) DELETE FROM cli_asks"
        assert remote("d1", "query", sneaky, "--database", "shop").error["code"] == "confirmation.needed"
        assert (
            at_terminal(
                "d1", "query", "INSERT INTO cli_asks VALUES (2)", "--database", "shop", typed="y"
            ).status
            == 0
        )
        assert oracle.d1().rows("SELECT a FROM cli_asks") == [[2]]
        assert at_terminal("d1", "query", "DROP TABLE cli_asks", "--database", "shop", typed="y").status == 1
        asked = remote(
            "d1", "query", "--file", "-", "--database", "shop", "--force", input=b"SELECT a FROM cli_asks"
        )
        assert asked.result[0]["rows"] == [[2]]
        assert (
            at_terminal("d1", "query", "DROP TABLE cli_asks", "--database", "shop", typed="shop").status == 0
        )
    finally:
        oracle.d1().query("DROP TABLE IF EXISTS cli_asks")


def test_a_project_can_be_set_to_read_the_account_only(
    remote: Command, oracle: Oracle, stand_in: StandIn, home: Path, key: str
) -> None:
    def set_mode(mode: str) -> Answer:
        line = ("project", "update", "--remote-mode", mode)
        return cfwb(*line, cwd=oracle.project, home=home, XDG_CONFIG_HOME=str(home / "config"))

    assert set_mode("read-only").result["remote_mode"] == "read-only"
    error = remote("kv", "values", "put", key, "--value", "1", "--binding", "CACHE", "--force").error
    assert error["code"] == "remote.read_only" and ACCOUNT in error["message"]
    assert not stand_in.asked("PUT", key)
    assert remote("kv", "keys", "list", "--binding", "CACHE", "--limit", "1").status == 0
    assert set_mode("writable").status == 0
    assert remote("kv", "values", "put", key, "--value", "1", "--binding", "CACHE", "--force").status == 0


def test_a_list_of_the_account_is_whole_and_an_error_closes_it(
    remote: Command, oracle: Oracle, stand_in: StandIn
) -> None:
    prefix = f"many-{uuid4().hex[:6]}/"
    names = [f"{prefix}{number:04}" for number in range(30)]
    oracle.kv().put_many(dict.fromkeys(names, b"x"))
    try:
        found = remote("kv", "keys", "list", "--binding", "CACHE", "--prefix", prefix).json
        assert [row["name"] for row in found["result"]] == names
        assert found["result_info"] == {"count": 30, "cursor": None}
        page = remote("kv", "keys", "list", "--binding", "CACHE", "--prefix", prefix, "--limit", "7").json
        rest = remote(
            "kv",
            "keys",
            "list",
            "--binding",
            "CACHE",
            "--prefix",
            prefix,
            "--cursor",
            page["result_info"]["cursor"],
        )
        assert [row["name"] for row in page["result"] + rest.result] == names
    finally:
        for name in names:
            oracle.kv().delete(name)


def test_the_table_of_what_each_side_offers_is_current() -> None:
    import runpy

    made = runpy.run_path(str(ROOT / "scripts" / "make_targets_table.py"), run_name="made")
    text = (ROOT / "docs" / "targets.md").read_text()
    assert text == made["page"](text), "run: python scripts/make_targets_table.py"


# --- which account


def test_several_accounts_are_listed_to_choose_from(oracle: Oracle, home: Path) -> None:
    with StandIn(oracle, (ACCOUNT, OTHER_ACCOUNT)) as both:
        line = ("kv", "namespaces", "list", "--remote")
        answer = cfwb(*line, cwd=oracle.project, home=home, **both.environment())
        assert answer.status == 2
        message = answer.error["message"]
        assert f"{ACCOUNT} (Acme)" in message and f"{OTHER_ACCOUNT} (Other)" in message
        chosen = both.environment() | {"CLOUDFLARE_ACCOUNT_ID": OTHER_ACCOUNT}
        found = cfwb(*line, cwd=oracle.project, home=home, **chosen).json
        assert found["target"]["source"] == OTHER_ACCOUNT


def test_the_config_names_the_account(oracle: Oracle, home: Path, tmp_path: Path) -> None:
    with StandIn(oracle, (ACCOUNT, OTHER_ACCOUNT)) as both:
        (tmp_path / "wrangler.json").write_text(json.dumps({"name": "w", "account_id": OTHER_ACCOUNT}))
        answer = cfwb("kv", "namespaces", "list", "--remote", cwd=tmp_path, home=home, **both.environment())
        assert answer.json["target"]["source"] == OTHER_ACCOUNT
        assert not both.asked("GET", "/accounts?") and all("/accounts/" in one.raw for one in both.requests)


def test_it_works_without_a_project(stand_in: StandIn, home: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    rows = cfwb("kv", "namespaces", "list", "--remote", cwd=empty, home=home, **stand_in.environment()).result
    assert {row["id"] for row in rows} == {"cache-namespace", "other-namespace"}
    found = cfwb(
        "kv",
        "keys",
        "list",
        "--binding",
        "cache-namespace",
        "--remote",
        "--limit",
        "1",
        cwd=empty,
        home=home,
        **stand_in.environment(),
    )
    assert found.status == 0


# --- who


def test_auth_get_says_who_and_never_the_token(stand_in: StandIn, oracle: Oracle, home: Path) -> None:
    answer = cfwb("auth", "get", cwd=oracle.project, home=home, **stand_in.environment())
    found = answer.result
    assert (found["kind"], found["source"], found["email"]) == (
        "token",
        "CLOUDFLARE_API_TOKEN",
        "ann@example.com",
    )
    assert (found["account"], found["account_source"]) == (ACCOUNT, "the only one there is")
    assert answer.json["target"] == {"kind": "remote", "source": ACCOUNT}
    assert TOKEN not in answer.text


def test_a_token_that_an_account_owns_says_what_it_may_do(
    stand_in: StandIn, oracle: Oracle, home: Path
) -> None:
    owned = stand_in.environment() | {"CLOUDFLARE_API_TOKEN": ACCOUNT_TOKEN}
    found = cfwb("auth", "get", cwd=oracle.project, home=home, **owned).result
    assert (found["status"], found["email"], found["account"]) == ("active", None, ACCOUNT)
    assert found["scopes"] == ["Workers KV Storage Write", "D1 Read"]
    assert found["expires"] == "2027-01-01T00:00:00.000Z"


def test_a_wrong_token_is_said_to_be_one(stand_in: StandIn, oracle: Oracle, home: Path) -> None:
    wrong = stand_in.environment() | {"CLOUDFLARE_API_TOKEN": "wrong-token-abcdefghijklmnop"}
    answer = cfwb("kv", "namespaces", "list", "--remote", cwd=oracle.project, home=home, **wrong)
    assert answer.error["code"] == "remote.not_authenticated"
    assert "request id" in answer.error["hint"]
    assert "wrong-token" not in answer.text


def test_without_credentials_it_says_how_to_get_some(oracle: Oracle, home: Path) -> None:
    answer = cfwb("kv", "namespaces", "list", "--remote", cwd=oracle.project, home=home)
    assert answer.error["code"] == "remote.no_credentials"
    assert "CLOUDFLARE_API_TOKEN" in answer.error["hint"]


# --- a dev server by its address


def test_a_dev_server_is_a_route_to_the_local_target(oracle: Oracle, home: Path, key: str) -> None:
    server = ("--server", oracle.emulator.url)
    write = cfwb(
        "kv",
        "values",
        "put",
        key,
        "--value",
        "1",
        "--binding",
        "CACHE",
        *server,
        cwd=oracle.project,
        home=home,
    )
    assert write.status == 0
    assert write.json["target"]["kind"] == "local"
    assert oracle.kv().get(key) == b"1"
    found = cfwb("workers", "list", *server, cwd=oracle.project, home=home).result
    assert [row["name"] for row in found] == ["oracle"]
    far = cfwb(
        "kv",
        "keys",
        "list",
        "--binding",
        "CACHE",
        "--server",
        "http://example.com",
        cwd=oracle.project,
        home=home,
    )
    assert far.error["code"] == "live.not_loopback"


def test_a_dev_server_is_found_by_the_state_it_runs_on(
    oracle: Oracle, home: Path, tmp_path: Path, key: str
) -> None:
    rows = cfwb("servers", "list", cwd=oracle.project, home=home).result
    mine = [row for row in rows if row["here"]]
    assert [(row["url"], row["workers"]) for row in mine] == [(oracle.emulator.url, ["oracle"])]
    oracle.kv().put(key, b"1")
    found = cfwb(
        "kv", "values", "get", key, "--binding", "CACHE", "--server", "auto", cwd=oracle.project, home=home
    )
    assert found.result["value"] == "1"
    nobody = cfwb("kv", "namespaces", "list", "--server", "auto", cwd=tmp_path, home=home)
    assert nobody.error["code"] == "live.not_found" and "--server" in nobody.error["hint"]


def test_an_instance_is_driven_through_a_dev_server(oracle: Oracle, home: Path, tmp_path: Path) -> None:
    id = f"cli-{uuid4().hex[:8]}"

    def run(*argv: str) -> Answer:
        return cfwb(*argv, "--server", oracle.emulator.url, cwd=oracle.project, home=home)

    made = run(
        "workflows",
        "instances",
        "create",
        id,
        "--workflow",
        "orders",
        "--params",
        '{"kind": "wait", "order": 2}',
    )
    assert made.result == {"id": id, "workflow": "orders", "status": "queued"}
    assert (
        run(
            "workflows",
            "events",
            "send",
            id,
            "--type",
            "payment",
            "--payload",
            '{"paid": 1}',
            "--workflow",
            "orders",
        ).status
        == 0
    )
    assert run("workflows", "instances", "terminate", id, "--workflow", "orders").status in (0, 1)
    (tmp_path / "wrangler.jsonc").write_text((oracle.project / "wrangler.jsonc").read_text())
    quiet = cfwb("workflows", "instances", "create", "x", "--workflow", "orders", cwd=tmp_path, home=home)
    assert quiet.error["code"] == "target.not_capable"


# --- queues, Workers


def test_queues_are_listed_filled_pulled_and_purged(remote: Command) -> None:
    assert [row["name"] for row in remote("queues", "list").result] == ["jobs"]
    for body in ('{"n": 1}', '{"n": 2}'):
        sent = remote("queues", "messages", "send", "QUEUE", "--value", body, "--kind", "json", "--force")
        assert sent.result == {"done": 1}
    assert remote("queues", "metrics", "get", "jobs").result["backlog"] == 2
    assert [row["body"] for row in remote("queues", "messages", "list", "jobs").result] == [
        {"n": 1},
        {"n": 2},
    ]
    pulled = remote("queues", "messages", "pull", "jobs", "--count", "1", "--force").result["messages"]
    assert [row["body"] for row in pulled] == [{"n": 1}]
    done = remote("queues", "messages", "delete", "jobs", "--lease", pulled[0]["lease_id"], "--force").result
    assert done["total"] == 1
    assert remote("queues", "messages", "delete", "jobs").error["code"] == "confirmation.needed"
    assert remote("queues", "messages", "delete", "jobs", "--force").result["total"] == 1
    assert remote("queues", "metrics", "get", "jobs").result["backlog"] == 0
    assert remote("queues", "metrics", "get", "nope").error["code"] == "queues.queue_not_found"


def test_a_deployed_worker_and_what_it_binds(remote: Command) -> None:
    assert [row["name"] for row in remote("workers", "list").result] == ["oracle"]
    assert [row["number"] for row in remote("workers", "versions", "list").result] == [2, 1]
    (deployed,) = remote("workers", "deployments", "list").result
    assert [one["percentage"] for one in deployed["versions"]] == [10, 90]
    bindings = remote("workers", "bindings", "list").result
    assert [(row["name"], row["kind"], row["resource"]) for row in bindings] == [
        ("CACHE", "kv_namespace", "cache-namespace"),
        ("API_KEY", "secret_text", None),
        ("MODE", "plain_text", None),
    ]
    assert remote("workers", "secrets", "list").result == [{"name": "API_KEY", "kind": "secret_text"}]
    assert remote("workers", "versions", "list", "nope").error["code"] == "workers.script_not_found"


def test_the_live_log_comes_as_it_happens_and_is_ended(
    remote: Command, at_terminal: Command, stand_in: StandIn
) -> None:
    workers = stand_in._routes._workers
    found = remote("workers", "logs", "watch", "--count", "2", "--outcome", "error", "--method", "GET").json
    assert [row["outcome"] for row in found["result"]] == ["ok", "exception"]
    assert found["result"][0]["summary"] == "GET https://oracle.example/"
    assert workers.told[0] == {"debug": False}
    assert {"method": ["GET"]} in workers.filters["filters"]
    assert workers.ended == ["tail-1"]
    shown = at_terminal("workers", "logs", "watch", "--count", "2").text
    assert "GET https://oracle.example/" in shown and "hello" in shown and "Error: on purpose" in shown
    assert "log-secret-path" not in shown


def test_control_c_ends_a_live_log_on_both_sides(stand_in: StandIn, oracle: Oracle, home: Path) -> None:
    workers = stand_in._routes._workers
    workers.ended.clear()
    words = [*PROGRAM, "workers", "logs", "watch", "oracle", "--remote", "--json"]
    env = environment(home, **stand_in.environment())
    with subprocess.Popen(words, cwd=home, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = os.read(process.stdout.fileno(), 10_000)
        process.send_signal(signal.SIGINT)
        found = json.loads(first + process.stdout.read())
        assert process.wait(10) == 1
    assert found["result"][0]["summary"] == "GET https://oracle.example/"
    assert found["error"]["code"] == "cancelled"
    assert workers.ended == ["tail-1"]


def test_local_says_what_only_the_account_has(oracle: Oracle, home: Path) -> None:
    for line in (("queues", "list"), ("workers", "list")):
        error = cfwb(*line, cwd=oracle.project, home=home).error
        assert error["code"] == "target.not_capable" and "--remote" in error["message"]
