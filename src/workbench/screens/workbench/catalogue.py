"""From bindings and lists to the items of the tree: names, order, marks. Reads nothing itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from workbench.model.bindings import Binding, Project, Worker
from workbench.model.bridges import Bridge
from workbench.model.durable_objects import DoObject, Facet
from workbench.model.sandboxes import Sandbox
from workbench.screens.pane import Locator
from workbench.screens.servers import DEV_SERVER, REQUESTS, TRACES
from workbench.widgets.binding_tree import Item

# Kinds in the order they are shown, and what a person calls them. A kind not here is shown by its own name, last.
HEADINGS = {
    "kv": "KV",
    "r2": "R2",
    "d1": "D1",
    "durable_object": "Durable Objects",
    "workflow": "Workflows",
    "queue_producer": "Queues",
    "queue_consumer": "Queues",
    "queue": "Queues",
    "service": "Services",
    "worker_loader": "Worker loaders",
    "container": "Containers",
    "sandbox": "Containers",
    "ai": "AI",
    "vectorize": "Vectorize",
    "hyperdrive": "Hyperdrive",
    "assets": "Assets",
}
VARS = ("var", "secret")
MASK = "••••••"
SANDBOXES = "sandboxes"
SERVER = "server"

_PANE_KINDS = {"kv": "kv", "r2": "r2", "d1": "d1", "durable_object": "do_namespace", "workflow": "workflow"}


def heading(kind: str) -> str:
    return HEADINGS.get(kind) or kind.replace("_", " ").capitalize()


def locator_of(binding: Binding) -> Locator | None:
    """What opens for a binding; None for one that has no state. That of a remote binding lies on the account (`mode`)."""
    kind = _PANE_KINDS.get(binding.kind)
    if kind is None or not binding.resource_id or (binding.mode == "remote" and kind == "do_namespace"):
        return None
    return Locator(kind, binding.resource_id, label=spoken(binding))


def spoken(binding: Binding) -> str:
    """What a person calls it: a database, class or workflow by its own name, the rest by the binding's."""
    own = binding.kind in ("d1", "durable_object", "workflow")
    return (binding.resource_name if own else None) or binding.name


def resource(binding: Binding, where: str) -> Item:
    """The line of one binding."""
    found = locator_of(binding)
    label = spoken(binding)
    mark = "remote" if binding.mode == "remote" else "" if binding.bound else "unbound"
    note = "remote" if binding.mode == "remote" else ""
    item = Item(
        f"{where}/{binding.kind}/{binding.name}/{binding.resource_id or ''}",
        label,
        kind=binding.kind,
        what=binding,
        note=note,
        mark=mark,
        locator=None if found and found.kind == "do_namespace" else found,
        expandable=binding.kind == "durable_object" and found is not None,
        loaded=not (binding.kind == "durable_object" and found is not None),
    )
    if binding.kind in VARS:
        item.note = MASK if binding.kind == "secret" else str(binding.detail.get("value", ""))
    elif binding.kind not in _PANE_KINDS and binding.resource_name and binding.resource_name != label:
        item.note = item.note or binding.resource_name
    return item


def groups(bindings: Iterable[Binding], where: str) -> list[Item]:
    """Bindings under their kinds; vars and secrets last."""
    by_heading: dict[str, list[Binding]] = {}
    for binding in bindings:
        title = "Vars and secrets" if binding.kind in VARS else heading(binding.kind)
        by_heading.setdefault(title, []).append(binding)
    order = list(dict.fromkeys(HEADINGS.values()))
    titles = sorted(
        by_heading,
        key=lambda title: (
            title == "Vars and secrets",
            order.index(title) if title in order else len(order),
            title,
        ),
    )
    items = []
    for title in titles:
        children = _once([resource(binding, where) for binding in by_heading[title]])
        items.append(Item(f"{where}/{title}", title, kind="heading", mark="heading", children=children))
    return items


def _once(items: list[Item]) -> list[Item]:
    """One line a resource: an environment may name a class twice."""
    seen: dict[str, Item] = {}
    for item in items:
        seen.setdefault(item.key, item)
    return list(seen.values())


def worker_item(worker: Worker, children: list[Item]) -> Item:
    problems = len(worker.problems)
    return Item(
        f"worker/{worker.name}",
        worker.name,
        kind="worker",
        what=worker,
        mark="problem" if problems else "heading",
        note=f"{problems} problem{'s' if problems > 1 else ''}" if problems else "",
        children=children,
        expandable=True,
        locator=Locator("worker", worker.name, label=worker.name),
    )


