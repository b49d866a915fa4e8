from __future__ import annotations

from .edits import Editing


class ObjectInspector(Editing):
    """The tab of an object, or of one of its facets."""
