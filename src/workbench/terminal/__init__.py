"""The terminal: a program's output becomes lines of styled text, a person's keys become its input. No screen, no PTY, no waiting.

Imports pyte, wcwidth and model/ only. `Terminal` is all most callers need:

    terminal = Terminal(120, 40)
    terminal.feed(output)                       # any cut of the program's output; never raises for it
    pty.write(terminal.take_answers())          # answers to its queries: safe by construction, or thrown away
    for event in terminal.take_events(): ...    # ClipboardWrite, WorkingDirectory, PromptMark, Notification
    for y in terminal.take_dirty():             # rows to draw again, once a frame
        line = terminal.rows[y]
        if line.cache is None:                  # None after every change; a line that only scrolled keeps it
            line.cache = strip_of(terminal.runs(line))    # (text, style, columns) each
    terminal.cursor, terminal.modes, terminal.title, terminal.palette, terminal.bells

Hold a frame back while `terminal.modes.synchronized` is on, and call `end_synchronized` when that lasts too long (150 ms, say).
`modes.reverse_video` swaps the default colours of the whole screen. Lines above the screen: `terminal.line(number)` for numbers from
`first_line` to `end_line`; a number stays a line's own while output goes on. Text that comes out (titles, events) has no control
characters but is the program's: not to be trusted, and nothing to be parsed as markup.

The other way, `keys`, `mouse` and `paste` give the bytes to write for a person's input in the current modes:

    pty.write(keys.encode("ctrl+alt+x", terminal.modes))       # also typed(text, modes)
    pty.write(mouse.encode(MouseEvent("press", "left", x, y), terminal.modes))    # b"" where the program does not want it
    found = paste.inspect(text)                                 # ask first where found.suspicious
    pty.write(paste.encode(text, terminal.modes))

A terminal is kept by `snapshot` and taken up again by `Terminal.restore`, in the midst of anything; `resize` wraps its lines anew.

Lines are found by `search.find(terminal, search.pattern("text"))` and copied by `selection.text(terminal, start, end)`; places
are `Position(line, column)` with a line's number. Also `selection.word`, `whole_line` and `link`.

Recordings are written and read by `cast` and played by `player.Player` (any time of one at once); `svg.svg(terminal)` is a picture.

A module an idea: `styles` and `sgr`, `characters`, `lines`, `scrollback`, `reflow`, `palette`, `modes`, `events`; the screen from `grid` by
`drawing`, `movement`, `editing`, `switches`, `answers`, `strings` to `screen`; `parser` and `bulk`, `snapshot`.
"""

from .events import ClipboardWrite, Event, Notification, PromptMark, WorkingDirectory
from .lines import Line
from .logical import Position
from .modes import Modes
from .palette import Palette
from .styles import Link, Style
from .terminal import Cursor, Run, Terminal

__all__ = [
    "ClipboardWrite",
    "Cursor",
    "Event",
    "Line",
    "Link",
    "Modes",
    "Notification",
    "Palette",
    "Position",
    "PromptMark",
    "Run",
    "Style",
    "Terminal",
    "WorkingDirectory",
]
