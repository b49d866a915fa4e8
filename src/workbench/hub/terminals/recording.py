"""A terminal's output kept as an asciicast v2 file: a JSON line with the size, then `[seconds, "o" or "r", data]` a line.

Bytes that are no UTF-8 are kept as lone surrogates, so that the file says exactly how much output it holds: a hub that comes after one
that was killed goes on where the file ends. When the file is full the recording ends, and says so.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import time
from typing import Any, BinaryIO

LARGEST = 64 << 20


class Recording:
    """Append-only. offset: of the output, up to which the file holds it."""

    def __init__(self, path: str, file: BinaryIO, began: float, offset: int) -> None:
        self.path = path
        self.offset = offset
        self.full = False
        self._file = file
        self._began = began
        self._size = file.tell()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    @classmethod
    def begin(cls, path: str, size: tuple[int, int], title: str, env: dict[str, str]) -> Recording:
        """A new file for a terminal that begins now."""
        file = open(path, "wb", opener=_private)  # noqa: SIM115  (kept open)
        now = time.time()
        head = {
            "version": 2,
            "width": size[0],
            "height": size[1],
            "timestamp": int(now),
            "title": title,
            "env": env,
        }
        file.write(json.dumps(head).encode() + b"\n")
        file.flush()
        return cls(path, file, now, 0)

    @classmethod
    def resume(cls, path: str) -> Recording | None:
        """Go on with a file; None where there is none that makes sense. What was written half is cut off."""
        try:
            file = open(path, "r+b")  # noqa: SIM115  (kept open)
        except OSError:
            return None
        try:
            began = float(json.loads(file.readline())["timestamp"])
            offset, end = 0, file.tell()
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    break
                _, kind, data = json.loads(line)
                if kind == "o":
                    offset += len(data.encode("utf-8", "surrogateescape"))
                end = file.tell()
            file.truncate(end)
            file.seek(end)
        except (OSError, ValueError, KeyError, TypeError):
            file.close()
            return None
        return cls(path, file, began, offset)

    def output(self, data: bytes, offset: int) -> None:
        """Output that begins at an offset; what the file holds already is left out, so is a character that is not whole yet."""
        skip = self.offset - offset
        if skip >= len(data) or self.full:
            return
        text = self._decoder.decode(data[max(0, skip) :])
        self.offset = offset + len(data)
        if text:
            self._write("o", text)

    def resized(self, cols: int, rows: int) -> None:
        if not self.full:
            self._write("r", f"{cols}x{rows}")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, kind: str, data: str) -> None:
        event: list[Any] = [round(time.time() - self._began, 6), kind, data]
        line = json.dumps(event).encode() + b"\n"
        self._size += len(line)
        if self._size > LARGEST:
            self.full = True
            return
        try:
            self._file.write(line)
            self._file.flush()
        except OSError:  # a full disk ends the recording, nothing else
            self.full = True


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CLOEXEC, 0o600)
