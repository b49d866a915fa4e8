"""The one screen one lives in: the tree, the tabs, the details, and the frame that says what is touched."""

from .screen import WorkbenchScreen

__all__ = ["WorkbenchScreen"]
