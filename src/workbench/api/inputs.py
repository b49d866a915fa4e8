"""Query parameters and JSON bodies, read as the original reads them and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .checks import Check, Fields, Flag, Issue, Issues, Number
from .errors import invalid

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PREFIXED = re.compile(r"0(x[0-9a-f]+|o[0-7]+|b[01]+)", re.IGNORECASE)


def js_number(text: str) -> float | int | None:
    """A text as JavaScript's Number() reads it: "" is 0; None for what is no number."""
    text = text.strip()
    if not text:
        return 0
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if text.lstrip("+-") == "Infinity" and len(text) <= 9:
        return float(text.replace("Infinity", "inf"))
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return int(number) if number == number and abs(number) < 2**53 and number == int(number) else number


def check_query(checks: Mapping[str, Check], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Query parameters, each of the type it must have; what was not given is left out unless it has a default."""
    coerced: dict[str, Any] = {}
    for name, check in checks.items():
        values = given.get(name)
        if not values:
            continue
        if len(values) > 1:
            coerced[name] = list(values)
            continue
        value = check.from_query(values[0])
        if isinstance(check, Number) and value is None:
            raise invalid(f'{name}: Expected query param to be number but received "{values[0]}"')
        if isinstance(check, Flag) and not isinstance(value, bool):
            raise invalid(
                f"{name}: Expected query param to be 'true' or 'false' but received \"{values[0]}\""
            )
        coerced[name] = value
    found: dict[str, Any] = _checked(Fields(checks), coerced)
    return found


def check_body(check: Check, content_type: str, body: bytes) -> Any:
    """A JSON body. Without a JSON content type it counts as `{}`, as the original has it."""
    value: Any = {}
    if _JSON_TYPE.fullmatch(content_type):
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise invalid("Invalid JSON request body") from None
    return _checked(check, value)


_JSON_TYPE = re.compile(r"application/([a-z.\-]+\+)?json(;\s*[a-zA-Z0-9\-]+=([^;]+))*", re.IGNORECASE)


def _checked(check: Check, value: Any) -> Any:
    issues: Issues = []
    found = check.read(value, (), issues)
    if issues:
        raise invalid(*(_said(issue) for issue in issues))
    return found


def _said(issue: Issue) -> str:
    where = ".".join(str(part) for part in issue.path)
    return f"{where}: {issue.message}" if where else issue.message
