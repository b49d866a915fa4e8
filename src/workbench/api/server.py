"""The process: a socket on this machine alone, what is said at the start, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import uvicorn

from workbench.model.errors import WorkbenchError
from workbench.model.target import Target

from .addresses import EXPLORER
from .app import Application, Unexpected
from .door import Door
from .opened import Opened
from .token import TokenFile

HOST = "127.0.0.1"
PORT = 8788


class Serving(NamedTuple):
    """What is served, and where. url: the API's base, as its clients take it."""

    target: Target
    url: str
    port: int
    token: str
    token_file: str


def serve(
    options: dict[str, Any], port: int | None, ready: Callable[[Serving], None], unexpected: Unexpected
) -> None:
    """Serve a project until told to stop (SIGINT, SIGTERM). options: what `open_state` takes. port: 0 for any.

    ready: told once it listens. Raises WorkbenchError (`serve.port_in_use`, and what opening a project raises).
    """
    opened = Opened(**options)
    listening = _listen(PORT if port is None else port)
    number = listening.getsockname()[1]
    state = opened.current()
    try:
        token = TokenFile(state.project.state_directory, number)
    except OSError as error:
        listening.close()
        raise WorkbenchError("serve.no_token", f"the token can't be kept: {error}") from error
    application = Application(opened, Door(token.token), unexpected)
    serving = Serving(state.target, f"http://{HOST}:{number}{EXPLORER[0]}", number, token.token, token.path)
    try:
        asyncio.run(_serve(application, listening, lambda: ready(serving)))
    finally:
        token.remove()


def _listen(port: int) -> socket.socket:
    # With the protocol named, or asyncio leaves Nagle's algorithm on and each answer waits 40 ms for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise WorkbenchError(
            "serve.port_in_use",
            f"{HOST}:{port} can't be listened on: {error}",
            "--port 0 takes any that is free",
        ) from None
    listening.listen(256)
    return listening


async def _serve(application: Application, listening: socket.socket, ready: Callable[[], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopping.set)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, stopping, ready)
    try:
        await server.serve(sockets=[listening])
    finally:
        application.close()


class _Server(uvicorn.Server):
    """Uvicorn's server without its ten looks a second whether to stop, and without its signal handlers."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.stopping = stopping
        self.ready = ready

    async def main_loop(self) -> None:
        self.ready()
        await self.stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
