"""The way out as programs in a real sandbox find it; and that there is no other, and nothing of a secret inside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.outside import Origin, origin
from tests.support.sandbox import USERS, Ground, Sandbox, on_ground, running
from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.environment import BUNDLE
from workbench.sandbox.spec import GivenFile, Spec

SECRET = "the-secret-value-4711"


class Place(NamedTuple):
    box: Sandbox
    egress: Egress
    server: Origin
    url: str


@asynccontextmanager
async def place(ground: Ground) -> AsyncIterator[Place]:
    """A sandbox that may reach one server of this machine, by the machine's name, and has a credential for it."""
    name = "host.cfwb.internal"
    with origin() as server:
        async with _allowed(ground, server, name) as made:
            yield made


@asynccontextmanager
async def _allowed(ground: Ground, server: Origin, name: str) -> AsyncIterator[Place]:
    owner = ground.machine.owner
    egress = await Egress.open(Path(ground.folder) / "data", keyring=False)
    try:
        await egress.set_policy("box", NetworkPolicy("allow", allow=(f"{name}:{server.port}",)))
        await egress.secrets.put("TOKEN", SECRET)
        await egress.add_rule("box", CredentialRule("", name, "bearer", "TOKEN", variable="API_TOKEN"))
        net = Path(ground.folder) / "net"
        await egress.attach("box", net, owner=None if owner is None else (owner, owner))
        bundle = GivenFile("/etc/ssl/certs/ca-certificates.crt", (net / BUNDLE).read_bytes())
        spec = Spec(net=str(net), env=await egress.environment("box"), files=(bundle,))
        async with running(ground.provider, ground.disk(), spec) as box:
            yield Place(box, egress, server, f"http://{name}:{server.port}")
    finally:
        await egress.close()


@pytest.mark.parametrize("user", USERS)
def test_programs_inside_reach_what_is_allowed_with_a_credential_they_never_see(user: str) -> None:
    async def look(ground: Ground) -> None:
        async with place(ground) as (box, egress, server, url):
            script = f"""
import json, os, urllib.request
said = urllib.request.urlopen("{url}/echo/python").read().decode()
print(said)
print(os.environ["API_TOKEN"])
"""
            told, stand_in = (await box.sh(f"python3 -c '{script}'")).splitlines()
            assert json.loads(told)["headers"]["Authorization"] == "Bearer " + "*" * len(SECRET)
            assert stand_in == "lent-by-cfwb"
            assert server.seen[-1][2]["authorization"] == f"Bearer {SECRET}"
            assert "curl" in await box.sh(f"curl -sS {url}/echo/curl || echo no curl")
            # Nowhere: neither in an environment nor in a command line nor in any file a sandbox has.
            search = (
                f"grep -r -l -a -s {SECRET[:-1]}[7] /proc/[0-9]*/environ /proc/[0-9]*/cmdline /run /etc /var /tmp /root"
                " /workspace /home 2>/dev/null; echo searched"
            )
            assert await box.sh(search) == "searched"
            assert (
                await box.sh("ls /run/cfwb/net") == "authority.pem\nbundle.pem\negress.sock\nnode-proxy.cjs"
            )
            assert "PRIVATE KEY" not in await box.sh("cat /run/cfwb/net/*.pem")
            paths = {entry.path for entry in (await egress.records.list("box")).items}
            assert "/echo/python" in paths

    on_ground(user, look)


@pytest.mark.parametrize("user", USERS)
def test_there_is_no_other_way_out(user: str) -> None:
    async def look(ground: Ground) -> None:
        async with place(ground) as (box, egress, server, url):
            tries = f"""
import socket, urllib.request
def reach(what, *address):
    try:
        socket.create_connection(address, 2).close()
        print(what, "reached")
    except OSError as error:
        print(what, "not")
reach("loopback", "127.0.0.1", {server.port})
reach("network", "1.1.1.1", 80)
reach("name", "example.com", 80)
for host in ("127.0.0.1", "localhost", "example.com", "169.254.169.254", "[::1]"):
    proxy = urllib.request.ProxyHandler({{"http": "http://127.0.0.1:3128"}})
    opener = urllib.request.build_opener(proxy)
    request = urllib.request.Request("http://%s:{server.port}/" % host)
    request.set_proxy("127.0.0.1:3128", "http")
    try:
        print(host, urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(request).status)
    except OSError as error:
        print(host, getattr(error, "code", error))
"""
            told = (await box.channel.run(["python3", "-c", tries])).stdout.decode().splitlines()
            assert told[:3] == ["loopback not", "network not", "name not"]
            assert [line.split()[1] for line in told[3:]] == ["403"] * 5
            assert server.seen == []
            reached = f"import urllib.request; print(urllib.request.urlopen('{url}/').status)"
            assert await box.sh(f'python3 -c "{reached}"') == "200"
            await egress.set_policy("box", NetworkPolicy("none"))
            assert "403" in await box.sh(f'python3 -c "{reached}" 2>&1 | tail -1')
            # What is bound inside cannot be changed from inside.
            refused = await box.sh(
                "rm -f /run/cfwb/net/egress.sock; echo x > /run/cfwb/net/bundle.pem; ls /run/cfwb/net"
            )
            assert "egress.sock" in refused and "ead-only" in refused

    on_ground(user, look)


@pytest.mark.parametrize("user", USERS)
def test_while_the_hub_is_away_there_is_no_network_and_then_again(user: str) -> None:
    async def look(ground: Ground) -> None:
        async with place(ground) as (box, egress, _, url):
            reached = f"import urllib.request; print(urllib.request.urlopen('{url}/').status)"
            await egress.detach("box")
            assert await box.sh(f'python3 -c "{reached}" 2>&1 | tail -1') != "200"
            owner = ground.machine.owner
            net = Path(ground.folder) / "net"
            await egress.attach("box", net, owner=None if owner is None else (owner, owner))
            assert await box.sh(f'python3 -c "{reached}"') == "200"

    on_ground(user, look)
