"""What sandboxes write on: a base that is generated once a machine, read-only layers, and an upper one each.

Knows nothing of providers and of names; everything is addressed by folders.
"""

from workbench.sandbox.disk.disk import PARTS, Disk

__all__ = ["PARTS", "Disk"]
