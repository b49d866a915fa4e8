"""The way out of a sandbox: a proxy of its own, on a Unix socket, that decides, lends credentials and keeps a record.

`Egress` (egress.py) is what the hub holds: one a data root. For each sandbox it opens a `Gate` (gate.py) on `net/egress.sock`, which
the init inside reaches through a relay on 127.0.0.1. A connection is HTTP (absolute form or CONNECT) or SOCKS5. Everything that comes
through is hostile input: sizes, times and numbers are bounded.

    policy.py, addresses.py     may this host be reached, and at which address
    rules.py, masking.py     credentials on the way out, and kept out of what comes back
    authority.py, client_hello.py, streams.py     TLS opened with the sandbox's own certificate authority
    exchange.py, relay.py, message.py, origin.py, decoding.py, upstream.py, tunnel.py, socks.py     the protocols
    outside.py, limits.py     what a sandbox's connections are decided and bounded by
    store.py, records.py, settings.py     what was asked for; what was decided (SQLite, by aiosqlite)
    environment.py     what a sandbox needs to know to use it

May import model/. asyncio, h11 and cryptography are imported here and nowhere else outside the hub.
"""

from .egress import Egress
from .environment import environment
from .limits import Limits

__all__ = ["Egress", "Limits", "environment"]
