"""Textual's key events as the keys `workbench.terminal.keys` knows."""

from __future__ import annotations

from functools import lru_cache

from textual import events
from textual.keys import REPLACED_KEYS, key_to_character

from workbench.terminal import Modes, keys

_ESCAPE = "\x1b"
_CONTROLS = {"\r": "enter", "\t": "tab", "\x7f": "backspace", _ESCAPE: "escape", " ": "space"}


@lru_cache(512)
def logical(key: str, character: str | None) -> str:
    """The logical key of an event, `ctrl+alt+x`; "" for one that is none (a modifier alone, a sequence Textual ignores).

    A `character` of two, the first an ESC, is what `widgets/alt_parser.py` gives for alt.
    """
    if character is not None and len(character) == 2 and character[0] == _ESCAPE:
        return "alt+" + _CONTROLS.get(character[1], character[1])
    modifiers, plus, name = key.rpartition("+")
    if not plus and character is not None and len(character) == 1 and character.isprintable():
        return character
    name = _CONTROLS.get(name, name)
    if name not in keys.NAMES and len(name) > 1:
        name = key_to_character(REPLACED_KEYS.get(name, name)) or ""
    if not name or (len(name) == 1 and not name.isprintable()):
        return ""
    return modifiers + plus + name


def encode(event: events.Key, modes: Modes) -> bytes:
    """What the program gets for a key event; b"" for nothing."""
    if event.character is not None and len(event.character) > 1 and event.character.isprintable():
        return keys.typed(event.character, modes)
    key = logical(event.key, event.character)
    return keys.encode(key, modes) if key else b""
