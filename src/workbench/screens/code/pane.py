"""A code context: write code, run it, see what it prints and gives; variables and imports stay from one run to the next."""

from __future__ import annotations

from time import monotonic
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from workbench.model.contexts import CodeContext
from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.screens.pane import Details, Locator, Pane
from workbench.screens.session import Session
from workbench.widgets.code_editor import CodeEditor
from workbench.widgets.code_words import CodeColours
from workbench.widgets.terminal.find_bar import FindBar

from .transcript import Transcript

BEFORE = 50
"""Codes kept that were run before."""


class CodePane(Pane):
    """`locator.resource` is the sandbox, `locator.object` the context, `locator.facets` its language."""

    TCSS = "code.tcss"
    HELP = (
        "A context runs code in the sandbox and keeps variables and imports. f5 runs what is selected, or all of it; Escape interrupts "
        "what runs (variables stay), or goes to what came and back. alt+up and alt+down bring back what was run before.\n"
        "Below: o shows the last result whole (a table, JSON, a picture), / finds, v selects, y copies.\n"
        "Several contexts run side by side, a tab each; d ends this one."
    )
    BINDINGS: ClassVar[list[Any]] = [
        Binding("f5,f9", "run", "Run"),
        Binding("alt+up", "before(-1)", "What was run before", show=False),
        Binding("alt+down", "before(1)", "What was run after", show=False),
        Binding("o", "whole", "Whole result"),
        Binding("slash", "find", "Find", show=False),
        Binding("d", "end", "End it", show=False),
    ]

    def __init__(self, session: Session, locator: Locator, **options: Any) -> None:
        super().__init__(session, locator, **options)
        self.language = locator.facets[0] if locator.facets else "python"
        self.context = locator.object
        self.version = ""
        self.running = False
        self._began = 0.0
        self._said = ""
        self._number = 0
        self._results: tuple[dict[str, Any], int] | None = None
        self._before: list[str] = []
        self._at = 0
        self._kept = ""

    def compose(self) -> ComposeResult:
        yield CodeEditor(CodeColours(self.language), self._kept, id="editor")
        yield Static(id="head")
        transcript = Transcript(id="transcript")
        yield transcript
        yield FindBar(transcript)

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)
        self._draw()
        self.read_context()

    @property
    def editor(self) -> CodeEditor:
        return self.query_one(CodeEditor)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def focus_first(self) -> None:
        self.editor.focus()

    def concerns(self, paths: Any) -> bool:
        return False

    def keep(self) -> dict[str, Any]:
        if not self.is_mounted:
            return {}
        return {"code": self.editor.text, "before": self._before[-BEFORE:], "context": self.context}

    def restore(self, kept: dict[str, Any]) -> None:
        code, before, context = kept.get("code"), kept.get("before"), kept.get("context")
        self.context = context if isinstance(context, str) else self.context
        self._kept = code if isinstance(code, str) else ""
        self._before = [one for one in before if isinstance(one, str)] if isinstance(before, list) else []
        self._at = len(self._before)

    @work(exclusive=True, group="context")
    async def read_context(self) -> None:
        """Whether it is still there; where it is not, the next run begins a fresh one."""
        try:
            known = await self.session.call("sandboxes.contexts.list", sandbox=self.locator.resource)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        found = next((one for one in known if one.id == self.context), None)
        if found is None:
            self.context = ""
            self._said = "it is gone: the next run begins a fresh one"
        else:
            self.version = found.version
            self.show_details(
                Details(f"context {found.id}", tuple((k, str(v)) for k, v in found._asdict().items()))
            )
        self._draw()

    # Running

    def action_run(self) -> None:
        code = self.editor.selected_text or self.editor.text
        if code.strip() and not self.running:
            self.run_code(code)

    @work(exclusive=True, group="run")
    async def run_code(self, code: str) -> None:
        """Run it to its end, printing what comes."""
        self.running, self._began, self._said = True, monotonic(), ""
        self._number += 1
        self._before = [*(one for one in self._before if one != code), code][-BEFORE:]
        self._at = len(self._before)
        transcript = self.transcript
        await transcript.line_end()
        await transcript.ran(self._number, self.language, code)
        self._draw()
        try:
            if not self.context:
                made: CodeContext = await self.session.call(
                    "sandboxes.contexts.create", sandbox=self.locator.resource, language=self.language
                )
                self.context, self.version = made.id, made.version
            output = await self.session.call(
                "sandboxes.contexts.run", sandbox=self.locator.resource, code=code, context=self.context
            )
            async for name, fields in output.coming:
                if name == "result":
                    self._results = fields, self._number
                if name != "stdout" and name != "stderr":
                    await transcript.line_end()
                await transcript.came(name, fields)
        except WorkbenchError as error:
            self._said = error.message
            if error.code.endswith("not_found"):
                self.context = ""
        finally:
            self.running = False
            self._said = self._said or f"{monotonic() - self._began:.1f} s"
            if self.is_attached:
                self._draw()

    @work(exclusive=True, group="interrupt")
    async def interrupt(self) -> None:
        try:
            await self.session.call(
                "sandboxes.contexts.stop", sandbox=self.locator.resource, context=self.context
            )
        except WorkbenchError as error:
            self.tell_error(error)

    @on(CodeEditor.Escaped)
    def escaped(self, event: CodeEditor.Escaped) -> None:
        event.stop()
        if self.running:
            self.interrupt()
        else:
            self.transcript.focus()

    @on(Transcript.Back)
    def back(self, event: Transcript.Back) -> None:
        event.stop()
        if self.running:
            self.interrupt()
        else:
            self.editor.focus()

    async def closing(self) -> None:
        """Leaving interrupts what runs; the context with its variables stays."""
        self.workers.cancel_group(self, "run")

    # The rest of the keys

    def action_before(self, step: int) -> None:
        """What was run before, in the editor."""
        if self._before:
            self._at = max(0, min(len(self._before), self._at + step))
            code = self._before[self._at] if self._at < len(self._before) else ""
            self.editor.load_text(code)
            self.editor.move_cursor(self.editor.document.end)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._results is not None if action == "whole" else True

    def action_whole(self) -> None:
        """The last result by itself, in every way it can be shown."""
        from workbench.screens.console.value_screen import ValueScreen

        from .showing import whole

        if self._results is not None:
            self.app.push_screen(ValueScreen(*whole(*self._results)))

    def action_find(self) -> None:
        self.query_one(FindBar).ask()

    @work
    async def action_end(self) -> None:
        """End the context: its variables are gone."""
        from workbench.screens.dialogs import Confirm

        asked = Confirm(
            f"End context {self.context}",
            target=self.session.target,
            question="Its variables are gone with it.",
            action="End it",
        )
        if not self.context or not await self.app.push_screen_wait(asked):
            return
        where: dict[str, Any] = {"sandbox": self.locator.resource, "context": self.context}
        try:
            await self.session.call("sandboxes.contexts.delete", force=True, **where)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.context, self._said = "", "ended: the next run begins a fresh one"
        self._draw()
        self.post_message(self.Changed())

    # What is shown

    def _tick(self) -> None:
        if self.running:
            self._draw()

    def _draw(self) -> None:
        parts: list[Any] = [(f" {self.language}", "bold $primary")]
        parts.append((f" {visible(self.version, limit=40)}", "$text-muted"))
        if self.running:
            parts.append(
                (f"   running {monotonic() - self._began:.0f} s · esc interrupts", "bold $text-success")
            )
        elif self._said:
            parts.append((f"   {visible(self._said, limit=200)}", "$text-warning"))
        search = self.transcript.search
        if search is not None:
            parts.append((f"   {search.said}", "$text-warning"))
        self.query_one("#head", Static).update(Content.assemble(*parts))
        self.refresh_bindings()

    @on(Transcript.Searched)
    @on(Transcript.Changed)
    def drawn_again(self, event: Any) -> None:
        event.stop()
        self._draw()

    @on(Transcript.Told)
    @on(Transcript.Input)
    @on(Transcript.Copied)
    def ignored(self, event: Any) -> None:
        event.stop()
