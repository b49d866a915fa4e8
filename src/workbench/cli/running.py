"""What runs elsewhere, shown while it runs: a command's output as it comes, events a line each.

On a terminal what a sandbox prints is hostile: of its control codes only colours get through (SGR), the rest is shown. Into a pipe or a
file it goes as it is.
"""

import re
import sys
from contextlib import suppress
from typing import Any

from workbench.model.tagged import dumps
from workbench.model.text import visible
from workbench.operations.outputs import Output
from workbench.operations.results import Stream

from .people import note, paint

INTERRUPTED = 130
_SGR = re.compile(r"(\x1b\[[0-9;:]*m)")
_UNFINISHED = re.compile(r"\x1b(\[[0-9;:]*)?\Z|\r\Z")


class _Shown:
    """One stream of a command, on its way to ours."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._bare = not stream.isatty()
        self._held = b""

    def write(self, data: bytes) -> None:
        """Written and flushed; on a terminal what is not whole yet (a character, a colour) waits for the rest."""
        if self._bare:
            self._stream.buffer.write(data)
        else:
            text, self._held = _whole(self._held + data)
            self._stream.write(safe(text))
        self._stream.flush()

    def end(self) -> None:
        """What was waiting for more is shown as it is."""
        if self._held:
            self._stream.write(safe(self._held.decode("utf-8", "replace")))
            self._stream.flush()


def _whole(data: bytes) -> tuple[str, bytes]:
    """(what can be shown now, what has to wait for more)"""
    cut = len(data)
    for back in range(1, min(4, len(data)) + 1):  # a character of several bytes that is not all there
        byte = data[-back]
        if byte >= 0xC0:
            cut = len(data) - back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else cut
            break
        if byte < 0x80:
            break
    text = data[:cut].decode("utf-8", "replace")
    waiting = _UNFINISHED.search(text)
    if waiting is not None and len(waiting[0]) < 100:
        return text[: waiting.start()], waiting[0].encode() + data[cut:]
    return text, data[cut:]


def safe(text: str) -> str:
    """Text of a program for a terminal: lines, tabs and colours as they are, everything else that would act shown."""
    parts = _SGR.split(text.replace("\r\n", "\n"))
    return "".join(part if at % 2 else visible(part, lines=True) for at, part in enumerate(parts))


def show(result: Output) -> int:
    """A command's output to ours, as it comes; its exit status. Ctrl+C ends it (130)."""
    shown = {"stdout": _Shown(sys.stdout), "stderr": _Shown(sys.stderr)}
    try:
        for name, piece in result.pieces:
            shown[name].write(piece)
    except KeyboardInterrupt:
        return INTERRUPTED
    for each in shown.values():
        each.end()
    if result.timed_out:
        note("its time was up")
    return result.exit_code


def follow(events: Stream[Any]) -> None:
    """Events, each as it comes, until they end or a person has seen enough (control-C ends it)."""
    note("ctrl+c ends it")
    with suppress(KeyboardInterrupt):
        for event in events:
            # By the name of the type: an event's module is on no other command's way.
            _SHOWN.get(type(event).__name__, _show_line)(event)
            sys.stdout.flush()


def _show_piece(piece: Any) -> None:
    """A part of what a process printed."""
    _Shown(sys.stderr if piece.stream == "stderr" else sys.stdout).write(piece.data)


def _show_log(event: Any) -> None:
    """An event of a Worker's live log, with what it logged and threw."""
    colour = "32" if event.outcome == "ok" else "31"
    print(f"{event.at or ''} {paint(visible(event.outcome), colour, sys.stdout)} {visible(event.summary)}")
    for entry in event.logs:
        said = entry.get("message")
        words = (
            [one if isinstance(one, str) else dumps(one) for one in said]
            if isinstance(said, list)
            else [str(said)]
        )
        print(f"  {visible(str(entry.get('level', 'log')))}: {visible(' '.join(words))}")
    for problem in event.exceptions:
        text = f"{problem.get('name', 'Error')}: {problem.get('message', '')}"
        print("  " + paint(visible(text), "31", sys.stdout))


def _show_line(event: Any) -> None:
    print(_line(event))


_SHOWN = {"LogPiece": _show_piece, "LogEvent": _show_log}


def _line(event: Any) -> str:
    """`when  what  of what  more=...`"""
    values = event._asdict()
    head = [str(values.pop(name)) for name in ("at", "event") if values.get(name) is not None]
    rest = values.pop("detail", {})
    values.pop("id", None)
    words = [visible(str(value)) for value in values.values() if value not in (None, "")]
    words += [
        visible(f"{name}={value if isinstance(value, str) else dumps(value)}") for name, value in rest.items()
    ]
    return "  ".join([*(paint(visible(word), "2", sys.stdout) for word in head[:-1]), *head[-1:], *words])
