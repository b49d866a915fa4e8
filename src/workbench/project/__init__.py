"""Finds and reads a Worker's configuration; turns it into Workers and Bindings. Imports model/ only.

`load` is the door. It never raises for what a file says: bad content becomes `Problem`s, and all that can still be
read is read. It raises `WorkbenchError` where there is nothing to open (`project.not_found`) or where what was asked
for by name does not exist (`project.unknown_worker`, `project.unknown_environment`).
On the start-up path of every command: standard library only, and of that the cheap half.
"""

from workbench.project.load import load

__all__ = ["load"]
