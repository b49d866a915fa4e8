"""What a copy and its bucket last agreed on, kept by the hub, so that it outlives it."""

from __future__ import annotations

import json
import os

from .plan import Agreed


def read_agreed(path: str, layers: list[str]) -> dict[str, Agreed]:
    """What was agreed on when the copy was last kept. A disk that was put back since has nothing that was agreed on."""
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        if kept["layers"] != layers:
            return {}
        return {name: Agreed(etag, (size, time)) for name, (etag, size, time) in kept["agreed"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_agreed(path: str, agreed: dict[str, Agreed], layers: list[str]) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    content = {"layers": layers, "agreed": {name: [each.etag, *each.stamp] for name, each in agreed.items()}}
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(f"{path}.new", path)
