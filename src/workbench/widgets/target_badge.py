"""The target, said the same way wherever something is touched: in words and by a sign, never by colour alone."""

from __future__ import annotations

import os

from textual.content import Content
from textual.widget import Widget

from workbench.model.target import Target
from workbench.model.text import visible


def badge(target: Target | None, *, folder: str = "", width: int | None = None) -> Content:
    """`● LOCAL .wrangler/state` or `▲▲ REMOTE account`. folder: paths are shown relative to it. width: cells at most."""
    if target is None:
        return Content("○ no state")
    if target.kind == "remote":
        sign, style = "▲▲ REMOTE", "bold $target-remote"
    else:
        sign, style = "● LOCAL", "bold $target-local"
    source = visible(shown_source(target, folder))
    if width is not None and len(sign) + 1 + len(source) > width:
        source = "…" + source[-max(0, width - len(sign) - 2) :]
    return Content.assemble((sign, style), " ", source)


def shown_source(target: Target, folder: str = "") -> str:
    """The state directory as a person says it: relative to the project where it lies inside, else with `~`."""
    source = target.source
    if target.kind == "remote":
        return source
    if folder and source.startswith(folder.rstrip("/") + "/"):
        return os.path.relpath(source, folder)
    home = os.path.expanduser("~")
    return "~" + source[len(home) :] if home != "/" and source.startswith(home + "/") else source


class TargetBadge(Widget):
    """The badge as a widget, for modals: a border of its own kind says remote as well."""

    DEFAULT_CSS = """
    TargetBadge { height: 1; width: 1fr; }
    """

    def __init__(self, target: Target | None, *, folder: str = "") -> None:
        super().__init__(classes=f"-{target.kind}" if target else "")
        self.target = target
        self.folder = folder

    def render(self) -> Content:
        return badge(self.target, folder=self.folder, width=self.size.width or None)
