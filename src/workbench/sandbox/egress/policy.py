"""Which hosts a policy lets through: host patterns, and the three modes."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, NamedTuple

from workbench.model.errors import UsageError
from workbench.model.network import NetworkPolicy

# The machine's own loopback, as a sandbox can name it: 127.0.0.1 and localhost are the sandbox itself.
MACHINE = "host.cfwb.internal"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# How far a host's addresses may reach: other machines' public ones, private networks too, the machine itself too.
Reach = Literal["public", "network", "machine"]

# Hosts that networks often keep a mirror of at an address of their own. Whoever runs a sandbox does not choose what these names resolve
# to, so a private address for one of them is such a mirror and no way into the network.
MIRRORED = frozenset(
    {
        "registry.npmjs.org",
        "registry.yarnpkg.com",
        "nodejs.org",
        "pypi.org",
        "files.pythonhosted.org",
        "crates.io",
        "index.crates.io",
        "static.crates.io",
        "proxy.golang.org",
        "sum.golang.org",
        "rubygems.org",
        "index.rubygems.org",
        "repo.maven.apache.org",
        "repo1.maven.org",
        "deb.debian.org",
        "security.debian.org",
        "archive.ubuntu.com",
        "security.ubuntu.com",
        "github.com",
        "api.github.com",
        "codeload.github.com",
        "raw.githubusercontent.com",
        "objects.githubusercontent.com",
        "gitlab.com",
    }
)

_HOST = re.compile(r"[a-z0-9_*]([a-z0-9_.*-]{0,252}[a-z0-9_*])?")


class Refused(Exception):
    """A connection that may not be made; `str()` is the sentence the sandbox and the record get."""


def normal_host(text: str) -> str:
    """A host name or address in one spelling: lower case, no brackets, no final dot, IDNA as ASCII. Raises ValueError."""
    host = text.strip().lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = host.removesuffix(".")
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    if len(host) > 253 or not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host):
        raise ValueError(f"not a host: {text!r}")
    return host


class HostPattern(NamedTuple):
    """`host`, `*.host`, `*`, an address or a network, with a port or (None) for all ports."""

    text: str
    host: str
    port: int | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    @classmethod
    def parse(cls, text: str) -> HostPattern:
        """Read one as people write them. Raises UsageError."""
        host, port = text.strip().lower(), None
        # An IPv6 address has brackets where a port follows it.
        match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*):(\d{1,5}|\*)", host)
        if match:
            host, digits = match[1], match[2]
            port = None if digits == "*" else int(digits)
        if port is not None and not 0 < port < 65536:
            raise UsageError(f"{text!r} has no port between 1 and 65535")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        try:
            return cls(text, bare, port, ipaddress.ip_network(bare, strict=False))
        except ValueError:
            pass
        if "*" in bare:
            if _HOST.fullmatch(bare):
                return cls(text, bare, port)
        else:
            try:
                return cls(text, normal_host(bare), port)
            except (ValueError, UnicodeError):
                pass
        raise UsageError(
            f"{text!r} is not a host pattern", "example.com, *.example.com, example.com:443, 127.0.0.1:8787"
        )

    @property
    def written_out(self) -> bool:
        """Whether it can only mean the machine or an address: then it allows private addresses by itself."""
        local = self.host == MACHINE or self.host == "localhost" or self.host.endswith(".localhost")
        return self.network is not None or (local and "*" not in self.host)

    @property
    def exactness(self) -> int:
        """Greater for the narrower of two patterns."""
        wide = self.network.num_addresses > 1 if self.network is not None else "*" in self.host
        return (0 if wide else 1_000) + len(self.host.replace("*", "")) * 2 + (self.port is not None)

    def matches(self, host: str, port: int) -> bool:
        """Whether it covers a host (in `normal_host`'s spelling) and a port. `*` stands for any characters."""
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            try:
                return ipaddress.ip_address(host) in self.network
            except ValueError:
                return False
        if "*" not in self.host:
            return self.host == host
        return re.fullmatch(re.escape(self.host).replace(r"\*", ".*"), host) is not None


class Access:
    """A policy made ready to be asked. Raises UsageError for patterns that say nothing."""

    def __init__(self, policy: NetworkPolicy) -> None:
        if policy.mode not in ("none", "allow", "all"):
            raise UsageError(f"no network mode {policy.mode!r}", "none, allow or all")
        if policy.inspect not in ("all", "rules"):
            raise UsageError(f"no inspection {policy.inspect!r}", "all or rules")
        self.policy = policy
        self._allow = [HostPattern.parse(text) for text in policy.allow]
        self._deny = [HostPattern.parse(text) for text in policy.deny]
        self._private = [HostPattern.parse(text) for text in policy.private]
        self._tunnel = [HostPattern.parse(text) for text in policy.tunnel]

    def check(self, host: str, port: int) -> None:
        """Raises Refused where the policy does not let this host through."""
        if self.policy.mode == "none":
            raise Refused("this sandbox has no network")
        if any(pattern.matches(host, port) for pattern in self._deny):
            raise Refused(f"{host}:{port} is denied to this sandbox")
        if self.policy.mode == "allow" and not any(
            pattern.matches(host, port) for pattern in (*self._allow, *self._private)
        ):
            raise Refused(f"{host}:{port} is not on this sandbox's list of allowed hosts")

    def denies_address(self, address: IPAddress, port: int) -> bool:
        """Whether a pattern of the denied ones is about this address, whatever name led to it."""
        return any(
            pattern.network is not None and address in pattern.network and pattern.port in (None, port)
            for pattern in self._deny
        )

    def reach(self, host: str, port: int) -> Reach:
        """How far this host's addresses may reach, by how it was named."""
        named = [
            pattern for pattern in self._allow if "*" not in pattern.host and pattern.matches(host, port)
        ]
        if any(pattern.written_out for pattern in named) or any(
            pattern.matches(host, port) for pattern in self._private
        ):
            return "machine"
        return "network" if named or host in MIRRORED else "public"

    @property
    def named_near(self) -> list[str]:
        """The patterns by which something on the machine or in a private network may be reached, as they were written."""
        written = [pattern for pattern in self._allow if pattern.written_out]
        return [pattern.text for pattern in (*written, *self._private)]

    def opens_tls(self, host: str, port: int, concerned: bool) -> bool:
        """Whether TLS to this host is opened. concerned: a credential rule is about it."""
        if concerned:
            return True
        return self.policy.inspect == "all" and not any(
            pattern.matches(host, port) for pattern in self._tunnel
        )
