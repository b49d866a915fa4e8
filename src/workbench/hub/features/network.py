"""The way out of sandboxes: what each may reach, the credentials it is lent, the record of what it asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.environment import BUNDLE
from workbench.sandbox.egress.policy import Access
from workbench.sandbox.machine import Machine
from workbench.sandbox.spec import GivenFile, Spec

from ..bodies import Fields, required_json
from ..feature import Feature
from ..problems import Problem, invalid
from ..record import Record
from ..sandbox import Sandbox
from ..streams import Streamed, event

BUNDLE_INSIDE = "/etc/ssl/certs/ca-certificates.crt"
_LISTS = ("allow", "deny", "private", "tunnel")


class Network(Feature):
    """`{id}/network`, `{id}/rule`, `{id}/requests`; `/v1/secret` and `/v1/requests` of the whole hub.

    A sandbox without isolation (provider `process`) uses the machine's network as it likes: nothing here holds for it, and it is told so.
    """

    def __init__(self, hub: Any) -> None:
        super().__init__(hub)
        self._egress: Egress | None = None

    @property
    def egress(self) -> Egress:
        if self._egress is None:
            raise Problem(503, "sandboxes.starting", "the hub has only just started")
        return self._egress

    def routes(self) -> list[BaseRoute]:
        one = "/v1/sandbox/{id}"
        return [
            Route(one + "/network", self.get, methods=["GET"]),
            Route(one + "/network", self.put, methods=["PUT"]),
            Route(one + "/rule", self.rules, methods=["GET"]),
            Route(one + "/rule", self.create_rule, methods=["POST"]),
            Route(one + "/rule/{rule}", self.delete_rule, methods=["DELETE"]),
            Route(one + "/requests", self.requests, methods=["GET"]),
            Route("/v1/requests", self.requests, methods=["GET"]),
            Route("/v1/secret", self.secrets, methods=["GET"]),
            Route("/v1/secret/{name:path}", self.put_secret, methods=["PUT"]),
            Route("/v1/secret/{name:path}", self.delete_secret, methods=["DELETE"]),
        ]

    async def open(self) -> None:
        self._egress = await Egress.open(Path(self.hub.places.data))
        for sandbox in self.hub.sandboxes:
            if sandbox.alive:
                await self._attach(sandbox)

    async def close(self) -> None:
        if self._egress is not None:
            await self._egress.close()

    async def created(self, sandbox: Sandbox, options: dict[str, Any]) -> None:
        network = options.get("network")
        given = network if isinstance(network, dict) else {}
        await self.egress.set_policy(
            sandbox.record.id, _policy(NetworkPolicy(), {"mode": sandbox.record.network} | given)
        )

    async def forked(self, sandbox: Sandbox, like: Record) -> None:
        await self.egress.copy(like.id, sandbox.record.id)

    async def changed(self, sandbox: Sandbox, changes: dict[str, Any]) -> None:
        if "network" in changes:
            network = changes["network"]
            policy = await self.egress.policy(sandbox.record.id)
            await self._set(
                sandbox, _policy(policy, network if isinstance(network, dict) else {"mode": network})
            )

    async def starting(self, sandbox: Sandbox, spec: Spec) -> Spec:
        if not _isolated(sandbox):
            return spec
        folder = await self._attach(sandbox)
        bundle = await asyncio.to_thread((folder / BUNDLE).read_bytes)
        environment = await self.egress.environment(sandbox.record.id)
        return spec._replace(
            net=str(folder),
            env=environment | dict(spec.env),
            files=(*spec.files, GivenFile(BUNDLE_INSIDE, bundle)),
        )

    async def stopped(self, sandbox: Sandbox) -> None:
        if self._egress is not None:
            await self._egress.detach(sandbox.record.id)

    async def deleted(self, sandbox: Sandbox) -> None:
        await self.egress.forget(sandbox.record.id)

    async def exposes(self, sandbox: Sandbox) -> list[str]:
        if not _isolated(sandbox):
            return []
        policy = await self.egress.policy(sandbox.record.id)
        near = [] if policy.mode == "none" else Access(policy).named_near
        return [f"it may reach {', '.join(near)}, on this machine or in a private network"] if near else []

    async def details(self, sandbox: Sandbox) -> dict[str, Any]:
        return {"network": await self._told(sandbox)}

    async def _attach(self, sandbox: Sandbox) -> Path:
        folder = Path(sandbox.folder) / "net"
        if _isolated(sandbox):
            await self.egress.attach(sandbox.record.id, folder, owner=_owner(sandbox))
        return folder

    async def get(self, request: Request) -> Response:
        """What it may reach: `{mode, allow, deny, private, inspect, tunnel, enforced}`."""
        return JSONResponse(await self._told(self._sandbox(request)))

    async def put(self, request: Request) -> Response:
        """Change it, at once; what is not named stays. Connections that are no longer allowed end."""
        sandbox = self._sandbox(request)
        given = (await required_json(request)).values
        policy = await self.egress.policy(sandbox.record.id)
        await self._set(sandbox, _policy(policy, given))
        return JSONResponse(await self._told(sandbox))

    async def rules(self, request: Request) -> Response:
        """Its credential rules: `{rules}`."""
        rules = await self.egress.rules(self._sandbox(request).record.id)
        return JSONResponse({"rules": [rule._asdict() for rule in rules]})

    async def create_rule(self, request: Request) -> Response:
        """Lend it a credential: `{host, kind, secret, name?, user?, prefix?, path?, methods?, plain?, variable?}`; the rule with its id."""
        sandbox = self._sandbox(request)
        body = await required_json(request)
        texts = {
            name: body.text(name)
            for name in ("host", "kind", "secret", "name", "user", "prefix", "path", "variable")
        }
        rule = CredentialRule(id="", methods=tuple(body.texts("methods")), plain=body.flag("plain"), **texts)  # type: ignore[arg-type]
        made = await self.egress.add_rule(sandbox.record.id, rule)
        await self._refresh_environment(sandbox)
        self._tell("credential.created", sandbox, rule=made.id, host=made.host)
        return JSONResponse(made._asdict())

    async def delete_rule(self, request: Request) -> Response:
        """Take it back."""
        sandbox = self._sandbox(request)
        await self.egress.delete_rule(sandbox.record.id, request.path_params["rule"])
        await self._refresh_environment(sandbox)
        self._tell("credential.deleted", sandbox, rule=request.path_params["rule"])
        return Response(status_code=204)

    async def requests(self, request: Request) -> Response:
        """What it asked for, the newest first: `{requests, cursor}`; with `?follow=1` events `request` as they begin and end.

        `/v1/requests` is of all sandboxes, those that are gone among them (`?sandbox=` an id).
        """
        sandbox = request.query_params.get("sandbox")
        if "id" in request.path_params:
            sandbox = self._sandbox(request).record.id
        if request.query_params.get("follow") in ("1", "true"):
            return Streamed(self._follow(sandbox))
        limit = request.query_params.get("limit") or "100"
        if not limit.isdecimal() or not 0 < int(limit) <= 1000:
            raise invalid("limit must be a whole number from 1 to 1000")
        cursor = request.query_params.get("cursor")
        page = await self.egress.records.list(sandbox, limit=int(limit), cursor=cursor)
        return JSONResponse({"requests": [entry._asdict() for entry in page.items], "cursor": page.cursor})

    async def _follow(self, sandbox: str | None) -> AsyncIterator[bytes]:
        async with self.egress.records.follow(sandbox) as following:
            lost = 0
            yield b": follows\n\n"
            while True:
                entry = await following.next()
                if following.lost != lost:
                    yield event("lost", {"count": following.lost - lost})
                    lost = following.lost
                yield event("request", entry._asdict(), id=entry.id)

    async def secrets(self, request: Request) -> Response:
        """Names of the secrets this hub holds, never their values: `{secrets}`."""
        return JSONResponse({"secrets": [secret._asdict() for secret in self.egress.secrets.list()]})

    async def put_secret(self, request: Request) -> Response:
        """Keep a secret: `{value}`. It holds at once for every rule that names it."""
        body = await required_json(request)
        kept = await self.egress.secrets.put(request.path_params["name"], body.text("value"))
        await self.egress.reload_secrets()
        return JSONResponse(kept._asdict())

    async def delete_secret(self, request: Request) -> Response:
        """Forget it; rules that name it do nothing from then on."""
        await self.egress.secrets.delete(request.path_params["name"])
        await self.egress.reload_secrets()
        return Response(status_code=204)

    async def _set(self, sandbox: Sandbox, policy: NetworkPolicy) -> None:
        await self.egress.set_policy(sandbox.record.id, policy)
        sandbox.record.network = policy.mode
        sandbox.save()
        self._tell("network.changed", sandbox, mode=policy.mode)

    async def _told(self, sandbox: Sandbox) -> dict[str, Any]:
        policy = await self.egress.policy(sandbox.record.id)
        return policy._asdict() | {"enforced": _isolated(sandbox)}

    async def _refresh_environment(self, sandbox: Sandbox) -> None:
        """Stand-ins for keys are variables: what starts from now on has them as the rules say."""
        if sandbox.alive and _isolated(sandbox):
            environment = await self.egress.environment(sandbox.record.id)
            with contextlib.suppress(
                Exception
            ):  # a sandbox that does not answer gets them with its next start
                await sandbox.channel.configure(environment | sandbox.record.env)

    def _tell(self, what: str, sandbox: Sandbox, **more: Any) -> None:
        self.hub.events.tell(what, sandbox.record.id, sandbox.record.name, **more)

    def _sandbox(self, request: Request) -> Sandbox:
        return self.hub.sandboxes.get(request.path_params["id"])


def _isolated(sandbox: Sandbox) -> bool:
    return sandbox.record.provider != "process"


def _owner(sandbox: Sandbox) -> tuple[int, int] | None:
    """Who runs inside, as this machine counts, where that is not the hub's own user: root becomes nobody first."""
    owner = Machine().owner if sandbox.record.provider == "bubblewrap" else None
    return None if owner is None else (owner, owner)


def _policy(policy: NetworkPolicy, given: dict[str, Any]) -> NetworkPolicy:
    """The policy with what was given in the place of what it had."""
    for name in given:
        if name not in NetworkPolicy._fields:
            raise invalid(f"network has no {name}: there are {', '.join(NetworkPolicy._fields)}")
    fields = Fields(given)
    changes: dict[str, Any] = {name: fields.text(name) for name in ("mode", "inspect") if name in fields}
    changes |= {name: tuple(fields.texts(name)) for name in _LISTS if name in fields}
    return policy._replace(**changes)
