"""Trees that may resist: folders without any permission (overlay work folders have none), names of any kind."""

from __future__ import annotations

import os
import shutil
from typing import Any


def remove_tree(folder: str) -> None:
    """Remove a folder with all below it; what cannot be removed stays, and is tried again at the next start of the hub."""

    def opened(function: Any, path: str, _error: object) -> None:
        try:
            for each in (os.path.dirname(path), path):
                if not os.path.islink(each):
                    os.chmod(each, 0o700)
            function(path)
        except OSError:
            pass

    for _ in range(2):
        if os.path.isdir(folder):
            shutil.rmtree(folder, onerror=opened)
