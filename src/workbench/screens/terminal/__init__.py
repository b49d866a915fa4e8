"""The tab of a sandbox's terminals: one or several side by side, each connected to the hub for as long as it is shown.

`connection` keeps the line to one terminal, `tile` is one terminal on screen with its head and its questions, `pane` puts tiles together;
`recording` plays what a terminal showed.
"""

from .pane import TerminalPane
from .recording import RecordingPane

__all__ = ["RecordingPane", "TerminalPane"]
