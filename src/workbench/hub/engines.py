"""The providers of this machine: made once, chosen by name or as the best there is."""

from __future__ import annotations

from workbench.model.errors import WorkbenchError
from workbench.sandbox.machine import Machine
from workbench.sandbox.providers import Availability, Provider

PREFERRED = ("bubblewrap", "container")


class Engines:
    """Providers by name. What they make once (the base, the packed init) is the machine's, shared by all hubs of a user."""

    def __init__(self) -> None:
        self.machine = Machine()
        self._made: dict[str, Provider] = {}

    def get(self, name: str) -> Provider:
        """That provider; raises `sandboxes.provider_not_available` with the reason where it cannot be used."""
        provider = self._named(name)
        availability = provider.check()
        if not availability.usable:
            raise WorkbenchError(
                "sandboxes.provider_not_available", f"{name} cannot be used here: {availability.reason}"
            )
        return provider

    def availability(self, name: str) -> Availability | None:
        """What a provider is worth here; None where there is none of that name."""
        try:
            return self._named(name).check()
        except WorkbenchError:
            return None

    def best(self) -> str:
        """The name of the first that can be used and isolates. Raises with every reason where there is none."""
        reasons = []
        for name in PREFERRED:
            try:
                self.get(name)
            except WorkbenchError as error:
                reasons.append(error.message)
            else:
                return name
        raise WorkbenchError(
            "sandboxes.provider_not_available",
            "; ".join(reasons),
            "`--provider process --unsafe` runs without any isolation",
        )

    def _named(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Provider:
        if name == "process":
            from workbench.sandbox.providers.process import ProcessProvider

            return ProcessProvider(self.machine.programs)
        if name == "bubblewrap":
            from workbench.sandbox.providers.bubblewrap import BubblewrapProvider

            return BubblewrapProvider(self.machine)
        if name == "container":
            from workbench.sandbox.providers.container import ContainerProvider

            return ContainerProvider()
        raise WorkbenchError("sandboxes.provider_not_available", f"there is no provider {name}")
