"""What a tab's content is, and which pane shows which resource.

A pane is added by writing a `Pane` and one line in `_PANES`; the shell and app.py stay as they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.message import Message
from textual.widget import Widget

from workbench.model.errors import WorkbenchError
from workbench.model.text import visible

if TYPE_CHECKING:
    from .session import Session


class Locator(NamedTuple):
    """What a pane shows; two equal locators are the same tab. Kept across starts, so its fields are plain.

    kind: kv, r2, d1, do_namespace, do_object, do_facet, workflow, workflow_instance, worker, state, sandboxes, terminal, process, code,
        server, requests, traces.
    resource: the id its state is filed under (namespace id, bucket name, database id, `script-Class`, workflow or Worker name).
    object: the object's id, or a workflow instance's. facets: their names from the outermost in.
    view: which of several panes on the same thing ("sql" for the console on an object or a facet), or "".
    label: what a person calls it; for the tab.
    """

    kind: str
    resource: str
    object: str = ""
    facets: tuple[str, ...] = ()
    view: str = ""
    label: str = ""

    @property
    def identity(self) -> tuple[str, str, str, tuple[str, ...], str]:
        """What tells two tabs apart: everything but the label."""
        return self[:5]


_OF_STATE = ("kv", "r2", "d1", "do_object", "do_facet", "workflow")
"""Kinds of panes that show state, which may be reached by more than one path."""


class Details(NamedTuple):
    """What the details pane shows of a selection: a title, and rows of (name, value) as text from anywhere."""

    title: str
    rows: tuple[tuple[str, str], ...]


class Pane(Widget):
    """One tab: made with a session and a locator, filled in `on_mount`, read again in `refresh_data`."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    TCSS: ClassVar[str] = ""
    """The style sheet beside the pane's module, read when the class is made."""

    HELP: ClassVar[str] = ""
    """A few lines about the pane for the help screen; plain text."""

    def __init_subclass__(cls, **options: Any) -> None:
        # Textual reads CSS_PATH of screens only; a pane's sheet is its default style.
        if "TCSS" in cls.__dict__:
            folder = os.path.dirname(sys.modules[cls.__module__].__file__ or "")
            with open(os.path.join(folder, cls.TCSS), encoding="utf-8") as sheet:
                cls.DEFAULT_CSS = sheet.read()
        super().__init_subclass__(**options)

    class DetailsChanged(Message):
        """The selection changed; the details pane shows this while it is open."""

        def __init__(self, details: Details, control: Widget | None = None) -> None:
            super().__init__()
            self.details = details
            self._control = control

        @property
        def control(self) -> Widget | None:
            """The pane (or the explorer) whose selection it is."""
            return self._control

    class TitleChanged(Message):
        """The tab's label must be drawn again."""

    class Open(Message):
        """Open another resource in a tab of its own. part: what of it to go to, such as a table of a database.

        session: that of the pane it comes from, for it is opened on the same target; None where it comes from the tree.
        """

        def __init__(self, locator: Locator, part: str = "") -> None:
            super().__init__()
            self.locator, self.part = locator, part
            self.session: Session | None = None

    class Changed(Message):
        """The pane wrote something: counts in the tree are read again."""

    class Touched(Message):
        """The pane had a Worker do something: nobody knows what it wrote, so whatever shows state is read again."""

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(**options)
        self.session = session
        self.locator = locator

    @on(Open)
    def _on_same_target(self, event: Open) -> None:
        event.session = self.session

    @property
    def title(self) -> str:
        """The tab's label; untrusted, drawn without markup."""
        return self.locator.label or self.locator.resource

    def concerns(self, paths: Collection[str]) -> bool:
        """Whether changed files (relative to the state directory's `v3`) may change what is shown."""
        return True

    async def refresh_data(self) -> None:
        """Read again what is on screen: files changed, or the user asked. Keep the cursor where it is."""

    def why_stay(self) -> str:
        """A question to ask before the tab is closed ("a transaction is open: roll it back?"), or ""."""
        return ""

    async def closing(self) -> None:
        """The tab is being closed: end what runs, close sessions."""

    def keep(self) -> dict[str, Any]:
        """What to find again after a restart, as JSON (folder, filter, cursor)."""
        return {}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take what `keep` gave, before the pane is mounted."""

    def focus_first(self) -> None:
        """Put the focus where the keyboard is wanted first."""
        for widget in self.query("*"):
            if widget.focusable:
                widget.focus()
                return

    def go_to(self, part: str) -> None:
        """Go to a part of what is shown, by its name; one that is not there is no error."""

    def selected(self) -> dict[str, str]:
        """What is selected, under the names that operations give it (`key`, `id`): a command's form begins with it."""
        return {}

    def show_details(self, details: Details) -> None:
        """Say what is selected; of state, also which path answered."""
        if details.rows and self.locator.kind in _OF_STATE:
            details = details._replace(rows=(*details.rows, *self.session.answered_by))
        self.post_message(self.DetailsChanged(details, self))

    def tell(self, text: str, *, error: bool = False) -> None:
        """A passing note. Text from anywhere: control codes are made visible, markup is not parsed."""
        self.app.notify(
            visible(text, lines=True, limit=2000),
            severity="error" if error else "information",
            timeout=8 if error else 3,
            markup=False,
        )

    def tell_error(self, error: WorkbenchError) -> None:
        """What went wrong, with the way out."""
        self.tell(f"{error.message}\n{error.hint}" if error.hint else error.message, error=True)


_PANES: dict[tuple[str, str], str] = {
    ("kv", ""): "workbench.screens.browser:KvBrowser",
    ("r2", ""): "workbench.screens.browser:R2Browser",
    ("d1", ""): "workbench.screens.console:SqlConsole",
    ("do_object", ""): "workbench.screens.inspector:ObjectInspector",
    ("do_object", "sql"): "workbench.screens.console:SqlConsole",
    ("do_facet", ""): "workbench.screens.inspector:ObjectInspector",
    ("do_facet", "sql"): "workbench.screens.console:SqlConsole",
    ("workflow", ""): "workbench.screens.workflows:WorkflowPane",
    ("sandboxes", ""): "workbench.screens.sandboxes:SandboxesPane",
    ("terminal", ""): "workbench.screens.terminal:TerminalPane",
    ("terminal", "recording"): "workbench.screens.terminal:RecordingPane",
    ("process", ""): "workbench.screens.sandboxes:LogPane",
    ("code", ""): "workbench.screens.code:CodePane",
    ("server", ""): "workbench.screens.servers.pane:ServerPane",
    ("requests", ""): "workbench.screens.servers.requests:RequestsPane",
    ("traces", ""): "workbench.screens.servers.traces:TracesPane",
    ("worker", ""): "workbench.screens.overview:WorkerPane",
    ("state", ""): "workbench.screens.overview:StatePane",
}

# Shown in the place of a pane that is not there.
_INSTEAD = {("do_object", ""): ("do_object", "sql"), ("do_facet", ""): ("do_facet", "sql")}


def pane_class(locator: Locator) -> type[Pane] | None:
    """The pane that shows this, imported now; None where nothing does."""
    wanted = (locator.kind, locator.view)
    for key in (wanted, _INSTEAD.get(wanted)):
        where = _PANES.get(key) if key else None
        if where is None:
            continue
        module, _, name = where.partition(":")
        try:
            found: type[Pane] | None = getattr(import_module(module), name, None)
        except ModuleNotFoundError as error:
            if not module.startswith(error.name or "?"):
                raise
            continue
        if found is not None:
            return found
    return None
