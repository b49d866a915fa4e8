"""The parts that values are made of: lengths, numbers, strings. Where it stands is all it knows."""

import struct
from typing import Any

from workbench.model.tagged import number

from . import format as f

_DOUBLE = struct.Struct("<d")
_WHOLE = 2.0**53


class Undecodable(Exception):
    """Why bytes are no value that can be shown; the message completes "not decoded: "."""


class Stream:
    """The bytes of a stored value and the place reached; `version` is the header's."""

    def __init__(self, raw: bytes) -> None:
        if not raw:
            raise Undecodable("the value is empty")
        self.raw = raw
        self.at = 0
        self.version = 13
        if raw[0] == f.VERSION:
            self.at = 1
            self.version = self.varint()
            if self.version not in f.READABLE:
                raise Undecodable(f"version {self.version} of V8's format is not known")

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.raw):
            raise Undecodable("the value is cut short")
        taken = self.raw[self.at : end]
        self.at = end
        return taken

    def varint(self) -> int:
        raw = self.raw
        byte = raw[self.at]
        self.at += 1
        if byte < 0x80:
            return byte
        value, shift = byte & 0x7F, 7
        while True:
            byte = raw[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFF
            shift += 7

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def raw_double(self) -> float:
        (value,) = _DOUBLE.unpack_from(self.raw, self.at)
        self.at += 8
        return value  # type: ignore[no-any-return]

    def double(self) -> Any:
        """A number: an integer where it is one and exact, so that 5 reads as 5."""
        value = self.raw_double()
        if -_WHOLE <= value <= _WHOLE and value == int(value) and (value or str(value)[0] != "-"):
            return int(value)
        return number(value)

    def bigint(self) -> dict[str, str]:
        bits = self.varint()
        value = int.from_bytes(self.take(bits >> 1), "little")
        if bits & 1 and not value:
            raise Undecodable("a BigInt of -0")
        sign = "-" if bits & 1 else ""
        if value.bit_length() > f.LONGEST_DECIMAL * 3:
            return {"$bigint": f"{sign}{value:#x}"}
        return {"$bigint": f"{sign}{value}"}

    def one_byte(self) -> str:
        return str(self.take(self.varint()), "latin-1")

    def two_byte(self) -> str:
        count = self.varint()
        if count % 2:
            raise Undecodable("a two-byte string of odd length")
        return self.take(count).decode("utf-16-le", "surrogatepass")

    def utf8(self) -> str:
        return self.take(self.varint()).decode("utf-8", "replace")

    def peek(self) -> int:
        """The next tag; padding before it is skipped."""
        while self.raw[self.at] == f.PADDING:
            self.at += 1
        return self.raw[self.at]
