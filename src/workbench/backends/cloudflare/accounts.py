"""Which account: `CLOUDFLARE_ACCOUNT_ID`, the config's `account_id`, else the only one there is; with several, a choice."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from workbench.model.errors import UsageError, WorkbenchError

from .api import Api
from .paging import numbered

_ID = re.compile(r"[A-Za-z0-9_-]+")


class Account(NamedTuple):
    """source: where it is from: a variable, a config, or "the only one". name: None where nobody asked."""

    id: str
    source: str
    name: str | None = None


def named(
    configured: str | None, config_path: str = "", env: Mapping[str, str] | None = None
) -> Account | None:
    """The account that the environment or the config names, without asking anybody."""
    env = os.environ if env is None else env
    for variable in ("CLOUDFLARE_ACCOUNT_ID", "CF_ACCOUNT_ID"):
        if id := env.get(variable, "").strip():
            return Account(_checked(id, variable), variable)
    return Account(_checked(configured, config_path), config_path) if configured else None


def _checked(id: str, source: str) -> str:
    if not _ID.fullmatch(id):
        raise WorkbenchError(
            "remote.bad_account",
            f"{id!r}, from {source}, is no account's id",
            "it is made of letters, digits, - and _",
        )
    return id


async def all_accounts(api: Api) -> list[Account]:
    """Those that the credentials reach."""
    rows = await numbered(api.outside(), "/accounts", per_page=50)
    return [Account(str(row["id"]), "the API", str(row.get("name") or "")) for row in rows]


async def choose(api: Api, configured: str | None, config_path: str = "") -> Account:
    """The account to work on. Raises UsageError that lists them where there are several and none is named."""
    found = named(configured, config_path)
    if found is not None:
        return found
    accounts = await all_accounts(api)
    if len(accounts) == 1:
        return accounts[0]._replace(source="the only one there is")
    if not accounts:
        raise WorkbenchError(
            "remote.no_account",
            "the credentials reach no account",
            "name one by CLOUDFLARE_ACCOUNT_ID, if they may not list them",
        )
    listed = ", ".join(f"{account.id} ({account.name})" for account in accounts)
    raise UsageError(
        f"there are several accounts: {listed}",
        "choose one: CLOUDFLARE_ACCOUNT_ID=..., or account_id in the Worker's config",
    )
