"""A form made from an operation's parameters, and what came of it. It knows no operation by name."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Input, Select, Static

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.text import visible
from workbench.operations import DESTROYS, READS, Operation, Parameter, get
from workbench.operations.parameters import from_text
from workbench.screens.session import Session
from workbench.widgets.safe_input import SafeInput
from workbench.widgets.target_badge import TargetBadge

# Asked for by the window itself, never typed into a form.
_NOT_ASKED = ("force", "dry_run")


KEYS = "enter or ctrl+r run · tab next field · esc back"
AROUND = 11
"""Lines of the dialog and around it that are not fields: frame, name, target, summary, what is wrong, keys."""
ROWS = 200
"""The page a list is asked for here, unless one asks for another."""


class OperationForm(ModalScreen[None]):
    """Fields for the parameters; ctrl+r or Enter in a field runs it. Nothing typed is lost by an error."""

    CSS_PATH = "palette.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", "Back"),
        Binding("ctrl+r,f5", "run", "Run"),
        Binding(
            "enter", "run", "Run", show=False
        ),  # in a field it is the field's; where there is none it runs too
    ]

    def __init__(self, session: Session, name: str, context: dict[str, str]) -> None:
        super().__init__()
        self.session, self.operation, self.context = session, get(name), context
        self._cancel: Cancel | None = None

    @property
    def asked(self) -> list[Parameter]:
        return [one for one in self.operation.parameters if one.name not in _NOT_ASKED]

    def compose(self) -> ComposeResult:
        operation: Operation = self.operation
        with Vertical(id="dialog"):
            yield Static(
                Content.assemble((" ".join(operation.words), "bold $primary"), f"  {operation.effect}")
            )
            yield TargetBadge(self.session.target, name=self.session.name)
            yield Static(Content(operation.summary), id="summary")
            with VerticalScroll(id="fields"):
                for parameter in self.asked:
                    yield from self._field(parameter)
            yield Static("", id="wrong")
            yield Static(Content(KEYS), id="keys")

    def _field(self, parameter: Parameter) -> ComposeResult:
        need = " (needed)" if parameter.required else ""
        several = "; several: one a line, or as JSON" if parameter.repeat else ""
        name = parameter.name.replace("_", " ")
        if parameter.type == "boolean":
            yield Checkbox(
                Content(f"{name}: {parameter.help}"), value=bool(parameter.default), id=f"p-{parameter.name}"
            )
            return
        yield Static(Content.assemble((name, "bold"), need, (f"  {parameter.help}{several}", "$text-muted")))
        if parameter.choices:
            options = [(choice, choice) for choice in parameter.choices]
            value = parameter.default if parameter.default in parameter.choices else Select.NULL
            yield Select(options, value=value, allow_blank=True, compact=True, id=f"p-{parameter.name}")
            return
        given = self.context.get(parameter.name, "")
        if not given and parameter.default not in (None, "", ()):
            given = str(parameter.default)
        if not given and parameter.name == "limit" and self.operation.pages:
            given = str(ROWS)
        yield SafeInput(given, compact=True, id=f"p-{parameter.name}")

    def on_resize(self, event: events.Resize) -> None:
        # What stands around the fields keeps its lines, whatever their number.
        self.query_one("#fields").styles.max_height = max(4, event.size.height - AROUND)

    def on_mount(self) -> None:
        fields = [widget for widget in self.query("Input, Select, Checkbox") if widget.focusable]
        empty = [widget for widget in fields if isinstance(widget, Input) and not widget.value]
        if fields:
            (empty or fields)[0].focus()

    def _arguments(self) -> dict[str, Any]:
        """What was typed, as the operation takes it. Raises UsageError."""
        arguments: dict[str, Any] = {}
        for parameter in self.asked:
            field = self.query_one(f"#p-{parameter.name}")
            if isinstance(field, Checkbox):
                arguments[parameter.name] = field.value
            elif isinstance(field, Select):
                if field.value is not Select.NULL:
                    arguments[parameter.name] = field.value
            elif isinstance(field, Input) and (field.value or parameter.required):
                if not field.value and parameter.name != "value":
                    raise UsageError(f"{parameter.name.replace('_', ' ')} is needed")
                arguments[parameter.name] = self._typed(parameter, field.value)
        return arguments

    @staticmethod
    def _typed(parameter: Parameter, text: str) -> Any:
        if not parameter.repeat:
            return from_text(parameter, text)
        if text.startswith("["):
            import json

            try:
                texts = [str(one) for one in json.loads(text)]
            except ValueError:
                texts = [text]
        else:
            texts = [text]
        return tuple(from_text(parameter, one) for one in texts)

    def _wrong(self, error: WorkbenchError) -> None:
        text = visible(error.message, lines=True, limit=2000) + (
            f"\n{visible(error.hint, lines=True)}" if error.hint else ""
        )
        self.query_one("#wrong", Static).update(Content(text))

    @on(Input.Submitted)
    def submitted(self) -> None:
        self.action_run()

    @work(exclusive=True)
    async def action_run(self) -> None:
        """Run it, after asking where something goes; show what came."""
        self.query_one("#wrong", Static).update("")
        name = self.operation.name
        try:
            arguments = self._arguments()
            # On the account the executor's own question is asked: it says what goes, and has a name typed.
            if (
                self.operation.effect == DESTROYS
                and self.session.target.kind == "local"
                and not await self._agreed(arguments)
            ):
                return
            self._cancel = Cancel()
            self.query_one("#keys", Static).update(Content("running · esc stops it"))
            result = await self.session.call(
                name,
                force=self.operation.effect != READS,
                cancel=self._cancel,
                progress=self._progress,
                **arguments,
            )
            from .gathering import gathered
            from .result import ResultScreen

            result = await gathered(self.session, result, self._cancel)
        except (UsageError, WorkbenchError) as error:
            self._wrong(error)
            return
        finally:
            self._cancel = None
            if self.is_attached:
                self.query_one("#keys", Static).update(Content(KEYS))
        await self.app.push_screen(ResultScreen(self.operation, result, self.session.target))
        if self.operation.effect != READS:
            await self.app.workbench.action_read_again()  # type: ignore[attr-defined]

    async def _agreed(self, arguments: dict[str, Any]) -> bool:
        from workbench.screens.dialogs import Confirm

        removal = await self.session.call(self.operation.name, dry_run=True, **arguments)
        confirm = Confirm(
            " ".join(self.operation.words),
            target=self.session.target,
            question=f"{removal.total:,} would go" if removal.total else "Nothing would go.",
            lines=removal.removed,
            total=removal.total,
            note=removal.note,
            action="Delete" if removal.total else "Go on",
        )
        return await self.app.push_screen_wait(confirm)

    def _progress(self, done: int, total: int | None) -> None:
        text = f"{done:,} of {total:,}" if total is not None else f"{done:,}"
        said = Content(f"{text} · esc stops it")
        self.call_later(self.query_one("#keys", Static).update, said)  # from any thread

    def action_leave(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
        else:
            self.dismiss(None)
