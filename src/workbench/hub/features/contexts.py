"""Code contexts of sandboxes: made, run in, interrupted, ended. Their processes live in the sandbox and outlive the hub."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.sandbox.channel import Channel
from workbench.sandbox.contexts import LANGUAGES, Conversation, Frame, start
from workbench.sandbox.contexts.languages import end

from ..bodies import Fields, optional_json, required_json
from ..bridge import any_path
from ..feature import Feature
from ..problems import Problem, invalid
from ..sandbox import Sandbox
from ..streams import Streamed, event

NAME = "contexts"
MOST = 50  # contexts a sandbox
# Frames as events. `error` means everywhere that the request itself failed, so the code's own errors have another name.
_NAMES = {"ready": "restarted", "error": "exception"}


class Contexts(Feature):
    """`{id}/context`, `{id}/context/{cid}/run|interrupt`, and `{id}/run` in the default context of a language."""

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._open: dict[tuple[str, str], Conversation] = {}

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/context", self.create, methods=["POST"]),
            Route(one + "/context", self.list, methods=["GET"]),
            Route(one + "/context/{cid}", self.delete, methods=["DELETE"]),
            Route(one + "/context/{cid}/run", self.run, methods=["POST"]),
            Route(one + "/context/{cid}/interrupt", self.interrupt, methods=["POST"]),
            Route(one + "/run", self.run, methods=["POST"]),
        ]

    async def close(self) -> None:
        for conversation in self._open.values():
            conversation.leave()

    async def stopped(self, sandbox: Sandbox) -> None:
        for key in [key for key in self._open if key[0] == sandbox.record.id]:
            self._open.pop(key).leave()
        # Their processes are gone, and with them all that they kept.
        if sandbox.record.features.pop(NAME, None):
            sandbox.save()

    async def create(self, request: Request) -> Response:
        """`{language?, cwd?, env?, interpreter?}`: `{id, language, cwd, created, last_used, version}`."""
        sandbox = self._sandbox(request)
        body = await optional_json(request)
        async with sandbox.use() as channel:
            kept = await self._make(sandbox, channel, body, f"c-{secrets.token_hex(4)}")
        return JSONResponse(self._told(sandbox, kept))

    async def list(self, request: Request) -> Response:
        """`{contexts}`"""
        sandbox = self._sandbox(request)
        return JSONResponse({"contexts": [self._told(sandbox, kept) for kept in _kept(sandbox)]})

    async def delete(self, request: Request) -> Response:
        """End it; its variables are gone."""
        sandbox = self._sandbox(request)
        kept = _find(sandbox, request.path_params["cid"])
        sandbox.record.features[NAME] = [each for each in _kept(sandbox) if each is not kept]
        sandbox.save()
        conversation = self._open.pop((sandbox.record.id, kept["id"]), None)
        if conversation is not None:
            await conversation.end()
        if sandbox.alive:
            await end(sandbox.channel, _process(kept["id"]))
        self.hub.events.tell("context.deleted", sandbox.record.id, sandbox.record.name, context=kept["id"])
        return Response(status_code=204)

    async def interrupt(self, request: Request) -> Response:
        """Interrupt what runs in it; its variables stay."""
        sandbox = self._sandbox(request)
        kept = _find(sandbox, request.path_params["cid"])
        conversation = self._open.get((sandbox.record.id, kept["id"]))
        if conversation is not None:
            await conversation.interrupt()
        return JSONResponse({"interrupted": conversation is not None and conversation.busy})

    async def run(self, request: Request) -> Response:
        """`{code, env?, timeout_ms?}` (below `{id}/run` also `language`): events as the code runs, at the end `done` or `died`.

        `stdout` and `stderr` are `{text}`; `result` has `text` and what else there is of `html, markdown, svg, latex, javascript`,
        `png, jpeg` (base64), `json`, `table` (`{columns, rows, total}`), `chart`, `data`; `exception` is
        `{name, message, traceback, lineNumber}`; `restarted` says that the process had ended and the variables are gone.
        """
        sandbox = self._sandbox(request)
        body = await required_json(request)
        code = body.values.get("code")
        if not isinstance(code, str):
            raise invalid("code must be a string")
        environment = body.environment()
        within = body.number("timeout_ms", least=1)
        context = request.path_params.get("cid")
        async with sandbox.use() as channel:
            kept = _find(sandbox, context) if context else await self._default(sandbox, channel, body)
            conversation = await self._conversation(sandbox, channel, kept)
        kept["last_used"] = iso(now_ms())
        sandbox.save()
        frames = conversation.run(code, environment, None if within is None else within / 1000)
        return Streamed(self._events(sandbox, frames))

    async def _events(self, sandbox: Sandbox, frames: AsyncIterator[Frame]) -> AsyncIterator[bytes]:
        async with sandbox.use():
            try:
                async for frame in frames:
                    kind = str(frame["type"])
                    told = {name: value for name, value in frame.items() if name not in ("type", "run")}
                    yield event(_NAMES.get(kind, kind), told)
            except (WorkbenchError, Problem) as error:
                message = error.message if isinstance(error, WorkbenchError) else error.error
                yield event("error", {"error": message, "code": error.code})
            finally:
                await frames.aclose()  # type: ignore[attr-defined]

    async def _default(self, sandbox: Sandbox, channel: Channel, body: Fields) -> dict[str, Any]:
        """The context that a language has for who names none."""
        id = f"default-{_language(body)}"
        for kept in _kept(sandbox):
            if kept["id"] == id:
                return kept
        return await self._make(sandbox, channel, Fields({"language": _language(body)}), id)

    async def _make(self, sandbox: Sandbox, channel: Channel, body: Fields, id: str) -> dict[str, Any]:
        language = _language(body)
        if len(_kept(sandbox)) >= MOST:
            raise Problem(409, "contexts.too_many", f"a sandbox has at most {MOST} contexts", "delete one")
        cwd = any_path(body.text("cwd")) if "cwd" in body else "/workspace"
        conversation = await start(
            channel,
            _process(id),
            _socket(sandbox, id),
            language=language,
            program=body.text("interpreter") or LANGUAGES[language],
            cwd=sandbox.within(cwd),
            env=body.environment(),
        )
        self._open[sandbox.record.id, id] = conversation
        now = iso(now_ms())
        kept = {"id": id, "language": language, "cwd": cwd, "created": now, "last_used": now}
        kept["version"] = conversation.version
        sandbox.record.features.setdefault(NAME, []).append(kept)
        sandbox.save()
        self.hub.events.tell(
            "context.created", sandbox.record.id, sandbox.record.name, context=id, language=language
        )
        return kept

    async def _conversation(self, sandbox: Sandbox, channel: Channel, kept: dict[str, Any]) -> Conversation:
        """The connection to a context: the one there is, or a new one to a context that a hub before us made."""
        key = (sandbox.record.id, kept["id"])
        conversation = self._open.get(key)
        if conversation is None or conversation.closed:
            try:
                conversation = await Conversation.open(channel, _socket(sandbox, kept["id"]))
            except WorkbenchError:
                with contextlib.suppress(ValueError):
                    _kept(sandbox).remove(kept)
                sandbox.save()
                raise Problem(
                    410, "contexts.lost", f"the context {kept['id']} has ended", "make a new one"
                ) from None
            self._open[key] = conversation
        return conversation

    def _told(self, sandbox: Sandbox, kept: dict[str, Any]) -> dict[str, Any]:
        conversation = self._open.get((sandbox.record.id, kept["id"]))
        return kept | {"busy": conversation is not None and conversation.busy}

    def _sandbox(self, request: Request) -> Sandbox:
        return self.hub.sandboxes.get(request.path_params["id"])


def _language(body: Fields) -> str:
    language = body.text("language") or "python"
    if language not in LANGUAGES:
        raise invalid(f"language must be one of {', '.join(LANGUAGES)}")
    return language


def _kept(sandbox: Sandbox) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = sandbox.record.features.get(NAME, [])
    return kept


def _find(sandbox: Sandbox, id: str) -> dict[str, Any]:
    for kept in _kept(sandbox):
        if kept["id"] == id:
            return kept
    raise Problem(404, "contexts.not_found", f"there is no context {id!r} in {sandbox.record.name}")


def _process(id: str) -> str:
    return f"context-{id}"


def _socket(sandbox: Sandbox, id: str) -> str:
    """Where its host listens, inside; short, as the address of a socket has to be."""
    if sandbox.record.provider == "process":
        return f"{sandbox.disk.tmp}/contexts/{id}"
    return f"/run/cfwb-contexts/{id}"
