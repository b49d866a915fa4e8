"""The sandboxes: the wall of all of them (`wall`), one of them with all that is in it (`panel`), a process's log (`log`).

`reading` makes lines of what the hub says, `acts` is what one can do to a sandbox, `following` tells when something happened.
"""

from .log import LogPane
from .wall import SandboxesPane

__all__ = ["LogPane", "SandboxesPane"]
