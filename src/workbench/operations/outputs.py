"""What runs in a sandbox prints, as an operation gives it back: a command's output, what a code context gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from workbench.model.errors import WorkbenchError
from workbench.model.tagged import text_or_bytes

from .results import LARGEST_BODY, Iterate


class Output:
    """What a program in a sandbox prints, as it comes: pieces of ("stdout" or "stderr", bytes); then its end is known.

    JSON holds it whole: `{exit_code, stdout, stderr, timed_out}`. Without a program of its own (a file, an archive) exit_code is 0.
    """

    def __init__(self, pieces: AsyncIterator[tuple[str, bytes]], running: Any = None) -> None:
        self.pieces: Any = pieces
        self._running = running

    def drive_by(self, iterate: Iterate) -> None:
        """Take the pieces through this, which makes an ordinary iterator of them."""
        if not hasattr(self.pieces, "__next__"):
            self.pieces = iterate(self.pieces)

    @property
    def exit_code(self) -> int:
        """Known after the last piece."""
        return 0 if self._running is None else int(self._running.exit_code or 0)

    @property
    def timed_out(self) -> bool:
        return bool(getattr(self._running, "timed_out", False))


def _of_output(value: Output) -> dict[str, Any]:
    kept: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    for name, piece in value.pieces:
        kept[name] += piece
        if sum(map(len, kept.values())) > LARGEST_BODY:
            raise WorkbenchError(
                "sandboxes.too_large_for_json",
                f"more than {LARGEST_BODY:,} bytes of output are too many for a JSON value",
                "without --json it is printed as it comes",
            )
    texts = {name: text_or_bytes(bytes(data)) for name, data in kept.items()}
    return {"exit_code": value.exit_code} | texts | {"timed_out": value.timed_out}


class CodeOutput(Output):
    """What a run in a code context gives, as it comes: events by name with their fields (`SandboxContexts.run`).

    JSON holds it whole: `{exit_code, stdout, stderr, results, exception, restarted}`; exit_code is 1 where the code failed. For a
    person the text of each result stands among what is printed, and the traceback at the end.
    """

    def __init__(self, events: AsyncIterator[tuple[str, dict[str, Any]]]) -> None:
        self._events: Any = events
        self._status = 0

    def drive_by(self, iterate: Iterate) -> None:
        if not hasattr(self._events, "__next__"):
            self._events = iterate(self._events)

    @property
    def coming(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What comes, for who waits in an event loop."""
        found: AsyncIterator[tuple[str, dict[str, Any]]] = self._events
        return found

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What comes, as it comes."""
        for name, fields in self._events:
            if name in ("exception", "died"):
                self._status = 1
            yield name, fields

    @property
    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """For a person."""
        for name, fields in self.events():
            text = str(fields.get("text", ""))
            if name == "result":
                others = ", ".join(sorted(set(fields) - {"text"}))
                text = (text or f"({others})") + "\n"
            elif name == "exception":
                text = "".join(fields["traceback"]) or f"{fields['name']}: {fields['message']}"
                text = text.rstrip("\n") + "\n"
            elif name == "died":
                text = "the context's process has ended, and its variables are gone\n"
            elif name == "restarted":
                text = "a fresh process: earlier variables are gone\n"
            stream = "stdout" if name in ("stdout", "result") else "stderr"
            if text:
                yield stream, text.encode("utf-8", "surrogatepass")

    @property
    def exit_code(self) -> int:
        """Known after the last event."""
        return self._status

    @property
    def timed_out(self) -> bool:
        return False


def _of_code(value: CodeOutput) -> dict[str, Any]:
    texts = {"stdout": "", "stderr": ""}
    results: list[dict[str, Any]] = []
    exception, restarted = None, False
    for name, fields in value.events():
        if name in texts:
            texts[name] += fields["text"]
        elif name == "result":
            results.append(fields)
        elif name == "exception":
            exception = fields
        elif name == "died":
            exception = {
                "name": "Died",
                "message": "the context's process has ended",
                "traceback": [],
                **fields,
            }
        restarted = restarted or name == "restarted"
    return (
        {"exit_code": value.exit_code}
        | texts
        | {"results": results, "exception": exception, "restarted": restarted}
    )


def whole(value: Output) -> dict[str, Any]:
    """All of it, once it has ended, as JSON-ready data."""
    return _of_code(value) if isinstance(value, CodeOutput) else _of_output(value)
