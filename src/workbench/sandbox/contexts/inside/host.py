"""Keeps a driver alive and stands between it and the hub.

Listens on a Unix socket for one client at a time (a new one takes over: the hub came back). Lines of JSON both ways.
From the hub: {op: run, run, code, env}, {op: interrupt}, {op: kill}, {op: exit}.
To the hub: {type: hello, version, run} once, then frames with the number of their run: ready, stdout, stderr, result, error, done, and
died {code, signal} where the driver ended. While nobody is connected output is dropped; while the client is slow the driver waits.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from typing import Any, NoReturn

_CHUNK = 65536
_MOST = 1 << 20  # bytes kept for a client that is slow
_LONGEST = 64 << 20  # a line from the hub


class Driver:
    """The process that runs the code, and the pipes to it."""

    def __init__(self, language: str, argv: list[str], cwd: str, env: dict[str, str]) -> None:
        commands, self.commands = os.pipe()
        self.frames, frames = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        interrupts, self.interrupts = os.pipe()
        self.language = language
        self.fds = (self.frames, self.stdout, self.stderr)
        self.held = b""
        self.decoders = {fd: codecs.getincrementaldecoder("utf-8")("replace") for fd in self.fds[1:]}
        for fd in self.fds:
            os.set_blocking(fd, False)
        inherited = (commands, frames, interrupts)

        def place() -> None:
            # To 3, 4 and 5, by way of numbers that none of them has.
            high = [os.dup2(fd, 100 + number) for number, fd in enumerate(inherited)]
            for number, fd in enumerate(high):
                os.dup2(fd, 3 + number, inheritable=True)
            os.setsid()

        try:
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                preexec_fn=place,
                pass_fds=(3, 4, 5),
            )
        except BaseException:
            self.close()
            raise
        finally:
            for fd in (*inherited, stdout, stderr):
                os.close(fd)

    def tell(self, message: dict[str, Any]) -> None:
        """Give it a command; it reads whenever it is idle, so this does not wait long."""
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.commands, data) :]

    def interrupt(self) -> None:
        if self.language == "python":
            self.signal(signal.SIGINT)
        else:
            os.write(self.interrupts, b"i")

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def close(self) -> None:
        for fd in (self.commands, self.interrupts, *self.fds):
            with contextlib.suppress(OSError):
                os.close(fd)


class Host:
    """A context: its listener, its client, its driver."""

    def __init__(
        self, listener: socket.socket, language: str, argv: list[str], cwd: str, env: dict[str, str]
    ) -> None:
        self.listener = listener
        self.language, self.argv, self.cwd, self.env = language, argv, cwd, env
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.client: socket.socket | None = None
        self.incoming = b""
        self.outgoing = bytearray()
        self.driver: Driver | None = None
        self.reading = False
        self.version = ""
        self.run: int | None = None

    def serve(self) -> NoReturn:
        self.start()
        while True:
            for key, events in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif (client := self.client) is not None and key.fileobj is client:
                    if events & selectors.EVENT_READ:
                        self.read_client(client)
                    if events & selectors.EVENT_WRITE and self.client is client:
                        self.write_client(client)
                elif self.driver is not None and key.fd in self.driver.fds:
                    self.read_driver(self.driver, key.fd)

    def start(self, run: int | None = None) -> None:
        """A fresh driver. Where it cannot be started the client is told, and the next run tries again."""
        try:
            self.driver = Driver(self.language, self.argv, self.cwd, self.env)
        except OSError as error:
            what = f"{error.filename or self.argv[0]}: {error.strerror}"
            self.send({"type": "died", "run": run, "code": 127, "signal": None, "message": what})
            return
        self.reading = False
        self.watch_driver()

    def watch_driver(self) -> None:
        """Read from the driver unless the client is behind."""
        wanted = self.driver is not None and len(self.outgoing) < _MOST
        if wanted == self.reading:
            return
        for fd in self.driver.fds if self.driver else ():
            if wanted:
                self.selector.register(fd, selectors.EVENT_READ)
            else:
                self.selector.unregister(fd)
        self.reading = wanted

    def read_driver(self, driver: Driver, fd: int) -> None:
        if fd == driver.frames:
            try:
                data = os.read(fd, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self.died(driver)
                return
            *lines, driver.held = (driver.held + data).split(b"\n")
            for line in lines:
                # What it printed before it said this goes first.
                self.drain_output(driver)
                self.pass_on(line)
        else:
            self.read_output(driver, fd)
        self.watch_driver()

    def read_output(self, driver: Driver, fd: int) -> bool:
        """Pass on what it printed; whether there may be more."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        text = driver.decoders[fd].decode(data, not data)
        if text:
            name = "stdout" if fd == driver.stdout else "stderr"
            self.send({"type": name, "run": self.run, "text": text})
        return bool(data)

    def drain_output(self, driver: Driver) -> None:
        for fd in driver.fds[1:]:
            # A pipe holds 64 KiB: more than a few rounds is somebody who never stops printing.
            for _ in range(4):
                if not self.read_output(driver, fd):
                    break

    def pass_on(self, line: bytes) -> None:
        try:
            frame = json.loads(line.decode("utf-8", "replace"))
            kind = frame["type"]
        except (ValueError, TypeError, KeyError):
            return
        frame["run"] = self.run
        if kind == "ready":
            self.version = frame.get("version", "")
        if kind == "done":
            self.run = None
        self.send(frame)

    def died(self, driver: Driver) -> None:
        self.driver = None
        if self.reading:
            for fd in driver.fds:
                self.selector.unregister(fd)
        self.reading = False
        self.drain_output(driver)
        driver.signal(signal.SIGKILL)
        code = driver.process.wait()
        driver.close()
        run, self.run = self.run, None
        ended = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}
        self.send({"type": "died", "run": run, **ended})

    def accept(self) -> None:
        client, _ = self.listener.accept()
        self.drop_client()
        client.setblocking(False)
        self.client = client
        self.selector.register(client, selectors.EVENT_READ)
        self.send(
            {"type": "hello", "version": self.version, "run": self.run, "alive": self.driver is not None}
        )

    def drop_client(self) -> None:
        if self.client is not None:
            self.selector.unregister(self.client)
            self.client.close()
            self.client = None
            self.incoming = b""
            self.outgoing.clear()
        self.watch_driver()

    def read_client(self, client: socket.socket) -> None:
        try:
            data = client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or len(self.incoming) > _LONGEST:
            self.drop_client()
            return
        *lines, self.incoming = (self.incoming + data).split(b"\n")
        for line in lines:
            self.obey(json.loads(line))

    def obey(self, message: dict[str, Any]) -> None:
        op = message.get("op")
        if op == "run":
            if self.driver is None:
                self.start(message["run"])
            if self.driver is not None:
                self.run = message["run"]
                with contextlib.suppress(BrokenPipeError):  # it has just died; reading says so
                    self.driver.tell({"code": message["code"], "env": message.get("env") or {}})
        elif op == "interrupt" and self.driver is not None:
            self.driver.interrupt()
        elif op == "kill" and self.driver is not None:
            self.driver.signal(signal.SIGKILL)
        elif op == "exit":
            if self.driver is not None:
                self.driver.signal(signal.SIGKILL)
            os.unlink(self.listener.getsockname())
            raise SystemExit(0)

    def send(self, frame: dict[str, Any]) -> None:
        if self.client is not None:
            self.outgoing += json.dumps(frame).encode() + b"\n"
            self.write_client(self.client)

    def write_client(self, client: socket.socket) -> None:
        try:
            while self.outgoing:
                sent = client.send(self.outgoing)
                del self.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.drop_client()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
        self.selector.modify(client, events)
        self.watch_driver()


def main(path: str, language: str, argv: list[str], cwd: str) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.stat(folder).st_uid != os.geteuid():
        sys.exit(f"{folder} belongs to somebody else")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.path.lexists(path):
        os.unlink(path)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(4)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    env = dict(os.environ)
    env.setdefault("MPLBACKEND", "module://cfwb_figures")
    print("ready", flush=True)
    Host(listener, language, argv, cwd, env).serve()