def _elsewhere(project: Project) -> Item:
    """The Workers nearby that keep their state elsewhere, by their folders as seen from here."""
    children = [
        Item(
            f"elsewhere/{config}",
            os.path.relpath(os.path.dirname(config), project.folder),
            kind="elsewhere",
            what=config,
            locator=config,
        )
        for config in project.others
    ]
    return Item("elsewhere", "Other Workers", mark="heading", children=children, expandable=True)


def items_of(project: Project, found: Sequence[Binding] | None) -> list[Item]:
    """The whole tree. found: every binding with the state found on disk, or None while that is being read."""
    items = []
    if project.problems:
        count = len(project.problems)
        items.append(
            Item(
                "problems",
                f"{count} problem{'s' if count > 1 else ''} in the project",
                kind="problems",
                mark="problem",
                locator=Locator("state", "problems", label="problems"),
            )
        )
    for worker in project.workers:
        items.append(worker_item(worker, groups(worker.bindings, f"worker/{worker.name}")))
    shown = {(one.kind, one.resource_id) for worker in project.workers for one in worker.bindings}
    unbound = [one for one in found or () if not one.bound and (one.kind, one.resource_id) not in shown]
    if unbound:
        title = "Without a binding" if project.workers else "State on disk"
        items.append(
            Item(
                "unbound",
                title,
                kind="unbound",
                mark="heading",
                children=groups(unbound, "unbound"),
                expandable=True,
            )
        )
    if project.others:
        items.append(_elsewhere(project))
    if project.workers:
        items.append(
            Item(
                SERVER,
                "Dev server",
                kind="server",
                mark="heading",
                expandable=True,
                children=[
                    Item(f"{SERVER}/{one.kind}", one.kind.capitalize(), kind=one.kind, locator=one)
                    for one in (REQUESTS, TRACES)
                ],
                locator=DEV_SERVER,
            )
        )
    items.append(
        Item(
            SANDBOXES,
            "Sandboxes",
            kind="sandboxes",
            mark="heading",
            expandable=True,
            loaded=False,
            locator=Locator("sandboxes", "all", label="sandboxes"),
        )
    )
    items.append(
        Item(
            "state",
            "State directory",
            kind="state",
            mark="heading",
            locator=Locator("state", "all", label="state"),
        )
    )
    return items


def object_item(parent: Item, namespace: str, found: DoObject) -> Item:
    label = found.name if found.name is not None else found.id[:12] + "…"
    facets = f"{found.facets} facet{'s' if found.facets != 1 else ''}" if found.facets else ""
    alarm = "alarm" if found.alarm else ""
    return Item(
        f"{parent.key}/{found.id}",
        label,
        kind="do_object",
        what=found,
        note=" · ".join(part for part in (facets, alarm) if part),
        expandable=found.facets > 0,
        loaded=found.facets == 0,
        locator=Locator("do_object", namespace, found.id, label=found.name or found.id[:8]),
    )


def more_item(parent: Item, cursor: str) -> Item:
    return Item(f"{parent.key}/more", "more", kind="more", what=(parent, cursor), mark="more", locator=cursor)


def sandbox_item(sandbox: Sandbox) -> Item:
    """A sandbox; it opens on the wall, with the cursor on it."""
    terminals = len(sandbox.detail.get("terminals") or ())
    note = f"{sandbox.state} · {terminals} term" if terminals else sandbox.state
    return Item(
        f"{SANDBOXES}/{sandbox.id}",
        sandbox.name,
        kind="sandbox",
        what=sandbox,
        mark="problem" if sandbox.unsafe or sandbox.state == "failed" else "",
        note=f"{note} · not isolated" if sandbox.unsafe else note,
        locator=Locator("sandboxes", "all", label="sandboxes"),
    )


def bridge_item(bridge: Bridge) -> Item:
    """A deployed bridge. What is behind it is asked for when it is opened."""
    return Item(
        f"{SANDBOXES}/bridge/{bridge.name}",
        bridge.name,
        kind="bridge",
        what=bridge,
        mark="remote",
        note="bridge",
        locator=Locator("sandboxes", "all", label="sandboxes"),
    )


def facet_items(parent: Item, namespace: str, object_id: str, facets: Sequence[Facet]) -> list[Item]:
    items = []
    for facet in facets:
        key = f"{parent.key}/{facet.id}"
        item = Item(
            key,
            facet.name,
            kind="do_facet",
            what=facet,
            mark="deleted" if facet.deleted else "",
            note="deleted" if facet.deleted else f"{facet.tables} tbl {facet.keys} kv",
            locator=None
            if facet.deleted
            else Locator("do_facet", namespace, object_id, facet.path, label=facet.name or '""'),
        )
        item.children = facet_items(item, namespace, object_id, facet.facets)
        item.expandable = bool(item.children)
        items.append(item)
    return items
