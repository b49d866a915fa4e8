"""What a request must look like: checks of query parameters and JSON bodies, in the words the emulator has for what is wrong.

Each check gives the value to go on with, or adds to the issues; what nothing asks for is left out, as the original does it. Every check
also describes itself as a JSON schema, for the OpenAPI document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

ABSENT: Any = object()
"""A value that was not given, which null is not."""


class Issue(NamedTuple):
    """path: names and places from the outermost in. fatal: nothing more can be said of the value."""

    path: tuple[str | int, ...]
    message: str
    fatal: bool = True


Path = tuple[str | int, ...]
Issues = list[Issue]


def kind_of(value: Any) -> str:
    """What JavaScript calls the value's type."""
    if value is ABSENT:
        return "undefined"
    if value is None:
        return "null"
    kinds = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "object")


class Check:
    """Any value. optional: it may be left out; default: what it is then."""

    expected = ""

    def __init__(self, *, optional: bool = False, default: Any = ABSENT, help: str = "") -> None:
        self.optional = optional or default is not ABSENT
        self.default = default
        self.help = help

    def read(self, value: Any, path: Path, issues: Issues) -> Any:
        if value is ABSENT and self.optional:
            return self.default
        return self.check(value, path, issues)

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        return None if value is ABSENT else value

    def from_query(self, text: str) -> Any:
        """The text of a query parameter as the type that is wanted."""
        return text

    def schema(self) -> dict[str, Any]:
        return self._described({})

    def _described(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self.default is not ABSENT:
            schema["default"] = self.default
        if self.help:
            schema["description"] = self.help
        return schema

    def _mismatch(self, value: Any, path: Path, issues: Issues) -> Any:
        issues.append(Issue(path, f"Invalid input: expected {self.expected}, received {kind_of(value)}"))
        return value


class Text(Check):
    """A string of `least` to `most` UTF-16 units that matches `pattern` (as the emulator writes it, between slashes)."""

    expected = "string"

    def __init__(
        self, *, least: int | None = None, most: int | None = None, pattern: str = "", **more: Any
    ) -> None:
        super().__init__(**more)
        self.least, self.most, self.pattern = least, most, pattern

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if not isinstance(value, str):
            return self._mismatch(value, path, issues)
        length = units(value)
        if self.least is not None and length < self.least:
            issues.append(Issue(path, f"Too small: expected string to have >={self.least} characters", False))
        if self.most is not None and length > self.most:
            issues.append(Issue(path, f"Too big: expected string to have <={self.most} characters", False))
        if self.pattern and not re.search(self.pattern.replace("\\/", "/"), value):
            issues.append(Issue(path, f"Invalid string: must match pattern /{self.pattern}/", False))
        return value

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string"}
        if self.least is not None:
            found["minLength"] = self.least
        if self.most is not None:
            found["maxLength"] = self.most
        if self.pattern:
            found["pattern"] = self.pattern
        return self._described(found)


class Number(Check):
    """A number from `least` to `most`; whole: an integer."""

    expected = "number"

    def __init__(
        self, least: float | None = None, most: float | None = None, *, whole: bool = False, **more: Any
    ) -> None:
        super().__init__(**more)
        self.least, self.most, self.whole = least, most, whole

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return self._mismatch(value, path, issues)
        if value in (float("inf"), float("-inf")):
            name = "Infinity" if value > 0 else "-Infinity"
            issues.append(Issue(path, f"Invalid input: expected number, received {name}"))
            return value
        if self.whole and value != int(value):
            issues.append(Issue(path, "Invalid input: expected int, received number"))
            return value
        if self.least is not None and value < self.least:
            issues.append(Issue(path, f"Too small: expected number to be >={self.least}", False))
        if self.most is not None and value > self.most:
            issues.append(Issue(path, f"Too big: expected number to be <={self.most}", False))
        return value

    def from_query(self, text: str) -> Any:
        """The number that JavaScript reads; None for what is none."""
        from .inputs import js_number

        return js_number(text)

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if self.least is not None:
            found["minimum"] = self.least
        if self.most is not None:
            found["maximum"] = self.most
        return self._described(found)


class Flag(Check):
    """true or false."""

    expected = "boolean"

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        return value if isinstance(value, bool) else self._mismatch(value, path, issues)

    def from_query(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text, text)

    def schema(self) -> dict[str, Any]:
        return self._described({"type": "boolean"})


class Choice(Check):
    """One of some words."""

    def __init__(self, *choices: str, **more: Any) -> None:
        super().__init__(**more)
        self.choices = choices

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if value not in self.choices:
            listed = "|".join(f'"{choice}"' for choice in self.choices)
            issues.append(Issue(path, f"Invalid option: expected one of {listed}"))
        return value

    def schema(self) -> dict[str, Any]:
        return self._described({"type": "string", "enum": list(self.choices)})


class Moment(Text):
    """A time in ISO 8601, in UTC."""

    _FORM = re.compile(
        r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?Z"
    )

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if not isinstance(value, str):
            return self._mismatch(value, path, issues)
        if not self._FORM.fullmatch(value):
            issues.append(Issue(path, "Invalid ISO datetime", False))
        return value

    def schema(self) -> dict[str, Any]:
        return self._described({"type": "string", "format": "date-time"})


class ListOf(Check):
    """A list of `least` to `most` items."""

    expected = "array"

    def __init__(
        self, item: Check, *, least: int | None = None, most: int | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.item, self.least, self.most = item, least, most

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if not isinstance(value, list):
            return self._mismatch(value, path, issues)
        found = [self.item.read(one, (*path, place), issues) for place, one in enumerate(value)]
        if self.least is not None and len(value) < self.least:
            issues.append(Issue(path, f"Too small: expected array to have >={self.least} items", False))
        if self.most is not None and len(value) > self.most:
            issues.append(Issue(path, f"Too big: expected array to have <={self.most} items", False))
        return found

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "array", "items": self.item.schema()}
        if self.least is not None:
            found["minItems"] = self.least
        if self.most is not None:
            found["maxItems"] = self.most
        return self._described(found)


class Fields(Check):
    """An object with these fields; others are left out."""

    expected = "object"

    def __init__(self, fields: Mapping[str, Check], **more: Any) -> None:
        super().__init__(**more)
        self.fields = fields

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        if not isinstance(value, dict):
            return self._mismatch(value, path, issues)
        found = {}
        for name, check in self.fields.items():
            read = check.read(value.get(name, ABSENT), (*path, name), issues)
            if read is not ABSENT:
                found[name] = read
        return found

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "object",
            "properties": {name: check.schema() for name, check in self.fields.items()},
        }
        required = [name for name, check in self.fields.items() if not check.optional]
        if required:
            found["required"] = required
        return self._described(found)


class Either(Check):
    """One of several shapes. Where one fits but for its sizes, that is what is said; else only that none does."""

    def __init__(self, *options: Check, **more: Any) -> None:
        super().__init__(**more)
        self.options = options

    def check(self, value: Any, path: Path, issues: Issues) -> Any:
        nearly = []
        for option in self.options:
            found: Issues = []
            read = option.read(value, path, found)
            if not found:
                return read
            if not any(issue.fatal for issue in found):
                nearly.append(found)
        issues += nearly[0] if len(nearly) == 1 else [Issue(path, "Invalid input")]
        return value

    def schema(self) -> dict[str, Any]:
        return self._described({"oneOf": [option.schema() for option in self.options]})


def units(text: str) -> int:
    """The length JavaScript gives: UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
