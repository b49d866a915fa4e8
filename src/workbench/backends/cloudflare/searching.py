"""Finding an operation of the API by the words that a person would use for it.

Each word is looked for in an operation's name and path; what a name says as a word of its own comes first, what stands somewhere in a
path last. Words for an act that is another verb here, and a few everyday words for what the API calls otherwise, count as those.
"""

from .catalogue import ApiName

_ACTS = {
    "add": "create",
    "new": "create",
    "make": "create",
    "insert": "create",
    "remove": "delete",
    "destroy": "delete",
    "rm": "delete",
    "edit": "update",
    "change": "update",
    "set": "update put",
    "patch": "update",
    "replace": "put update",
    "show": "get",
    "read": "get",
    "view": "get",
    "describe": "get",
    "info": "get",
    "details": "get",
    "ls": "list",
    "all": "list",
    "upload": "put update",
    "put": "update",
    "write": "update put",
    "push": "send",
    "clear": "purge",
    "flush": "purge",
    "invalidate": "purge",
}
_MEANT = {
    "cron": "schedules",
    "trigger": "schedules",
    "triggers": "schedules",
    "logs": "tail",
    "whoami": "user.get",
    "waf": "rulesets",
    "deploy": "scripts.update",
    "permissions": "permission_groups",
    "credentials": "token",
    "cdn": "cache",
}
_IDLE = {"a", "an", "the", "of", "for", "to", "in", "on", "from", "my", "with", "and"}
_NOWHERE = 9
_WORDS_LEFT = 0.1
"""What a word of a name that nobody asked for costs: the shorter of two names that fit comes first."""


def search(words: str, among: list[ApiName]) -> list[ApiName]:
    """Those that have every word somewhere, the best fit first; where none has them all, those that have all but one."""
    wanted = [_spellings(word) for word in words.lower().replace("-", "_").split() if word not in _IDLE] or [
        ("",)
    ]
    ranked = sorted(((_cost(one, wanted), one) for one in among), key=lambda pair: (pair[0], pair[1].name))
    whole = [one for cost, one in ranked if cost[0] == 0]
    if whole or len(wanted) < 2:
        return whole
    return [one for cost, one in ranked if cost[0] == 1]


def _spellings(word: str) -> tuple[str, ...]:
    """A word, what it is called here, and both without the ending of a plural."""
    given = [word, *_ACTS.get(word, "").split(), *_MEANT.get(word, "").split()]
    return tuple(dict.fromkeys([*given, *map(_singular, given)]))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _cost(one: ApiName, wanted: list[tuple[str, ...]]) -> tuple[int, float]:
    """(words that are nowhere, how far the others are from being words of its name)"""
    parts = one.name.replace("_", ".").split(".")
    singular = {_singular(part) for part in parts}
    path = one.path.lower()
    costs = [min(_distance(word, one.name, parts, singular, path) for word in words) for words in wanted]
    missing = sum(cost == _NOWHERE for cost in costs)
    left = max(0, len(parts) - len(wanted))
    return missing, sum(costs) + left * _WORDS_LEFT


def _distance(word: str, name: str, parts: list[str], singular: set[str], path: str) -> int:
    if word in parts or word in singular or ("." in word and name.endswith(word)):
        return 0
    if any(part.startswith(word) for part in parts):
        return 1
    return 2 if word in name else 3 if word in path else _NOWHERE
