"""A module a feature, each a class listed here in the order in which they are opened and their routes are looked at."""

from ..feature import Feature
from .events import EventFeature
from .lifecycle import Lifecycle
from .process import HubProcess

FEATURES: list[type[Feature]] = [HubProcess, Lifecycle, EventFeature]
