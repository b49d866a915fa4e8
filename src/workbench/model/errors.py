"""The one family of errors: what every face shows, and what programs match on."""


class WorkbenchError(Exception):
    """Something the user can understand and act on.

    code: stable and dotted, `kv.key_not_found`; programs match on it.
    message: one sentence that names the thing.
    hint: the way out, or an empty string.

    A message of more than 4,000 characters (it quotes what it was given) loses its middle.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        if len(message) > 4000:
            message = f"{message[:2000]} … {message[-1900:]}"
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class UsageError(WorkbenchError):
    """The command itself is wrong (exit status 2)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("usage", message, hint)


class Cancelled(WorkbenchError):
    """The user stopped it."""

    def __init__(self, message: str = "stopped before it was done", hint: str = "") -> None:
        super().__init__("cancelled", message, hint)


class LeftOut(WorkbenchError):
    """It is done but for what the message names. result: what came of the rest, where nothing else gives it."""

    def __init__(self, code: str, message: str, hint: str = "", result: object = None) -> None:
        super().__init__(code, message, hint)
        self.result = result


NAMED = 10
"""Things that a `LeftOut` names; more are counted."""


def left_out(code: str, what: str, reasons: list[str], hint: str = "", result: object = None) -> LeftOut:
    """What could not be read: the first of `reasons`, each a line, and how many there are. what: `values of CACHE`."""
    lines = reasons[:NAMED] + ([f"… and {len(reasons) - NAMED:,} more"] if len(reasons) > NAMED else [])
    return LeftOut(code, "\n".join([f"{len(reasons):,} {what} could not be read:", *lines]), hint, result)
