"""Repositories cloned into a sandbox by its own git."""

from __future__ import annotations

import posixpath
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..bodies import required_json
from ..bridge import WORKSPACE, any_path
from ..feature import Feature
from ..problems import Problem, invalid


class Repositories(Feature):
    """`{id}/checkout`"""

    def routes(self) -> list[BaseRoute]:
        return [Route("/v1/sandbox/{id}/checkout", self.checkout, methods=["POST"])]

    async def checkout(self, request: Request) -> Response:
        """`{url, path?, branch?, depth?}`: `{url, path, branch, commit}`. The folder is new or empty; by default named after the URL."""
        sandbox = self.hub.sandboxes.get(request.path_params["id"])
        body = await required_json(request)
        url, branch, depth = body.text("url"), body.text("branch") or None, body.whole("depth", least=1)
        if not url or url.startswith("-"):
            raise invalid("url must be what git can clone")
        path = any_path(body.text("path")) if "path" in body else f"{WORKSPACE}/{folder_of(url)}"
        inside = sandbox.within(posixpath.normpath(path))
        argv = ["git", "clone", "--quiet"]
        if branch is not None:
            argv += ["--branch", branch]
        if depth is not None:
            argv += ["--depth", str(depth)]
        async with sandbox.use() as channel:
            env = {"GIT_TERMINAL_PROMPT": "0"}
            done = await channel.run([*argv, "--", url, inside], env=env, cwd="/", most=1 << 20)
            if done.exit_code != 0:
                said = done.stderr.decode("utf-8", "replace").strip()[-2000:]
                raise Problem(502, "sandboxes.checkout_failed", f"git clone failed: {said or done.exit_code}")
            ask = ["git", "-C", inside]
            head = await channel.run([*ask, "rev-parse", "HEAD"], cwd="/", most=1 << 20)
            on = await channel.run([*ask, "branch", "--show-current"], cwd="/", most=1 << 20)
        return JSONResponse(
            {
                "url": url,
                "path": sandbox.without(inside),
                "branch": on.stdout.decode("utf-8", "replace").strip() or None,
                "commit": head.stdout.decode("utf-8", "replace").strip() if head.exit_code == 0 else None,
            }
        )


def folder_of(url: str) -> str:
    """What git would call the folder."""
    name = re.split(r"[/:]", url.rstrip("/").removesuffix("/.git"))[-1].removesuffix(".git")
    return name if name not in ("", ".", "..") else "repository"
