"""The parts that values are made of, as they are written: lengths, numbers, strings, and the words that say them."""

import struct
from binascii import Error as BadBase64
from binascii import a2b_base64
from typing import Any

from workbench.model.errors import WorkbenchError

from . import format as f

_SMALL = 1 << 30


def bad(message: str, hint: str = "") -> WorkbenchError:
    return WorkbenchError("json.bad_tag", message, hint or "`cfwb schema` says how values are tagged")


def array_index(name: str) -> int | None:
    """The array index that a property's name is, as JavaScript sees it."""
    if name.isascii() and name.isdecimal() and len(name) <= 10 and (name == "0" or name[0] != "0"):
        index = int(name)
        return index if index < 2**32 - 1 else None
    return None


def plain_key(name: str) -> str:
    """A property's name without the second "$"."""
    return name[1:] if name[:2] == "$$" else name


def integer(text: Any) -> int:
    """A BigInt's digits, decimal or hexadecimal."""
    if type(text) is str and "_" not in text:
        digits = text.removeprefix("-")
        try:
            if digits[:2] in ("0x", "0X"):
                return int(text, 16)
            if digits.isascii() and digits.isdecimal():
                return int(text)
        except ValueError as error:
            raise bad(
                "$bigint can't be read", "write one of more than 4300 digits in hexadecimal, 0x…"
            ) from error
    raise bad(f"$bigint is digits in a string, not {str(text)[:60]!r}")


def decoded(node: dict[str, Any]) -> bytes:
    try:
        return a2b_base64(node["$bytes"], strict_mode=True) if node["$bytes"] else b""
    except (BadBase64, ValueError, TypeError) as error:
        raise bad("$bytes is not base64") from error


class Output:
    """The bytes written so far."""

    def __init__(self) -> None:
        self.out = bytearray((f.VERSION, f.LATEST))

    def varint(self, value: int) -> None:
        while value > 0x7F:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)

    def string(self, text: str) -> None:
        try:
            data = text.encode("latin-1")
            tag = f.ONE_BYTE
        except UnicodeEncodeError:
            data = text.encode("utf-16-le", "surrogatepass")
            tag = f.TWO_BYTE
            # V8 keeps two-byte strings on even offsets.
            if (len(self.out) + 1 + max(1, -(-len(data).bit_length() // 7))) % 2:
                self.out.append(f.PADDING)
        self.out.append(tag)
        self.varint(len(data))
        self.out += data

    def number(self, value: float) -> None:
        if -_SMALL <= value < _SMALL and value == int(value) and (value or str(value)[0] != "-"):
            self.out.append(f.INT32)
            whole = int(value)
            self.varint(whole << 1 if whole >= 0 else (-whole << 1) - 1)
            return
        try:
            exact = float(value)
        except OverflowError:
            exact = float("inf")
        if type(value) is int and exact != value:
            raise bad(f"{value} is no number that JavaScript can hold", 'write it as {"$bigint": "…"}')
        self.out.append(f.DOUBLE)
        self.out += struct.pack("<d", exact)

    def digits(self, tag: int, text: Any) -> None:
        value = integer(text)
        count = -(-value.bit_length() // 64) * 8
        self.out.append(tag)
        self.varint(count << 1 | (value < 0))
        self.out += abs(value).to_bytes(count, "little")

    def key(self, name: str) -> None:
        index = array_index(name)
        if index is None:
            self.string(plain_key(name))
        else:
            self.number(index)
