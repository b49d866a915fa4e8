"""Everything known about a line of the tree, for the details."""

from __future__ import annotations

from workbench.model.bindings import Binding
from workbench.screens.pane import Details
from workbench.widgets.binding_tree import Item

from . import catalogue


def details_of(item: Item, revealed: bool) -> Details:
    """revealed: whether a secret shows its value."""
    what = item.what
    rows: list[tuple[str, str]] = []
    if isinstance(what, Binding):
        rows = [("binding", what.name), ("kind", what.kind), ("Worker", what.worker or "none")]
        rows += [("resource", what.resource_name)] if what.resource_name else []
        rows += [("id", what.resource_id)] if what.resource_id else []
        rows.append(("mode", "remote data, local code" if what.mode == "remote" else "local"))
        if not what.bound:
            rows.append(("bound", "no; no config names this state"))
        hide = what.kind == "secret" and not revealed
        for name, value in what.detail.items():
            if value is not None:
                rows.append((name, catalogue.MASK if hide and name == "value" else str(value)))
    elif hasattr(what, "_asdict"):
        hidden = ("bindings", "facets", "problems", "environments")
        rows = [
            (name, str(value))
            for name, value in what._asdict().items()
            if name not in hidden and value is not None
        ]
        for problem in getattr(what, "problems", ()):
            rows.append(
                (
                    "problem",
                    f"{problem.file}:{problem.line or '?'}:{problem.column or '?'} {problem.message}",
                )
            )
    if item.note and not isinstance(what, Binding):
        rows.append(("", item.note))
    return Details(item.label, tuple(rows))
