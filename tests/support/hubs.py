"""Hubs in temporary places, always ended: each test has state directory, data and runtime folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from workbench.backends.sandboxes import SandboxServer, launch, of_state_directory
from workbench.model.places import HubPlaces, hub_places

FOLDERS = ("CFWB_HUB_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")


class Home:
    """A project without Workers, and where its hub lies. The folders are short: a socket's path is."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.project = base / "p"
        self.env = {
            "CFWB_HUB_HOME": str(base / "h"),
            "XDG_RUNTIME_DIR": str(base / "r"),
            "XDG_STATE_HOME": str(base / "s"),
        }
        (self.project / ".wrangler" / "state" / "v3").mkdir(parents=True)
        (base / "r").mkdir(mode=0o700)

    @property
    def places(self) -> HubPlaces:
        return hub_places(str(self.project / ".wrangler" / "state"))

    def connect(self) -> launch.Found:
        """The hub, started where none runs."""
        return launch.connect(self.places)

    def kill_hub(self) -> None:
        """As the kernel does when memory runs out; back when it is gone."""
        found = launch.find(self.places)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        launch.wait_until_gone(self.places, time.monotonic() + 30)

    def http(self) -> httpx.Client:
        """A client of the hub with its token."""
        found = self.connect()
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=found.socket),
            base_url="http://hub",
            headers={"Authorization": f"Bearer {found.token}"},
            timeout=60,
        )

    def server(self) -> SandboxServer:
        """The project's own client, for one event loop."""
        return of_state_directory(self.places.state_directory)

    def end(self) -> None:
        """Stop the hub with all its sandboxes, whatever state they are in, and remove everything."""
        found = launch.find(self.places) if os.path.exists(self.places.data) else None
        left = os.path.isdir(self.places.sandboxes) and os.listdir(self.places.sandboxes)
        if found is not None or left:
            with self.http() as http:
                http.post("/hub/stop", json={"sandboxes": True})
            launch.wait_until_gone(self.places, time.monotonic() + 30)
        shutil.rmtree(self.base, ignore_errors=True)


def a_home(monkeypatch: object) -> Iterator[Home]:
    """A fixture: a `Home` whose folders are in the environment while it lives."""
    base = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))
    base.chmod(0o711)  # as root, sandboxes run as an id that has to walk through
    home = Home(base)
    for name, folder in home.env.items():
        monkeypatch.setenv(name, folder)  # type: ignore[attr-defined]
    try:
        yield home
    finally:
        home.end()


__all__ = ["Home", "a_home"]
