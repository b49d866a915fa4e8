"""What a request says, read with care: each field has a type, and what is missing has a meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class BadRequest(ValueError):
    """The request is wrong; the text says which field."""


class Refused(Exception):
    """An op that cannot be done: a stable code and a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Request:
    """The JSON object that opened a connection."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.op = self.text("op")

    def text(self, name: str, default: str | None = None) -> str:
        value = self._fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or "\0" in value:
            raise BadRequest(f"{name} must be a text")
        return value

    def optional(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self.text(name)

    def path(self, name: str = "path") -> str:
        value = self.text(name)
        if not value.startswith("/"):
            raise BadRequest(f"{name} must be an absolute path")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        value = self._fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
            raise BadRequest(f"{name} must be a whole number")
        return value

    def given(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise BadRequest(f"{name} must be true or false")
        return value

    def texts(self, name: str) -> list[str]:
        value = self._fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(
            isinstance(each, str) and "\0" not in each for each in value
        ):
            raise BadRequest(f"{name} must be a list of texts")
        return [str(each) for each in value]

    def argv(self) -> list[str]:
        argv = self.texts("argv")
        if not argv or not argv[0]:
            raise BadRequest("argv must name a program")
        return argv

    def environment(self) -> dict[str, str]:
        value = self._fields.get("env")
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadRequest("env must be an object")
        for name, text in value.items():
            if not isinstance(text, str) or "\0" in text or not name or "=" in name or "\0" in name:
                raise BadRequest("env must be names with texts")
        return {str(name): str(text) for name, text in value.items()}

    def seconds(self, name: str) -> float | None:
        """Milliseconds in the request."""
        return self.number(name) / 1000 if self.given(name) else None

    def id(self) -> str:
        """The name that something new is given, or something known has."""
        name = self.text("id")
        if not _ID.fullmatch(name):
            raise BadRequest("id must be letters, digits, dots, dashes and underscores")
        return name
