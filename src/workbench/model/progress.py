"""How long work is watched and stopped, from any thread."""

from collections.abc import Callable

from .errors import Cancelled


class Cancel:
    """A switch that is thrown once. Long work asks `check()`, or leaves a call that ends it (`on`)."""

    def __init__(self) -> None:
        self.cancelled = False
        self._calls: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Throw the switch; safe from another thread, and more than once."""
        self.cancelled = True
        for call in list(self._calls):
            call()

    def on(self, call: Callable[[], None]) -> None:
        """Run `call` when the switch is thrown (at once if it has been)."""
        self._calls.append(call)
        if self.cancelled:
            call()

    def off(self, call: Callable[[], None]) -> None:
        """Forget a call given to `on`."""
        if call in self._calls:
            self._calls.remove(call)

    def check(self) -> None:
        """Raise `Cancelled` when the switch has been thrown."""
        if self.cancelled:
            raise Cancelled()


Progress = Callable[[int, int | None], None]
"""Called with (done, total): bytes or items; total None where it is not known."""
