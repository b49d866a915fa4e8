"""`cfwb serve` as a person starts it: a process of its own on a port of its own, ended by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.support.cli import PROGRAM, environment


class Mirror:
    """A running server of `project`; a context manager that stops it. url: the API's base. origin: `http://127.0.0.1:PORT`."""

    def __init__(self, project: Path, home: Path, *arguments: str) -> None:
        self.project = project
        self._errors = (home / "serve.err").open("w+b")
        self._process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", "--project", str(project), *arguments],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            stdin=subprocess.DEVNULL,
            env=environment(home, XDG_RUNTIME_DIR=str(home)),
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.errors
        self.said: dict[str, Any] = json.loads(line)
        result = self.said["result"]
        self.url: str = result["url"]
        self.origin = f"http://127.0.0.1:{result['port']}"
        self.port: int = result["port"]
        self.token_file = Path(result["token_file"])
        self.token = self.token_file.read_text().strip()

    @property
    def errors(self) -> str:
        """All of its standard error."""
        self._errors.seek(0)
        return self._errors.read().decode()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def peak(self) -> int | None:
        """The most memory it has had, in bytes; None where nobody tells."""
        try:
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) << 10
        except OSError:
            pass
        return None

    def client(self, *, token: bool = True, **options: Any) -> httpx.Client:
        """A client of the API's base, with the token."""
        headers = {"authorization": f"Bearer {self.token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60, **options)

    def environment(self) -> dict[str, str]:
        """Of a command that takes it for the account."""
        return {"CLOUDFLARE_API_BASE_URL": self.url, "CLOUDFLARE_API_TOKEN": self.token}

    def stop(self) -> int:
        """End it as Ctrl+C does; its exit status."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGINT)
        status = self._process.wait(timeout=20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def __enter__(self) -> Mirror:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._errors.close()
