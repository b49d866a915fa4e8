"""Requests that were sent from here, the newest last: a file of the user's own beside what is kept of the project's servers.

Values of headers that are credentials by their name are not kept: such a request is sent again with the value typed anew.
"""

import json
import os
from contextlib import suppress

from workbench.model.places import servers_home
from workbench.model.secrets import MASK
from workbench.model.servers import Answered, Asked, is_credential
from workbench.model.tagged import text_or_bytes
from workbench.model.times import iso, now_ms

from .asking import Headers
from .keeper import private

MOST = 200
LONGEST_BODY = 64 << 10
"""Bytes of a body that are kept; a longer one is not."""


def path(state_directory: str) -> str:
    """Where it lies."""
    return os.path.join(servers_home(state_directory), "requests.jsonl")


def read(state_directory: str) -> list[Asked]:
    """All that is kept; what cannot be read is left out."""
    found = []
    try:
        with open(path(state_directory), encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):
                    row = json.loads(line)
                    row["headers"] = tuple((str(name), str(value)) for name, value in row["headers"])
                    found.append(Asked(**row))
    except OSError:
        return []
    return found


def add(
    state_directory: str,
    server: str,
    method: str,
    target: str,
    headers: Headers,
    body: bytes,
    answer: Answered | None,
    error: str = "",
) -> Asked:
    """Keep one; where the file cannot be written it is not kept, and that is all."""
    before = read(state_directory)
    asked = Asked(
        before[-1].number + 1 if before else 1,
        iso(now_ms()),
        method,
        target,
        tuple((name, MASK if is_credential(name) else value) for name, value in headers),
        text_or_bytes(body if len(body) <= LONGEST_BODY else b""),
        server,
        answer.status if answer else None,
        answer.duration_ms if answer else None,
        error,
    )
    file = path(state_directory)
    kept = [*before[-(MOST - 1) :], asked]
    with suppress(OSError):
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        part = f"{file}.{os.getpid()}.part"
        with open(part, "w", encoding="utf-8", opener=private) as out:
            out.writelines(json.dumps(one._asdict()) + "\n" for one in kept)
        os.replace(part, file)
    return asked
