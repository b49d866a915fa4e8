"""What the tool says of itself: the reference page, the guide for agents, the schema, completion."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import cfwb
from workbench.cli.arguments import GLOBALS, parse
from workbench.cli.reference import page
from workbench.operations import all_operations
from workbench.operations.shells import GLOBAL_FLAGS, script

DOCS = Path(__file__).parent.parent / "docs"


def test_the_reference_page_is_current() -> None:
    assert (DOCS / "reference.md").read_text() == page(), "run: python -m workbench.cli.reference"


def test_the_guide_for_agents_has_every_command_and_the_rules(tmp_path: Path) -> None:
    answer = cfwb("agent-context", cwd=tmp_path)
    assert answer.status == 0
    for operation in all_operations():
        if "." in operation.name:
            assert f"cfwb {' '.join(operation.words)}" in answer.text
    for rule in ("--force", "--dry-run", "--json", "$bytes", "result_info.cursor"):
        assert rule in answer.text
    assert len(answer.text) < 28_000
    assert cfwb("agent-context", "--json", cwd=tmp_path).result == answer.text


def test_the_schema_says_what_the_command_line_takes(tmp_path: Path) -> None:
    rows = cfwb("schema", "--json", cwd=tmp_path).result
    assert [row["name"] for row in rows] == [operation.name for operation in all_operations()]
    assert {row["kind"] for row in rows} == {"reads", "writes", "destroys"}
    put = cfwb("schema", "kv.values.put", cwd=tmp_path).result[0]
    flags = {parameter["name"]: parameter["flag"] for parameter in put["parameters"]}
    assert flags["key"] is None and flags["ttl"] == "--ttl" and flags["force"] == "--force"
    assert cfwb("schema", "kv values put", cwd=tmp_path).result[0] == put
    assert cfwb("schema", "nope", cwd=tmp_path).status == 2


def test_the_shells_know_the_global_flags() -> None:
    assert set(GLOBAL_FLAGS) == set(GLOBALS)


def bash_offers(line: str, tmp_path: Path) -> set[str]:
    """What bash's completion offers for the last word of a line."""
    (tmp_path / "completion").write_text(script("bash"))
    words = ["cfwb", *line.split(" ")]
    program = f"""
source {shlex.quote(str(tmp_path / "completion"))}
COMP_WORDS=({" ".join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}
_cfwb; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert not done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_words_flags_and_choices(tmp_path: Path) -> None:
    assert {"kv", "r2", "d1", "do", "workflows", "demo"} <= bash_offers("", tmp_path)
    assert bash_offers("k", tmp_path) == {"kv"}
    assert bash_offers("kv ", tmp_path) == {"keys", "namespaces", "values"}
    assert bash_offers("--project x kv values e", tmp_path) == {"export"}
    assert bash_offers("kv keys list --p", tmp_path) == {"--prefix", "--project", "--persist-to"}
    assert bash_offers("d1 query --param", tmp_path) == {"--param", "--param-json"}
    assert bash_offers("completion ", tmp_path) >= {"bash", "zsh", "fish"}
    assert bash_offers("d1 query --file ", tmp_path) == set()
    assert bash_offers("api get zones.li", tmp_path) == {"zones.list"}
    assert "--all-pages" in bash_offers("api run zones.list --", tmp_path)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish_completes_words_and_flags(tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(script("fish"))

    def offers(line: str) -> set[str]:
        program = f"source {tmp_path}/completion; complete -C {shlex.quote('cfwb ' + line)}"
        done = subprocess.run(["fish", "-c", program], capture_output=True, text=True, check=True)
        assert not done.stderr
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    assert {"kv", "r2", "d1", "do", "workflows", "demo"} <= offers("")
    assert offers("kv ") == {"keys", "namespaces", "values"}
    assert offers("--project x kv values e") == {"export"}
    assert offers("kv keys list --p") == {"--prefix", "--project", "--persist-to"}
    assert offers("api run zones.li") == {"zones.list"}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_completes_words_and_flags(tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(script("zsh"))

    def offers(line: str) -> set[str]:
        words = ["cfwb", *line.split(" ")]
        program = f"""
compdef() {{ }}; _files() {{ }}; compadd() {{ shift; print -rl -- "$@" }}
source {tmp_path}/completion
words=({" ".join(map(shlex.quote, words))}); CURRENT={len(words)}; PREFIX={shlex.quote(words[-1])}; _cfwb
"""
        done = subprocess.run(["zsh", "-f", "-c", program], capture_output=True, text=True, check=True)
        assert not done.stderr
        return set(done.stdout.split())

    assert {"kv", "r2", "d1", "do", "workflows", "demo"} <= offers("")
    assert offers("kv ") == {"keys", "namespaces", "values"}
    assert "export" in offers("--project x kv values e")
    assert {"--prefix", "--project", "--binding"} <= offers("kv keys list --")
    assert "zones.list" in offers("api run zones.li")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_a_shell_is_one_the_shell_reads(shell: str, tmp_path: Path) -> None:
    answer = cfwb("completion", shell, cwd=tmp_path)
    assert answer.status == 0
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    check = subprocess.run([shell, "-n"], input=answer.out, capture_output=True)
    assert check.returncode == 0 and not check.stderr


def test_an_unknown_shell_is_wrong_usage(tmp_path: Path) -> None:
    answer = cfwb("completion", "powershell", "--json", cwd=tmp_path)
    assert answer.status == 2
    assert "bash, zsh, fish" in answer.error["message"]


def test_every_command_in_the_docs_is_understood() -> None:
    for name in ("reference.md", "json.md"):
        for line in (DOCS / name).read_text().splitlines():
            if (
                line.startswith("    cfwb ")
                and "[" not in line
                and "  " not in line.strip()
                and "NOUN" not in line
            ):
                command = line.split(" > ")[0].split(" >> ")[0].split(" | ")[0]
                assert parse(shlex.split(command)[1:])
