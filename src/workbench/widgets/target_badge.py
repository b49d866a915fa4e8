"""The target, said the same way wherever something is touched: in words and by a sign, never by colour alone."""

from __future__ import annotations

import os

from textual.content import Content
from textual.widget import Widget

from workbench.model.target import Target
from workbench.model.text import visible


def badge(
    target: Target | None,
    *,
    folder: str = "",
    width: int | None = None,
    name: str = "",
    route: str = "",
) -> Content:
    """`● LOCAL .wrangler/state`, `▲▲ REMOTE Acme 0123…`, `▲▲ BRIDGE work https://…`, or `◆ SERVER http://…` for a route to the local
    state.

    folder: paths are shown relative to it. width: cells at most. name: the account's, or the server's address.
    """
    if target is None:
        return Content("○ no state")
    if target.kind == "remote":
        sign, style = "▲▲ BRIDGE" if route == "bridge" else "▲▲ REMOTE", "bold $target-remote"
    elif route == "server":
        sign, style = "◆ SERVER", "bold $target-server"
    else:
        sign, style = "● LOCAL", "bold $target-local"
    source = visible(shown_source(target, folder))
    if name:
        source = visible(name, limit=60) if route == "server" else f"{visible(name, limit=40)} {source}"
    if width is not None and len(sign) + 1 + len(source) > width:
        room = max(0, width - len(sign) - 2)
        source = source[:room] + "…" if target.kind == "remote" else "…" + source[-room:]
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

    def __init__(self, target: Target | None, *, folder: str = "", name: str = "") -> None:
        super().__init__(classes=f"-{target.kind}" if target else "")
        self.target = target
        self.folder = folder
        self.account = name

    def render(self) -> Content:
        return badge(self.target, folder=self.folder, width=self.size.width or None, name=self.account)
