"""Sandboxes: named computers for agents."""

from workbench.model.page import Page
from workbench.model.sandboxes import Sandbox

from . import READS, operation
from .parameters import Cursor, Limit
from .resolve import State

LISTED = ("name", "id", "state", "provider", "created", "last_used", "origin")


@operation(
    "sandboxes.list", effect=READS, examples=["cfwb sandboxes list"], capability="sandboxes", fields=LISTED
)
async def list_sandboxes(state: State, limit: Limit = None, cursor: Cursor = None) -> Page[Sandbox]:
    """Sandboxes of this state directory, by name."""
    return await state.backend.sandboxes.list(limit, cursor)
