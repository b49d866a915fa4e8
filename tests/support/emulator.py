"""The real emulator, pinned, run on a project.

`python -m tests.support.emulator install` puts it in place ahead of time and prints where it is.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.installation import (
    EmulatorError,
    install,
    install_bridge,
    is_required,
    node_path,
    unavailable,
)

__all__ = ["Emulator", "EmulatorError", "environment_of_emulator", "install", "node_path", "unavailable"]

START_SECONDS = 90
STOP_SECONDS = 10
EXPLORER = "/cdn-cgi/explorer/api"
READY = re.compile(r"Ready on https?://[^:\s]+:(\d+)")


def environment_of_emulator(private: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The emulator's environment: nothing of the user's account or settings, its files below `private`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDFLARE_", "CF_", "WRANGLER_", "MINIFLARE_", "NODE_OPTIONS", "XDG_"))
    }
    home, temporary = private / "home", private / "tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    return {
        **kept,
        "PATH": f"{node_path().parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "CI": "1",
        "NO_COLOR": "1",
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_REGISTRY_PATH": str(private / "registry"),
        "WRANGLER_LOG_PATH": str(private / "logs"),
        **extra,
    }


class Emulator:
    """One `wrangler dev` on one project; a context manager that stops it.

    `project` is the folder it runs in; its `.wrangler` is written to. The state lies in `state` (the `v3`
    folder). With `port` 0 the system chooses one. Errors while starting carry the log.
    """

    def __init__(
        self,
        project: str | os.PathLike[str],
        *,
        persist_to: str | os.PathLike[str] | None = None,
        config: str | os.PathLike[str] | None = None,
        port: int = 0,
        env: Mapping[str, str] | None = None,
        args: tuple[str, ...] = (),
    ) -> None:
        self.project = Path(project)
        self.persist_to = Path(persist_to) if persist_to is not None else self.project / ".wrangler" / "state"
        self.port = port
        self._private = Path(tempfile.mkdtemp(prefix="cfwb-emulator-"))
        self._log_path = self._private / "output.log"
        self._env = environment_of_emulator(self._private, env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._args = list(args)
        if persist_to is not None:
            self._args += ["--persist-to", str(persist_to)]
        if config is not None:
            self._args += ["--config", str(config)]

    @classmethod
    def start(cls, project: str | os.PathLike[str], **options: Any) -> Emulator:
        """Start one and wait until it answers; the options are the constructor's."""
        emulator = cls(project, **options)
        try:
            emulator.run()
        except BaseException:
            emulator.close()
            raise
        return emulator

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        return self.persist_to / "v3"

    @property
    def pid(self) -> int:
        """The process group's number."""
        if self._process is None:
            raise EmulatorError("the emulator is not running")
        return self._process.pid

    @property
    def log(self) -> str:
        """All it has written so far."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    def run(self) -> None:
        """Start it (again, after `stop` or `kill`: on the same port) and wait until it answers."""
        wrangler = install() / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        command = [str(node_path()), str(wrangler), "dev", "--ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--inspector-port", "0", "--show-interactive-dev-session=false", *self._args]
        self._log_path.write_bytes(b"")
        with self._log_path.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.project,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.kill)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmulatorError(f"the emulator ended with status {self._process.returncode}:\n{self.log}")
            ready = READY.search(self.log)
            if ready:
                self.port = int(ready.group(1))
                if self._answers():
                    return
            time.sleep(0.05)
        raise EmulatorError(f"the emulator did not answer within {START_SECONDS} s:\n{self.log}")

    def _answers(self) -> bool:
        try:
            self.request("GET", EXPLORER)
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it as a person does who leaves it, its children included."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        atexit.unregister(self.kill)
        if process is None:
            return
        _signal_group(process.pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while _group_lives(process.pid) and time.monotonic() < deadline:
            process.poll()
            time.sleep(0.02)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """Stop it and remove what it kept outside the project and the state."""
        self.stop()
        shutil.rmtree(self._private, ignore_errors=True)

    def __enter__(self) -> Emulator:
        if self._process is None:
            try:
                self.run()
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Ask the Worker or the Explorer; status and body, whatever the status."""
        request = urllib.request.Request(self.url + path, body, dict(headers or {}), method=method)
        try:
            with _direct.open(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def explorer(self, path: str, method: str = "GET", json_body: Any = None) -> Any:
        """Ask the Local Explorer's API (`path` as its document says); its JSON, or bytes where it is none."""
        body = None if json_body is None else json.dumps(json_body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        status, answer = self.request(method, EXPLORER + path, body, headers)
        if status >= 400:
            raise EmulatorError(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        try:
            return json.loads(answer)
        except ValueError:
            return answer


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _signal_group(group: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, how)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(arguments: list[str]) -> int:
    if arguments != ["install"]:
        print("usage: python -m tests.support.emulator install", file=sys.stderr)
        return 2
    try:
        print(install())
        print(install_bridge())
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1 if is_required() else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
