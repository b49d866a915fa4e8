"""Recordings in asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/): writing one while it happens, and reading one.

The first line is a JSON object, every other one `[seconds, code, data]`: `o` output, `i` input, `r` a size as `80x24`, `m` a marker.
"""

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from workbench.model.errors import WorkbenchError

from .grid import MOST_COLUMNS
from .strings import plain

OUTPUT, INPUT, RESIZE, MARKER = "o", "i", "r", "m"
LARGEST = 256 << 20  # characters of a recording that are written or read
_LONGEST_LINE = 16 << 20
_TITLE = 1024


class Header(NamedTuple):
    """columns and lines: the size at the beginning. timestamp: Unix seconds of the beginning, or None."""

    columns: int = 80
    lines: int = 24
    title: str = ""
    timestamp: int | None = None
    environment: dict[str, str] = {}


class Event(NamedTuple):
    """time: seconds from the beginning, never less than the one before. data: text; of RESIZE `80x24`."""

    time: float
    code: str
    data: str

    @property
    def size(self) -> tuple[int, int] | None:
        """(columns, lines) of a RESIZE, or None where it says none."""
        columns, _, lines = self.data.partition("x")
        if self.code == RESIZE and columns.isdecimal() and lines.isdecimal() and len(self.data) < 12:
            return max(1, min(MOST_COLUMNS, int(columns))), max(1, min(MOST_COLUMNS, int(lines)))
        return None


class Recorder:
    """Writes a recording through `write`, a line at a time. After `limit` characters it says so in a marker, and no more.

    Times are seconds from the beginning, by the caller's clock. A character cut between two outputs is put together.
    """

    def __init__(self, write: Callable[[str], object], header: Header, limit: int = LARGEST) -> None:
        self._write = write
        self._left = limit
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._time = 0.0
        first: dict[str, Any] = {"version": 2, "width": header.columns, "height": header.lines}
        if header.timestamp is not None:
            first["timestamp"] = header.timestamp
        if header.title:
            first["title"] = header.title
        if header.environment:
            first["env"] = header.environment
        write(json.dumps(first) + "\n")

    @property
    def full(self) -> bool:
        """Whether it has stopped because it became too long."""
        return self._left <= 0

    def output(self, time: float, data: bytes) -> None:
        """What the program wrote, cut anywhere."""
        if text := self._decode(data):
            self._event(time, OUTPUT, text)

    def input(self, time: float, data: bytes) -> None:
        """What was typed. A secret would be in it: only for those who ask for it."""
        self._event(time, INPUT, data.decode("utf-8", "replace"))

    def resize(self, time: float, columns: int, lines: int) -> None:
        """Another size."""
        self._event(time, RESIZE, f"{columns}x{lines}")

    def mark(self, time: float, label: str) -> None:
        """A place to find again."""
        self._event(time, MARKER, label)

    def close(self, time: float) -> None:
        """The end: what is left of a character that was cut."""
        if text := self._decode(b"", True):
            self._event(time, OUTPUT, text)

    def _event(self, time: float, code: str, data: str) -> None:
        if self.full:
            return
        self._time = max(self._time, time)
        line = json.dumps([round(self._time, 6), code, data], ensure_ascii=False) + "\n"
        self._left -= len(line)
        if self.full:
            line = (
                json.dumps([round(self._time, 6), MARKER, "the recording became too long and ends here"])
                + "\n"
            )
        self._write(line)


def is_header(line: bytes) -> bool:
    """Whether a first line is that of a recording."""
    first = _parsed(line) if line[:1] == b"{" else None
    return isinstance(first, dict) and first.get("version") == 2


def read(lines: Iterable[bytes]) -> tuple[Header, Iterator[Event]]:
    """The header, and the events as they are asked for; lines that are damaged (the last one of a recorder that was killed) are skipped.

    Raises WorkbenchError `terminal.not_a_recording`, for the whole or, while events are read, for one that is too long.
    """
    rest = iter(lines)
    line = next(rest, b"")
    first = _parsed(line)
    if not is_header(line):
        raise WorkbenchError("terminal.not_a_recording", "this is no asciicast of version 2")
    environment = first.get("env")
    header = Header(
        _size(first.get("width"), 80),
        _size(first.get("height"), 24),
        plain(str(first.get("title") or ""), _TITLE),
        int(first["timestamp"]) if isinstance(first.get("timestamp"), int) else None,
        {str(name): str(value) for name, value in environment.items()}
        if isinstance(environment, dict)
        else {},
    )
    return header, _events(rest)


def _events(lines: Iterator[bytes]) -> Iterator[Event]:
    latest = 0.0
    left = LARGEST
    for line in lines:
        left -= len(line)
        if left < 0:
            raise WorkbenchError(
                "terminal.not_a_recording", f"the recording is longer than {LARGEST >> 20} MiB"
            )
        match _parsed(line):
            case [int() | float() as time, str() as code, str() as data] if (
                code in (OUTPUT, INPUT, RESIZE, MARKER) and 0 <= time < 1e12
            ):
                latest = max(latest, float(time))
                yield Event(latest, code, data)


def _parsed(line: bytes) -> Any:
    if len(line) > _LONGEST_LINE:
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _size(value: Any, default: int) -> int:
    return max(1, min(MOST_COLUMNS, value)) if type(value) is int else default
