"""The fields of a configuration as Bindings: every kind wrangler knows, and what looks like a binding besides."""

from collections.abc import Iterator
from typing import Any

from workbench.model.bindings import Binding
from workbench.project.document import Document
from workbench.project.environment import GENERATED, INHERITED, NOT_INHERITED, TOP_LEVEL_ONLY, Settings
from workbench.project.jsonc import Path
from workbench.project.shapes import SHAPES, Shape, listed
from workbench.project.special import special

# Fields that `special` makes bindings of: they need more than a shape.
_SPECIAL_NAMES = """
    assets containers data_blobs durable_objects exports migrations queues secrets site text_blobs
    vars wasm_modules workflows
"""
SPECIAL = frozenset(_SPECIAL_NAMES.split())
_KNOWN = INHERITED | NOT_INHERITED | TOP_LEVEL_ONLY | GENERATED


def bindings(document: Document, settings: Settings) -> list[Binding]:
    """Every binding of the environment in force except vars and secrets, in the order of the file."""
    found: list[Binding] = []
    for field, value in settings.fields.items():
        at = settings.paths[field]
        if field in SHAPES:
            found += listed(document, settings, SHAPES[field], value, at)
        elif field not in SPECIAL and field not in _KNOWN:
            found += _unknown(document, settings, field, value, at)
    found += special(document, settings)
    _say_what_is_twice(document, found)
    return found


def _unknown(document: Document, settings: Settings, field: str, value: Any, at: Path) -> Iterator[Binding]:
    """A field this version does not know: bindings where it looks like some, else a problem."""
    entries = value if isinstance(value, list) else [value]
    looks_like_bindings = entries and all(
        isinstance(entry, dict) and isinstance(entry.get("binding"), str) for entry in entries
    )
    if looks_like_bindings:
        shape = Shape(field, ("id", "name"), title="name", one=not isinstance(value, list), remote="asked")
        yield from listed(document, settings, shape, value, at)
    else:
        document.problem(f'the field "{field}" is not known', *at)


_NOT_IN_ENV = frozenset(["queue_consumer", "container", "tail_consumer", "streaming_tail_consumer", "site"])


def _say_what_is_twice(document: Document, found: list[Binding]) -> None:
    kinds: dict[str, str] = {}
    for binding in found:
        if binding.kind in _NOT_IN_ENV or not binding.bound:
            continue
        if binding.name in kinds:
            document.problem(
                f"two bindings are named {binding.name}: {kinds[binding.name]} and {binding.kind}"
            )
        kinds[binding.name] = binding.kind
