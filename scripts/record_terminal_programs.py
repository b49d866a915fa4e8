"""Record what real programs print, and what tmux shows of the same bytes: tests/terminal/*.json, which test_terminal_programs replays.

`python scripts/record_terminal_programs.py [NAME ...]` needs tmux 3.3a or newer and the programs (Debian: vim less htop fzf nano vttest).
Each program runs in a PTY of its own and is typed to; at each pause the screen is checked. tmux is the judge, but for what it is
known to get wrong (the list is in the test). To be run as root, so that htop sees nothing but itself.
"""

from __future__ import annotations

import base64
import fcntl
import json
import lzma
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.terminal import tmux_sequences

from workbench.terminal import Terminal

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "terminal"
QUIET = 0.5  # seconds without output that count as a pause
MOST = 6.0


class Program(NamedTuple):
    """command: run by sh in a folder of samples. typed: one text after another, each after a pause."""

    command: str
    typed: tuple[str, ...]
    columns: int = 80
    lines: int = 24
    unjudged: tuple[int, ...] = ()  # screens that tmux gets wrong, by vttest's own words


UP, DOWN, ESCAPE, ENTER = "\x1b[A", "\x1b[B", "\x1b", "\r"
PROGRAMS = {
    "bash": Program(
        "exec bash --norc --noprofile -i",
        (
            "PS1='\\[\\e[1;32m\\]\\u@host\\[\\e[m\\]:\\[\\e[34m\\]\\w\\[\\e[m\\]\\$ '\r",
            "ls -la --color=always\r",
            "echo 'wide 中文, joined 👩‍👧, e\u0301, and a line that is longer than the terminal is wide, so that it wraps'\r",
            "\x1b[A\x01\x1b[C\x1b[Cxx\x05\x7f\x7f\x17",  # edit a wrapped line of the history
            "\x15\x12ls\x07",  # search, and leave it
            "seq 1 100\r",
            "printf '\\033[38;2;255;100;0mtrue colour\\033[0m \\033[4:3;58;5:1mcurly\\033[0m\\n'\r",
            "clear\r",
            "printf '\\e(0lqqqk\\nx   x\\nmqqqj\\e(B\\n'\r",
        ),
    ),
    "vim": Program(
        "exec vim -u NONE -i NONE -N --cmd 'syntax on | set number ruler showcmd incsearch hlsearch wildmenu' sample.py",
        (
            "\x06\x06\x15",
            "/def\r",
            "nnVjjj",
            ESCAPE + ":vsplit\r:split\r",
            "Gonew line with 中文 and a lot of text behind it" + ESCAPE,
            "u\x12:set list\r",
            "\x17wggdd3yyP",
            ":q\r:set nowrap\r:set cursorline\r",
            "20j20l40zl",
        ),
    ),
    "less": Program("exec less -R coloured.txt", (" ", " ", "b", "/line 7\r", "n", "G", "g", "-S\r", "\x1b[C", "h")),
    "htop": Program("exec unshare --pid --fork --mount-proc htop --readonly -d 100", ("", DOWN + DOWN, "t", "\x1bOQ", "q")),
    "python": Program(
        "exec python3 -q",
        ("import this\r", "[n ** 20 for n in range(40)]\r", "def f(x):\r    return x\r\r", UP + UP, "\x01\x0b1/0\r", "print('中' * 50)\r"),
    ),
    "tmux": Program(
        "exec tmux -L cfwb-recording -f /dev/null new-session -x 80 -y 24 'bash --norc --noprofile -i'",
        ("PS1='$ '\r", "ls --color=always\r", '\x02"', "seq 1 50\r", "\x02%", "vim -u NONE -i NONE sample.py\r",
            "\x02o", "\x02[\x1b[A\x1b[A\x1b[5~", "q\x02z", "\x02&y"),
    ),
    "nano": Program("exec nano -I sample.py", ("\x16", "new text 中文\r\r", "\x17def\r", "\x0b\x0b\x15", "\x18n")),
    "fzf": Program("find . | sort | fzf --height 15 --border --preview 'head -20 {}' --no-unicode", ("", "py", DOWN, "\x7f\x7ftxt", ENTER)),
    "vttest1": Program("exec vttest", ("1\r", *[ENTER] * 8), unjudged=(2, 3, 4)),
    "vttest2": Program("exec vttest", ("2\r", *[ENTER] * 14), unjudged=(11,)),
    "vttest3": Program("exec vttest", ("3\r", *[ENTER] * 6)),
    "vttest8": Program("exec vttest", ("8\r", *[ENTER] * 12)),
    "cfwb": Program("exec cfwb demo", ("", "", DOWN + DOWN, "?", ESCAPE), 100, 30),
}  # fmt: skip


