"""What lies below a line of the tree and is fetched when it is unfolded: objects of a class, facets, sandboxes and bridges."""

from __future__ import annotations

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.sandboxes import Sandbox
from workbench.screens.pane import Locator
from workbench.screens.session import Session
from workbench.widgets.binding_tree import Item

from . import catalogue

PAGE = 100
MOST_AGAIN = 1_000
"""Objects of a class that are read again when its files change, where so many are shown."""


async def fetch(session: Session, item: Item, cursor: str | None) -> bool:
    """Give the item its children: the first page, or another added to those it has. False where it is no such line."""
    try:
        if item.kind == "durable_object":
            await _objects(session, item, cursor)
        elif item.kind == "do_object" and isinstance(item.locator, Locator):
            namespace, object_id = item.locator.resource, item.locator.object
            facets = await session.ask(lambda backend: backend.durable_objects.facets(namespace, object_id))
            item.children = catalogue.facet_items(item, namespace, object_id, facets)
        elif item.kind == "sandboxes":
            await _sandboxes(session, item, cursor)
        else:
            return False
    except WorkbenchError as error:
        item.children = [Item(f"{item.key}/error", error.message, mark="problem")]
    return True


async def _objects(session: Session, item: Item, cursor: str | None) -> None:
    namespace = item.what.resource_id
    limit = PAGE if cursor else min(MOST_AGAIN, max(PAGE, len(item.children) - 1))
    page = await session.ask(lambda backend: backend.durable_objects.objects(namespace, limit, cursor))
    kept = [child for child in item.children if child.kind != "more"] if cursor else []
    item.children = kept + [catalogue.object_item(item, namespace, one) for one in page.items]
    if page.cursor:
        item.children.append(catalogue.more_item(item, page.cursor))


async def _sandboxes(session: Session, item: Item, cursor: str | None) -> None:
    """Those of the hub, where one runs (a look starts none; the wall does), then the bridges that were added."""
    from workbench.screens.sandboxes.following import running

    page: Page[Sandbox] = Page([], None)
    if await running(session):
        page = await session.call("sandboxes.list", limit=PAGE, cursor=cursor)
    kept = [child for child in item.children if child.kind == "sandbox"] if cursor else []
    item.children = kept + [catalogue.sandbox_item(one) for one in page.items]
    item.note = f"{len(item.children):,}{'+' if page.cursor else ''}" if item.children else ""
    if page.cursor:
        item.children.append(catalogue.more_item(item, page.cursor))
    item.children += [catalogue.bridge_item(one) for one in await session.call("bridges.list")]
