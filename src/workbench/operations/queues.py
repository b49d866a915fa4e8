"""Queues: what waits in them, sending, pulling, purging."""

from typing import Annotated, Any

from workbench.model.queues import Pulled, Queue, QueueMessage, QueueMetrics
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .outcomes import Done
from .parameters import Content, DryRun, Param, Source, one_of
from .resolve import State

TheQueue = Annotated[str, Param("the queue: its name, id or binding", positional=True, metavar="QUEUE")]
Count = Annotated[int, Param("at most so many messages (default 10)", "integer", metavar="N", minimum=1)]
Kind = Annotated[str, Param("what the body is", choices=("text", "json", "bytes"), metavar="KIND")]
Delay = Annotated[int | None, Param("deliver it so many seconds from now", "integer", metavar="S", minimum=0)]
Hidden = Annotated[
    int | None, Param("hide them from others for so many seconds", "integer", metavar="S", minimum=1)
]
Leases = Annotated[
    tuple[str, ...], Param("the lease of a pulled message; again for more", repeat=True, metavar="LEASE")
]


@operation("queues.list", effect=READS, examples=["cfwb queues list --remote"], capability="queues")
async def list_queues(state: State) -> list[Queue]:
    """Queues of the account, with how many produce and consume."""
    return await state.backend.queues.queues()


@operation(
    "queues.metrics.get",
    effect=READS,
    examples=["cfwb queues metrics get jobs --remote"],
    capability="queues.metrics",
)
async def get_metrics(state: State, queue: TheQueue) -> QueueMetrics:
    """How much waits in a queue, about, and since when."""
    return await state.backend.queues.metrics(await state.queue(queue))


@operation(
    "queues.messages.list",
    effect=READS,
    examples=["cfwb queues messages list jobs --count 3 --remote"],
    capability="queues.messages",
)
async def list_messages(state: State, queue: TheQueue, count: Count = 10) -> list[QueueMessage]:
    """The first messages of a queue, left as they are."""
    return await state.backend.queues.peek(await state.queue(queue), count)


@operation(
    "queues.messages.pull",
    effect=WRITES,
    examples=["cfwb queues messages pull jobs --count 5 --hide 60 --remote --force"],
    capability="queues.messages",
)
async def pull_messages(state: State, queue: TheQueue, count: Count = 10, hide: Hidden = None) -> Pulled:
    """Take messages under a lease: nobody else gets them until it ends.

    The queue needs an HTTP pull consumer. A lease is given back by `messages delete --lease`, which says that the message is done with.
    """
    milliseconds = None if hide is None else hide * 1000
    return await state.backend.queues.pull(await state.queue(queue), count, milliseconds)


@operation(
    "queues.messages.send",
    effect=WRITES,
    examples=[
        "cfwb queues messages send jobs --value '{\"id\": 7}' --kind json --remote --force",
        "cfwb queues messages send jobs --file body.bin --kind bytes --remote --force",
    ],
    capability="queues.messages",
)
async def send_message(
    state: State,
    queue: TheQueue,
    value: Content = None,
    file: Source = None,
    kind: Kind = "text",
    delay: Delay = None,
) -> Done:
    """Put a message into a queue."""
    from .files import read_whole

    given = value if one_of(value=value, file=file) == "value" else read_whole(file)
    data = given.encode("utf-8") if isinstance(given, str) else bytes(given)
    await state.backend.queues.send(await state.queue(queue), _body(data, kind), kind, delay)
    return Done(1)


def _body(data: bytes, kind: str) -> Any:
    import json

    from workbench.model.errors import UsageError

    if kind == "bytes":
        return data
    try:
        text = data.decode("utf-8")
        return text if kind == "text" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is no {kind}: {error}", "--kind bytes sends anything") from None


@operation(
    "queues.messages.delete",
    effect=DESTROYS,
    examples=[
        "cfwb queues messages delete jobs --lease LEASE --remote --force",
        "cfwb queues messages delete jobs --dry-run --remote",
    ],
    capability="queues.messages",
)
async def delete_messages(
    state: State, queue: TheQueue, lease: Leases = (), dry_run: DryRun = False
) -> Removal:
    """Delete pulled messages by their leases, or without any purge the queue.

    How many a purge deletes is about what the metrics say.
    """
    found = await state.queue(queue)
    queues = state.backend.queues
    if lease:
        done = len(lease) if dry_run else await queues.acknowledge(found, lease)
        return Removal([f"message of lease {one}" for one in lease[:1000]], done, dry_run)
    metrics = await queues.metrics(found)
    if not dry_run:
        await queues.purge(found)
    lines = [f"all messages of {queue}"] if metrics.backlog else []
    return Removal(lines, metrics.backlog, dry_run, note="The platform takes a while to purge a queue.")
