"""A module a feature, each a class listed here in the order in which they are opened and their routes are looked at."""

from ..feature import Feature
from .catalogue import Catalogue
from .contexts import Contexts
from .events import EventFeature
from .execution import Execution
from .files import Files
from .lifecycle import Lifecycle
from .limits import Limits
from .mounts import Mounts
from .network import Network
from .previews import Previews
from .process import HubProcess
from .processes import Processes
from .repositories import Repositories
from .snapshots import Snapshots
from .terminals import Terminals

FEATURES: list[type[Feature]] = [
    HubProcess,
    Lifecycle,
    Limits,
    EventFeature,
    Execution,
    Files,
    Processes,
    Previews,
    Repositories,
    Snapshots,
    Network,
    Contexts,
    Mounts,
    Terminals,
    Catalogue,
]
