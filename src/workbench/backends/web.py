"""httpx, imported without its own command line, which would bring click, rich and pygments: more than half of the time it takes."""

import sys
from typing import Any

_MISSING: Any = object()


def _imported() -> Any:
    before = sys.modules.get("click", _MISSING)
    if before is _MISSING:
        sys.modules["click"] = None  # type: ignore[assignment]  # `import click` then says that there is none
    try:
        import httpx
    finally:
        if before is _MISSING:
            del sys.modules["click"]
    return httpx


_imported()

import httpx  # noqa: E402  (it is there by now)

__all__ = ["httpx"]
