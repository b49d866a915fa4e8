"""The terminal as a widget: a `workbench.terminal.Terminal` drawn, and a person's keys, mouse and paste as bytes for its program.

`view` puts it together: `feeding` takes output off the paint path, `drawing` makes strips of lines, `keyboard` and `pointer` turn what a
person does into bytes, `selection` and `copy_mode` take text out, `search` finds it. It knows no PTY, no hub and no sandbox: what is
typed goes out as a message.
"""

from .view import TerminalView

__all__ = ["TerminalView"]
