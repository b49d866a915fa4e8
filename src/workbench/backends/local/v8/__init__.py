"""V8's structured serialisation, as the runtime keeps every key-value entry of an object: bytes to tagged JSON and back.

The format (versions 13 to 16, and the bare form of the first Durable Objects) is read and written here directly, not
through the package v8serialize: that one recurses, rounds the sign off -0, and cannot say invalid dates, lone
surrogates, or the runtime's own form of an Error (a host object). The tests hold both codecs against each other.
Imports the model only, so that decoding a page of entries costs no start-up.
"""

from typing import Any

from workbench.model.errors import WorkbenchError

from .reader import decode
from .stream import Undecodable
from .writer import encode

__all__ = ["Undecodable", "decode", "encode", "says"]


def says(value: Any, raw: bytes) -> bool:
    """Whether `raw` is what `encode` makes of a value; False for one it cannot write."""
    try:
        return encode(value) == raw
    except WorkbenchError:
        return False
