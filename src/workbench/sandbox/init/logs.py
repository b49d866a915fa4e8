"""What a process has printed, kept on disk: both streams in order, the oldest part given up when there is too much.

A segment is a file of records (u64 offset, u8 stream, u32 length, bytes). An offset counts payload bytes of both streams since the
start, so it stays valid when old segments go.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

STDOUT = 1
STDERR = 2
SEGMENT = 8 << 20
"""Bytes after which a new segment begins; two are kept."""

_RECORD = struct.Struct(">QBI")
_STEP = 1 << 18


class Log:
    """Append-only, bounded. Not one descriptor is held open between calls."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = name
        self._segments: list[int] = []
        self._marks: list[tuple[int, int, int]] = []
        """(offset, segment, position) now and then, so that a reader need not walk a segment from its beginning."""
        self._position = 0
        self.end = 0

    @property
    def start(self) -> int:
        """The first offset that is still here."""
        return self._segments[0] if self._segments else self.end

    def append(self, stream: int, data: bytes) -> None:
        """A full disk loses the bytes, not the process: their offsets pass all the same."""
        if not self._segments or self._position >= SEGMENT:
            self._roll()
        record = _RECORD.pack(self.end, stream, len(data)) + data
        path = self._path(self._segments[-1])
        try:
            with open(path, "ab", buffering=0) as file:
                if file.write(record) < len(record):
                    file.truncate(self._position)
                    record = b""
        except OSError:
            record = b""
        if record and (not self._marks or self.end - self._marks[-1][0] >= _STEP):
            self._marks.append((self.end, self._segments[-1], self._position))
        self._position += len(record)
        self.end += len(data)

    def read(self, offset: int, limit: int) -> Iterator[tuple[int, bytes]]:
        """(stream, bytes) from this offset on, about `limit` bytes at most."""
        for index, segment in enumerate(list(self._segments)):
            if index + 1 < len(self._segments) and self._segments[index + 1] <= offset:
                continue
            marks = [position for at, of, position in self._marks if of == segment and at <= offset]
            for at, stream, data in self._records(segment, marks[-1] if marks else 0, offset):
                piece = data[max(0, offset - at) :][:limit]
                limit -= len(piece)
                yield stream, piece
                if limit <= 0:
                    return

    def _records(self, segment: int, position: int, offset: int) -> Iterator[tuple[int, int, bytes]]:
        """(offset, stream, bytes) of the records of a segment that reach beyond an offset."""
        try:
            with open(self._path(segment), "rb") as file:
                file.seek(position)
                while len(head := file.read(_RECORD.size)) == _RECORD.size:
                    at, stream, length = _RECORD.unpack(head)
                    if length > SEGMENT:  # not written by us
                        return
                    if at + length <= offset:
                        file.seek(length, os.SEEK_CUR)
                    else:
                        yield at, stream, file.read(length)
        except OSError:
            return

    def delete(self) -> None:
        for segment in self._segments:
            _unlink(self._path(segment))
        self._segments.clear()
        self._marks.clear()

    @classmethod
    def found(cls, folder: str, name: str) -> Log:
        """A log as an earlier run left it."""
        log = cls(folder, name)
        prefix = name + ".log."
        for entry in os.listdir(folder):
            if entry.startswith(prefix) and entry[len(prefix) :].isdigit():
                log._segments.append(int(entry[len(prefix) :]))
        log._segments.sort()
        if log._segments:
            log.end = log._segments[-1]
            for at, _, data in log._records(log.end, 0, 0):
                log.end = at + len(data)
        log._position = SEGMENT
        return log

    def _path(self, segment: int) -> str:
        return os.path.join(self._folder, f"{self._name}.log.{segment}")

    def _roll(self) -> None:
        self._segments.append(self.end)
        self._position = 0
        while len(self._segments) > 2:
            gone = self._segments.pop(0)
            _unlink(self._path(gone))
            self._marks = [mark for mark in self._marks if mark[1] != gone]


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
