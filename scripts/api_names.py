"""Names for the API's operations: nouns, then one verb of our grammar, so that one guess works everywhere.

The SDK's last words are 309 different ones. What is a verb of ours stays; a synonym becomes ours; anything else is a noun, and the
HTTP method tells the verb: GET is `get` (`list` where it pages), POST `run`, PUT and PATCH `update`, DELETE `delete`. A resource
that can be both replaced (PUT) and changed in part (PATCH) has `put` for the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from api_sdk import Found

from workbench.operations import VERBS

_SYNONYMS = {
    "edit": "update",
    "read": "get",
    "show": "get",
    "fetch": "get",
    "remove": "delete",
    "destroy": "delete",
    "add": "create",
    "new": "create",
    "import_": "import",
    "execute": "run",
    "push": "send",
    "upload": "put",
}
_BY_METHOD = {"GET": "get", "POST": "run", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def named(operations: list[Found]) -> Iterator[tuple[Found, str]]:
    """Each operation with its name; all of them differ."""
    both = {
        (one.resource, one.path) for one in operations if one.method == "PATCH" and _verb(one)[1] == "update"
    }
    wanted = []
    for one in operations:
        nouns, verb = _verb(one)
        if verb == "update" and one.method == "PUT" and (one.resource, one.path) in both:
            verb = "put"
        wanted.append(".".join((*one.resource, *nouns, verb)))
    count = Counter(wanted)
    taken: set[str] = set()
    for one, name in zip(operations, wanted, strict=True):
        if count[name] > 1 and one.verb.rstrip("_") != name.rpartition(".")[2]:
            name = ".".join((*one.resource, one.verb.rstrip("_"), _by_method(one)))
        while name in taken:
            name = f"{name.rpartition('.')[0]}.{one.method.lower()}.{name.rpartition('.')[2]}"
        taken.add(name)
        yield one, name


def _verb(operation: Found) -> tuple[tuple[str, ...], str]:
    """The nouns that the SDK's word adds, and the verb."""
    word = operation.verb
    if (ours := _SYNONYMS.get(word, word)) in VERBS:
        return (), ours
    first, _, rest = word.partition("_")
    if rest and (ours := _SYNONYMS.get(first, first)) in VERBS:
        return (rest,), ours  # list_v1, get_org_analytics
    before, _, last = word.rpartition("_")
    if before and (ours := _SYNONYMS.get(last, last)) in VERBS:
        return (before,), ours  # bulk_delete
    return (word.rstrip("_"),), _by_method(operation)


def _by_method(operation: Found) -> str:
    return "list" if operation.pages and operation.method == "GET" else _BY_METHOD[operation.method]
