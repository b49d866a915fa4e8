"""The fields of a configuration that need more than a table's look: Durable Objects, Workflows, queues, assets, containers."""

from collections.abc import Iterator
from typing import Any

from workbench.model.bindings import Binding
from workbench.project.document import Document
from workbench.project.environment import Settings
from workbench.project.jsonc import Path
from workbench.project.shapes import Shape, details, first, listed, mode_of, named

_LIVE = (None, "created", "expecting-transfer")


def special(document: Document, settings: Settings) -> Iterator[Binding]:
    """The bindings of the fields in `bindings.SPECIAL`, vars and secrets excepted."""
    yield from _durable_objects(document, settings)
    yield from _workflows(document, settings)
    yield from _queues(document, settings)
    yield from _assets(document, settings)
    yield from _containers(document, settings)
    for field, kind in (
        ("wasm_modules", "wasm_module"),
        ("text_blobs", "text_blob"),
        ("data_blobs", "data_blob"),
    ):
        for name, value in document.table(settings.fields.get(field), field).items():
            path = value if isinstance(value, str) else None
            yield Binding(name, kind, None, path, settings.name, detail={"path": path})


def _durable_objects(document: Document, settings: Settings) -> Iterator[Binding]:
    """Bound classes, then those that only migrations or exports name: `ctx.exports` reaches them.

    The emulator files a class's objects under `<script>-<Class>`. A Worker without a name gets a random one at each
    start, so its own classes have no id.
    """
    at = settings.paths.get("durable_objects", ())
    table = document.table(settings.fields.get("durable_objects"), *at) if at else {}
    classes = _classes(document, settings)
    bound: set[str] = set()
    for entry, where in document.items(table.get("bindings"), *at, "bindings"):
        name = named(document, entry, "name", where)
        class_name = named(document, entry, "class_name", where)
        if name is None or class_name is None:
            continue
        script = document.string(entry, "script_name", where)
        own = script is None or script == settings.name
        if own:
            bound.add(class_name)
        sqlite = classes.get(class_name) if own else None
        detail = {
            "class_name": class_name,
            "script_name": script or settings.name,
            "sqlite": sqlite,
            "own": own,
        }
        detail |= details(entry, {"name", "class_name", "script_name"})
        yield _object_class(name, class_name, script or settings.name, settings, True, detail)
    for class_name, sqlite in classes.items():
        if class_name not in bound:
            detail = {"class_name": class_name, "script_name": settings.name, "sqlite": sqlite, "own": True}
            yield _object_class(class_name, class_name, settings.name, settings, False, detail)


def _object_class(
    name: str, class_name: str, script: str | None, settings: Settings, bound: bool, detail: dict[str, Any]
) -> Binding:
    identity = f"{script}-{class_name}" if script else None
    return Binding(name, "durable_object", identity, class_name, settings.name, "local", bound, detail)


def _classes(document: Document, settings: Settings) -> dict[str, bool]:
    """The Worker's own classes and whether each is SQLite-backed, as migrations and exports leave them."""
    classes: dict[str, bool] = {}
    at = settings.paths.get("migrations", ("migrations",))
    for step, where in document.items(settings.fields.get("migrations"), *at):
        for name in document.strings(step.get("deleted_classes"), *where, "deleted_classes"):
            if classes.pop(name, None) is None:
                document.problem(
                    f"{name} is deleted here, and no migration made it", *where, "deleted_classes"
                )
        for entry, place in document.items(step.get("renamed_classes"), *where, "renamed_classes"):
            old, new = named(document, entry, "from", place), named(document, entry, "to", place)
            if old is None or new is None:
                continue
            if old not in classes:
                document.problem(f"{old} is renamed here, and no migration made it", *place)
            classes[new] = classes.pop(old, True)
        for field, sqlite in (("new_classes", False), ("new_sqlite_classes", True)):
            for name in document.strings(step.get(field), *where, field):
                if name in classes:
                    document.problem(f"{name} is made here a second time", *where, field)
                classes[name] = sqlite
    for name, entry, _ in _exports(document, settings, "durable-object"):
        if entry.get("state") in _LIVE:
            classes[name] = entry.get("storage") == "sqlite"
    return classes


