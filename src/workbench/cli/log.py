"""The log: a file under the user's state directory, opened when there is something to write. Never the screen."""

import os
import time


def path() -> str:
    """Where the log lies: `$XDG_STATE_HOME/cfwb/cfwb.log`."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "cfwb", "cfwb.log")


def record(error: BaseException, argv: list[str]) -> str:
    """Write an unexpected error down; what to tell the user. The values on the line are not kept, only its words and flags."""
    import traceback

    words = [word.partition("=")[0] if word.startswith("--") else word for word in argv[:3]]
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.makedirs(os.path.dirname(path()), mode=0o700, exist_ok=True)
        with open(path(), "a", encoding="utf-8", errors="backslashreplace", opener=_private) as file:
            file.write(f"{when} cfwb {' '.join(words)}\n{''.join(traceback.format_exception(error))}\n")
    except OSError:
        return "(the log could not be written)"
    return f"the details are in {path()}"


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
