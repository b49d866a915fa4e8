"""What was decided for each sandbox: its network policy and its credential rules, on disk."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import aiosqlite

from workbench.model.network import CredentialRule, NetworkPolicy


class Settings(NamedTuple):
    """A sandbox's policy and rules."""

    policy: NetworkPolicy = NetworkPolicy()
    rules: tuple[CredentialRule, ...] = ()


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def policy_from(fields: dict[str, Any]) -> NetworkPolicy:
    """A policy from JSON; what is not named keeps its default, unknown names are refused with TypeError."""
    return NetworkPolicy(**_tuples(fields))


def rule_from(fields: dict[str, Any]) -> CredentialRule:
    """A rule from JSON. Raises TypeError for unknown or missing names."""
    return CredentialRule(**_tuples(fields))


async def read_settings(store: aiosqlite.Connection, sandbox: str) -> Settings:
    """What was kept, or the default (every public host, no credentials)."""
    async with store.execute("select policy, rules from settings where sandbox = ?", (sandbox,)) as rows:
        row = await rows.fetchone()
    if row is None:
        return Settings()
    return Settings(policy_from(json.loads(row[0])), tuple(rule_from(each) for each in json.loads(row[1])))


async def write_settings(store: aiosqlite.Connection, sandbox: str, settings: Settings) -> None:
    """Keep them."""
    await store.execute(
        "insert or replace into settings (sandbox, policy, rules) values (?, ?, ?)",
        (
            sandbox,
            json.dumps(settings.policy._asdict()),
            json.dumps([rule._asdict() for rule in settings.rules]),
        ),
    )


async def forget_settings(store: aiosqlite.Connection, sandbox: str) -> None:
    """The sandbox is gone; its requests stay."""
    await store.execute("delete from settings where sandbox = ?", (sandbox,))
