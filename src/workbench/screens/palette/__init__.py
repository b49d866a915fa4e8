"""The command palette: every operation of the registry, and what the window itself can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from workbench.app import WorkbenchApp

# Operations about the shell, which mean nothing in a window.
_NOT_HERE = ("completion", "agent-context")


# The first word of the operations on what a pane shows, where it is not the pane's kind.
_PRODUCTS = {
    "do_namespace": "do",
    "do_object": "do",
    "do_facet": "do",
    "workflow": "workflows",
    "terminal": "sandboxes",
    "process": "sandboxes",
}


def window_commands(app: WorkbenchApp) -> Iterator[SystemCommand]:
    """What the window can do, under names one would type, with the keys that do it sooner."""
    screen = app.workbench
    yield SystemCommand("Dark or light", "switch the theme (ctrl+t)", app.action_switch_theme)
    yield SystemCommand(
        "Fold the tree", "the pane has the whole width; again brings it back (f2)", screen.action_fold_tree
    )
    yield SystemCommand(
        "Switch this tab's target", "state directory, dev server or account (f10)", screen.action_target
    )
    yield SystemCommand("Details", "of the selection (f3)", screen.action_details)
    yield SystemCommand("Dev server", "its log; start, restart and stop it (f4)", screen.action_server)
    yield SystemCommand("Requests", "send the dev server one", screen.action_requests)
    yield SystemCommand("Traces", "requests that the dev server answered", screen.action_traces)
    yield SystemCommand("Close this tab", "and go to the one beside it (ctrl+w)", screen.action_close_tab)
    yield SystemCommand("Help", "the keys of what has the focus (?)", screen.action_help)
    yield SystemCommand("Read everything again", "from disk (ctrl+r)", screen.action_read_again)
    yield SystemCommand("Open the sample project", "in a fresh temporary folder", screen.action_demo)
    yield SystemCommand("Leave", "the workbench; open tabs are kept (ctrl+q)", app.action_leave)


class OperationCommands(Provider):
    """Every operation by its words; choosing one opens its form."""

    async def startup(self) -> None:
        from workbench.operations import all_operations

        session = self.app.workbench.session_in_front  # type: ignore[attr-defined]
        local = session is None or session.target.kind == "local"
        self._operations = [
            one for one in all_operations() if one.name not in _NOT_HERE and not (local and one.always_remote)
        ]

    def _open(self, name: str) -> None:
        from .form import OperationForm

        workbench = self.app.workbench  # type: ignore[attr-defined]
        if workbench.session_in_front is not None:
            self.app.push_screen(OperationForm(workbench.session_in_front, name, workbench.context()))

    async def discover(self) -> Hits:
        pane = self.app.workbench.active_pane  # type: ignore[attr-defined]
        product = _PRODUCTS.get(pane.locator.kind, pane.locator.kind) if pane is not None else ""
        for one in sorted(self._operations, key=lambda one: one.words[0] != product):
            words = " ".join(one.words)
            yield DiscoveryHit(words, lambda name=one.name: self._open(name), help=one.summary)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for one in self._operations:
            words = " ".join(one.words)
            score = max(matcher.match(words), matcher.match(one.summary) * 0.6)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(words),
                    lambda name=one.name: self._open(name),
                    text=words,
                    help=one.summary,
                )
