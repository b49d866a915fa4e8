"""The hub's routes for what a sandbox may reach, the credentials it is lent, and what it asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import httpx
import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import needs_bubblewrap


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    yield from a_home(monkeypatch)


@pytest.fixture
def http(home: Home) -> Iterator[httpx.Client]:
    with home.http() as client:
        yield client


def create(http: httpx.Client, **options: object) -> str:
    made = http.post("/v1/sandbox", json={"provider": "process", "unsafe": True, "start": False} | options)
    assert made.status_code == 200, made.text
    return f"/v1/sandbox/{made.json()['id']}"


def test_a_policy_is_made_with_the_sandbox_and_changed_later(http: httpx.Client) -> None:
    assert http.get(f"{create(http)}/network").json()["mode"] == "all"
    one = create(http, network={"mode": "allow", "allow": ["example.com", "*.example.com:443"]})
    told = http.get(f"{one}/network").json()
    assert (told["mode"], told["allow"]) == ("allow", ["example.com", "*.example.com:443"])
    assert told["enforced"] is False  # the provider isolates nothing, and says so
    changed = http.put(f"{one}/network", json={"deny": ["bad.example.com"]}).json()
    assert (changed["allow"], changed["deny"]) == (told["allow"], ["bad.example.com"])
    patched = http.patch(one, json={"network": "none"}).json()
    assert patched["network"] == "none" and patched["detail"]["network"]["mode"] == "none"
    assert http.get(one).json()["network"] == "none"
    for bad in ({"mode": "some"}, {"allow": ["a b"]}, {"allow": "example.com"}, {"hosts": []}):
        assert http.put(f"{one}/network", json=bad).status_code == 400
    assert http.post("/v1/sandbox", json={"network": "rules"}).status_code == 400


def test_secrets_are_named_and_never_told(http: httpx.Client, home: Home) -> None:
    put = http.put("/v1/secret/GITHUB_TOKEN", json={"value": "ghp_0123456789"})
    assert put.json()["name"] == "GITHUB_TOKEN" and "ghp_" not in put.text
    assert "ghp_" not in http.get("/v1/secret").text
    assert http.put("/v1/secret/short", json={"value": "abc"}).status_code >= 400
    one = create(http)
    rule = {"host": "api.github.com", "kind": "bearer", "secret": "GITHUB_TOKEN", "variable": "GH_TOKEN"}
    made = http.post(f"{one}/rule", json=rule)
    assert made.status_code == 200 and made.json()["id"]
    assert [each["host"] for each in http.get(f"{one}/rule").json()["rules"]] == ["api.github.com"]
    for bad in (
        rule | {"secret": "missing"},
        rule | {"host": "*"},
        rule | {"kind": "cookie"},
        rule | {"methods": "GET"},
    ):
        assert 400 <= http.post(f"{one}/rule", json=bad).status_code < 500
    assert http.delete(f"{one}/rule/{made.json()['id']}").status_code == 204
    assert http.delete(f"{one}/rule/{made.json()['id']}").status_code == 404
    assert http.delete("/v1/secret/GITHUB_TOKEN").status_code == 204
    assert http.delete("/v1/secret/GITHUB_TOKEN").status_code == 404
    for folder, _, names in os.walk(home.places.data):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    assert b"ghp_0123456789" not in file.read(), path


def test_what_was_asked_for_is_a_page_and_a_stream(http: httpx.Client) -> None:
    one = create(http)
    assert http.get(f"{one}/requests").json() == {"requests": [], "cursor": None}
    assert http.get("/v1/requests", params={"limit": 0}).status_code == 400
    with http.stream("GET", f"{one}/requests", params={"follow": 1}) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert next(stream.iter_lines()) == ": follows"


def test_a_policy_outlives_the_hub(home: Home, http: httpx.Client) -> None:
    one = create(http, network={"mode": "allow", "allow": ["example.com"]})
    http.put("/v1/secret/T", json={"value": "a-secret-value"})
    http.post(f"{one}/rule", json={"host": "example.com", "kind": "bearer", "secret": "T"})
    home.kill_hub()
    with home.http() as again:
        assert again.get(f"{one}/network").json()["allow"] == ["example.com"]
        assert len(again.get(f"{one}/rule").json()["rules"]) == 1
        assert json.dumps(again.get(one).json()).find("a-secret-value") < 0


def test_a_fork_has_the_policy_and_credentials_of_its_origin(http: httpx.Client) -> None:
    needs_bubblewrap()
    network = {"mode": "allow", "allow": ["example.com"]}
    made = http.post("/v1/sandbox", json={"provider": "bubblewrap", "network": network, "start": False})
    one = f"/v1/sandbox/{made.json()['id']}"
    http.put("/v1/secret/T", json={"value": "a-secret-value"})
    rule = http.post(f"{one}/rule", json={"host": "example.com", "kind": "bearer", "secret": "T"}).json()
    forked = http.post(f"{one}/fork", json={"names": ["fork"], "start": False}).json()["sandboxes"][0]
    fork = f"/v1/sandbox/{forked['id']}"
    assert http.get(f"{fork}/network").json()["allow"] == ["example.com"]
    assert http.get(f"{fork}/rule").json()["rules"] == [rule]
    http.put(f"{fork}/network", json={"mode": "none"})
    assert http.get(f"{one}/network").json()["mode"] == "allow"  # each its own from then on
