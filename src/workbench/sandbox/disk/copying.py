"""A tree that a sandbox may still be writing to, copied where nothing but that tree can be seen.

A sandbox that stands still by signals can wake itself (a timer that sends SIGCONT), and exchange a folder for a link while it is copied:
whoever copied it as the machine's root would bring along what the link leads to. So `cp` runs as the sandbox itself does, in
namespaces of its own, with the two folders and the programs of the machine and nothing else.
"""

from __future__ import annotations

import os
import subprocess

from workbench.model.errors import WorkbenchError
from workbench.sandbox.machine import Machine

_PROGRAMS = ("bin", "lib", "lib32", "lib64", "libx32")
_NEEDS = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID")


def copy(machine: Machine, source: str, target: str) -> None:
    """Everything in a folder, with permissions, times, attributes and deletions, into a new one. Raises `sandbox.not_copied`."""
    found = machine.bubblewrap
    if found is None:
        raise WorkbenchError("sandbox.provider_unusable", machine.why_no_bubblewrap)
    os.mkdir(target, 0o700)
    if machine.owner is not None:
        os.chown(target, machine.owner, machine.owner)
    words = [found.path, "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-drop", "ALL"]
    for capability in _NEEDS:
        words += ["--cap-add", capability]
    words += ["--ro-bind", "/usr", "/usr", "--ro-bind", source, "/from", "--bind", target, "/to"]
    for name in _PROGRAMS:
        if os.path.islink("/" + name):
            words += ["--symlink", os.readlink("/" + name), "/" + name]
        elif os.path.isdir("/" + name):
            words += ["--ro-bind", "/" + name, "/" + name]
    words += ["--", "/bin/cp", "-a", "--reflink=auto", "--", "/from/.", "/to"]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, **machine.identity,
        )  # fmt: skip
    except OSError as problem:
        raise WorkbenchError("sandbox.not_copied", f"the disk cannot be copied: {problem}") from problem
    if done.returncode:
        raise WorkbenchError(
            "sandbox.not_copied", f"the disk cannot be copied: {done.stderr.strip()[:500] or done.returncode}"
        )
