"""How much and how long: every bound of the proxy in one place."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Seconds, unless said otherwise.

    connections: open at once for a sandbox; a further one gets 503. head: the largest request or response head, in bytes.
    between: a kept connection without a request. idle: any single read or write. tunnel: nothing either way in a tunnel or a WebSocket.
    Memory a connection: about four chunks of 64 KiB and two heads, whatever the size of the bodies.
    """

    connections: int = 192
    head: int = 65_536
    resolve: float = 10
    connect: float = 10
    handshake: float = 20
    first_bytes: float = 60
    between: float = 120
    idle: float = 600
    tunnel: float = 3600
