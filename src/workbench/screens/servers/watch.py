"""Which dev server has the state open, asked often and looked for seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.screens.session import Session

AGAIN = 5
"""Every so many looks a server that runs is looked at anew: another may have come, or its port have changed."""


class ServerWatch:
    """What the top bar says of it. Whether any runs is cheap to see; which, takes asking it."""

    def __init__(self) -> None:
        self._said = ""
        self._looks = 0
        self.looking = False

    async def look(self, session: Session) -> str | None:
        """`wrangler dev :8787 up`, "" where none runs, None where that cannot be told."""
        self.looking = True
        try:
            running = await session.blocking(session.state.backend.server_running)
            if not running:
                self._said, self._looks = "", 0
            elif not self._said or self._looks >= AGAIN:
                from .saying import short

                self._said = short(await session.ask(lambda backend: backend.servers.on_state()))
                self._looks = 0
                if not self._said:
                    return "dev server up"  # it answers nobody yet
            self._looks += 1
        except WorkbenchError:
            return None
        finally:
            self.looking = False
        return self._said
