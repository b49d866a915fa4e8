"""What a dev server that cfwb started has printed: read from its keeper's file, followed while it runs, with a level for each line."""

import json
import os
import re
import time
from collections.abc import Iterator

from workbench.model.progress import Cancel
from workbench.model.servers import LEVELS, Level, LogLine
from workbench.model.times import iso

from . import records

LOOK = 0.1
"""Seconds between two looks at the end of a log that is followed."""
LAST_WORDS = 15
"""Lines that are told of a server that has not started."""

_NAMED = re.compile(
    r"^\s*(?:\[wrangler:(?P<a>\w+)\]|[✘▲⚠]?\s*\[(?P<b>ERROR|WARNING|INFO|DEBUG)\]|\[vite\] (?P<c>\w+):)"
)
_FAILED = re.compile(r"\b(?:[A-Z]\w*)?(?:Error|Exception)\b|\b(?:error|failed|uncaught|✘)\b", re.IGNORECASE)
_NAMES: dict[str, Level] = {
    "debug": "debug",
    "info": "info",
    "log": "info",
    "warn": "warn",
    "warning": "warn",
    "error": "error",
}


def level_of(text: str, stream: str, before: Level) -> Level:
    """As wrangler and Vite mark it, else by the stream; a line of a stack trace has the level of what it belongs to.

    before: the level of the line before on the same stream.
    """
    named = _NAMED.match(text)
    if named:
        said = (named["a"] or named["b"] or named["c"]).lower()
        return _NAMES.get(said, "info")
    if stream == "stdout":
        return before if before == "error" and text.startswith("    at ") else "info"
    if text[:1].isspace() or not text:
        return before
    return "error" if _FAILED.search(text) else "warn"


class Reader:
    """Lines of one log, as they come; a log that was begun anew is followed into its new file."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "log.jsonl")
        self._before = os.path.join(folder, "log.1.jsonl")
        self._levels: dict[str, Level] = {"stdout": "info", "stderr": "warn"}
        self._rest = b""
        self._file: tuple[int, int] | None = None

    def old(self) -> Iterator[LogLine]:
        """Those of the log before this one."""
        try:
            with open(self._before, "rb") as file:
                for line in file:
                    yield from self._parsed(line)
        except OSError:
            return

    def more(self) -> Iterator[LogLine]:
        """What has come since it was asked last."""
        try:
            with open(self._path, "rb") as file:
                found = os.fstat(file.fileno())
                inode, at = self._file or (found.st_ino, 0)
                if inode != found.st_ino or at > found.st_size:
                    at, self._rest = 0, b""
                file.seek(at)
                data = file.read()
                self._file = (found.st_ino, at + len(data))
        except OSError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._parsed(line)

    def _parsed(self, line: bytes) -> Iterator[LogLine]:
        try:
            row = json.loads(line)
            stream, text, at = str(row["stream"]), str(row["text"]), int(row["at"])
        except (ValueError, KeyError, TypeError):
            return
        level = level_of(text, stream, self._levels.get(stream, "info"))
        self._levels[stream] = level
        yield LogLine(iso(at), stream, level, text)


def lines(folder: str, level: Level = "debug", search: str = "", limit: int | None = None) -> list[LogLine]:
    """Those of at least this level that hold a text; the last `limit` of them."""
    reader = Reader(folder)
    found = [
        line for source in (reader.old(), reader.more()) for line in source if wanted(line, level, search)
    ]
    return found if limit is None else found[max(0, len(found) - limit) :]


def follow(
    folder: str, level: Level = "debug", search: str = "", cancel: Cancel | None = None
) -> Iterator[LogLine]:
    """All there are, then what comes, until the server has ended."""
    reader = Reader(folder)
    over = False
    while True:
        for line in reader.more():
            if wanted(line, level, search):
                yield line
        if over:
            return
        found = records.kept(folder)
        over = found is None or found.status == "ended"
        if cancel is not None:
            cancel.check()
        if not over:
            time.sleep(LOOK)


def wanted(line: LogLine, level: Level, search: str) -> bool:
    """Whether a line is of that level or above, and holds the text (upper and lower case alike)."""
    return LEVELS.index(line.level) >= LEVELS.index(level) and search.casefold() in line.text.casefold()


def last_words(folder: str) -> str:
    """What it printed at the end: the first error and what follows, else warnings, else whatever there is."""
    said = [line for line in lines(folder) if line.text.strip()]
    grave = [line for line in said if line.level in ("warn", "error")]
    # What comes after the first error may be long, and is its consequence: esbuild prints all it was doing.
    first = next((at for at, line in enumerate(grave) if "[ERROR]" in line.text), None)
    told = grave[first:][:LAST_WORDS] if first is not None else (grave or said)[-LAST_WORDS:]
    return "\n".join(line.text for line in told)
