"""What a request says, read with care: a JSON object and its fields, each of the type it must have."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from .problems import Problem, invalid

LARGEST_JSON = 96 << 20
"""Bytes: room for what a command may be given as standard input, in base64."""


class Fields:
    """The fields of a JSON object. Each reader raises an `invalid_request` that names the field; what is not given is the default."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "", *, longest: int = 1 << 16) -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise invalid(f"{name} must be a string when provided")
        if len(value) > longest:
            raise invalid(f"{name} must be at most {longest} characters")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise invalid(f"{name} must be a boolean when provided")
        return value

    def number(self, name: str, *, least: float = 0) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value < 1e15:
            raise invalid(f"{name} must be a number of at least {least:g} when provided")
        return value

    def whole(self, name: str, *, least: int = 0) -> int | None:
        value = self.number(name, least=least)
        if value is not None and value != int(value):
            raise invalid(f"{name} must be a whole number when provided")
        return None if value is None else int(value)

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"{name} must be an array of strings when provided")
        return value

    def environment(self, name: str = "env") -> dict[str, str]:
        value = self.object(name)
        for key, text in value.items():
            if not key or "=" in key or "\0" in key or not isinstance(text, str) or "\0" in text:
                raise invalid(f"{name} must be an object of names and strings when provided")
        return value

    def object(self, name: str) -> dict[str, Any]:
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise invalid(f"{name} must be an object when provided")
        return value


async def required_json(request: Request) -> Fields:
    """The body as an object; `Invalid JSON body` where it is none, `payload_too_large` for more than LARGEST_JSON bytes."""
    try:
        value = json.loads(await small_body(request))
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON body") from None
    return Fields(value if isinstance(value, dict) else {})


async def optional_json(request: Request) -> Fields:
    """The body as an object; empty where there is none."""
    return await required_json(request) if (await small_body(request)).strip() else Fields({})


async def small_body(request: Request) -> bytes:
    """All of the body, looked at as it comes; asked again, the same."""
    held: bytes | None = getattr(request.state, "body", None)
    if held is None:
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > LARGEST_JSON:
                raise Problem(413, "payload_too_large", f"the body is larger than {LARGEST_JSON:,} bytes")
            pieces.append(piece)
        held = request.state.body = b"".join(pieces)
    return held
