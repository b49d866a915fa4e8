"""Sizes, times, variables and mounts as a person writes them."""

import os
import re
from typing import Any

from workbench.model.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def size(flag: str, text: str) -> int:
    """`512M` as bytes."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{flag} wants a size such as 512M or 2G, not {text!r}")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def seconds(flag: str, text: str) -> float | None:
    """`10m` as seconds; None for `never`."""
    found = _TIME.fullmatch(text.strip())
    if text.strip().lower() == "never":
        return None
    if found is None:
        raise UsageError(f"{flag} wants a time such as 90, 10m or never, not {text!r}")
    return float(found[1]) * _SECONDS[found[2].lower()]


def variables(given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` each, as a mapping."""
    for each in given:
        if "=" not in each[1:]:
            raise UsageError(f"--var wants NAME=VALUE, not {each!r}")
    return dict(each.split("=", 1) for each in given)


def from_here(path: str) -> str:
    """A path as a command means it, absolute."""
    return os.path.abspath(path)


def from_environment(name: str) -> str:
    """What a variable of ours holds; a usage error where there is none."""
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment has no {name}")
    return value


def mounted(text: str) -> dict[str, Any]:
    """`DIR:PATH[:rw]` as a mount; the folder from here, the path inside the sandbox absolute."""
    writable = text.endswith(":rw")
    folder, colon, path = text.removesuffix(":rw").rpartition(":")
    if not colon or not folder or not path.startswith("/"):
        raise UsageError(f"--mount wants DIR:PATH, with an absolute path inside, not {text!r}")
    return {"folder": from_here(folder), "mountPath": path, "options": {"readOnly": not writable}}
