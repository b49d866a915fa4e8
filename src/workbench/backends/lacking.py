"""What stands where a backend has no such product."""

from typing import Any, NoReturn

from workbench.model.errors import WorkbenchError


class Lacking:
    """Whatever is asked of it says, in a sentence, why it is not there (`target.not_capable`)."""

    def __init__(self, why_not: str) -> None:
        self._why_not = why_not

    def __getattr__(self, name: str) -> NoReturn:
        raise WorkbenchError("target.not_capable", self._why_not)


def lacking(why_not: str) -> Any:
    """One of them, in the place of a sub-interface."""
    return Lacking(why_not)
