"""How much a sandbox has written."""

from __future__ import annotations

import os
import subprocess

from workbench.sandbox.disk.disk import Disk


def measure(disk: Disk) -> int:
    """Bytes on the machine's disk that are this sandbox's own: its upper layer, temporary files and logs, not the layers below."""
    return of_folders([os.path.join(disk.folder, "up"), disk.tmp, disk.log])


def of_folders(folders: list[str]) -> int:
    """Bytes that these take on the machine's disk.

    `du` walks trees of any depth with names of any kind, and counts what a sparse file really takes.
    """
    done = subprocess.run(
        ["du", "-s", "-x", "-k", "--", *folders], stdin=subprocess.DEVNULL, capture_output=True, text=False
    )
    sizes = [line.split(b"\t", 1)[0] for line in done.stdout.splitlines()]
    return sum(int(size) for size in sizes if size.isdigit()) * 1024
