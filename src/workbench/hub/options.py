"""What may be asked of a sandbox when it is made, and changed later: read with care into its record."""

from __future__ import annotations

from typing import Any

from .bodies import Fields
from .problems import Problem, invalid
from .record import Record

PROVIDERS = ("bubblewrap", "container", "process")
NETWORKS = ("none", "allow", "all")
LIMITS = ("cpus", "memory_bytes", "processes", "disk_bytes")
_ONLY_NEW = ("provider", "unsafe", "from", "name", "mounts")
_ANY_TIME = ("env", "limits", "network", "keep_alive", "sleep_after")


def apply(record: Record, options: dict[str, Any], *, new: bool, like: Record | None = None) -> None:
    """Take over the options. Those that are the features' own (`from`, `mounts`) are left to them. like: whose kind it is."""
    for name in options:
        if name not in _ANY_TIME and not (new and name in _ONLY_NEW):
            raise invalid(f"{name} is not an option of a sandbox" if new else f"{name} cannot be changed")
    fields = Fields(options)
    if new and like is None:
        _provider(record, fields)
    if "env" in fields:
        record.env = fields.environment()
    if "limits" in fields:
        record.limits = _limits(fields)
    if "network" in fields:
        network = options["network"]
        # An object says more of it (features/network.py).
        mode = network.get("mode", record.network) if isinstance(network, dict) else network
        if mode not in NETWORKS:
            raise invalid(f"network must be one of {', '.join(NETWORKS)}, or an object with such a mode")
        record.network = mode
    record.keep_alive = fields.flag("keep_alive", record.keep_alive)
    if "sleep_after" in options:
        record.sleep_after = fields.number("sleep_after", least=1)


def _provider(record: Record, fields: Fields) -> None:
    record.unsafe = fields.flag("unsafe")
    record.provider = fields.text("provider")
    if record.provider and record.provider not in PROVIDERS:
        raise invalid(f"provider must be one of {', '.join(PROVIDERS)}")
    if record.provider == "process" and not record.unsafe:
        raise Problem(
            403,
            "sandboxes.unsafe_refused",
            "the provider `process` keeps nothing apart from this machine",
            "it is used only where `unsafe` is said too (--unsafe)",
        )


def _limits(fields: Fields) -> dict[str, float]:
    given = fields.object("limits")
    for name in given:
        if name not in LIMITS:
            raise invalid(f"limits has no {name}: there are {', '.join(LIMITS)}")
    limits = Fields(given)
    found = {name: limits.number(name, least=0.01 if name == "cpus" else 1) for name in LIMITS}
    return {name: value for name, value in found.items() if value is not None}
