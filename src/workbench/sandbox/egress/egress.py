"""The way out of all sandboxes of a data root: what the hub holds."""

from __future__ import annotations

import asyncio
import secrets as randomness
import ssl
from pathlib import Path

import aiosqlite

from workbench.model.errors import WorkbenchError
from workbench.model.network import CredentialRule, NetworkPolicy
from workbench.secret_store import Secrets

from .authority import Authority
from .environment import SOCKET, environment, write_files
from .gate import Gate
from .limits import Limits
from .outside import Outside
from .policy import Access
from .records import Records
from .rules import Credentials, check_rule
from .settings import Settings, forget_settings, read_settings, write_settings
from .store import open_store
from .upstream import trusting


class Egress:
    """One a data root. `open` it, `attach` each sandbox while it is awake, `close` it.

    secrets: the values rules speak of. records: what sandboxes asked for.
    """

    def __init__(
        self,
        root: Path,
        store: aiosqlite.Connection,
        records: Records,
        secrets: Secrets,
        trust: ssl.SSLContext,
        limits: Limits,
    ) -> None:
        self._root = root
        self._store = store
        self.records = records
        self.secrets = secrets
        self._trust = trust
        self._limits = limits
        self._gates: dict[str, Gate] = {}
        self._changing = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        root: Path,
        *,
        keyring: bool = True,
        trust: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> Egress:
        """Open what lies in `root` (made with mode 0700 where missing). trust: other roots than the machine's."""
        folder = root / "egress"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        secrets = Secrets(folder / "secrets.json", f"cfwb {root.name}", keyring=keyring)
        store = await open_store(folder / "egress.sqlite")
        records = await Records.open(store)
        return cls(folder, store, records, secrets, trust or trusting(), limits or Limits())

    async def close(self) -> None:
        """End every connection; sandboxes have no network until a hub attaches them again."""
        for gate in list(self._gates.values()):
            await gate.close()
        self._gates.clear()
        await self.records.close()
        await self._store.close()

    async def attach(self, sandbox: str, folder: Path, *, owner: tuple[int, int] | None = None) -> None:
        """Open a sandbox's way out in `folder` (its `net/`): socket, certificates, and Node's helper. Again: does nothing.

        owner: (uid, gid) on this machine of what runs inside, where that is not the hub's own user.
        """
        if sandbox in self._gates:
            return
        settings = await read_settings(self._store, sandbox)
        authority = await asyncio.to_thread(Authority, self._key_path(sandbox), sandbox)
        await asyncio.to_thread(write_files, folder, authority.certificate)
        gate = Gate(
            Outside(
                sandbox,
                Access(settings.policy),
                await self._credentials(settings),
                authority=authority,
                trust=self._trust,
                records=self.records,
                limits=self._limits,
            )
        )
        await gate.open(folder / SOCKET, owner)
        self._gates[sandbox] = gate

    async def detach(self, sandbox: str) -> None:
        """Close it: the sandbox sleeps or has stopped."""
        gate = self._gates.pop(sandbox, None)
        if gate is not None:
            await gate.close()

    async def forget(self, sandbox: str) -> None:
        """The sandbox was deleted: its rules, policy and authority go. What it asked for stays readable."""
        await self.detach(sandbox)
        await forget_settings(self._store, sandbox)
        self._key_path(sandbox).unlink(missing_ok=True)

    async def policy(self, sandbox: str) -> NetworkPolicy:
        """What it may reach."""
        return (await read_settings(self._store, sandbox)).policy

    async def set_policy(self, sandbox: str, policy: NetworkPolicy) -> None:
        """From now on; connections it does not allow are ended. Raises UsageError."""
        Access(policy)
        async with self._changing:
            settings = await read_settings(self._store, sandbox)
            await self._change(sandbox, settings._replace(policy=policy))

    async def rules(self, sandbox: str) -> tuple[CredentialRule, ...]:
        """Its credential rules, in the order they were made."""
        return (await read_settings(self._store, sandbox)).rules

    async def add_rule(self, sandbox: str, rule: CredentialRule) -> CredentialRule:
        """Add one (its id is given here). Raises UsageError, or WorkbenchError where the secret is not there."""
        check_rule(rule)
        if all(known.name != rule.secret for known in self.secrets.list()):
            raise WorkbenchError(
                "secrets.not_found", f"there is no secret {rule.secret!r}", "give it to the hub first"
            )
        rule = rule._replace(id=f"r{randomness.token_hex(4)}")
        async with self._changing:
            settings = await read_settings(self._store, sandbox)
            await self._change(sandbox, settings._replace(rules=(*settings.rules, rule)))
        return rule

    async def delete_rule(self, sandbox: str, id: str) -> None:
        """Take one away. Raises WorkbenchError (`credentials.not_found`)."""
        async with self._changing:
            settings = await read_settings(self._store, sandbox)
            left = tuple(rule for rule in settings.rules if rule.id != id)
            if len(left) == len(settings.rules):
                raise WorkbenchError("credentials.not_found", f"there is no rule {id!r} for this sandbox")
            await self._change(sandbox, settings._replace(rules=left))

    async def copy(self, source: str, target: str) -> None:
        """Give a fork what its origin has: the same policy and rules, an authority of its own."""
        async with self._changing:
            await self._change(target, await read_settings(self._store, source))

    async def reload_secrets(self) -> None:
        """Use the secrets as they are now, after one was put or deleted."""
        async with self._changing:
            for sandbox in list(self._gates):
                await self._apply(sandbox, await read_settings(self._store, sandbox))

    async def environment(self, sandbox: str) -> dict[str, str]:
        """The variables its processes get (those inside a bubblewrap sandbox or a container)."""
        return environment(rule.variable for rule in await self.rules(sandbox) if rule.variable)

    async def _change(self, sandbox: str, settings: Settings) -> None:
        await write_settings(self._store, sandbox, settings)
        await self._apply(sandbox, settings)

    async def _apply(self, sandbox: str, settings: Settings) -> None:
        gate = self._gates.get(sandbox)
        if gate is not None:
            gate.outside.change(Access(settings.policy), await self._credentials(settings))

    async def _credentials(self, settings: Settings) -> Credentials:
        values = {rule.secret: await self.secrets.value(rule.secret) or "" for rule in settings.rules}
        return Credentials(settings.rules, values)

    def _key_path(self, sandbox: str) -> Path:
        if not sandbox.isalnum():
            raise ValueError(f"not a sandbox id: {sandbox!r}")
        return self._root / "authorities" / f"{sandbox}.pem"
