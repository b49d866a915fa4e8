"""The index of the whole API: complete against the official SDK's own sources, named by one grammar, found and run."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import cloudflare
import pytest

from tests.support.account import ACCOUNT, TOKEN, StandIn
from tests.support.cli import Answer, cfwb, on_terminal
from tests.support.oracle import Oracle
from workbench.backends.cloudflare import catalogue
from workbench.backends.cloudflare.mirrored import MIRRORED
from workbench.backends.cloudflare.searching import search
from workbench.operations import VERBS

SDK = Path(cloudflare.__file__).parent
# The first argument of a request of the SDK's: the call, then the first text in it. (Read as text, unlike the script's way.)
REQUEST = re.compile(
    r"\bself\.(_get|_get_api_list|_post|_put|_patch|_delete)\((?:\s|#[^\n]*\n)*(?:path_template\(\s*)?\"([^\"]*)\""
)
METHODS = {"_get": "GET", "_post": "POST", "_put": "PUT", "_patch": "PATCH", "_delete": "DELETE"}


def requests_of_the_sdk() -> Counter[tuple[str, str]]:
    """(method or "list", path) of every request in the synchronous half of each file, counted."""
    found: Counter[tuple[str, str]] = Counter()
    for file in (SDK / "resources").rglob("*.py"):
        synchronous = re.split(
            r"^class Async\w+\(AsyncAPIResource\)", file.read_text(), maxsplit=1, flags=re.M
        )[0]
        for call, path in REQUEST.findall(synchronous):
            found[METHODS.get(call, "list"), path] += 1
    return found


def test_none_of_the_sdk_s_operations_is_missing() -> None:
    wanted = requests_of_the_sdk()
    assert sum(wanted.values()) >= 2700
    names = catalogue.names()
    paths = Counter(one.path for one in names)
    assert Counter(path for _, path in wanted.elements()) == paths
    known = {(one.method, one.path) for one in names}
    assert not [one for one in wanted if one[0] != "list" and one not in known]
    assert len({one.name for one in names}) == len(names) == sum(wanted.values())


def test_the_index_is_of_the_sdk_that_is_pinned() -> None:
    assert catalogue.sdk_version() == cloudflare.__version__, "run: python scripts/make_api_index.py"


def test_every_name_is_nouns_and_one_of_our_verbs() -> None:
    for one in catalogue.names():
        *nouns, verb = one.name.split(".")
        assert verb in VERBS and nouns, one.name
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", noun) for noun in nouns), one.name
        if one.method == "DELETE":
            assert verb == "delete", one


def test_parameters_of_an_operation() -> None:
    found = catalogue.find("kv.namespaces.keys.list")
    assert (found.method, found.pages) == ("GET", "cursor")
    assert {one.name: (one.where, one.required) for one in found.parameters} == {
        "account_id": ("path", True),
        "namespace_id": ("path", True),
        "cursor": ("query", False),
        "limit": ("query", False),
        "prefix": ("query", False),
    }
    assert found.result == ("list", {"name": "string", "expiration": "number", "metadata": "any"})
    every = [catalogue.find(one.name) for one in catalogue.names()]
    for one in every:
        inside = set(re.findall(r"\{(\w+)\}", one.path)) - {"account_or_zone", "account_or_zone_id"}
        assert inside <= {parameter.name for parameter in one.parameters if parameter.where == "path"}, (
            one.name
        )


def test_types_are_what_the_sdk_s_names_stand_for() -> None:
    record = {one.name: one.type for one in catalogue.find("dns.records.create").parameters}
    assert record["type"].split("|")[:3] == ["A", "AAAA", "CNAME"]
    assert (record["ttl"], record["tags"], record["data"]) == ("number", "list of string", "object")
    assert catalogue.find("dns.records.get").result[1]["name"] == "string"


def test_the_mirror_answers_what_the_emulator_says_it_does(oracle: Oracle) -> None:
    document = oracle.emulator.explorer("")
    told = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path))
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters" and not path.startswith("/local/")
    }
    assert told == set(MIRRORED)


# --- the command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_list_by_product_and_by_words(tmp_path: Path) -> None:
    rows = cfwb("api", "list", "--product", "queues", cwd=tmp_path).result
    assert {row["product"] for row in rows} == {"queues"}
    assert {"name", "method", "path", "product"} == set(rows[0])
    found = cfwb("api", "list", "--search", "custom hostnames", cwd=tmp_path).result
    assert found and all("custom" in row["name"] + row["path"] for row in found)
    assert cfwb("api", "list", "--limit", "3", cwd=tmp_path).json["result_info"] == {
        "count": 3,
        "cursor": "3",
    }
    answer = cfwb("api", "list", "--product", "zone", cwd=tmp_path)
    assert answer.status == 2 and "zones" in answer.error["hint"]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("dns records", "dns.records.create"),
        ("add dns record", "dns.records.create"),
        ("edit the dns record", "dns.records.update"),
        ("purge cache", "cache.purge.run"),
        ("kv namespace create", "kv.namespaces.create"),
        ("delete zone", "zones.delete"),
        ("create bucket", "r2.buckets.create"),
        ("upload worker script", "workers.scripts.update"),
        ("read kv value", "kv.namespaces.values.get"),
        ("whoami", "user.get"),
        ("accounts", "accounts.create"),
        ("dns records frobnicate", "dns.records.create"),
    ],
)
def test_what_a_person_types_finds_the_operation_first(words: str, first: str) -> None:
    assert search(words, catalogue.names())[0].name == first


def test_what_is_nowhere_finds_nothing() -> None:
    assert search("frobnicate", catalogue.names()) == []


def test_get_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    found = cfwb("api", "get", "r2.buckets.objects.list", cwd=tmp_path).result
    assert found["path"] == "/accounts/{account_id}/r2/buckets/{bucket_name}/objects"
    assert found["local"] is True and found["pages"] == "cursor"
    where = {row["name"]: row for row in found["parameters"]}
    assert where["cf-r2-jurisdiction"]["where"] == "header" and "eu" in where["cf-r2-jurisdiction"]["choices"]
    answer = cfwb("api", "get", "kv.namespace.keys.list", cwd=tmp_path)
    assert answer.status == 2 and "kv.namespaces.keys.list" in answer.error["hint"]


def test_a_dry_run_shows_the_request_and_no_credentials(tmp_path: Path, home: Path) -> None:
    line = ("api", "run", "kv.namespaces.create", "--param", "title=sessions", "--dry-run")
    variables = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": ACCOUNT}
    for remote in ((), ("--remote",)):
        answer = cfwb(*line, *remote, cwd=tmp_path, home=home, **variables)
        assert answer.result == {
            "method": "POST",
            "url": f"https://api.cloudflare.com/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces",
            "headers": {"Authorization": "Bearer ••••••", "Content-Type": "application/json"},
            "body": {"title": "sessions"},
        }
        assert TOKEN not in answer.text
    key = {"CLOUDFLARE_API_KEY": "secret-global-key", "CLOUDFLARE_EMAIL": "ann@example.com"}
    shown = cfwb(*line, "--remote", "--param", f"account_id={ACCOUNT}", cwd=tmp_path, home=home, **key)
    assert shown.result["headers"]["X-Auth-Key"] == "••••••" and "secret-global-key" not in shown.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kv.namespaces.create"], "needs title"),
        (["kv.namespaces.create", "--param", "titel=x"], "no parameter 'titel'"),
        (["kv.namespaces.create", "--param", "title"], "NAME=VALUE"),
        (["kv.namespaces.keys.list"], "needs namespace_id"),
        (["kv.namespaces.keys.list", "--param", "namespace_id=.."], "no URL can hold it"),
        (["kv.namespaces.keys.list", "--param", "namespace_id=a", "--param", "limit=many"], "wants a number"),
        (["d1.database.list", "--param", "account_id="], "needs account_id"),
        (["kv.namespaces.keys.list", "--param", "namespace_id=a", "--param", "limit=true"], "wants a number"),
        (["no.such"], "no operation"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    tmp_path: Path, home: Path, words: list[str], said: str
) -> None:
    answer = cfwb("api", "run", *words, "--dry-run", cwd=tmp_path, home=home, CLOUDFLARE_ACCOUNT_ID=ACCOUNT)
    assert answer.status == 2
    assert said in answer.error["message"]


def test_it_runs_on_the_account_with_every_page(oracle: Oracle, tmp_path: Path, home: Path) -> None:
    with StandIn(oracle) as stand_in:

        def run(*argv: str) -> Answer:
            return cfwb("api", "run", *argv, "--remote", cwd=tmp_path, home=home, **stand_in.environment())

        first = run("zones.list").json
        assert (len(first["result"]), first["result_info"]) == (20, {"count": 20, "cursor": "2"})
        last = run("zones.list", "--param", "page=3").json
        assert last["result_info"] == {"count": 5, "cursor": None}
        assert len(run("zones.list", "--all-pages").result) == 45
        found = run("kv.namespaces.list")
        assert found.json["target"] == {"kind": "remote", "source": ACCOUNT}
        assert {row["id"] for row in found.result} == {"cache-namespace", "other-namespace"}
        oracle.kv().put("api/a b", b"value")
        value = run(
            "kv.namespaces.values.get",
            "--param",
            "namespace_id=cache-namespace",
            "--param",
            "key_name=api/a b",
        )
        assert value.result == "value"
        oracle.kv().delete("api/a b")
        delete = ("kv.namespaces.delete", "--param", "namespace_id=nope")
        refused = run(*delete)
        assert (
            refused.error["code"] == "confirmation.needed"
            and "kv.namespaces.delete" in refused.error["message"]
        )
        assert not stand_in.asked("DELETE")
        assert f"account {ACCOUNT}, kv.namespaces.delete nope," in refused.error["message"]
        purge = run("cache.purge.run", "--param", "zone_id=zone-3")
        assert f"account {ACCOUNT}, cache.purge.run zone-3," in purge.error["message"]
        send = (
            "queues.messages.send",
            "--param",
            f"queue_id={'0f' * 16}",
            "--body",
            '{"body": "x", "content_type": "text"}',
        )
        assert run(*send).error["code"] == "confirmation.needed"
        assert run(*send, "--force").status == 0


def test_it_runs_on_a_dev_server_where_that_mirrors_it(oracle: Oracle, tmp_path: Path, home: Path) -> None:
    server = ("--server", oracle.emulator.url)
    rows = cfwb("api", "run", "workflows.list", *server, cwd=tmp_path, home=home).result
    assert [row["name"] for row in rows] == ["orders"]
    local = cfwb("api", "run", "workflows.list", "--local", cwd=oracle.project, home=home)
    assert local.result == rows
    assert local.json["target"]["kind"] == "local" and local.json["target"]["via"] == oracle.emulator.url
    nobody = cfwb("api", "run", "workflows.list", "--local", cwd=tmp_path, home=home)
    assert nobody.error["code"] == "api.target_needed" and "servers start" in nobody.error["hint"]
    missing = cfwb("api", "run", "zones.list", *server, cwd=tmp_path, home=home)
    assert missing.error["code"] == "api.not_mirrored"


def test_without_a_target_it_asks_for_one(tmp_path: Path, home: Path) -> None:
    answer = cfwb("api", "run", "zones.list", cwd=tmp_path, home=home, CLOUDFLARE_API_TOKEN=TOKEN)
    assert answer.error["code"] == "api.target_needed"
    assert json.loads(answer.out)["target"]["kind"] == "local"


def test_what_a_dry_run_does_not_know_stays_open(tmp_path: Path, home: Path) -> None:
    line = ("api", "run", "kv.namespaces.create", "--param", "title=x", "--dry-run")
    shown = cfwb(*line, cwd=tmp_path, home=home).result
    assert shown["url"].endswith("/accounts/{account_id}/storage/kv/namespaces")


@pytest.mark.parametrize("given", ["account.id=x", 'account={"id": "x"}'])
def test_a_query_s_object_goes_by_its_fields(given: str, tmp_path: Path, home: Path) -> None:
    shown = cfwb("api", "run", "zones.list", "--param", given, "--dry-run", cwd=tmp_path, home=home).result
    assert shown["url"].endswith("/zones?account.id=x")


def test_what_destroys_wants_the_name_of_what_goes(oracle: Oracle, tmp_path: Path, home: Path) -> None:
    with StandIn(oracle) as stand_in:
        variables = stand_in.environment() | {"HOME": str(home)}
        line = ("api", "run", "zones.delete", "--param", "zone_id=zone-3", "--remote")
        answer = on_terminal(*line, cwd=tmp_path, typed="zones.delete", columns=200, **variables)
        assert answer.status == 1 and "type zone-3" in answer.text and ACCOUNT in answer.text
        assert not stand_in.asked("DELETE")
