"""Where what nobody foresaw is written down: the same file as the command line's, never the screen."""

from __future__ import annotations

import os
import time


def state_home() -> str:
    """Where this user's state of ours lies: `$XDG_STATE_HOME/cfwb`."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "cfwb")


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
