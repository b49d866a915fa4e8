"""The dev servers of a two-Worker monorepo: started from here, asked, followed, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import cfwb
from tests.support.monorepo import SECRET, Monorepo, a_monorepo, alive, family
from tests.support.oracle import Oracle
from workbench.backends.servers.commands import plan
from workbench.backends.servers.log import level_of
from workbench.backends.servers.processes import look
from workbench.model.errors import WorkbenchError
from workbench.project import load


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def repo(emulator_install: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """Both servers run, each started in its own folder, the second without a terminal's window."""
    for made in a_monorepo(tmp_path_factory.mktemp("repo")):
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(made.run, name, "servers", "start") for name in ("web", "stock")]
        assert [job.result().status for job in jobs] == [0, 0], [job.result() for job in jobs]
        yield made


def test_each_belongs_to_its_own_project(repo: Monorepo) -> None:
    for name, other in (("web", "stock"), ("stock", "web")):
        # Others run on this machine too.
        listed = repo.run(name, "servers", "list").result
        rows = [row for row in listed if Path(row["folder"]).is_relative_to(repo.folder)]
        assert [(row["workers"], row["here"], row["project"]) for row in rows] == [
            ([name], True, True),
            ([other], False, False),
        ]
        assert rows[0]["id"] and rows[0]["kind"] == "wrangler" and rows[1]["id"] is None
    mine = repo.started("web")
    assert mine["workers"][0]["crons"] == ["*/5 * * * *", "0 3 * * 1"]
    assert (mine["registered"], mine["until"], mine["status"]) == (["web"], None, "running")
    assert repo.run("web", "servers", "start").error["code"] == "servers.already_running"


def test_each_writes_to_its_own_state(repo: Monorepo) -> None:
    put = repo.run("stock", "kv", "values", "put", "lamp", "--value", "1")
    assert put.json["target"]["via"] == repo.started("stock")["url"]
    assert repo.run("stock", "kv", "keys", "list").result == [
        {"name": "lamp", "expiration": None, "metadata": None}
    ]
    # Through the other's server, which knows this one: the first Worker's own binding.
    answer = repo.run("web", "servers", "requests", "send", "/stock").result
    assert answer["body"] == '{"items":["lamp"]}'


def test_a_server_has_no_credentials_that_it_does_not_need(repo: Monorepo) -> None:
    for pid in family(repo.started("web")["pid"]):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert SECRET.encode() not in environment


def test_a_request_is_sent_as_it_was_asked_for_and_kept(repo: Monorepo) -> None:
    argv = ("servers", "requests", "send", "/api?x=1", "--request", "put", "--value", '{"n": 1}')
    headers = ("--header", "Content-Type: application/json", "--header", "X-Api-Key: abc")
    answer = repo.run("web", *argv, *headers).result
    assert (answer["status"], answer["reason"], answer["cut"]) == (201, "Created", False)
    assert '"method":"PUT"' in answer["body"] and '"body":"{\\"n\\": 1}"' in answer["body"]
    assert '"x-api-key":"abc"' in answer["body"]
    moved = repo.run("web", "servers", "requests", "send", "/moved").result
    assert moved["status"] == 302
    assert ["location", "http://localhost/elsewhere"] in [
        [name.lower(), value] for name, value in moved["headers"]
    ]
    assert repo.run("web", "servers", "requests", "send", "/bytes", "--raw").out == b"\0\xff\xfe"
    kept = repo.run("web", "servers", "requests", "list", "--limit", "3").result
    assert [(row["method"], row["path"], row["status"]) for row in kept] == [
        ("GET", "/bytes", 200),
        ("GET", "/moved", 302),
        ("PUT", "/api?x=1", 201),
    ]
    assert kept[2]["body"] == '{"n": 1}'
    assert kept[2]["headers"] == [["Content-Type", "application/json"], ["X-Api-Key", "••••••"]]


def test_a_cron_trigger_and_an_e_mail_reach_the_worker(repo: Monorepo, tmp_path: Path) -> None:
    def value(key: str) -> str:
        return str(repo.run("web", "kv", "values", "get", key).result["value"])

    assert repo.run("web", "servers", "crons", "run").error["message"].startswith("which cron trigger?")
    argv = ("servers", "crons", "run", "0 3 * * 1", "--scheduled-ms", "1700000000000")
    assert repo.run("web", *argv).result == {
        "worker": "web",
        "cron": "0 3 * * 1",
        "outcome": "ok",
        "no_retry": False,
    }
    assert value("cron") == "0 3 * * 1 1700000000000"

    mail = ("servers", "emails", "send", "--sender", "ann@example.com", "--recipient")
    sent = repo.run("web", *mail, "shop@example.com", "--subject", "Hello", "--text", "Is it there?").result
    assert (sent["outcome"], sent["rejected"], sent["worker"]) == ("ok", None, "web")
    assert value("mail") == "ann@example.com shop@example.com Hello"
    sent = repo.run("web", *mail, "nobody@example.com", "--subject", "x", "--text", "y").result
    assert sent["rejected"] == "no such person"
    whole = tmp_path / "whole.eml"
    whole.write_bytes(
        b"From: ann@example.com\r\nTo: shop@example.com\r\nSubject: As it is\r\nMessage-ID: <1@example.com>\r\n\r\nhi\r\n"
    )
    assert repo.run("web", *mail, "shop@example.com", "--file", str(whole)).result["outcome"] == "ok"
    assert value("mail").endswith("As it is")


