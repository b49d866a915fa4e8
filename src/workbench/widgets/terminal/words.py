"""Where the next word is."""

from __future__ import annotations

from workbench.terminal import Position, Terminal


def next_word(terminal: Terminal, place: Position, way: int) -> Position:
    """Where the next word begins, or (way -1) this one or the one before, over the ends of lines."""
    line, column = place
    while terminal.first_line <= line < terminal.end_line:
        text = terminal.line(line).text
        starts = [at for at in range(len(text)) if text[at] != " " and (at == 0 or text[at - 1] == " ")]
        if way > 0:
            found = next((at for at in starts if at > column), None)
        else:
            found = next((at for at in reversed(starts) if at < column), None)
        if found is not None:
            return Position(line, found)
        line += way
        column = -1 if way > 0 else terminal.columns
    return place
