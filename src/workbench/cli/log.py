"""The log: a file under the user's state directory, opened when there is something to write. Never the screen."""

import os
import sys
import time

from workbench.model.errors import WorkbenchError


def path() -> str:
    """Where the log lies: `$XDG_STATE_HOME/cfwb/cfwb.log`."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "cfwb", "cfwb.log")


def unexpected(error: Exception) -> WorkbenchError:
    """An error that nobody foresaw as one a person can read; the traceback goes to the log. Values on the line are not kept."""
    return WorkbenchError(
        "internal.unexpected", f"something went wrong in cfwb: {error!r}"[:300], _record(error)
    )


def _record(error: Exception) -> str:
    import traceback

    words = [word for word in sys.argv[1:5] if word.replace("-", "a").isalnum()]
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
