"""Starting a context in a sandbox: its host as one of the sandbox's processes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from workbench.model.errors import WorkbenchError
from workbench.sandbox.channel import Channel

from . import bundle
from .conversation import Conversation

# language -> what runs it, where nothing else is asked for.
LANGUAGES = {"python": "python3", "javascript": "node", "typescript": "node"}

# What runs the host: the sandbox's own Python, else the init's.
_PYTHON = 'exec "$(command -v python3 || echo /run/cfwb/python/bin/python3)" "$@"'
_PATIENCE = 20.0


async def start(
    channel: Channel,
    process: str,
    socket: str,
    *,
    language: str,
    program: str,
    cwd: str,
    env: Mapping[str, str],
) -> Conversation:
    """Start a context and greet it. process: the id it has among the sandbox's processes; socket: where it listens, inside,
    in a folder for contexts alone.

    Raises WorkbenchError (`contexts.not_started`) where the language cannot be run, with the reason its driver gives.
    """
    folder = posixpath.dirname(socket)
    await channel.make_folder(folder, mode=0o700)
    for name, content in bundle.files().items():
        await channel.put_file(f"{folder}/{name}", content)
    argv = ["/bin/sh", "-c", _PYTHON, "sh", *bundle.host(folder, socket, language, program, cwd)]
    await channel.start_process(process, argv, cwd=cwd, env=env)
    try:
        waited = await channel.wait(process, pattern="ready", literal=True, within=_PATIENCE)
        if not waited.get("matched"):
            raise WorkbenchError("contexts.not_started", await _said(channel, process))
        conversation = await Conversation.open(channel, socket)
    except BaseException:
        await end(channel, process)
        raise
    try:
        await conversation.begin(language, _PATIENCE)
    except BaseException:
        await conversation.end()
        await end(channel, process)
        raise
    return conversation


async def end(channel: Channel, process: str) -> None:
    """End a context whatever it does, and forget it."""
    try:
        if await channel.signal_process(process, 9):
            await channel.wait(process, within=5)
        await channel.delete_process(process)
    except WorkbenchError as error:
        if error.code == "sandbox.protocol":
            raise


async def _said(channel: Channel, process: str) -> str:
    """The end of what a host printed before it failed."""
    text = b""
    async with await channel.logs(process) as logs:
        async for frame in logs:
            if frame.kind in (1, 2):
                text = (text + frame.payload)[-2000:]
    return text.decode("utf-8", "replace").strip() or "the context's host did not start"
