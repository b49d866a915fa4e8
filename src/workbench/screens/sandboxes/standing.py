"""How a sandbox stands to the machine, in words: what keeps it apart and what does not, what it shares, what it uses of its limits."""

from __future__ import annotations

from typing import Any

from textual.content import Content

from workbench.model.sandboxes import Sandbox
from workbench.model.text import visible
from workbench.widgets.cells import size as spoken_size

UNSAFE = " NOT ISOLATED: what runs here can do whatever you can do on this machine "


def used(sandbox: Sandbox) -> list[str]:
    """What it uses, and of how much; a limit that the kernel does not hold says so."""
    usage, found = sandbox.usage, []
    if usage is not None:
        amounts = (
            ("processes", usage.processes, "processes"),
            ("memory", usage.memory_bytes, "memory_bytes"),
            ("written", usage.disk_bytes, "disk_bytes"),
        )
        for name, now, limit in amounts:
            if now is not None:
                one = name == "processes" and now == 1 and sandbox.limits.get(limit) is None
                found.append(f"{_amount(limit, now)}{_limit(sandbox, limit)} {'process' if one else name}")
    if sandbox.limits.get("cpus") is not None:
        found.append(f"{sandbox.limits['cpus']:g} CPUs at most{_held(sandbox, 'cpus')}")
    if usage is not None and usage.cpu_seconds is not None:
        found.append(f"{usage.cpu_seconds:.1f} s of CPU")
    return found


def limits(sandbox: Sandbox) -> str:
    """Its limits, and which of them the kernel does not hold."""
    shown = [
        f"{name.removesuffix('_bytes')} {_amount(name, value)}{_held(sandbox, name)}"
        for name, value in sandbox.limits.items()
    ]
    return ", ".join(shown) or "none"


def _amount(limit: str, value: float) -> str:
    if limit.endswith("_bytes"):
        return spoken_size(int(value))
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _limit(sandbox: Sandbox, limit: str) -> str:
    most = sandbox.limits.get(limit)
    return "" if most is None else f" of {_amount(limit, most)}{_held(sandbox, limit)}"


def _held(sandbox: Sandbox, limit: str) -> str:
    name = limit.removesuffix("_bytes")
    if name in sandbox.enforced:
        return ""
    return " (watched only)" if name in sandbox.watched else " (does not hold here)"


def shared(sandbox: Sandbox) -> list[str]:
    """What of outside is mounted in it, a phrase each: `/src read and write from ~/src`."""
    found = []
    for mount in sandbox.detail.get("mounts") or ():
        source = mount.get("folder") or f"bucket {mount.get('bucket')}" + (
            f" of the {mount['of']}" if mount.get("of") == "account" else ""
        )
        how = "read-only" if mount.get("read_only") else "read and write"
        problem = f" ({mount['problem']})" if mount.get("problem") else ""
        found.append(f"{mount.get('path')} is {source}, {how}{problem}")
    return found


def apart(sandbox: Sandbox) -> Content:
    """What is not kept apart, what is shared on purpose, and what is kept apart: a line each, the worrying first."""
    parts: list[Any] = []
    for sentence in sandbox.exposure:
        parts += [("− ", "$text-warning"), (visible(sentence), "$text-muted"), "\n"]
    for sentence in shared(sandbox):
        parts += [("↔ ", "$text-accent"), (visible(sentence), ""), "\n"]
    for sentence in sandbox.isolation:
        parts += [("+ ", "$text-success"), (visible(sentence), "$text-muted"), "\n"]
    return Content.assemble(*parts[:-1])


def in_a_line(sandbox: Sandbox) -> Content:
    """The same for the head of a pane: what keeps it apart, what is shared, what is used, what is not kept apart."""
    if sandbox.unsafe:
        return Content(UNSAFE)
    parts: list[Any] = [(f" {visible(sandbox.provider or 'a bridge')}", "bold")]
    parts += [(f"  ↔ {visible(mount, limit=80)}", "$text-accent") for mount in shared(sandbox)]
    # Of each sentence its first part: the whole ones are on the wall and among the details.
    brief = [sentence.partition(":")[0].partition(",")[0] for sentence in sandbox.exposure]
    parts += [(f"  − {visible(sentence)}", "$text-warning") for sentence in brief]
    parts += [f"  {' · '.join(used(sandbox))}"]
    return Content.assemble(*parts)
