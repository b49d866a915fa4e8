"""The SQL console of a D1 database, an object or a facet. Imports operations/, widgets/ and the screens' pane."""

from .tables import SqlConsole

__all__ = ["SqlConsole"]