def samples(folder: str) -> None:
    """What the programs look at."""
    source = Path(__file__).read_text()
    Path(folder, "sample.py").write_text(source[:6000])
    coloured = [
        f"\x1b[{31 + number % 7}mline {number}\x1b[0m of \x1b[1mtext\x1b[0m {'x' * (number % 120)}"
        for number in range(200)
    ]
    Path(folder, "coloured.txt").write_text("\n".join(coloured) + "\n")
    for name in ("folder", "folder/inner"):
        Path(folder, name).mkdir()
    Path(folder, "folder", "run.sh").write_text("#!/bin/sh\necho hi\n")
    Path(folder, "folder", "run.sh").chmod(0o755)
    Path(folder, "link").symlink_to("sample.py")


def record(program: Program) -> tuple[bytes, list[int]]:
    """All output, and how much of it there was at each pause."""
    with tempfile.TemporaryDirectory() as folder:
        samples(folder)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": folder,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "LS_COLORS": "di=01;34:ln=01;36:ex=01;32",
            "USER": "ann",
            "SHELL": "/bin/bash",
        }
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execve("/bin/sh", ["sh", "-c", program.command], environment)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", program.lines, program.columns, 0, 0))
        screen = Terminal(program.columns, program.lines)
        output, cuts = b"", []
        for typed in ("", *program.typed):
            if typed:
                os.write(terminal, typed.encode())
            more = until_quiet(terminal, screen)
            output += more
            if more:
                cuts.append(len(output))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
        subprocess.run(["tmux", "-L", "cfwb-recording", "kill-server"], capture_output=True)
        return output, cuts


def until_quiet(terminal: int, screen: Terminal) -> bytes:
    """What comes until nothing does for a while; queries are answered, as a terminal would."""
    output = b""
    end = time.monotonic() + MOST
    while time.monotonic() < end and select.select([terminal], [], [], QUIET if output else 2)[0]:
        try:
            more = os.read(terminal, 1 << 16)
        except OSError:
            break
        output += more
        screen.feed(more)
        if answers := screen.take_answers():
            os.write(terminal, answers)
    return output


class Tmux:
    """A tmux server of its own that shows bytes and tells what it shows."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count = 0

    def _run(self, *words: str) -> str:
        command = ["tmux", "-u", "-S", f"{self._folder}/socket{self._count}", "-f", "/dev/null", *words]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        return subprocess.run(
            command, capture_output=True, env=environment, text=True, errors="replace"
        ).stdout

    def show(self, outputs: list[bytes], columns: int, lines: int) -> list[tuple[list[str], tuple[int, int]]]:
        """The rows with their SGR, and the cursor, after each of several outputs."""
        self._count += 1
        self._run(
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(lines),
            "sleep 1000",
            ";",
            "set",
            "-g",
            "status",
            "off",
        )
        found = []
        for number, output in enumerate(outputs):
            path = f"{self._folder}/output{number}"
            Path(path).write_bytes(output)
            socket = f"{self._folder}/socket{self._count}"
            shell = f"stty raw -echo; cat {path}; tmux -S {socket} wait-for -S done{number}; exec sleep 1000"
            self._run("new-window", "-d", "-n", f"w{number}", shell)
            self._run("wait-for", f"done{number}")
            time.sleep(0.1)
            told = self._run(
                "capture-pane",
                "-p",
                "-e",
                "-N",
                "-t",
                f":w{number}",
                ";",
                "display",
                "-p",
                "-t",
                f":w{number}",
                "#{cursor_x},#{cursor_y}",
            )
            *rows, cursor = told.rstrip("\n").split("\n")
            x, y = cursor.split(",")
            found.append(((rows + [""] * lines)[:lines], (int(x), int(y))))
        self._run("kill-server")
        return found


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tmux = Tmux(folder)
        for name in names or [*PROGRAMS, "sequences"]:
            if name == "sequences":
                sequences(tmux)
                continue
            program = PROGRAMS[name]
            output, cuts = record(program)
            shown = tmux.show([output[:cut] for cut in cuts], program.columns, program.lines)
            kept = {
                "columns": program.columns,
                "lines": program.lines,
                "output": base64.b85encode(lzma.compress(output)).decode(),
                "checks": [
                    {"at": cut, "rows": None if number in program.unjudged else rows, "cursor": cursor}
                    for number, (cut, (rows, cursor)) in enumerate(zip(cuts, shown))
                ],
            }
            Path(FOLDER, f"{name}.json").write_text(json.dumps(kept, ensure_ascii=True, indent=0) + "\n")
            print(f"{name}: {len(output):,} bytes, {len(cuts)} screens")


def sequences(tmux: Tmux) -> None:
    """Random sequences that tmux is a judge of."""
    chance = random.Random(1)
    outputs = [tmux_sequences(chance) for _ in range(300)]
    shown = tmux.show([output.encode() for output in outputs], 16, 6)
    kept = [
        {"output": output, "rows": rows, "cursor": cursor} for output, (rows, cursor) in zip(outputs, shown)
    ]
    Path(FOLDER, "sequences.json").write_text(json.dumps(kept, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
