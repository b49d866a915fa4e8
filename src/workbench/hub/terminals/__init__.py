"""Terminals on the hub's side: the screen as it is (`screen`), those who look at it (`viewer`), whose size it takes (`sizing`), and the
recording (`recording`).

The program and its PTY belong to the init inside; the hub follows its output, keeps the whole screen with its scrollback, answers the
program's queries, and leaves a checkpoint of the screen in the init, from which the next hub goes on exactly.
"""

from .screen import HubTerminal
from .sizing import POLICIES
from .viewer import Viewer

__all__ = ["POLICIES", "HubTerminal", "Viewer"]
