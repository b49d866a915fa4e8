"""The background process that keeps sandboxes: looked at and ended. It is started by whatever needs it."""

from typing import Annotated

from workbench.model.hub import Hub, HubStopped

from . import READS, WRITES, operation
from .parameters import Param
from .resolve import State

WithSandboxes = Annotated[bool, Param("stop the sandboxes as well", "boolean")]


@operation("hub.get", effect=READS, examples=["cfwb hub get"], capability="sandboxes")
async def get_hub(state: State) -> Hub:
    """The background process of this state directory, if one runs; starts none."""
    return await state.backend.sandboxes.hub()


@operation("hub.stop", effect=WRITES, examples=["cfwb hub stop"], capability="sandboxes")
async def stop_hub(state: State, sandboxes: WithSandboxes = False) -> HubStopped:
    """End the background process; sandboxes live on, unless they are to stop too.

    The next command that needs a hub starts one, and it finds the sandboxes that run.
    """
    return await state.backend.sandboxes.stop_hub(sandboxes)
