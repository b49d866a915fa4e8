"""Bodies that came compressed although they were asked for plain: opened, so that they can be looked through."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from .streams import CHUNK


class Undecodable(Exception):
    """A coding that is not known here, or a body that is not what it says."""


class Decoder:
    """One body in the given Content-Encoding: b"" and identity as they are, gzip and deflate opened. Raises Undecodable."""

    def __init__(self, coding: bytes) -> None:
        name = coding.strip().lower()
        if name in (b"", b"identity"):
            self._kind = "plain"
        elif name in (b"gzip", b"x-gzip"):
            self._kind = "gzip"
        elif name == b"deflate":
            self._kind = "deflate"
        else:
            raise Undecodable(name.decode("latin-1"))
        self._zlib = zlib.decompressobj(47 if self._kind == "gzip" else 15)
        self._first = True

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return self._kind == "plain"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most a chunk, whatever the data grows to."""
        if self._kind == "plain":
            yield data
            return
        while data:
            try:
                piece = self._zlib.decompress(data, CHUNK)
            except zlib.error as error:
                if not (self._first and self._kind == "deflate"):
                    raise Undecodable(str(error)) from None
                # Some servers mean raw deflate by it.
                self._zlib, self._first = zlib.decompressobj(-15), False
                continue
            self._first = False
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail
            if self._zlib.eof:
                # A further member may follow (RFC 1952 section 2.2).
                data = self._zlib.unused_data
                self._zlib = zlib.decompressobj(47 if self._kind == "gzip" else 15)
