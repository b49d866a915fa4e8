"""multipart/form-data, as far as a KV value needs it: small parts, all in memory (RFC 7578)."""

from __future__ import annotations

import re
from typing import NamedTuple

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_NAME = re.compile(r';\s*name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(r";\s*filename\*?=", re.IGNORECASE)


class Part(NamedTuple):
    """file: whether it says a file's name."""

    data: bytes
    file: bool

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def read_form(content_type: str, body: bytes) -> dict[str, Part]:
    """The parts by name, the first of each. Raises ValueError for what is no form."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("no boundary")
    mark = b"--" + (found[1] or found[2]).encode("latin-1")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("no closing boundary")
    parts: dict[str, Part] = {}
    for piece in pieces[1:-1]:
        head, gap, data = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not gap:
            raise ValueError("a part without a head")
        said = head.decode("utf-8", "replace")
        disposition = next(
            (line for line in said.split("\r\n") if line.lower().startswith("content-disposition:")), ""
        )
        name = _NAME.search(disposition)
        if name is None:
            raise ValueError("a part without a name")
        parts.setdefault(name[1], Part(data, _FILE.search(disposition) is not None))
    return parts
