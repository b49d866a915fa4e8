"""Sandboxes from the command line, as a person and as a program use them: real commands, a real hub, real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cli import PROGRAM, Answer, cfwb, environment, on_terminal
from tests.support.hubs import Home, a_home


class Shell:
    """Commands in a project whose hub has one sandbox, `it`."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def __call__(self, *argv: str, input: bytes | None = None) -> Answer:
        return cfwb(*argv, cwd=self.home.project, input=input, **self.home.env)

    def result(self, *argv: str) -> Any:
        return self("--json", *argv).result

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*PROGRAM, *argv],
            cwd=self.home.project,
            env=environment(None, **self.home.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with pytest.MonkeyPatch.context() as patch:
        for home in a_home(patch):
            shell = Shell(home)
            shell.result("sandboxes", "create", "it", "--provider", "process", "--unsafe")
            yield shell


def test_a_sandbox_lives_from_creation_to_deletion(shell: Shell) -> None:
    made = shell.result(
        *("sandboxes", "create", "a name: ✓", "--provider", "process", "--unsafe"),
        *("--var", "COLOUR=blue", "--memory", "512M", "--sleep-after", "10m"),
    )
    assert made["state"] == "running"
    assert made["limits"] == {"memory_bytes": 512 << 20}
    assert made["sleep_after"] == 600
    assert made["exposure"], "what it does not protect against is said"
    name = "a name: ✓"
    assert name in [row["name"] for row in shell.result("sandboxes", "list")]
    assert (
        shell("sandboxes", "exec", name, "--", "sh", "-c", "echo $COLOUR > kept; cat kept").text == "blue\n"
    )
    assert shell.result("sandboxes", "stop", name)["state"] == "stopped"
    assert shell.result("sandboxes", "get", name, "--as-is")["state"] == "stopped"
    assert shell.result("sandboxes", "get", name)["state"] == "running"
    assert shell("sandboxes", "exec", name, "--", "cat", "kept").text == "blue\n"
    assert shell.result("sandboxes", "stop", name, "--freeze")["state"] == "frozen"
    assert shell("sandboxes", "exec", name, "--json", "--", "true").error["code"] == "sandboxes.frozen"
    assert shell.result("sandboxes", "start", name)["state"] == "running"
    assert shell.result("sandboxes", "update", name, "--keep-alive", "--network", "all")["keep_alive"] is True
    assert shell("sandboxes", "delete", name, "--json").error["code"] == "confirmation.needed"
    assert shell.result("sandboxes", "delete", name, "--dry-run")["total"] == 1
    assert shell.result("sandboxes", "delete", name, "--force")["total"] == 1
    assert shell("sandboxes", "get", name, "--json").error["code"] == "sandboxes.not_found"


def test_no_isolation_is_refused_unless_it_is_agreed_to(shell: Shell) -> None:
    error = shell("sandboxes", "create", "x", "--provider", "process", "--json").error
    assert error["code"] == "sandboxes.unsafe_refused"
    assert "--unsafe" in error["hint"]


def test_a_name_is_given_once(shell: Shell) -> None:
    error = shell("sandboxes", "create", "it", "--provider", "process", "--unsafe", "--json").error
    assert error["code"] == "sandboxes.exists"


def test_exec_passes_output_streams_and_status_on(shell: Shell) -> None:
    done = shell("sandboxes", "exec", "it", "--", "sh", "-c", "printf out; printf err >&2; exit 7")
    assert (done.status, done.out, done.err) == (7, b"out", "err")
    done = shell("sandboxes", "exec", "it", "--json", "--", "sh", "-c", "printf out; printf err >&2; exit 7")
    assert done.status == 7
    assert done.json["result"] == {"exit_code": 7, "stdout": "out", "stderr": "err", "timed_out": False}
    assert shell("sandboxes", "exec", "it", "--", "sh", "-c", "kill -9 $$").status == 137
    done = shell("sandboxes", "exec", "it", "--timeout", "0.1", "--", "sleep", "60")
    assert done.status == 124


def test_exec_takes_standard_input_where_there_is_some(shell: Shell, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000
    assert shell("sandboxes", "exec", "it", "--", "cat", input=data).out == data
    (tmp_path / "given").write_bytes(b"from a file")
    done = shell("sandboxes", "exec", "it", "--stdin", str(tmp_path / "given"), "--", "cat")
    assert done.out == b"from a file"
    assert shell("sandboxes", "exec", "it", "--stdin", str(tmp_path / "none"), "--", "cat").status == 1


def test_words_after_two_dashes_are_the_command_s(shell: Shell) -> None:
    done = shell("sandboxes", "exec", "it", "--", "printf", "%s|", "--json", "--cwd", "-x", "", "a b", "é")
    assert done.text == "--json|--cwd|-x||a b|é|"


def test_exec_runs_where_it_is_told(shell: Shell) -> None:
    shell.result("sandboxes", "files", "create", "it", "deep/er")
    assert (
        shell("sandboxes", "exec", "it", "--cwd", "deep/er", "--", "sh", "-c", "basename $PWD").text == "er\n"
    )
    assert shell("sandboxes", "exec", "it", "--cwd", "/", "--", "pwd").text == "/\n"
    shell.result("sandboxes", "sessions", "create", "it", "s", "--cwd", "deep", "--var", "A=1")
    shell("sandboxes", "exec", "it", "--session", "s", "--", "cd", "er")
    done = shell("sandboxes", "exec", "it", "--session", "s", "--", "sh", "-c", 'echo "$(basename $PWD) $A"')
    assert done.text == "er 1\n"
    assert [row["id"] for row in shell.result("sandboxes", "sessions", "list", "it")] == ["s"]
    shell.result("sandboxes", "sessions", "delete", "it", "s", "--force")


def test_output_comes_while_the_command_runs(shell: Shell) -> None:
    process = shell.start(
        "sandboxes", "exec", "it", "--", "sh", "-c", "echo first; cat > /dev/null; read x < gate; echo last"
    )
    with process:
        assert process.stdout is not None
        shell("sandboxes", "exec", "it", "--", "mkfifo", "gate")
        process.kill()
    process = shell.start("sandboxes", "exec", "it", "--", "sh", "-c", "echo first; read x < gate; echo $x")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"first\n"
        shell("sandboxes", "exec", "it", "--", "sh", "-c", "echo last > gate")
        assert process.stdout.read() == b"last\n"
    assert process.returncode == 0


def test_control_c_ends_the_command_inside_too(shell: Shell) -> None:
    process = shell.start("sandboxes", "exec", "it", "--", "sh", "-c", "echo $$; exec sleep 1000")
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    process.stdout.close()
    process.stderr.close()  # type: ignore[union-attr]
    until = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{pid}")


def test_on_a_terminal_what_it_prints_cannot_act_but_for_colours(shell: Shell) -> None:
    hostile = r"\033[31mred\033[0m \033]52;c;aGk=\007 \033[2J\033[?1049h x\r\ny"
    done = on_terminal(
        "sandboxes", "exec", "it", "--", "printf", hostile, cwd=shell.home.project, **shell.home.env
    )
    text = done.out.decode()
    assert "\x1b[31mred\x1b[0m" in text
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert "\x1b[?1049h" not in text
    assert "␛]52" in text


def test_files_there_and_back(shell: Shell, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "in").write_bytes(data)
    put = shell.result(
        "sandboxes", "files", "put", "it", "data/é x.bin", "--file", str(tmp_path / "in"), "--mode", "755"
    )
    assert (put["path"], put["size"], put["mode"]) == ("/workspace/data/é x.bin", 100_000, "-rwxr-xr-x")
    assert shell("sandboxes", "files", "get", "it", "data/é x.bin", "--raw").out == data
    shell.result("sandboxes", "files", "get", "it", "data/é x.bin", "--output", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == data
    shell.result("sandboxes", "files", "put", "it", "data/note", "--value", "hello")
    assert shell.result("sandboxes", "files", "get", "it", "data/note")["value"] == "hello"
    shell.result("sandboxes", "files", "move", "it", "data/note", "data/moved")
    listed = shell.result("sandboxes", "files", "list", "it", "data")
    assert [row["name"] for row in listed] == ["moved", "é x.bin"]
    error = shell("sandboxes", "files", "get", "it", "data/note", "--json").error
    assert error["code"] == "sandbox.no_such_file"
    gone = shell.result("sandboxes", "files", "delete", "it", "data", "--recursive", "--dry-run")
    assert gone["total"] == 3
    shell.result("sandboxes", "files", "delete", "it", "data", "--recursive", "--force")
    assert shell("sandboxes", "files", "list", "it", "data", "--json").status == 1


def test_trees_there_and_back(shell: Shell, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "src" / "empty").mkdir(parents=True)
    (tree / "node_modules").mkdir()
    (tree / "src" / "a.ts").write_text("a")
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("src/a.ts")
    (tree / "big").write_bytes(os.urandom(3 << 20))
    shell.result(
        "sandboxes", "files", "import", "it", "t", "--folder", str(tree), "--exclude", "node_modules"
    )
    shell.result("sandboxes", "files", "export", "it", "t", "--folder", str(tmp_path / "back"))
    back = tmp_path / "back"
    assert sorted(str(path.relative_to(back)) for path in back.rglob("*")) == [
        *("big", "link", "run.sh", "src", "src/a.ts", "src/empty"),
    ]
    assert (back / "big").read_bytes() == (tree / "big").read_bytes()
    assert os.readlink(back / "link") == "src/a.ts"
    assert (back / "run.sh").stat().st_mode & 0o111
    archive = shell("sandboxes", "files", "export", "it", "t", "--exclude", "big")
    assert archive.status == 0
    shell("sandboxes", "files", "import", "it", "u", "--file", "-", "--json", input=archive.out)
    assert shell.result("sandboxes", "files", "get", "it", "u/src/a.ts")["value"] == "a"


def test_a_background_process_is_waited_for_and_shown(shell: Shell) -> None:
    script = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
    script += "print('ready on', s.server_port, flush=True); s.serve_forever()"
    started = shell.result(
        "sandboxes", "processes", "start", "it", "--id", "web", "--", sys.executable, "-c", script
    )
    assert started["state"] == "running"
    waited = shell.result(
        "sandboxes", "processes", "wait", "it", "web", "--pattern", r"ready on (\d+)", "--timeout", "30"
    )
    assert waited["matched"] is True
    port = waited["groups"][0]
    assert shell.result("sandboxes", "processes", "wait", "it", "web", "--port", port)["matched"] is True
    assert int(port) in [row["port"] for row in shell.result("sandboxes", "ports", "list", "it")]
    preview = shell.result("sandboxes", "previews", "create", "it", port)
    host = preview["url"].removeprefix("http://")
    loopback = f"http://127.0.0.1:{host.rpartition(':')[2]}"
    assert "Directory listing" in httpx.get(loopback, headers={"Host": host}).text
    assert [row["url"] for row in shell.result("sandboxes", "previews", "list", "it")] == [preview["url"]]
    shell.result("sandboxes", "previews", "delete", "it", port, "--force")
    assert httpx.get(loopback, headers={"Host": host}).status_code == 404
    logs = shell("sandboxes", "logs", "get", "it", "web")
    assert logs.text == f"ready on {port}\n"
    ended = shell.result("sandboxes", "processes", "terminate", "it", "web")
    assert ended["state"] == "exited"
    assert shell.result("sandboxes", "processes", "wait", "it", "web")["matched"] is True
    followed = shell.result("sandboxes", "logs", "watch", "it", "web")
    assert "".join(piece["data"] for piece in followed if piece["stream"] == "stdout") == f"ready on {port}\n"


def test_a_wait_that_is_in_vain_says_so(shell: Shell) -> None:
    shell.result(
        "sandboxes", "processes", "start", "it", "--id", "brief", "--", "sh", "-c", "echo hi; exit 4"
    )
    waited = shell.result("sandboxes", "processes", "wait", "it", "brief", "--pattern", "never")
    assert (waited["matched"], waited["exit_code"]) == (False, 4)
    waited = shell.result("sandboxes", "processes", "wait", "it", "--port", "9", "--timeout", "0.05")
    assert waited["matched"] is False


def test_one_that_ignores_the_signal_is_killed(shell: Shell) -> None:
    shell.result(
        "sandboxes",
        "processes",
        "start",
        "it",
        "--id",
        "stubborn",
        "--",
        "sh",
        "-c",
        "trap '' TERM; echo up; while :; do sleep 1; done",
    )
    shell.result("sandboxes", "processes", "wait", "it", "stubborn", "--pattern", "up")
    ended = shell.result("sandboxes", "processes", "terminate", "it", "stubborn", "--grace", "0.2")
    assert (ended["state"], ended["signal"]) == ("exited", 9)


def test_what_happens_is_told_and_can_be_caught_up_with(shell: Shell) -> None:
    first = shell.result("sandboxes", "watch", "--after", "0", "--count", "1")[0]
    assert (first["event"], first["name"]) == ("created", "it")
    process = shell.start("sandboxes", "watch", "it", "--count", "1", "--json")
    with process:
        until = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < until:
            shell.result("sandboxes", "update", "it", "--sleep-after", "20m")
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["result"][0]["event"] == "changed"


def test_changed_files_are_told(shell: Shell) -> None:
    shell.result("sandboxes", "files", "create", "it", "watched")
    process = shell.start(
        "sandboxes", "files", "watch", "it", "watched", "--include", "*.ts", "--count", "1", "--json"
    )
    with process:
        until = time.monotonic() + 30
        number = 0
        while process.poll() is None and time.monotonic() < until:
            number += 1
            shell(
                "sandboxes",
                "exec",
                "it",
                "--cwd",
                "watched",
                "--",
                "sh",
                "-c",
                f"echo > no{number}.js; echo > yes{number}.ts",
            )
        assert process.stdout is not None
        told = json.loads(process.stdout.read())["result"][0]
    assert told["path"].startswith("/workspace/watched/yes")


def test_a_repository_is_cloned(shell: Shell, tmp_path: Path) -> None:
    repository = tmp_path / "shop"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q", str(repository)], check=True)
    for number in range(3):
        (repository / "file").write_text(str(number))
        subprocess.run([*git, "-C", str(repository), "add", "."], check=True)
        subprocess.run([*git, "-C", str(repository), "commit", "-qm", str(number)], check=True)
    subprocess.run([*git, "-C", str(repository), "branch", "other", "HEAD~1"], check=True)
    url = f"file://{repository}"
    cloned = shell.result("sandboxes", "repositories", "create", "it", url)
    assert (cloned["path"], cloned["branch"]) == ("/workspace/shop", "main")
    assert shell("sandboxes", "exec", "it", "--", "cat", "shop/file").text == "2"
    cloned = shell.result(
        *(
            "sandboxes",
            "repositories",
            "create",
            "it",
            url,
            "--target",
            "there",
            "--branch",
            "other",
            "--depth",
            "1",
        )
    )
    assert shell("sandboxes", "exec", "it", "--cwd", "there", "--", "git", "log", "--format=%s").text == "1\n"
    error = shell("sandboxes", "repositories", "create", "it", str(tmp_path / "none"), "--json").error
    assert error["code"] == "sandboxes.checkout_failed"


def test_a_terminal_is_typed_into_and_looked_at(shell: Shell, tmp_path: Path) -> None:
    made = shell.result("terminals", "create", "it", "--id", "t", "--cols", "60", "--rows", "10", "--", "cat")
    assert (made["id"], made["cols"], made["rows"]) == ("t", 60, 10)
    shell.result("terminals", "put", "it", "t", r"hello\n")
    until = time.monotonic() + 30
    while (screen := shell.result("terminals", "get", "it", "t"))["lines"][:2] != ["hello", "hello"]:
        assert time.monotonic() < until, screen
    assert screen["cursor"] == [0, 2]
    assert [row["id"] for row in shell.result("terminals", "list", "it")] == ["t"]
    cast = shell("terminals", "export", "it", "t")
    assert json.loads(cast.text.splitlines()[0])["width"] == 60
    (tmp_path / "t.cast").write_bytes(cast.out)
    rendered = shell.result("terminals", "render", str(tmp_path / "t.cast"))
    assert rendered["lines"][:2] == ["hello", "hello"]
    shell.result("terminals", "delete", "it", "t", "--force")
    assert shell.result("terminals", "list", "it") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sandboxes get none --json", "sandboxes.not_found"),
        ("sandboxes exec none --json -- true", "sandboxes.not_found"),
        ("sandboxes create x --memory lots --json", "usage"),
        ("sandboxes create x --sleep-after soon --json", "usage"),
        ("sandboxes create x --cpus many --json", "usage"),
        ("sandboxes create x --var NOVALUE --json", "usage"),
        ("sandboxes update it --json", "usage"),
        ("sandboxes exec it --json", "usage"),
        ("sandboxes processes get it none --json", "sandbox.no_such_process"),
        ("sandboxes processes wait it --json", "usage"),
        ("sandboxes logs get it none --json", "sandbox.no_such_process"),
        ("sandboxes sessions create it a..b --json", "sandboxes.invalid_request"),
        ("sandboxes previews create it 70000 --json", "sandboxes.invalid_request"),
        ("sandboxes files put it x --value 1 --mode 9 --json", "usage"),
        ("terminals get it none --json", "terminals.not_found"),
        ("terminals export it none --json", "terminals.not_recorded"),
    ],
)
def test_what_cannot_be_done_is_an_error_with_a_code(shell: Shell, line: str, code: str) -> None:
    assert shell(*line.split(" ")).error["code"] == code