def test_what_it_prints_is_read_by_level_and_text(repo: Monorepo) -> None:
    assert repo.run("web", "servers", "requests", "send", "/boom").result["status"] == 500

    def lines(*argv: str) -> list[Any]:
        return list(repo.run("web", "servers", "logs", "get", *argv).result)

    until(lambda: any("boom goes the Worker" in line["text"] for line in lines("--level", "error")))
    assert all(line["level"] == "error" for line in lines("--level", "error"))
    found = until(lambda: lines("--search", "ASKED FOR /boom"))
    assert [(line["stream"], line["level"]) for line in found] == [("stdout", "info")]
    assert len(lines("--limit", "2")) == 2
    watched = repo.run("web", "servers", "logs", "watch", "--search", "asked for", "--count", "1", "--json")
    assert watched.result[0]["text"].startswith("asked for")


def test_requests_are_shown_with_what_happened_in_them(repo: Monorepo, oracle: Oracle) -> None:
    repo.run("web", "servers", "requests", "send", "/traced?a=1")
    repo.run("web", "servers", "requests", "send", "/boom")

    def listed(*argv: str) -> list[Any]:
        return list(repo.run("web", "traces", "list", *argv).result)

    found = until(lambda: [row for row in listed() if row["name"] == "GET /traced?a=1" and row["outcome"]])[0]
    assert (found["worker"], found["kind"], found["status"], found["outcome"]) == ("web", "http", 201, "ok")
    detail = repo.run("web", "traces", "get", found["id"][:12]).result
    assert detail["trace"] == found
    names = [span["name"] for span in detail["spans"]]
    assert names[0] == "GET" and "kv_put" in names
    assert all(
        span["parent"] == detail["spans"][0]["id"] or span["parent"] is None for span in detail["spans"]
    )
    assert "asked for /traced" in [line["text"] for line in detail["logs"]]
    assert "GET /boom" in {row["name"] for row in until(lambda: listed("--failed"))}
    # The same through the server's API.
    url = repo.started("web")["url"]
    assert repo.run("web", "traces", "get", found["id"], "--server", url).result == detail
    assert repo.run("web", "traces", "get", "ffffffff").error["code"] == "traces.not_found"
    assert repo.run("web", "traces", "delete", "--force").result["total"] > 2
    assert "GET /traced?a=1" not in {row["name"] for row in listed()}


def test_one_that_was_started_elsewhere_is_used_and_never_ended(oracle: Oracle, tmp_path: Path) -> None:
    def run(*argv: str) -> Any:
        return cfwb(*argv, cwd=oracle.project, home=tmp_path)

    for argv in (("stop",), ("restart",), ("stop", oracle.emulator.url)):
        refused = run("servers", *argv).error
        assert refused["code"] == "servers.not_ours" and "started elsewhere" in refused["message"]
    assert run("servers", "logs", "get").error["code"] == "servers.no_log"
    assert run("servers", "start").error["code"] in ("servers.already_running", "servers.no_program")
    assert run("servers", "requests", "send", "/").result["status"] == 405
    by_address = run("servers", "stop", "--server", oracle.emulator.url).error
    assert by_address["code"] == "target.not_capable"
    assert oracle.catalogue_names()


def test_one_ends_with_the_process_it_was_started_for(repo: Monorepo) -> None:
    """And with its keeper, however that ends; restarted it answers where it did."""
    url = repo.started("stock")["url"]
    assert repo.run("stock", "servers", "stop").result["status"] == "ended"
    with subprocess.Popen(["sleep", "600"]) as owner:
        started = repo.run("stock", "servers", "start", "--until-pid", str(owner.pid)).result
        assert started["until"] == owner.pid
        first = family(started["pid"])
        again = repo.run("stock", "servers", "restart").result
        assert again["url"].rpartition(":")[2] == started["url"].rpartition(":")[2]
        assert not alive(first)
        whole = family(again["pid"])
        assert len(whole) > 1
        owner.kill()
    until(lambda: not alive(whole))
    ended = until(lambda: (row := repo.started("stock"))["status"] == "ended" and row)
    assert ended["reason"] == "what it was started for has ended"
    assert url
    with subprocess.Popen(["sleep", "600"]) as owner:
        started = repo.run("stock", "servers", "start", "--until-pid", str(owner.pid)).result
        assert repo.run("stock", "servers", "update").result["until"] is None
        owner.kill()
    assert repo.run("stock", "servers", "requests", "send", "/").result["status"] == 200
    whole = family(started["pid"])
    os.kill(started["keeper"], signal.SIGKILL)
    until(lambda: not alive(whole))


