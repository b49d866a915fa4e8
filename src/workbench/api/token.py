"""The secret that writers show: made anew for each run, kept in a file of its owner's alone as long as it serves."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

from workbench.model.places import hub_places


class TokenFile:
    """A fresh token, and the file that holds it: `serve-<port>.token` in the state directory's runtime folder, mode 0600."""

    def __init__(self, state_directory: str, port: int) -> None:
        folder = hub_places(state_directory).runtime
        _own_folder(os.path.dirname(folder))
        _own_folder(folder)
        self.path = os.path.join(folder, f"serve-{port}.token")
        self.token = secrets.token_urlsafe(32)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(self.token + "\n")

    def remove(self) -> None:
        """Take the file away, if it is still ours."""
        with contextlib.suppress(OSError):
            with open(self.path, encoding="ascii") as file:
                ours = file.read().strip() == self.token
            if ours:
                os.unlink(self.path)


def _own_folder(path: str) -> None:
    """Make it for its owner alone. Raises PermissionError where it is somebody else's, or a link."""
    with contextlib.suppress(FileExistsError):
        os.makedirs(path, mode=0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
        raise PermissionError(f"{path} is not a folder of this user's own")
    os.chmod(path, 0o700)
