"""What is known of a hub, and the version of what it speaks."""

from typing import NamedTuple

PROTOCOL = 2
"""Raised when a client of today could not speak to a hub of yesterday. An older hub is replaced, a newer one refused."""


class Hub(NamedTuple):
    """The background process of a state directory.

    running: False where there is none (the other fields are then empty). started: ISO 8601. sandboxes: how many there are;
    active: how many of them run now.
    """

    running: bool
    state_directory: str
    pid: int | None = None
    protocol: int | None = None
    version: str | None = None
    started: str | None = None
    socket: str | None = None
    log: str | None = None
    sandboxes: int | None = None
    active: int | None = None


class HubStopped(NamedTuple):
    """A hub that was stopped. left: sandboxes that run on without it, and are found again by the next."""

    stopped: bool
    pid: int | None
    left: int
