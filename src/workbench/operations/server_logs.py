"""What a dev server prints, of one that cfwb started."""

from typing import Annotated, Any, cast

from workbench.model.servers import LEVELS, Level, LogLine

from . import READS, operation
from .parameters import Limit, Param
from .resolve import State
from .results import Stream
from .servers import Server

AtLeast = Annotated[
    str, Param("only lines of this level, and of those above it", choices=tuple(LEVELS), metavar="LEVEL")
]
Holding = Annotated[str, Param("only lines that hold this text", metavar="TEXT")]
Count = Annotated[int | None, Param("end after so many lines", "integer", metavar="N", minimum=1)]


@operation(
    "servers.logs.get",
    effect=READS,
    examples=["cfwb servers logs get --limit 50", "cfwb servers logs get --level error"],
    capability="servers",
)
async def get_log(
    state: State,
    server: Server = None,
    level: AtLeast = "debug",
    search: Holding = "",
    limit: Limit = None,
) -> list[LogLine]:
    """What a dev server that cfwb started has printed, the newest last.

    Also after it has ended. --limit gives the last so many lines.
    """
    return await state.backend.servers.log(server, cast(Level, level), search, limit)


@operation(
    "servers.logs.watch",
    effect=READS,
    examples=["cfwb servers logs watch", "cfwb servers logs watch --level warn --count 10 --json"],
    capability="servers",
)
async def watch_log(
    state: State,
    server: Server = None,
    level: AtLeast = "debug",
    search: Holding = "",
    count: Count = None,
) -> Stream[LogLine]:
    """What a dev server prints, as it prints it, from the beginning until it ends."""
    lines: Any = await state.backend.servers.follow(server, cast(Level, level), search)
    return Stream(lines, count)