def test_one_that_cannot_start_says_why(emulator_install: Path, tmp_path: Path) -> None:
    for made in a_monorepo(tmp_path):
        (made.place("stock") / "index.js").write_text("export default { fetch( { }")
        failed = made.run("stock", "servers", "start").error
        assert failed["code"] == "servers.not_started"
        assert "index.js:1:" in failed["message"]
        (made.folder / "node_modules" / ".bin" / "wrangler").unlink()
        nothing = made.run("stock", "servers", "start", PATH="/nonexistent").error
        assert nothing["code"] == "servers.no_program" and "npm install" in nothing["hint"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a script is called as its shell there")
def test_a_runtime_whose_program_has_gone_makes_no_server_of_whoever_adopts_it(tmp_path: Path) -> None:
    """All orphans of a machine may be children of one process: it is not asked at all of their ports."""
    program = tmp_path / "workerd"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE, start_new_session=True) as alone:
        seen = until(lambda: (now := look()).names.get(alone.pid) == "workerd" and now)
        assert seen.parents[alone.pid] == os.getpid() and seen.starter(alone.pid) == alone.pid
        alone.kill()
        os.waitid(os.P_PID, alone.pid, os.WEXITED | os.WNOWAIT)
        assert alone.pid not in look().names  # it has ended, though nobody has taken note of it


def test_a_port_that_another_has_is_tried_once_more(emulator_install: Path, tmp_path: Path) -> None:
    """Whoever starts anew chooses another, unless it was told which: a program that was is not started for ever."""
    for made in a_monorepo(tmp_path):
        program = made.folder / "node_modules" / ".bin" / "wrangler"
        program.unlink()
        program.write_text(
            "#!/bin/sh\necho started >> ../starts\necho '✘ [ERROR] Address already in use (localhost:8787).' >&2\n"
            "for line in $(seq 50); do echo 'goroutine 19 [chan receive]:' >&2; done\nexit 1\n"
        )
        program.chmod(0o755)
        failed = made.run("stock", "servers", "start").error
        assert failed["code"] == "servers.not_started" and "already in use" in failed["message"]
        assert (made.folder / "starts").read_text() == "started\n" * 2


def project(folder: Path, **files: str) -> Any:
    for name, text in {"wrangler.jsonc": '{"name": "shop"}', **files}.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return load(str(folder))


def test_what_is_run_is_the_projects_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("node", "npm", "pnpm", "wrangler"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    plain = project(tmp_path / "plain")
    assert plan(plain).command == [f"{tools}/wrangler", "dev"]
    bare = {"node_modules__.bin__wrangler": ""}
    own = project(tmp_path / "own", **bare)
    assert plan(own, port=8790).command == [
        f"{tmp_path}/own/node_modules/.bin/wrangler",
        "dev",
        "--port",
        "8790",
    ]
    elsewhere = load(str(tmp_path / "own"), persist_to=str(tmp_path / "kept"))
    assert plan(elsewhere).command[-2:] == ["--persist-to", str(tmp_path / "kept")]

    package = '{"scripts": {"dev": "vite dev"}, "devDependencies": {"@cloudflare/vite-plugin": "1"}}'
    vite = project(tmp_path / "vite", **{"package.json": package, "vite.config.ts": "", "pnpm-lock.yaml": ""})
    assert plan(vite, port=5180) == ("vite", [f"{tools}/pnpm", "run", "dev", "--port", "5180"], vite.folder)
    (tmp_path / "vite" / "pnpm-lock.yaml").unlink()
    assert plan(vite, port=5180).command == [f"{tools}/npm", "run", "dev", "--", "--port", "5180"]
    with pytest.raises(WorkbenchError) as caught:
        plan(vite, script="start")
    assert caught.value.code == "servers.no_script" and "dev" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "stream", "level"),
    [
        ("[wrangler:info] GET / 200 OK (5ms)", "stdout", "info"),
        ("[wrangler:warn] something", "stdout", "warn"),
        ("✘ [ERROR] Build failed with 1 error:", "stderr", "error"),
        ("▲ [WARNING] Processing wrangler.jsonc", "stderr", "warn"),
        ("hello from the Worker", "stdout", "info"),
        ("an error that a Worker logged to its console", "stderr", "error"),
        ("said with console.warn", "stderr", "warn"),
        ("    at Object.fetch (index.js:1:2)", "stderr", "error"),
    ],
)
def test_a_line_has_the_level_that_it_was_meant_with(text: str, stream: str, level: str) -> None:
    assert level_of(text, stream, "error") == level
