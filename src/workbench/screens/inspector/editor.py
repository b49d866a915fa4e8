"""A stored value as text one can edit, and back: a string as itself, everything else as tagged JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.target import Target
from workbench.screens.browser.editor import Edited, EntryEditor

TAGS = (
    'JSON, and for what JSON can\'t say: {"$date": "2026-01-31T00:00:00Z"}  {"$bigint": "12"}  {"$map": [["k", 1]]}  '
    '{"$set": [1]}  {"$bytes": "base64"}  {"$number": "NaN"}  {"$undefined": true}'
)


class ValueEditor(EntryEditor):
    """The editor of the browsers, for an entry of an object. `write` says what is wrong with the JSON; nothing is lost."""

    CSS_PATH = "../browser/editor.tcss"

    def __init__(
        self,
        key: str,
        text: str,
        *,
        target: Target,
        resource: str,
        new: bool,
        write: Callable[[Edited], Awaitable[None]],
    ) -> None:
        entry = Edited(key, text.encode("utf-8"))
        super().__init__(entry, target=target, resource=resource, new=new, write=write, has_metadata=False)
        # Text that is no JSON is refused by `write`, never taken at a second try.
        self._was_json = False


def as_text(value: Any) -> tuple[str, bool]:
    """A tagged value for editing, and whether the text is the string itself and not JSON."""
    if isinstance(value, str) and _plain(value):
        return value, True
    return json.dumps(value, indent=2, ensure_ascii=not _speakable(value), allow_nan=False), False


def _plain(text: str) -> bool:
    """Whether a string survives a text field: lone surrogates and carriage returns would not."""
    return "\r" not in text and _speakable(text)


def _speakable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def from_text(text: str) -> Any:
    """JSON as a value. Raises WorkbenchError with line and column."""
    try:
        return json.loads(text, parse_constant=_refused)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise WorkbenchError("json.invalid", f"not JSON: {error.msg}, {place}", TAGS) from None
    except (ValueError, RecursionError) as error:
        raise WorkbenchError("json.invalid", f"not JSON: {error}", TAGS) from None


def _refused(name: str) -> Any:
    raise ValueError(f'{name} is written {{"$number": "{name}"}}')
