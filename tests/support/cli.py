"""The command as a shell runs it: a process of its own, its output in a pipe or on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = [sys.executable, "-m", "workbench.cli.main"]


class Answer(NamedTuple):
    """What a command did. status: its exit status."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def result(self) -> Any:
        """The envelope's result; an error fails the test with the envelope in sight."""
        assert self.status == 0, self.out or self.err
        return self.json["result"]

    @property
    def error(self) -> Any:
        assert self.status in (1, 2), self.out
        return self.json["error"]


def environment(home: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of a command: the user's own folders are in `home`."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDFLARE_", "XDG_", "NO_COLOR", "PYTHON"))
    }
    env |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    if home is not None:
        env |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    return env | more


def cfwb(
    *argv: str, cwd: str | Path, input: bytes | None = None, home: Path | None = None, **more: str
) -> Answer:
    """Run a command with its output in a pipe."""
    done = subprocess.run(
        [*PROGRAM, *argv],
        cwd=cwd,
        input=input or b"",
        capture_output=True,
        env=environment(home, **more),
        timeout=60,
    )
    return Answer(done.returncode, done.stdout, done.stderr.decode())


def on_terminal(
    *argv: str, cwd: str | Path, typed: str = "", asked: str = "", columns: int = 100, **more: str
) -> Answer:
    """Run a command on a terminal of its own (output and errors together), typing a line where it asks.

    asked: what it prints when it does; without it the line is typed at once.
    """
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *argv],
        cwd=cwd,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(None, **more),
        close_fds=True,
    )
    os.close(slave)
    if typed and not asked:
        os.write(master, typed.encode() + b"\n")
    out = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the terminal closed with the last process on it
                break
            if not piece:
                break
            out += piece
            if asked and asked.encode() in out:
                os.write(master, typed.encode() + b"\n")
                asked = ""
        elif process.poll() is not None:
            break
    os.close(master)
    return Answer(process.wait(timeout=10), out.replace(b"\r\n", b"\n"), "")
