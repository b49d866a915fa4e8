"""The frames between hub and init: length of the payload (u32, big-endian), kind (u8), payload.

One connection a request. The first frame of the hub is JSON `{"op": ..., ...}`; what follows depends on the op.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

JSON = 0
DATA = 1
"""Bytes: of a file, of standard input or output, of a terminal."""
STDERR = 2
END = 3
"""No more data in this direction."""
ERROR = 4
"""JSON `{"code": ..., "message": ...}`; the last frame of a connection."""

LARGEST = 1 << 20
CHUNK = 1 << 16
PROTOCOL = 1

_HEADER = struct.Struct(">IB")
HEADER_SIZE = _HEADER.size


class ProtocolError(ValueError):
    """The other side does not speak this protocol."""


def frame(kind: int, payload: bytes = b"") -> bytes:
    """One frame; ProtocolError where the payload is larger than LARGEST."""
    if len(payload) > LARGEST:
        raise ProtocolError(f"a frame of {len(payload)} bytes")
    return _HEADER.pack(len(payload), kind) + payload


def message(value: object) -> bytes:
    """A JSON frame. Names that are not UTF-8 travel as lone surrogates, escaped."""
    return frame(JSON, json.dumps(value, separators=(",", ":")).encode("ascii"))


def error(code: str, text: str) -> bytes:
    """An ERROR frame."""
    shown = json.dumps({"code": code, "message": text[:4000]}, separators=(",", ":"))
    return frame(ERROR, shown.encode("ascii"))


def read_json(payload: bytes) -> dict[str, object]:
    """The object in a JSON frame; ProtocolError for anything else."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as problem:
        raise ProtocolError("not JSON") from problem
    if not isinstance(value, dict):
        raise ProtocolError("not a JSON object")
    return value


def header(data: bytes) -> tuple[int, int]:
    """(length, kind) of the five bytes that begin a frame."""
    length, kind = _HEADER.unpack(data)
    if length > LARGEST or kind > ERROR:
        raise ProtocolError(f"a frame of kind {kind} and {length} bytes")
    return length, kind


class Decoder:
    """Bytes in, frames out."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that are complete now, (kind, payload) each."""
        held = self._held
        held += data
        while len(held) >= HEADER_SIZE:
            length, kind = header(bytes(held[:HEADER_SIZE]))
            end = HEADER_SIZE + length
            if len(held) < end:
                return
            payload = bytes(held[HEADER_SIZE:end])
            del held[:end]
            yield kind, payload
