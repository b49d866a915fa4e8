"""One sandbox: what it is and uses, and the terminals, processes and ports in it."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from workbench.model.contexts import CodeContext
from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import DiskSnapshot, Port, Sandbox, SandboxProcess, Terminal
from workbench.model.text import visible
from workbench.widgets.binding_tree import BindingTree, Item

from . import reading, standing

_TONES = {"good": "$text-success", "bad": "$text-error", "busy": "$text-warning", "": "$text-muted"}


class SandboxPanel(Vertical):
    """`show` a sandbox, then `fill` it with what is in it; the lines post `BindingTree`'s messages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sandbox: Sandbox | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="unsafe")
        yield Static(id="head")
        yield BindingTree(id="inside")
        yield Static(id="apart")

    def on_mount(self) -> None:
        self.inside.open_keys.update(("terminals", "processes", "contexts", "ports", "snapshots"))

    @property
    def inside(self) -> BindingTree:
        return self.query_one(BindingTree)

    @property
    def item(self) -> Item | None:
        """The line under the cursor."""
        node = self.inside.cursor_node
        return node.data if node is not None else None

    def show(self, sandbox: Sandbox | None) -> None:
        """Its facts; None for nothing."""
        other = sandbox is None or self.sandbox is None or sandbox.id != self.sandbox.id
        self.sandbox = sandbox
        if other:
            self.inside.show([])
        banner = self.query_one("#unsafe", Static)
        banner.display = sandbox is not None and sandbox.unsafe
        banner.update(standing.UNSAFE)
        self.query_one("#head", Static).update(_head(sandbox) if sandbox else Content(""))
        self.query_one("#apart", Static).update(standing.apart(sandbox) if sandbox else Content(""))

    def fill(
        self,
        terminals: list[Terminal],
        processes: list[SandboxProcess],
        ports: list[Port],
        snapshots: list[DiskSnapshot],
        contexts: list[CodeContext],
    ) -> None:
        """What is in it now; where that says the same as before, nothing moves."""
        if self.sandbox is not None:
            items = reading.items_of(self.sandbox, terminals, processes, ports, snapshots, contexts)
            if _lines(items) != _lines(self.inside.items):
                self.inside.show(items)

    def fill_unknown(self) -> None:
        """Of one behind a bridge: what can be done, for what is in it is not known."""
        self.inside.show(reading.behind_a_bridge())

    def say(self, error: WorkbenchError) -> None:
        """Why it can't be shown."""
        self.query_one("#head", Static).update(
            Content.assemble((visible(error.message, limit=500), "$text-error"), "\n", visible(error.hint))
        )


def _lines(items: list[Item]) -> list[Any]:
    """All that is seen of items."""
    return [(item.key, item.label, item.note, _lines(item.children)) for item in items]


def _head(sandbox: Sandbox) -> Content:
    sign, tone = reading.sign_of(sandbox.state)
    parts: list[Any] = [
        (f"{sign} {sandbox.state}", f"bold {_TONES[tone]}"),
        f"   {visible(sandbox.provider or '')}   network {visible(sandbox.network or 'none')}",
    ]
    if sandbox.reason:
        parts += ["\n", (visible(sandbox.reason, limit=300), "$text-error")]
    parts += ["\n", " · ".join(standing.used(sandbox))]
    if sandbox.origin:
        parts += ["\n", (f"made from {visible(sandbox.origin, limit=80)}", "$text-muted")]
    return Content.assemble(*parts)
