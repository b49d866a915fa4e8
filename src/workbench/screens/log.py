"""Where what nobody foresaw is written down: the same file as the command line's, never the screen."""

from __future__ import annotations

import os
import time

from workbench.model.places import state_home as state_home  # and given on to the other screens


def record(error: BaseException) -> str:
    """Write an unexpected error down; what to tell the user."""
    import traceback

    path = os.path.join(state_home(), "cfwb.log")
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "a", encoding="utf-8", errors="backslashreplace", opener=_private) as file:
            file.write(f"{when} workbench\n{''.join(traceback.format_exception(error))}\n")
    except OSError:
        return "(the log could not be written)"
    return f"the details are in {path}"


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
