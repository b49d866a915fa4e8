"""Secrets by name: in the system's keyring where there is one, else in a file that only its owner reads.

What the hub lends to sandboxes on their way out, and the tokens of bridges, are kept so. A value leaves this module only towards a request
it is sent with; it is never logged, listed or put into an error. May import model/.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.network import SecretName
from workbench.model.times import iso, now_ms

# A shorter one could be found out by trying which text comes back masked.
SHORTEST = 4
LONGEST = 16_384


def _system_keyring() -> Any | None:
    """The keyring module where it has a place to keep things in, else None."""
    try:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
        usable = not isinstance(backend, (fail.Keyring, null.Keyring)) and backend.priority > 0
    except Exception:  # a keyring that cannot be asked is no keyring, whatever it raises
        return None
    return keyring if usable else None


def _check(name: str, value: str) -> None:
    if not name or len(name) > 128 or not name.isprintable():
        raise WorkbenchError(
            "secrets.bad_name",
            "a secret's name has 1 to 128 printable characters",
            "for example GITHUB_TOKEN",
        )
    if not SHORTEST <= len(value) <= LONGEST:
        raise WorkbenchError(
            "secrets.bad_value", f"a secret has {SHORTEST} to {LONGEST} characters; this one has {len(value)}"
        )
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise WorkbenchError("secrets.bad_value", "a secret holds no line breaks or control characters")


class Secrets:
    """Names and values. `path` is the file (mode 0600) that holds the names and, without a keyring, the values.

    service: the keyring's name for this data root. keyring: False keeps everything in the file.
    """

    def __init__(self, path: Path, service: str, *, keyring: bool = True) -> None:
        self._path = path
        self._service = service
        self._keyring = _system_keyring() if keyring else None
        self._lock = asyncio.Lock()
        self._known: dict[str, dict[str, Any]] = _read(path)

    def list(self) -> list[SecretName]:
        """The names, sorted."""
        return [
            SecretName(name, str(entry["created"]), str(entry["kept_in"]))
            for name, entry in sorted(self._known.items())
        ]

    async def put(self, name: str, value: str) -> SecretName:
        """Keep a value under a name, over what was there. Line ends around it go (it may come from a file). Raises WorkbenchError."""
        value = value.strip("\r\n")
        _check(name, value)
        async with self._lock:
            entry: dict[str, Any] = {
                "created": iso(now_ms()),
                "kept_in": "file",
                "value": value,
            }
            if self._keyring is not None and await self._in_keyring(name, value):
                entry = {"created": entry["created"], "kept_in": "keyring"}
            await asyncio.to_thread(_write, self._path, self._known | {name: entry})
            self._known[name] = entry
        return SecretName(name, str(entry["created"]), str(entry["kept_in"]))

    async def value(self, name: str) -> str | None:
        """The value, or None where there is no such secret (any more)."""
        return await asyncio.to_thread(self.value_now, name)

    def value_now(self, name: str) -> str | None:
        """The same for who has no event loop; a keyring may take its time."""
        entry = self._known.get(name)
        if entry is None:
            return None
        if entry["kept_in"] == "file":
            return str(entry["value"])
        if self._keyring is None:
            return None
        try:
            found = self._keyring.get_password(self._service, name)
        except Exception:  # locked, or gone with the session: it is not to be had until it is back
            return None
        return None if found is None else str(found)

    async def delete(self, name: str) -> None:
        """Raises WorkbenchError (`secrets.not_found`)."""
        async with self._lock:
            entry = self._known.get(name)
            if entry is None:
                raise WorkbenchError("secrets.not_found", f"there is no secret {name!r}")
            if entry["kept_in"] == "keyring" and self._keyring is not None:
                with contextlib.suppress(Exception):  # already gone from it, by another hand
                    await asyncio.to_thread(self._keyring.delete_password, self._service, name)
            await asyncio.to_thread(
                _write, self._path, {key: kept for key, kept in self._known.items() if key != name}
            )
            del self._known[name]

    async def _in_keyring(self, name: str, value: str) -> bool:
        assert self._keyring is not None
        try:
            await asyncio.to_thread(self._keyring.set_password, self._service, name, value)
        except Exception:  # a keyring that is locked or refuses: the file is what is left
            return False
        return True


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        if path.stat().st_mode & 0o077:
            raise WorkbenchError("secrets.exposed", f"{path} can be read by others", f"chmod 600 {path}")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise WorkbenchError("secrets.damaged", f"{path} is not what was written there") from None
    if not isinstance(content, dict) or content.get("version") != 1:
        raise WorkbenchError("secrets.version", f"{path} was written by another version of cfwb")
    return dict(content["secrets"])


def _write(path: Path, known: dict[str, dict[str, Any]]) -> None:
    """Complete beside the old file first: a crash leaves the one or the other."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "secrets": known}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
