"""EXPLAIN QUERY PLAN as a tree to read."""

from __future__ import annotations

from workbench.model.sql import Plan


def plan_text(plan: list[Plan]) -> str:
    """The steps, those inside another below it; what looks through a whole table is marked."""
    children: dict[int, list[Plan]] = {}
    for step in plan:
        children.setdefault(step.parent, []).append(step)
    lines: list[str] = []

    def add(parent: int, before: str) -> None:
        steps = children.get(parent, [])
        for at, step in enumerate(steps):
            last = at == len(steps) - 1
            lines.append(f"{before}{'└─ ' if last else '├─ '}{step.detail}{_remark(step.detail)}")
            add(step.id, before + ("   " if last else "│  "))

    add(0, "")
    return "\n".join(lines) or "SQLite has no plan for this statement: it looks through no table."


def _remark(detail: str) -> str:
    if detail.startswith("SCAN ") and " USING " not in detail and "CONSTANT ROW" not in detail:
        return "   ← every row"
    if detail.startswith("USE TEMP B-TREE"):
        return "   ← sorts"
    return ""
