"""What a sandbox may reach, which credentials it is lent on the way out, and what it asked for.

Plain values, as they travel between the hub, its clients and the screens. What they mean is enforced in `sandbox/egress/`.
"""

from typing import Literal, NamedTuple

Mode = Literal["none", "allow", "all"]
Inspection = Literal["all", "rules"]
Kind = Literal["header", "bearer", "basic", "query"]
Outcome = Literal["open", "done", "refused", "failed", "cut"]


class NetworkPolicy(NamedTuple):
    """What a sandbox may reach; it can be changed while the sandbox runs.

    mode: "none"; "allow" (the hosts of `allow` and nothing else); "all" (every public host).
    allow, deny: host patterns (`example.com`, `*.example.com`, `example.com:443`, `127.0.0.1:8787`, `10.0.0.0/8`,
        `host.cfwb.internal:8787` for the machine's own loopback). `deny` wins.
    private: host patterns whose addresses may lie in a private network or on the machine itself. An address, a network, `localhost`
        or `host.cfwb.internal` written out in `allow` says that by itself; a name in `allow` without a wildcard says it of private
        networks, not of the machine.
    inspect: "all" opens every TLS connection with the sandbox's own authority, so that method, path and status are recorded;
        "rules" opens only those to hosts a credential rule concerns and records of the others the host alone.
    tunnel: host patterns whose TLS is never opened (for programs that trust only their own roots); a credential rule for the
        same host wins.
    """

    mode: Mode = "all"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    inspect: Inspection = "all"
    tunnel: tuple[str, ...] = ()


class CredentialRule(NamedTuple):
    """A secret set on requests to a host, outside the sandbox.

    host: a host pattern. path: only paths that begin so (whole segments), "" for all. methods: only these, () for all.
    kind: "header" sets `name` to `prefix` + secret; "bearer" sets Authorization to `Bearer <secret>`; "basic" to `user` and the secret;
        "query" sets the parameter `name`.
    secret: the name under which the hub keeps it. plain: also over http:// to other machines (else https, or the machine itself).
    variable: an environment variable that gets a stand-in value inside, for programs that will not start without a key.
    """

    id: str
    host: str
    kind: Kind
    secret: str
    name: str = ""
    user: str = ""
    prefix: str = ""
    path: str = ""
    methods: tuple[str, ...] = ()
    plain: bool = False
    variable: str = ""


class OutboundRequest(NamedTuple):
    """One request a sandbox made, secrets masked.

    at: ISO 8601. scheme: "http", "https", "ws", "wss", or "tls"/"tcp" for a tunnel that was not opened (its method is
    CONNECT, its path ""). status: of the response, 0 where there was none. sent, received: bytes of bodies (of a tunnel: all bytes).
    duration_ms: until it ended, or until now while `outcome` is "open". rule: ids of the credential rules applied, "" for none.
    reason: why it was refused, failed or cut.
    """

    id: int
    sandbox: str
    at: str
    scheme: str
    method: str
    host: str
    port: int
    path: str
    status: int
    sent: int
    received: int
    duration_ms: float
    rule: str
    outcome: Outcome
    reason: str


class SecretName(NamedTuple):
    """A secret the hub holds, without its value. created: ISO 8601. kept_in: "keyring" or "file"."""

    name: str
    created: str
    kept_in: str
