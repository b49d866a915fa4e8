"""Credential rules: which secret goes onto which request, and how."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from workbench.model.errors import UsageError
from workbench.model.network import CredentialRule

from .policy import HostPattern

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Headers that belong to the connection: to set them would be to change how the message is read.
_NOT_FOR_RULES = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
    )
    + ("te", "trailer", "transfer-encoding", "upgrade")
)

# By these some servers take a request for one of another method or path than its first line says.
_OVERRIDES = frozenset(
    b"x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url".split()
)

Headers = list[tuple[bytes, bytes]]


def check_rule(rule: CredentialRule) -> HostPattern:
    """Its host pattern. Raises UsageError for a rule that cannot be applied."""
    pattern = HostPattern.parse(rule.host)
    if pattern.host.replace("*", "").strip(".") == "" and pattern.network is None:
        raise UsageError(f"a credential for {rule.host!r} would go to every host", "name the host")
    if rule.kind not in ("header", "bearer", "basic", "query"):
        raise UsageError(f"no kind of credential {rule.kind!r}", "header, bearer, basic or query")
    if rule.kind == "header" and (
        not _TOKEN.fullmatch(rule.name) or rule.name.lower() in _NOT_FOR_RULES or rule.name.startswith(":")
    ):
        raise UsageError(f"{rule.name!r} is not a header a credential can go into")
    if rule.kind == "query" and not rule.name:
        raise UsageError("a credential in the query needs the parameter's name")
    if rule.kind == "basic" and ":" in rule.user:
        raise UsageError("a user name for basic authentication holds no colon")
    for text in (rule.prefix, rule.user, rule.name):
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise UsageError("a credential rule holds no control characters")
    if rule.path and not rule.path.startswith("/"):
        raise UsageError(f"the path {rule.path!r} does not begin with /")
    if any(not _TOKEN.fullmatch(method) for method in rule.methods):
        raise UsageError("methods are words such as GET")
    if rule.variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rule.variable):
        raise UsageError(f"{rule.variable!r} is not the name of a variable")
    return pattern


# How often a server may decode a path before it looks at it; more is no path that a rule is about.
_DECODED = 4


def _segments(path: bytes) -> list[bytes]:
    """A path folded as a server does it: empty segments and dots worked out, parameters after a semicolon left aside."""
    folded: list[bytes] = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        bare = segment.partition(b";")[0]
        if bare == b"..":
            folded[-1:] = []
        elif bare not in (b"", b"."):
            folded.append(segment)
    return folded


def path_begins(path: str, prefix: str) -> bool:
    """Whether a path lies below `prefix`, as it stands and also however often its escapes are decoded and its dots worked out."""
    wanted = [part.encode() for part in prefix.split("/") if part]
    if not wanted:
        return True
    read = path.partition("?")[0].encode("latin-1", "replace")
    if [part for part in read.split(b"/") if part][: len(wanted)] != wanted:
        return False
    for _ in range(_DECODED):
        if _segments(read)[: len(wanted)] != wanted:
            return False
        decoded = unquote_to_bytes(read)
        if decoded == read:
            return True
        read = decoded
    return False


class _Ready(NamedTuple):
    rule: CredentialRule
    pattern: HostPattern
    secret: str


class Lent(NamedTuple):
    """What came of applying rules to a request. applied: the rules' ids. withheld: why one that matched was not applied, or ""."""

    target: str
    headers: Headers
    applied: str
    withheld: str


class Credentials:
    """A sandbox's rules with their secrets at hand.

    secrets: by name; a rule whose secret is gone does nothing. Raises UsageError for a rule that cannot be applied.
    """

    def __init__(self, rules: tuple[CredentialRule, ...], secrets: dict[str, str]) -> None:
        ready = [_Ready(rule, check_rule(rule), secrets.get(rule.secret, "")) for rule in rules]
        # The narrower rule has the last word: it comes first, and a place is filled once.
        self._ready = sorted(ready, key=lambda one: (-one.pattern.exactness, -len(one.rule.path)))

    def concern(self, host: str, port: int) -> bool:
        """Whether any rule is about this host, whatever the path and the method."""
        return any(one.pattern.matches(host, port) for one in self._ready)

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """(user, secret) of every rule, the user "" but for basic authentication: what has to be masked."""
        return [(one.rule.user, one.secret) for one in self._ready if one.secret]

    def lend(
        self,
        *,
        scheme: str,
        host: str,
        port: int,
        method: str,
        target: str,
        headers: Headers,
        on_machine: bool,
    ) -> Lent:
        """The request's target and headers with the credentials set; what the sandbox had put in their places goes.

        on_machine: the request does not leave the machine, so plain http is as good as https.
        """
        filled: set[str] = set()
        applied: list[str] = []
        withheld = ""
        for rule, pattern, secret in self._ready:
            if not pattern.matches(host, port) or not path_begins(target, rule.path):
                continue
            if rule.methods and method.upper() not in {each.upper() for each in rule.methods}:
                continue
            place = f"?{rule.name}" if rule.kind == "query" else _header_of(rule).lower()
            if place in filled:
                continue
            if not secret:
                withheld = f"the secret {rule.secret!r} of rule {rule.id} is gone"
                continue
            if scheme == "http" and not (rule.plain or on_machine):
                withheld = f"rule {rule.id} is for https only"
                continue
            filled.add(place)
            applied.append(rule.id)
            if rule.path or rule.methods:
                headers = [pair for pair in headers if pair[0].lower() not in _OVERRIDES]
            if rule.kind == "query":
                target = _with_parameter(target, rule.name, secret)
            else:
                name = _header_of(rule)
                headers = [pair for pair in headers if pair[0].lower() != name.lower().encode()]
                headers = [*headers, (name.encode(), _value_of(rule, secret).encode())]
        return Lent(target, headers, ",".join(applied), withheld)


def _header_of(rule: CredentialRule) -> str:
    return rule.name if rule.kind == "header" else "Authorization"


def _value_of(rule: CredentialRule, secret: str) -> str:
    if rule.kind == "bearer":
        return f"Bearer {secret}"
    if rule.kind == "basic":
        return "Basic " + base64.b64encode(f"{rule.user}:{secret}".encode()).decode()
    return rule.prefix + secret


def _with_parameter(target: str, name: str, value: str) -> str:
    """The target with one query parameter set; others keep their place and spelling."""
    path, _, query = target.partition("?")
    kept = [part for part in query.split("&") if part]
    kept = [
        part for part in kept if unquote_to_bytes(part.partition("=")[0].replace("+", " ")) != name.encode()
    ]
    return path + "?" + "&".join([*kept, f"{quote(name, safe='')}={quote(value, safe='')}"])
