"""The number at the right of a line of the tree."""

from __future__ import annotations

from workbench.model.bindings import Binding
from workbench.model.errors import WorkbenchError
from workbench.screens.session import Session
from workbench.widgets.binding_tree import Item

FOLDERS = {"kv": "kv", "r2": "r2", "d1": "d1", "do": "durable_object", "workflows": "workflow"}
"""The kinds whose counts the folders of the state directory hold."""

UNREADABLE = "!"
FAILED = {"errored", "failed"}


async def note_of(session: Session, item: Item) -> str | None:
    """The count of a resource as it is now; None where there is nothing to count. An error is a "!"."""
    binding = item.what
    if not isinstance(binding, Binding) or binding.mode == "remote" or not binding.resource_id:
        return None
    try:
        return await _count(session, binding)
    except WorkbenchError:
        return UNREADABLE


async def _count(session: Session, binding: Binding) -> str | None:
    resource = binding.resource_id or ""
    if binding.kind == "kv":
        return f"{await session.ask(lambda backend: backend.kv.count(resource)):,}"
    if binding.kind == "r2":
        return f"{await session.ask(lambda backend: backend.r2.count(resource)):,}"
    if binding.kind == "durable_object":
        return f"{len(await session.ask(lambda backend: backend.durable_objects.object_ids(resource))):,}"
    if binding.kind == "d1":
        for database in await session.ask(lambda backend: backend.d1.databases()):
            if database.id != resource or database.size_bytes is None:
                continue
            if database.tables is None:
                return UNREADABLE
            return f"{database.tables:,} tbl{'s' if database.tables != 1 else ''}"
        return "empty"
    if binding.kind == "workflow":
        most = (
            100 if session.state.backend.suspends else None
        )  # what lies here is kept by the backend, and quick
        page = await session.ask(lambda backend: backend.workflows.instances(resource, most))
        failed = sum(one.status in FAILED for one in page.items)
        count = f"{len(page.items):,}{'+' if page.cursor else ''}"
        return f"{count} · {failed} ✗" if failed else count
    return None
