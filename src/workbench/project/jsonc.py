"""JSON with comments and trailing commas, as wrangler reads it, and as much as possible of a broken one.

`parse` blanks comments and trailing commas in place and leaves the work to `json`. Only where that fails is the
tolerant parser of `recovery` imported, to say what is wrong where and to keep what can be kept.
"""

import json
import re
from typing import Any, NamedTuple

Path = tuple[str | int, ...]

_STRING = r'"(?:[^"\\\r\n]|\\.)*"'
COMMENT = re.compile(_STRING + r"|//[^\r\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING = re.compile(_STRING + r"|,(?=\s*[}\]])")
_NOT_NEWLINE = re.compile(r"[^\r\n]")


class Fault(NamedTuple):
    """What is wrong, at an offset into the text."""

    offset: int
    message: str


class _NotPlain(Exception):
    """Something that `json` accepts and JSON does not have, or that needs a second look."""


def parse(text: str) -> tuple[Any, list[Fault]]:
    """The value of a JSONC text and what is wrong with it; None for the value where nothing could be read."""
    try:
        return json.loads(blank(text), object_pairs_hook=_object, parse_constant=_constant), []
    except (ValueError, RecursionError, _NotPlain):
        from workbench.project.recovery import Reader

        reader = Reader(text)
        return reader.read(), reader.faults


def blank(text: str) -> str:
    """The text with comments and trailing commas overwritten by spaces: every offset stays what it was."""
    if "/" in text:
        text = COMMENT.sub(without_comment, text)
    return _TRAILING.sub(_without_comma, text)


def without_comment(found: re.Match[str]) -> str:
    """A comment as blanks of the same length; text in quotes as it is."""
    token = found[0]
    return token if token[0] == '"' else _NOT_NEWLINE.sub(" ", token)


def _without_comma(found: re.Match[str]) -> str:
    return found[0] if found[0] != "," else " "


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _NotPlain
    return made


def _constant(name: str) -> Any:
    raise _NotPlain
