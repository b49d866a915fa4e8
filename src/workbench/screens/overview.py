"""Panes about the project itself: a Worker with its bindings and what is wrong in its config, and the state directory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widgets import Static

from workbench.model.bindings import Problem, Worker
from workbench.model.errors import WorkbenchError
from workbench.model.text import visible

from .pane import Pane

Part = tuple[str, str] | str


class _TextPane(Pane):
    """A pane that is a page of text."""

    DEFAULT_CSS = """
    _TextPane ScrollableContainer { padding: 0 1; }
    _TextPane Static { height: auto; width: auto; text-wrap: nowrap; }
    """

    def compose(self) -> ComposeResult:
        with ScrollableContainer():
            yield Static(id="page")

    async def on_mount(self) -> None:
        await self.refresh_data()

    async def refresh_data(self) -> None:
        self.query_one("#page", Static).update(Content.assemble(*await self.page()))

    async def page(self) -> list[Part]:
        raise NotImplementedError


def problem_lines(problems: tuple[Problem, ...], folder: str) -> list[Part]:
    """Each problem with its place, as `file:line:column`, the file as seen from the project's folder."""
    parts: list[Part] = []
    for problem in problems:
        file = os.path.relpath(problem.file, folder) if os.path.isabs(problem.file) else problem.file
        place = ":".join(str(part) for part in (file, problem.line, problem.column) if part is not None)
        parts += [
            ("▲ ", "$warning"),
            (visible(place) + "\n", "bold"),
            f"  {visible(problem.message, limit=500)}\n",
        ]
    return parts


def table_lines(rows: Sequence[tuple[str, ...]]) -> list[Part]:
    """Rows in columns as wide as they need, up to 60 characters."""
    if not rows:
        return []
    shown = [tuple(visible(cell, limit=60) for cell in row) for row in rows]
    widths = [max(Content(row[i]).cell_length for row in shown) for i in range(len(rows[0]))]
    parts: list[Part] = []
    for number, row in enumerate(shown):
        line = "  ".join(
            cell + " " * (width - Content(cell).cell_length) for cell, width in zip(row, widths, strict=True)
        )
        parts.append((line.rstrip() + "\n", "$text-muted" if number == 0 else ""))
    return parts


class WorkerPane(_TextPane):
    """What a config file says, and what is wrong with it."""

    HELP: ClassVar[str] = (
        "A Worker as its config file has it: every binding with its kind, id and mode, and what is wrong in the file."
    )

    async def page(self) -> list[Part]:
        worker = self._worker()
        if worker is None:
            return ["This Worker is no longer in the project."]
        parts: list[Part] = [
            (visible(worker.name) + "\n", "bold $primary"),
            visible(worker.config_path) + "\n",
        ]
        if worker.main:
            parts.append(f"main {visible(worker.main)}\n")
        if worker.environments:
            parts.append(f"environments {visible(', '.join(worker.environments))}")
            parts.append(
                f" (this is {visible(worker.environment)})\n" if worker.environment else " (none chosen)\n"
            )
        if worker.problems:
            parts.append("\n")
            parts += problem_lines(worker.problems, self.session.state.project.folder)
        rows = [("name", "kind", "resource", "id", "mode")]
        for one in worker.bindings:
            rows.append((one.name, one.kind, one.resource_name or "", one.resource_id or "", one.mode))
        return [*parts, "\n", *table_lines(rows)]

    def _worker(self) -> Worker | None:
        workers = self.session.state.project.workers
        return next((worker for worker in workers if worker.name == self.locator.resource), None)


class StatePane(_TextPane):
    """Everything that lies in the state directory, as what it is, with its size."""

    HELP: ClassVar[str] = (
        "What lies in the state directory, product by product, with sizes; ○ marks what no config binds.\n"
        "To start over: the commands `state delete`, `kv namespaces delete`, `d1 databases delete` and their like, under `:`."
    )

    async def page(self) -> list[Part]:
        project = self.session.state.project
        parts: list[Part] = [(visible(project.state_directory) + "\n", "bold $primary")]
        if project.problems:
            parts += ["\n", *problem_lines(project.problems, project.folder)]
        try:
            entries = await self.session.call("state.list")
        except WorkbenchError as error:
            return [*parts, "\n", (visible(error.message), "$text-error")]
        total = sum(one.size_bytes for one in entries)
        rows = [("", "size", "kind", "resource", "files", "what it is")]
        for one in entries:
            sign = "" if one.bound else "○"
            what = one.note or one.path
            rows.append(
                (sign, f"{size(one.size_bytes):>9}", one.kind, one.resource or "", f"{one.files:,}", what)
            )
        return [*parts, (f"{size(total)} in all\n\n", "bold"), *table_lines(rows)]


def size(count: int) -> str:
    """Bytes as a person says them: 512 B, 1.2 MiB."""
    if count < 1024:
        return f"{count} B"
    value = float(count)
    units = iter(("KiB", "MiB", "GiB", "TiB"))
    while value >= 1024:
        value, unit = value / 1024, next(units)
    return f"{value:.1f} {unit}"
