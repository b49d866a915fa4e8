"""A real program on a PTY in a window of its own, shown by a `TerminalView`: the widget as a person has it, without a hub."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult

from workbench.terminal import Event
from workbench.themes import THEMES
from workbench.widgets.terminal import TerminalView


class ProgramApp(App[int]):
    """Runs `argv` on a PTY of the view's size. told: what the program told; asked: pastes and links it was asked about."""

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False

    def __init__(self, *argv: str, env: dict[str, str] | None = None, theme: str = "cfwb-dark") -> None:
        super().__init__()
        self.argv = argv
        self.env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PS1": "$ "} | (
            env or {}
        )
        self.told: list[Event] = []
        self.asked: list[Any] = []
        self.master = self.pid = -1
        self.ended = asyncio.Event()
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield TerminalView(answers=True, id="terminal")

    @property
    def view(self) -> TerminalView:
        return self.query_one(TerminalView)

    def on_mount(self) -> None:
        self.view.focus()
        self.view.captured = True

    @on(TerminalView.Sized)
    def _sized(self, event: TerminalView.Sized) -> None:
        self.view.resize_terminal(event.columns, event.lines)
        if self.master < 0:
            self.pid, self.master = pty.fork()
            if self.pid == 0:
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.environ.update(self.env)
                os.execvp(self.argv[0], self.argv)
            self.reader = asyncio.create_task(self._read())
        size = struct.pack("HHHH", event.lines, event.columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        os.set_blocking(self.master, False)
        ready = asyncio.Event()
        loop.add_reader(self.master, ready.set)
        try:
            while True:
                await ready.wait()
                ready.clear()
                try:
                    data = os.read(self.master, 65536)
                except BlockingIOError:
                    continue
                except OSError:
                    break
                if not data:
                    break
                await self.view.write(data)
                ready.set()
        finally:
            loop.remove_reader(self.master)
            self.ended.set()

    @on(TerminalView.Input)
    def _input(self, event: TerminalView.Input) -> None:
        os.set_blocking(self.master, True)
        os.write(self.master, event.data)
        os.set_blocking(self.master, False)

    @on(TerminalView.Told)
    def _told(self, event: TerminalView.Told) -> None:
        self.told.append(event.event)

    @on(TerminalView.PasteAsked)
    def _paste_asked(self, event: TerminalView.PasteAsked) -> None:
        self.asked.append(event)

    @on(TerminalView.LinkAsked)
    def _link_asked(self, event: TerminalView.LinkAsked) -> None:
        self.asked.append(event)

    def on_unmount(self) -> None:
        if self.pid > 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.master)


if __name__ == "__main__":
    import sys

    ProgramApp(*(sys.argv[1:] or ["bash", "--norc"])).run()
