"""The terminal as a widget: a `workbench.terminal.Terminal` drawn, and a person's keys, mouse and paste as bytes for its program.

`canvas` draws (`feeding` keeps parsing off the paint path, `drawing` makes strips of lines), `reading` adds what a reader does
(`selection`, `searching`, `words`), `view` the program's keyboard and mouse (`keyboard`). It knows no PTY, no hub and no sandbox: what
is typed goes out as a message.
"""

from .view import TerminalView

__all__ = ["TerminalView"]
