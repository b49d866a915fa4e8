"""Where the hub of a state directory lies: its data, its socket, its token. The same answer for the hub and for whoever looks for it.

The data is kept below the user's state folder; as root below `/var/lib/cfwb`, because sandboxes then run as an unprivileged id
which has to be able to walk there, and `/root` is closed. `CFWB_HUB_HOME` names another folder. The socket lies in the runtime
folder. Which socket a running hub really listens on is written in its data (`hub.json`), for two logins of one
user may have different runtime folders.
"""

import hashlib
import os
from typing import NamedTuple

_LONGEST_SOCKET = 100  # bytes; the kernel takes 107


class HubPlaces(NamedTuple):
    """Paths, all absolute. key: what the state directory is called in them.

    data: sandboxes, layers, log. runtime: the folder of socket and token, for its owner alone.
    """

    state_directory: str
    key: str
    data: str
    runtime: str

    @property
    def socket(self) -> str:
        return f"{self.runtime}/hub.sock"

    @property
    def token(self) -> str:
        return f"{self.runtime}/token"

    @property
    def info(self) -> str:
        """`{pid, protocol, version, started, socket, token}` of the hub that runs, or ran last."""
        return f"{self.data}/hub.json"

    @property
    def lock(self) -> str:
        """Held (flock) by the hub as long as it lives."""
        return f"{self.data}/lock"

    @property
    def log(self) -> str:
        return f"{self.data}/hub.log"

    @property
    def sandboxes(self) -> str:
        """A folder a sandbox, by short id."""
        return f"{self.data}/s"

    @property
    def layers(self) -> str:
        return f"{self.data}/l"


def hub_places(state_directory: str) -> HubPlaces:
    """The places of a state directory (which need not exist)."""
    real = os.path.realpath(state_directory)
    key = _key(real)
    return HubPlaces(real, key, f"{_data_home()}/{key}", _runtime(key))


def state_home() -> str:
    """Where this user's state of ours lies: `$XDG_STATE_HOME/cfwb`."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(os.path.abspath(base), "cfwb")


def servers_home(state_directory: str) -> str:
    """The folder of what is kept of a state directory's dev servers: those that we started, requests they were sent."""
    return os.path.join(state_home(), "servers", _key(os.path.realpath(state_directory)))


def _key(real: str) -> str:
    return hashlib.sha256(os.fsencode(real)).hexdigest()[:16]


def _data_home() -> str:
    given = os.environ.get("CFWB_HUB_HOME")
    if given:
        return os.path.abspath(given)
    if os.geteuid() == 0:
        return "/var/lib/cfwb"
    return os.path.join(state_home(), "hubs")


def _runtime(key: str) -> str:
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and os.path.isabs(given):
        folder = os.path.join(given, "cfwb", key)
        if len(os.fsencode(folder)) + len("/hub.sock") <= _LONGEST_SOCKET:
            return folder
    return f"/tmp/cfwb-{os.geteuid()}/{key}"
