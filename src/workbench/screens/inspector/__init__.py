"""The inspector of a Durable Object: its own database and those of its facets as rooms of one house.

`reading.py` reads, `pane.py` shows, `value.py` is the whole value below the rooms, `edits.py` writes with `editor.py`;
`compare.py` finds what two rooms differ in and `comparison.py` shows it; `objects.py` is the list of a class's objects.
"""

from .kinds import ObjectInspector

__all__ = ["ObjectInspector"]
