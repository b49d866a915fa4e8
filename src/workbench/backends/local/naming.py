"""How the emulator names files: a hash of what the state belongs to, folders for values, ids of values.

A database of a named thing is `<unique key>/<id>.sqlite`; the id is what `idFromName(name)` gives in the namespace that
the unique key stands for (workerd, server/actor-id-impl). Values of KV and R2 lie as files in a folder that carries the
name, made safe for a file system (miniflare, workers/shared).
"""

import hashlib
import hmac
import os
import re

from workbench.model.times import now_ms

VERSION = "v3"
KV = "miniflare-KVNamespaceObject"
R2 = "miniflare-R2BucketObject"
D1 = "miniflare-D1DatabaseObject"
WORKFLOWS_PREFIX = "miniflare-workflows-"
OBSERVABILITY = "miniflare-wobs-trace-store"
METADATA = "metadata.sqlite"
"""The runtime's own database, one in each folder of databases: the alarms."""

_HEX = frozenset("0123456789abcdef")


def id_from_name(unique_key: str, name: str) -> str:
    """The id (64 hex digits) of the object called `name` in the namespace `unique_key`."""
    key = hashlib.sha256(unique_key.encode("utf-8")).digest()
    body = hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256")[:16]
    return (body + _check(key, body)).hex()


def is_object_id(unique_key: str, text: str) -> bool:
    """Whether the text is an id of this namespace: 64 hex digits whose second half confirms the first."""
    if len(text) != 64 or set(text) - _HEX:
        return False
    key = hashlib.sha256(unique_key.encode("utf-8")).digest()
    return bytes.fromhex(text[32:]) == _check(key, bytes.fromhex(text[:32]))


def object_id(unique_key: str, name_or_id: str) -> str:
    """An id of this namespace as it is given; of anything else, what `idFromName` makes of it."""
    return name_or_id if is_object_id(unique_key, name_or_id) else id_from_name(unique_key, name_or_id)


def _check(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:16]


def database_path(state_directory: str, product: str, unique_key: str, name: str) -> str:
    """Where the database of a named thing lies, whether it is there or not. product: `kv`, `r2`, `d1`, ..."""
    return os.path.join(
        state_directory, VERSION, product, unique_key, id_from_name(unique_key, name) + ".sqlite"
    )


def blobs_folder(state_directory: str, product: str, name: str) -> str:
    """Where the values of a KV namespace or an R2 bucket lie."""
    return os.path.join(state_directory, VERSION, product, folder_name(name), "blobs")


def folder_name(name: str) -> str:
    """A name made safe for a file system, as the emulator does it; two names may share a folder."""
    dots = r"(^|/|\\)(\.+)(/|\\|\Z)"
    safe = re.sub(dots, _underscored_dots, name)
    # A second time: the matches of "/../.." share a slash.
    safe = re.sub(dots, _underscored_dots, safe)
    safe = re.sub("[?<>*\"'^/\\\\:|\x00-\x1f\x80-\x9f]", "_", safe)
    safe = re.sub(r"(?ai)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.[^\r\n\u2028\u2029]*)?\Z", "_", safe)
    safe = re.sub(r"^[ /\\]+", _underscored, safe)
    safe = re.sub(r"[ /\\]+\Z", _underscored, safe)
    # The emulator counts UTF-16 units.
    units = safe.encode("utf-16-le", "surrogatepass")[: 255 * 2]
    return units.decode("utf-16-le", "surrogatepass")


def _underscored_dots(match: re.Match[str]) -> str:
    return match[1] + "_" * len(match[2]) + match[3]


def _underscored(match: re.Match[str]) -> str:
    return "_" * len(match[0])


def new_blob_id() -> str:
    """An id for a value's file: 80 hex digits, 32 random bytes and the time in milliseconds."""
    return (os.urandom(32) + now_ms().to_bytes(8, "big")).hex()


def new_version() -> str:
    """A version for an R2 object: 32 hex digits."""
    return os.urandom(16).hex()
