"""Execution sessions: a working folder and an environment that outlast one exec.

An exec in a session runs under a shell that starts from the session's state and leaves its own behind when it ends, so that
`cd` and `export` in one hold in the next. Execs of one session take turns; sessions run beside each other.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping

_LEFT_BEHIND = 1 << 20
"""Bytes of state that are read back; more is not a state anybody meant."""

# $1 is where the state goes. A program in argv runs as itself, a builtin as part of this shell, a script through eval.
_TURN = """\
__cfwb_state=$1; shift
trap '__cfwb_code=$?; { printf "%s\\0" "$PWD"; command -p env -0; } >"$__cfwb_state" 2>/dev/null; exit $__cfwb_code' EXIT
"$@"
"""
_NOT_KEPT = frozenset(("_", "SHLVL", "PWD"))


def shell(env: Mapping[str, str]) -> str:
    """The shell that people get here: bash where there is one."""
    for folder in env.get("PATH", "").split(":"):
        if folder.startswith("/") and os.access(f"{folder}/bash", os.X_OK):
            return f"{folder}/bash"
    return "/bin/sh"


class Session:
    """State, and whose turn it is."""

    def __init__(self, name: str, cwd: str, env: Mapping[str, str], folder: str) -> None:
        self.name = name
        self.cwd = cwd
        self.env = dict(env)
        self._folder = folder
        self._count = 0
        self._busy = False
        self._queue: deque[Callable[[], None]] = deque()

    def described(self) -> dict[str, object]:
        return {
            "id": self.name,
            "cwd": self.cwd,
            "env": self.env,
            "busy": self._busy,
            "waiting": len(self._queue),
        }

    def take_turn(self, run: Callable[[], None]) -> None:
        """Run it now or when those before are done; whoever ran calls `give_turn`."""
        if self._busy:
            self._queue.append(run)
        else:
            self._busy = True
            run()

    def give_turn(self) -> None:
        if self._queue:
            self._queue.popleft()()
        else:
            self._busy = False

    def wrapped(self, argv: list[str], script: str | None) -> tuple[list[str], str]:
        """(the argv that runs it under the session's shell, the file where its state will be)."""
        self._count += 1
        state = os.path.join(self._folder, f"{id(self):x}-{self._count}")
        run = ["eval", script] if script is not None else argv
        return [shell(self.env), "-c", _TURN, "cfwb", state, *run], state

    def absorb(self, state: str, given: Mapping[str, str]) -> None:
        """Take over what the shell left behind; nothing where it was killed or replaced itself.

        given: what was set for that one exec alone; it stays out unless the script changed it.
        """
        try:
            with open(state, "rb") as file:
                left = file.read(_LEFT_BEHIND + 1)
            os.unlink(state)
        except OSError:
            return
        if len(left) > _LEFT_BEHIND:
            return
        cwd, *lines = left.decode("utf-8", "surrogateescape").split("\0")
        env = dict(line.split("=", 1) for line in lines if "=" in line)
        for name, value in given.items():
            if env.get(name) == value:
                env.pop(name)
                if name in self.env:
                    env[name] = self.env[name]
        if env:
            self.env = {name: value for name, value in env.items() if name not in _NOT_KEPT}
        if cwd.startswith("/"):
            self.cwd = cwd
