"""Every operation of the Cloudflare API: its method, path and parameters, from `operations.bin`.

`scripts/make_api_index.py` makes that file: a line of JSON that says where each product's part lies, then the parts (JSON, zlib). Finding
one operation reads its product's part alone.
"""

import json
import os
import zlib
from typing import Any, NamedTuple

from workbench.model.errors import UsageError, WorkbenchError

DATA = os.path.join(os.path.dirname(__file__), "operations.bin")
MAGIC = b"cfwb-api-1\n"


class ApiParameter(NamedTuple):
    """where: path, query, header, body, form, whole (all of the body) or file. type: in words; choices are joined by `|`."""

    name: str
    where: str
    type: str
    required: bool


class ApiOperation(NamedTuple):
    """name: `kv.namespaces.keys.list`. pages: "" or how its list goes on: number, cursor, token, single (one page).

    result: `[kind, {field: type}]`, kind one of list, one, bytes, none.
    """

    name: str
    method: str
    path: str
    pages: str
    parameters: tuple[ApiParameter, ...]
    result: tuple[str, dict[str, str]]

    @property
    def product(self) -> str:
        return self.name.partition(".")[0]


class ApiName(NamedTuple):
    """An operation as a list has it."""

    name: str
    method: str
    path: str
    product: str


def _head() -> tuple[dict[str, Any], int]:
    try:
        with open(DATA, "rb") as file:
            if file.readline() != MAGIC:
                raise ValueError("it is of another version")
            head: dict[str, Any] = json.loads(file.readline())
            return head, file.tell()
    except (OSError, ValueError) as error:
        raise WorkbenchError("api.no_index", f"the index of the API cannot be read: {error}") from None


def _part(product: str) -> list[Any]:
    head, begin = _head()
    place = head["parts"].get(product)
    if place is None:
        return []
    with open(DATA, "rb") as file:
        file.seek(begin + place[0])
        found: list[Any] = json.loads(zlib.decompress(file.read(place[1])))
        return found


def products() -> list[str]:
    """The first words of the names, in order."""
    return [product for product in _head()[0]["parts"] if product]


def sdk_version() -> str:
    """The version of the SDK that the index was made from."""
    return str(_head()[0]["sdk"])


def names() -> list[ApiName]:
    """Every operation, by name."""
    return [ApiName(name, method, path, name.partition(".")[0]) for name, method, path in _part("")]


def find(name: str) -> ApiOperation:
    """The operation of that name (`-` counts as `_`, a space as a dot). Raises UsageError, with what is near."""
    wanted = ".".join(name.replace("-", "_").replace(" ", ".").split("."))
    for entry in _part(wanted.partition(".")[0]):
        if entry[0] == wanted:
            parameters = tuple(ApiParameter(one[0], one[1], one[2], bool(one[3])) for one in entry[4])
            result = (str(entry[5][0]), entry[5][1])
            return ApiOperation(entry[0], entry[1], entry[2], entry[3], parameters, result)
    raise UsageError(f"the API has no operation {name!r}", _near(wanted))


def _near(wanted: str) -> str:
    from difflib import get_close_matches

    known = [one.name for one in names()]
    begin = [one for one in known if one.startswith(wanted + ".")]
    found = begin[:5] or get_close_matches(wanted, known, 3, 0.6)
    return f"did you mean {', '.join(found)}?" if found else "cfwb api list --search WORDS finds it"
