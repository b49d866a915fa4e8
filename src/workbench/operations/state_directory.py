"""The state directory as a whole."""

from workbench.model.state import Removal, StateEntry

from . import DESTROYS, READS, operation
from .parameters import DryRun
from .resolve import State


@operation("state.list", effect=READS, examples=["cfwb state list"], capability="state")
async def list_state(state: State) -> list[StateEntry]:
    """Everything in the state directory, as what it is, with its size.

    Caches, secrets stores and things not known yet are among it.
    """
    return await state.backend.state.entries()


@operation(
    "state.delete",
    effect=DESTROYS,
    examples=["cfwb state delete --dry-run", "cfwb state delete --force"],
    capability="state",
)
async def delete_state(state: State, dry_run: DryRun = False) -> Removal:
    """Start over: the whole local state goes.

    While a dev server runs everything is emptied in place, and the answer says what needs a restart.
    """
    return await state.backend.state.delete(dry_run=dry_run)
