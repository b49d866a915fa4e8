"""Alt as a person typed it, where the outer terminal speaks no key protocol.

There alt is an ESC before the key, and Textual loses it for most keys or takes it for another one (ESC b is ctrl+left to it). With
`AltParser` such an event's `character` is the two characters that came, for whoever needs them (a terminal's program).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser

_ESCAPE = "\x1b"


class AltParser(XTermParser):
    """Reads keys as Textual does, and tells alt from what it looks like."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        for event in super()._sequence_to_key_events(sequence, alt):
            if alt and len(sequence) == 1:
                name = event.key if event.key.startswith("alt+") else f"alt+{event.key}"
                yield events.Key(name, _ESCAPE + sequence)
            elif len(sequence) == 2 and sequence[0] == _ESCAPE:
                # A digit is one, not the sign that a Mac's option key would write with it: alt+1 goes to the first tab.
                name = f"alt+{sequence[1]}" if sequence[1].isdigit() else event.key
                yield events.Key(name, sequence)
            else:
                yield event


def install() -> None:
    """Have Textual read the keyboard by `AltParser`, before the app runs."""
    if sys.platform != "win32":
        from textual.drivers import linux_driver

        linux_driver.XTermParser = AltParser  # type: ignore[attr-defined]
