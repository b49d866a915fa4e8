"""Secrets kept out of what comes back: a response that echoes one shows asterisks in its place.

What is masked: the secret as it is, all in capitals or in small letters, percent-encoded, JSON- and HTML-escaped, in hexadecimal
and base64 (also inside a longer base64 text, which covers `Authorization: Basic`), in header values and bodies, across any split. A
mask is as long as what it covers, so lengths stay true. What is not: a secret the server changes in another way (reversed, hashed,
encrypted, one character a WebSocket message). A credential is only ever sent to the host its rule names; masking is against echoes,
not against a host that means harm.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# Below this a derived spelling is so short that it turns up by chance.
_LONG_ENOUGH = 8


def _lower_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _base64_cores(secret: bytes) -> Iterable[bytes]:
    """What base64 of any text that holds the secret must hold, for the three ways it can lie against groups of three bytes."""
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + secret)
        # The first characters mix with what stands before, the last one with what follows.
        first = (0, 2, 3)[lead]
        yield whole[first : (lead + len(secret)) * 8 // 6]


def spellings(user: str, secret: str) -> list[bytes]:
    """The byte strings a secret may appear as, longest first."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), quote(secret).encode(), quote_plus(secret).encode()}
    found |= {_lower_escapes(each.decode("latin-1")).encode("latin-1") for each in list(found)}
    found |= {
        json.dumps(secret)[1:-1].encode(),
        json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
        html.escape(secret).encode(),
        html.escape(secret, quote=False).encode(),
    }
    if len(raw) >= _LONG_ENOUGH:
        cores = [*_base64_cores(raw), base64.b64encode(f"{user}:{secret}".encode())]
        found |= {
            secret.upper().encode(),
            secret.lower().encode(),
            raw.hex().encode(),
            raw.hex().upper().encode(),
            *cores,
        }
        found |= {core.replace(b"+", b"-").replace(b"/", b"_") for core in cores}
    return sorted(found, key=len, reverse=True)


class Masker:
    """Masks a set of secrets in whole values and in streams."""

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        found = {spelling for user, secret in secrets if secret for spelling in spellings(user, secret)}
        self._spellings = sorted(found, key=len, reverse=True)
        self._longest = max((len(spelling) for spelling in self._spellings), default=0)

    def __bool__(self) -> bool:
        return bool(self._spellings)

    def mask(self, data: bytes) -> bytes:
        """The data with every spelling covered; as long as before."""
        for spelling in self._spellings:
            if spelling in data:
                data = data.replace(spelling, b"*" * len(spelling))
        return data

    def mask_text(self, text: str) -> str:
        """The same for text."""
        return self.mask(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def unfinished(self, data: bytes) -> int:
        """How many of the last bytes may be the beginning of a secret that goes on in the next chunk."""
        tail = data[-(self._longest - 1) :] if self._longest > 1 else b""
        most = 0
        for spelling in self._spellings:
            at = tail.find(spelling[:1], max(0, len(tail) - len(spelling) + 1))
            while at >= 0:
                if spelling.startswith(tail[at:]):
                    most = max(most, len(tail) - at)
                    break
                at = tail.find(spelling[:1], at + 1)
        return most


class MaskedStream:
    """One body: chunks in, masked chunks out. It holds back only what may be the beginning of a secret."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What can go on now."""
        if not self._masker:
            return chunk
        data = self._masker.mask(self._held + chunk)
        held = self._masker.unfinished(data)
        self._held = data[len(data) - held :] if held else b""
        return data[: len(data) - held] if held else data

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def finish(self) -> bytes:
        """The rest, at the end of the body."""
        held, self._held = self._held, b""
        return held
