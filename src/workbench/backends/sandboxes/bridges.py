"""Deployed bridges of this user: a name, a URL and a token each, whichever project one is in.

Names and URLs lie in a file of the user's state folder, tokens in the system's keyring where there is one, else in a file of mode 0600
beside it (`secret_store`).
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from workbench.model.bridges import Bridge
from workbench.model.errors import WorkbenchError
from workbench.model.times import iso, now_ms
from workbench.secret_store import Secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SERVICE = "cfwb bridges"


def folder_of_bridges() -> Path:
    """`$XDG_STATE_HOME/cfwb/bridges`."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(base) / "cfwb" / "bridges"


class Bridges:
    """All of them. keyring: False keeps tokens in the file."""

    def __init__(self, folder: Path | None = None, *, keyring: bool = True) -> None:
        folder = folder or folder_of_bridges()
        self._path = folder / "bridges.json"
        self._tokens = Secrets(folder / "tokens.json", _SERVICE, keyring=keyring)
        self._known = _read(self._path)

    def list(self) -> list[Bridge]:
        """By name."""
        kept = {token.name: token.kept_in for token in self._tokens.list()}
        return [
            Bridge(name, entry["url"], entry["created"], kept.get(name, ""))
            for name, entry in sorted(self._known.items())
        ]

    def get(self, name: str) -> Bridge:
        """Raises WorkbenchError (`bridges.not_found`)."""
        for bridge in self.list():
            if bridge.name == name:
                return bridge
        known = ", ".join(self._known) or "none"
        raise WorkbenchError("bridges.not_found", f"there is no bridge {name!r}", f"there are: {known}")

    def token(self, name: str) -> str:
        """Raises WorkbenchError where it is gone."""
        token = self._tokens.value_now(name)
        if token is None:
            raise WorkbenchError(
                "bridges.no_token",
                f"the token of the bridge {name} is not to be had: the keyring is locked, or it was deleted",
                f"cfwb bridges create {name} gives it again",
            )
        return token

    async def put(self, name: str, url: str, token: str) -> Bridge:
        """Add one, or give one another URL and token. Raises WorkbenchError."""
        if not _NAME.fullmatch(name):
            raise WorkbenchError(
                "bridges.bad_name", f"{name!r}: a bridge's name has letters, digits, dots and dashes"
            )
        url = checked_url(url)
        await self._tokens.put(name, token)
        self._known[name] = {"url": url, "created": iso(now_ms())}
        self._write()
        return self.get(name)

    async def delete(self, name: str) -> None:
        """Forget one with its token; what is deployed stays. Raises WorkbenchError."""
        self.get(name)
        del self._known[name]
        self._write()
        if any(token.name == name for token in self._tokens.list()):
            await self._tokens.delete(name)

    def _write(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps({"version": 1, "bridges": self._known}))
        fresh.replace(self._path)


def checked_url(url: str) -> str:
    """An address a token may be sent to: https, or http on this machine. Raises WorkbenchError."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    local = host in ("localhost", "127.0.0.1", "::1") or (host or "").endswith(".localhost")
    if not host or parts.scheme not in ("https", "http") or parts.username or parts.query or parts.fragment:
        raise WorkbenchError(
            "bridges.bad_url", f"{url!r} is no address of a bridge", "https://NAME.SUBDOMAIN.workers.dev"
        )
    if parts.scheme == "http" and not local:
        raise WorkbenchError(
            "bridges.bad_url",
            f"{url} is not encrypted, and the token would be read on the way",
            "https://...",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise WorkbenchError("bridges.damaged", f"{path} is not what was written there") from None
    if not isinstance(content, dict) or content.get("version") != 1:
        raise WorkbenchError("bridges.version", f"{path} was written by another version of cfwb")
    return dict(content["bridges"])
