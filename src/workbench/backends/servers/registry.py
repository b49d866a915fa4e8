"""Wrangler's registry folder: a file a Worker that runs, by which dev servers find each other.

A file's name is the Worker's; it holds the address of its runtime's debug port, by which the server is told. It says no address a
person could use, and a server that was killed leaves its files. (miniflare, shared/dev-registry)
"""

import json
import os
from collections.abc import Collection, Mapping

from workbench.backends.cloudflare.wrangler_login import wrangler_home


def folder(env: Mapping[str, str]) -> str:
    """`WRANGLER_REGISTRY_PATH`, else `registry` in wrangler's own folder."""
    return env.get("WRANGLER_REGISTRY_PATH") or os.path.join(wrangler_home(env), "registry")


def by_port(env: Mapping[str, str]) -> dict[int, tuple[str, ...]]:
    """The names of the Workers behind each debug port; those of servers that are gone included."""
    place = folder(env)
    found: dict[int, list[str]] = {}
    try:
        names = sorted(os.listdir(place))
    except OSError:
        return {}
    for name in names:
        try:
            with open(os.path.join(place, name), encoding="utf-8") as file:
                port = str(json.load(file)["debugPortAddress"]).rpartition(":")[2]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if port.isdigit():
            found.setdefault(int(port), []).append(name)
    return {port: tuple(workers) for port, workers in found.items()}


def of_ports(known: Mapping[int, tuple[str, ...]], ports: Collection[int]) -> tuple[str, ...]:
    """The Workers that are registered by a server that listens there."""
    return tuple(name for port in ports for name in known.get(port, ()))