def _exports(document: Document, settings: Settings, kind: str) -> Iterator[tuple[str, dict[str, Any], Path]]:
    at = settings.paths.get("exports", ("exports",))
    for name, entry in document.table(settings.fields.get("exports"), *at).items():
        table = document.table(entry, *at, name)
        if table.get("type") == kind:
            yield name, table, (*at, name)


def _workflows(document: Document, settings: Settings) -> Iterator[Binding]:
    """Bound Workflows, then those that only exports name. Their state is filed under the Workflow's own name."""
    at = settings.paths.get("workflows", ("workflows",))
    names: set[str] = set()
    for entry, where in document.items(settings.fields.get("workflows"), *at):
        binding = named(document, entry, "binding", where)
        name = named(document, entry, "name", where)
        if binding is None:
            continue
        names.add(name or "")
        detail = {"class_name": None, "script_name": settings.name} | details(
            entry, {"binding", "name", "remote"}
        )
        mode = mode_of(document, entry, "asked", where)
        yield Binding(binding, "workflow", name, name, settings.name, mode, True, detail)
    for class_name, entry, where in _exports(document, settings, "workflow"):
        name = named(document, entry, "name", where)
        if name is not None and name not in names:
            detail = {"class_name": class_name, "script_name": settings.name}
            detail |= details(entry, {"type", "name"})
            yield Binding(name, "workflow", name, name, settings.name, "local", False, detail)


def _queues(document: Document, settings: Settings) -> Iterator[Binding]:
    at = settings.paths.get("queues", ("queues",))
    table = document.table(settings.fields.get("queues"), *at)
    producer = Shape("queue_producer", ("queue",), True, "queue", remote="asked")
    yield from listed(document, settings, producer, table.get("producers"), (*at, "producers"))
    for entry, where in document.items(table.get("consumers"), *at, "consumers"):
        queue = named(document, entry, "queue", where)
        if queue is not None:
            detail = details(entry, {"queue"})
            yield Binding(queue, "queue_consumer", queue, queue, settings.name, detail=detail)


def _assets(document: Document, settings: Settings) -> Iterator[Binding]:
    at = settings.paths.get("assets", ("assets",))
    table = document.table(settings.fields.get("assets"), *at)
    if table:
        directory = document.string(table, "directory", at)
        name = document.string(table, "binding", at)
        detail = details(table, {"binding"}) | {"in_env": name is not None}
        yield Binding(name or "assets", "assets", directory, directory, settings.name, detail=detail)
    at = settings.paths.get("site", ("site",))
    table = document.table(settings.fields.get("site"), *at)
    if table:
        bucket = document.string(table, "bucket", at)
        yield Binding("__STATIC_CONTENT", "site", bucket, bucket, settings.name, detail=details(table, set()))


def _containers(document: Document, settings: Settings) -> Iterator[Binding]:
    """Container applications; each belongs to a Durable Object's class, named here or by that class's export."""
    at = settings.paths.get("containers", ("containers",))
    linked = {
        entry["container"]: name
        for name, entry, _ in _exports(document, settings, "durable-object")
        if isinstance(entry.get("container"), str)
    }
    for entry, where in document.items(settings.fields.get("containers"), *at):
        given = document.string(entry, "name", where)
        class_name = document.string(entry, "class_name", where) or linked.get(given or "")
        if given is None and class_name is None:
            document.problem("this container has neither a name nor a class_name", *where)
        name = given or "-".join(part for part in (settings.name, class_name) if part) or "container"
        detail = details(entry, {"name", "class_name"}) | {"class_name": class_name}
        image = first(document, entry, ("image",), where)
        yield Binding(name, "container", image, class_name, settings.name, detail=detail)
