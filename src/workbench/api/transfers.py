"""Files on their way in or out, each at an address of its own that nobody can guess, for an hour at most."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from threading import Lock
from typing import IO, Any, NamedTuple

from .errors import ApiError

LIFE = 3600.0
MOST = 64


class Transfer(NamedTuple):
    """database: whose. options: of the dump that is to be fetched, or None for a file that is to be uploaded. file: that file."""

    database: str
    options: dict[str, Any] | None
    file: IO[bytes] | None
    until: float


class Transfers:
    """Those of one server. An uploaded file has no name on the disk, so nothing is left of it whatever happens."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._all: dict[str, Transfer] = {}

    def offer(self, database: str, options: dict[str, Any]) -> str:
        """A dump may be fetched once or more; its secret."""
        return self._add(Transfer(database, options, None, time.monotonic() + LIFE))

    def expect(self, database: str) -> str:
        """A file is to be uploaded; its secret."""
        return self._add(Transfer(database, None, tempfile.TemporaryFile(), time.monotonic() + LIFE))

    def _add(self, transfer: Transfer) -> str:
        secret = secrets.token_urlsafe(32)
        with self._lock:
            now = time.monotonic()
            gone = [key for key, one in self._all.items() if one.until < now]
            gone += list(self._all)[: max(0, len(self._all) - len(gone) - MOST + 1)]
            for key in gone:
                self._drop(key)
            self._all[secret] = transfer
        return secret

    def _drop(self, secret: str) -> None:
        found = self._all.pop(secret, None)
        if found is not None and found.file is not None:
            found.file.close()

    def find(self, secret: str) -> Transfer:
        """The transfer at an address. Raises ApiError (404)."""
        with self._lock:
            found = self._all.get(secret)
        if found is None or found.until < time.monotonic():
            raise ApiError(404, 10000, "There is no such transfer, or it has ended.")
        return found

    def end(self, secret: str) -> None:
        """It is done with."""
        with self._lock:
            self._drop(secret)


def store(file: IO[bytes], pieces: Iterator[bytes]) -> str:
    """Write a file anew; its MD5 in hex, which is its ETag."""
    digest = hashlib.md5(usedforsecurity=False)
    file.seek(0)
    file.truncate()
    for piece in pieces:
        digest.update(piece)
        file.write(piece)
    file.flush()
    return digest.hexdigest()


def md5_of(file: IO[bytes]) -> str:
    """Of all of it; the file is at its beginning afterwards."""
    digest = hashlib.md5(usedforsecurity=False)
    file.seek(0)
    while piece := file.read(1 << 20):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
