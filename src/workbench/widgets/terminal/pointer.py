"""What lies at a cell: a link, a word; and the names of the mouse's buttons."""

from __future__ import annotations

from workbench.terminal import Terminal

from .selection import Place

BUTTONS = {0: "none", 1: "left", 2: "middle", 3: "right"}


def link_at(terminal: Terminal, place: Place) -> str:
    """The URI of the OSC 8 link at a cell, or ""."""
    try:
        line = terminal.line(place.line)
    except IndexError:
        return ""
    used = 0
    for run in terminal.runs(line):
        if used <= place.column < used + run.columns:
            return run.style.link.uri if run.style.link else ""
        used += run.columns
    return ""


def next_word(terminal: Terminal, place: Place, way: int) -> Place:
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
            return Place(line, found)
        line += way
        column = -1 if way > 0 else terminal.columns
    return place
