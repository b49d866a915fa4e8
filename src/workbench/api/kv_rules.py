"""What KV takes, and what the emulator says of what it does not take (miniflare, workers/kv/validator.worker)."""

from __future__ import annotations

import json
from typing import Any

from workbench.model.times import now_ms

from .errors import GENERAL, ApiError

LONGEST_KEY = 512
LARGEST = 25 << 20
LARGEST_METADATA = 1024
SHORTEST_LIFE = 60


def checked_key(key: str, code: int = GENERAL) -> str:
    """A key that KV takes. Raises ApiError."""
    if key == "":
        raise ApiError(400, code, "Key names must not be empty")
    if key in (".", ".."):
        raise ApiError(400, code, f'Illegal key name "{key}". Please use a different name.')
    return checked_length(key, code)


def checked_length(text: str, code: int = GENERAL) -> str:
    """A key or a prefix that is not too long. Raises ApiError."""
    length = len(text.encode("utf-8", "surrogatepass"))
    if length > LONGEST_KEY:
        raise ApiError(
            414, code, f"UTF-8 encoded length of {length} exceeds key length limit of {LONGEST_KEY}."
        )
    return text


def checked_life(expiration: Any, ttl: Any, code: int = GENERAL) -> int | None:
    """When a value expires, in Unix seconds; ttl goes before expiration. Raises ApiError."""
    now = now_ms() // 1000
    if ttl is not None:
        seconds = int(ttl)
        if seconds <= 0:
            raise ApiError(
                400, code, f"Invalid expiration_ttl of {ttl}. Please specify integer greater than 0."
            )
        if seconds < SHORTEST_LIFE:
            raise ApiError(
                400,
                code,
                f"Invalid expiration_ttl of {ttl}. Expiration TTL must be at least {SHORTEST_LIFE}.",
            )
        return now + seconds
    if expiration is None:
        return None
    moment = int(expiration)
    if moment <= now:
        raise ApiError(
            400,
            code,
            f"Invalid expiration of {expiration}. Please specify integer greater than the current number of seconds "
            "since the UNIX epoch.",
        )
    if moment < now + SHORTEST_LIFE:
        raise ApiError(
            400,
            code,
            f"Invalid expiration of {expiration}. Expiration times must be at least {SHORTEST_LIFE} seconds in the future.",
        )
    return moment


def check_metadata(metadata: Any, code: int = GENERAL) -> None:
    """Raises ApiError for metadata that is too long as JSON."""
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    length = len(text.encode("utf-8", "surrogatepass"))
    if length > LARGEST_METADATA:
        raise ApiError(413, code, f"Metadata length of {length} exceeds limit of {LARGEST_METADATA}.")


def check_size(length: int, code: int = GENERAL) -> None:
    """Raises ApiError for a value that is too large."""
    if length > LARGEST:
        raise ApiError(413, code, f"Value length of {length} exceeds limit of {LARGEST}.")
