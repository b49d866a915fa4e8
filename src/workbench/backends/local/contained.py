"""What lies in the state directory, and is a file: links out of it are not followed, pipes and devices not opened.

The emulator makes no links. In a state that came with somebody else's project one would have us read, change or remove any file of this
user's in the name of a key; a pipe in the place of a value would have us wait for ever.
"""

import os
import stat

from workbench.model.errors import WorkbenchError

from .naming import VERSION


def contained(path: str) -> str:
    """The path, where no link below `v3` (itself among them) leads out of the state directory. Raises `state.link_out`.

    Looks at the few names from `v3` on; a path that lies in no state directory passes.
    """
    parts = path.split(os.sep)
    try:
        first = len(parts) - 1 - parts[::-1].index(VERSION)
    except ValueError:
        return path
    if any(os.path.islink(os.sep.join(parts[: end + 1])) for end in range(first, len(parts))):
        real = os.path.realpath(path)
        inside = os.path.join(os.path.realpath(os.sep.join(parts[:first]) or os.sep), VERSION)
        if not (real + os.sep).startswith(inside + os.sep):
            raise WorkbenchError(
                "state.link_out",
                f"{path} leads out of the state directory by a link, to {real}",
                "The emulator makes no links there, so it is not followed. Put the file itself there; a state elsewhere is "
                "named by --persist-to.",
            )
    return path


def open_file(path: str, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file. Raises `state.link_out`, `state.not_a_file`, FileNotFoundError, OSError; waits for nobody."""
    descriptor = os.open(
        contained(path), flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | os.O_CLOEXEC
    )
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise WorkbenchError(
        "state.not_a_file", f"{path} is a pipe, a device or a folder where the emulator keeps a file"
    )
