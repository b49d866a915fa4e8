"""From what the hub says of a sandbox to lines: of the wall, of the panel, of the details."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.model.contexts import CodeContext
from workbench.model.sandboxes import DiskSnapshot, Port, Sandbox, SandboxProcess, Terminal
from workbench.screens.pane import Details, Locator
from workbench.screens.when import from_now
from workbench.widgets.binding_tree import Item
from workbench.widgets.cells import size as spoken_size
from workbench.widgets.paging import Entry

from . import standing

_SIGNS = {
    "running": ("▶", "good"),
    "frozen": ("‖", "busy"),
    "asleep": ("☾", ""),
    "stopped": ("■", ""),
    "failed": ("✗", "bad"),
}


def sign_of(state: str) -> tuple[str, str]:
    """One cell for a state, and its tone."""
    return _SIGNS.get(state, ("?", ""))


def entry_of(sandbox: Sandbox) -> Entry:
    """A line of the wall."""
    sign, tone = sign_of(sandbox.state)
    label = f"{sandbox.name}  ⚠ not isolated" if sandbox.unsafe else sandbox.name
    mounts = len(sandbox.detail.get("mounts") or ())
    label += f"  ↔ {mounts} mount{'s' if mounts != 1 else ''}" if mounts else ""
    return Entry(
        sandbox.id,
        label,
        size=sandbox.state,
        when=from_now(sandbox.last_used or sandbox.created or ""),
        sign=sign,
        tone=tone,
        data=sandbox,
    )


def details_of(sandbox: Sandbox) -> Details:
    """All that is known, with what keeps it apart and what does not."""
    rows = [("name", sandbox.name), ("id", sandbox.id), ("state", sandbox.state)]
    rows += [("why", sandbox.reason)] if sandbox.reason else []
    rows += [("provider", sandbox.provider or "")]
    rows += [("network", sandbox.network or "none"), ("limits", standing.limits(sandbox))]
    rows += [("uses", " · ".join(standing.used(sandbox)))]
    rows += [("shares", mount) for mount in standing.shared(sandbox)]
    rows += [
        (name, moment)
        for name, moment in (
            ("created", sandbox.created),
            ("started", sandbox.started),
            ("last used", sandbox.last_used),
        )
        if moment
    ]
    rows += [("made from", sandbox.origin)] if sandbox.origin else []
    sleeps = (
        "never" if sandbox.keep_alive or sandbox.sleep_after is None else f"after {sandbox.sleep_after:g} s"
    )
    rows.append(("sleeps", sleeps))
    rows += [("variable", f"{name}={value}") for name, value in sandbox.env.items()]
    rows += [("keeps apart", sentence) for sentence in sandbox.isolation]
    rows += [("does not", sentence) for sentence in sandbox.exposure]
    return Details(f"sandbox {sandbox.name}", tuple(rows))


def items_of(
    sandbox: Sandbox,
    terminals: Sequence[Terminal],
    processes: Sequence[SandboxProcess],
    ports: Sequence[Port],
    snapshots: Sequence[DiskSnapshot] = (),
    contexts: Sequence[CodeContext] = (),
) -> list[Item]:
    """What is in it, under headings; a heading without lines says how some come to be."""
    theirs = {f"context-{one.id}" for one in contexts}  # what runs a context is its own affair
    processes = [one for one in processes if one.id not in theirs]
    return [
        _heading("terminals", "Terminals", "t opens one", [_terminal(sandbox, one) for one in terminals]),
        _heading("processes", "Processes", "x runs one", [_process(sandbox, one) for one in processes]),
        _heading("contexts", "Code contexts", "e begins one", [_context(sandbox, one) for one in contexts]),
        _heading("snapshots", "Snapshots", "c takes one", [_snapshot(one) for one in snapshots]),
        _heading("ports", "Ports", "none is listened on", [_port(one) for one in ports]),
    ]


def behind_a_bridge() -> list[Item]:
    """A bridge does not say what is in a sandbox."""
    notes = (("terminals", "Terminals", "t opens one"), ("ports", "Ports", "p makes a preview of one"))
    return [_heading(key, title, note, []) for key, title, note in notes]


def _heading(key: str, title: str, empty: str, children: list[Item]) -> Item:
    note = f"{len(children):,}" if children else empty
    return Item(key, title, kind="heading", mark="heading", note=note, children=children, expandable=True)


def _terminal(sandbox: Sandbox, terminal: Terminal) -> Item:
    ended = f"ended with {terminal.exit_code}" if terminal.state == "exited" else ""
    who = f"{terminal.keyboard} types" if terminal.keyboard else ""
    watch = f"{terminal.viewers} watch" if terminal.viewers else ""
    title = terminal.title or " ".join(terminal.argv)
    return Item(
        f"terminal/{terminal.id}",
        f"{terminal.id}  {title}",
        kind="terminal",
        what=terminal,
        note=" · ".join(part for part in (ended, who, watch) if part),
        locator=Locator("terminal", sandbox.name, terminal.id, label=sandbox.name),
    )


def _process(sandbox: Sandbox, process: SandboxProcess) -> Item:
    state = process.state
    if process.state == "exited":
        state = (
            f"ended with {process.exit_code}"
            if process.signal is None
            else f"ended by signal {process.signal}"
        )
    return Item(
        f"process/{process.id}",
        f"{process.id}  {' '.join(process.argv)}",
        kind="process",
        what=process,
        note=f"{state} · {spoken_size(process.log_bytes)}",
        locator=Locator("process", sandbox.name, process.id, label=f"{sandbox.name} {process.id}"),
    )


def _context(sandbox: Sandbox, context: CodeContext) -> Item:
    return Item(
        f"context/{context.id}",
        f"{context.id}  {context.language} {context.version}",
        kind="context",
        what=context,
        note="runs something" if context.busy else from_now(context.last_used),
        locator=context_locator(sandbox, context),
    )


def context_locator(sandbox: Sandbox, context: CodeContext) -> Locator:
    """Where a code context opens."""
    label = f"{sandbox.name} {context.language}"
    return Locator("code", sandbox.name, context.id, (context.language,), label=label)


def _port(port: Port) -> Item:
    return Item(
        f"port/{port.port}",
        f"{port.port}",
        kind="port",
        what=port,
        note=port.preview or "p makes a preview",
        locator=port.port,
    )


def _snapshot(snapshot: DiskSnapshot) -> Item:
    own = "" if not snapshot.automatic else "automatic · "
    return Item(
        f"snapshot/{snapshot.id}",
        snapshot.name or snapshot.id,
        kind="snapshot",
        what=snapshot,
        note=own + from_now(snapshot.created),
        locator=snapshot.id,
    )


def summary(sandboxes: Iterable[Sandbox]) -> str:
    """How many there are of each state, for a heading."""
    counts: dict[str, int] = {}
    for one in sandboxes:
        counts[one.state] = counts.get(one.state, 0) + 1
    return " · ".join(f"{count:,} {state}" for state, count in counts.items())
