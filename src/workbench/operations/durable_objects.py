"""Durable Objects: namespaces (classes), objects, ids, facets, alarms."""

from typing import Annotated, NamedTuple

from workbench.model.durable_objects import Alarm, DoNamespace, DoObject, Facet
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.state import Removal
from workbench.model.times import iso, now_ms

from . import DESTROYS, READS, WRITES, operation
from .parameters import Class, Cursor, DryRun, Facets, Limit, Object, Param
from .resolve import State

Which = Annotated[str, Param("the object: its name or id", positional=True, metavar="OBJECT")]
Name = Annotated[str, Param("the object's name", positional=True)]
At = Annotated[str | None, Param("when: ISO 8601, UTC where it names no zone", metavar="TIME")]
After = Annotated[int | None, Param("so many seconds from now", "integer", metavar="S", minimum=0)]


class ObjectId(NamedTuple):
    """What `idFromName` makes of a name in a namespace."""

    name: str
    id: str
    namespace: str


class ObjectDetails(NamedTuple):
    """One object. alarm: ISO 8601 or None. facets: the tree of them."""

    id: str
    name: str | None
    namespace: str
    alarm: str | None
    facets: tuple[Facet, ...]


class AlarmWritten(NamedTuple):
    """An alarm as it was set (scheduled: ISO 8601). note: when the emulator will notice."""

    object: str
    scheduled: str
    note: str


@operation(
    "do.namespaces.list", effect=READS, examples=["cfwb do namespaces list"], capability="durable_objects"
)
async def list_namespaces(state: State) -> list[DoNamespace]:
    """Classes: those of the config, and those that only the state holds.

    A class that no binding names (reached by ctx.exports) has `bound` false.
    """
    return await state.backend.durable_objects.namespaces()


@operation(
    "do.objects.list",
    effect=READS,
    examples=["cfwb do objects list --namespace Tenant"],
    capability="durable_objects",
)
async def list_objects(
    state: State, namespace: Class = None, limit: Limit = None, cursor: Cursor = None
) -> Page[DoObject]:
    """Objects of a class, by id: name where one is known, alarm, how many facets."""
    return await state.backend.durable_objects.objects(await state.namespace(namespace), limit, cursor)


@operation(
    "do.objects.get",
    effect=READS,
    examples=["cfwb do objects get acme --namespace Tenant"],
    capability="durable_objects",
)
async def get_object(state: State, object: Which, namespace: Class = None) -> ObjectDetails:
    """One object with its alarm and the tree of its facets."""
    found, id = await state.object(namespace, object)
    backend = state.backend.durable_objects
    known = await backend.object(found, id)
    return ObjectDetails(id, known.name, found, known.alarm, await backend.facets(found, id))


@operation(
    "do.objects.delete",
    effect=DESTROYS,
    examples=["cfwb do objects delete acme --namespace Tenant --dry-run"],
    capability="durable_objects",
)
async def delete_object(
    state: State, object: Which, namespace: Class = None, dry_run: DryRun = False
) -> Removal:
    """Delete an object: its tables, entries, alarm and facets.

    While a dev server runs it is emptied in place, and the answer says what needs a restart.
    """
    found, id = await state.object(namespace, object)
    return await state.backend.durable_objects.delete_object(found, id, dry_run=dry_run)


@operation(
    "do.ids.get",
    effect=READS,
    examples=["cfwb do ids get acme --namespace Tenant"],
    capability="durable_objects",
)
async def get_id(state: State, name: Name, namespace: Class = None) -> ObjectId:
    """The id that `idFromName` makes of a name, whether the object exists or not."""
    found, id = await state.object(namespace, name)
    return ObjectId(name, id, found)


@operation(
    "do.facets.list",
    effect=READS,
    examples=["cfwb do facets list --namespace AppRunner --object my-app"],
    capability="durable_objects",
)
async def list_facets(state: State, object: Object, namespace: Class = None) -> list[Facet]:
    """The tree of an object's facets, to any depth.

    A deleted one stays listed as deleted.
    """
    found, id = await state.object(namespace, object)
    return list(await state.backend.durable_objects.facets(found, id))


@operation(
    "do.facets.delete",
    effect=DESTROYS,
    examples=[
        "cfwb do facets delete --namespace AppRunner --object my-app --facet app --facet inner --force"
    ],
    capability="durable_objects",
)
async def delete_facet(
    state: State, object: Object, facet: Facets, namespace: Class = None, dry_run: DryRun = False
) -> Removal:
    """Delete a facet with everything in it and inside it."""
    found, id = await state.object(namespace, object)
    return await state.backend.durable_objects.delete_facet(found, id, facet, dry_run=dry_run)


@operation(
    "do.alarms.list",
    effect=READS,
    examples=["cfwb do alarms list --namespace Tenant"],
    capability="durable_objects",
)
async def list_alarms(state: State, namespace: Class = None) -> list[Alarm]:
    """Alarms that are set on objects of a class."""
    return await state.backend.durable_objects.alarms(await state.namespace(namespace))


@operation(
    "do.alarms.update",
    effect=WRITES,
    examples=["cfwb do alarms update acme --namespace Tenant --at 2026-12-24T18:00:00Z"],
    capability="durable_objects",
)
async def update_alarm(
    state: State, object: Which, namespace: Class = None, at: At = None, after: After = None
) -> AlarmWritten:
    """Set an object's alarm.

    A dev server that runs takes it up after a restart only; the answer says so.
    """
    if (at is None) == (after is None):
        raise UsageError("give either --at or --after")
    scheduled = now_ms() + after * 1000 if after is not None else _milliseconds(str(at))
    found, id = await state.object(namespace, object)
    note = await state.backend.durable_objects.set_alarm(found, id, scheduled)
    return AlarmWritten(id, iso(scheduled), note)


def _milliseconds(text: str) -> int:
    from datetime import UTC, datetime

    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at wants a time such as 2026-12-24T18:00:00Z, not {text!r}") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


@operation(
    "do.alarms.delete",
    effect=DESTROYS,
    examples=["cfwb do alarms delete acme --namespace Tenant --force"],
    capability="durable_objects",
)
async def delete_alarm(
    state: State, object: Which, namespace: Class = None, dry_run: DryRun = False
) -> Removal:
    """Take an object's alarm back.

    A dev server that runs takes it up after a restart only; the answer says so.
    """
    found, id = await state.object(namespace, object)
    alarm = next((a for a in await state.backend.durable_objects.alarms(found) if a.object == id), None)
    if alarm is None:
        raise WorkbenchError("do.alarm_not_found", f"{object!r} has no alarm")
    note = "" if dry_run else await state.backend.durable_objects.set_alarm(found, id, None)
    running = state.backend.server_running()
    return Removal([f"alarm of {alarm.name or id} at {alarm.scheduled}"], 1, dry_run, running, note)
