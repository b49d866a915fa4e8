"""What a sandbox's connections are decided by: policy, credentials, and the list of those that are open."""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple

from .addresses import FAR, reach_of
from .authority import Authority
from .limits import Limits
from .masking import Masker
from .policy import Access, Reach, Refused
from .records import Entry, Records
from .rules import Credentials
from .upstream import Connected


class _Open(NamedTuple):
    host: str
    port: int
    far: Reach
    unopened: bool


class Outside:
    """The outside as one sandbox may see it now. access and credentials are replaced while connections run."""

    def __init__(
        self,
        sandbox: str,
        access: Access,
        credentials: Credentials,
        *,
        authority: Authority,
        trust: ssl.SSLContext,
        records: Records,
        limits: Limits,
    ) -> None:
        self.sandbox = sandbox
        self.access = access
        self.credentials = credentials
        self.masker = Masker(credentials.secrets)
        self.authority = authority
        self.trust = trust
        self.limits = limits
        self._records = records
        self._open: dict[asyncio.Task[object], _Open] = {}

    def begin(self, scheme: str, host: str, port: int) -> Entry:
        """A record of something this sandbox asks for."""
        return self._records.begin(self.sandbox, scheme, host, port)

    def reached(self, host: str, port: int, connected: Connected, *, unopened: bool = False) -> None:
        """Say to which host the running task now has a connection. unopened: a tunnel that is not looked into."""
        task = asyncio.current_task()
        assert task is not None
        if task not in self._open:
            task.add_done_callback(lambda done: self._open.pop(done, None))
        self._open[task] = _Open(host, port, reach_of(connected.address)[0], unopened)

    def change(self, access: Access, credentials: Credentials) -> None:
        """From now on these hold; connections that would not be made any more are ended."""
        self.access, self.credentials = access, credentials
        self.masker = Masker(credentials.secrets)
        for task, open in list(self._open.items()):
            if not self._still_fits(open):
                task.cancel()

    def _still_fits(self, open: _Open) -> bool:
        try:
            self.access.check(open.host, open.port)
        except Refused:
            return False
        if FAR[open.far] > FAR[self.access.reach(open.host, open.port)]:
            return False
        concerned = self.credentials.concern(open.host, open.port)
        return not (open.unopened and self.access.opens_tls(open.host, open.port, concerned))
