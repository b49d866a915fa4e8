"""What a sandbox has besides its disk."""

from typing import NamedTuple


class SandboxMount(NamedTuple):
    """A folder of the machine (`folder`), or a bucket kept as a copy (`bucket`, below `prefix`; of: "local" or "account").

    path: inside. files: how many both sides agree on; left_out: keys that can be no files; conflicts: files kept aside because both
    sides had changed; problem: why the last round failed, or "".
    """

    path: str
    folder: str | None = None
    bucket: str | None = None
    prefix: str = ""
    of: str | None = None
    read_only: bool = False
    files: int | None = None
    left_out: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    problem: str = ""
