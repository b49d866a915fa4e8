"""Terminals in sandboxes: opened, looked at, typed into, recorded."""

import codecs
import re
from typing import Annotated, Any

from workbench.model.errors import UsageError
from workbench.model.sandboxes import Terminal, TerminalScreen
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import variables
from .files import read_whole
from .outcomes import Done, Written
from .outputs import Output
from .parameters import DryRun, Param, one_of
from .parameters import Output as ToFile
from .resolve import State
from .sandboxes import Cwd, InSession, TheSandbox, Variables

TheTerminal = Annotated[str, Param("the terminal's id", positional=True, metavar="TERMINAL")]
NewTerminal = Annotated[str | None, Param("its id (default: a new one)", metavar="ID")]
Program = Annotated[
    tuple[str, ...],
    Param("the program, after -- (default: a login shell)", positional=True, repeat=True, metavar="COMMAND"),
]
Columns = Annotated[int | None, Param("columns (default: 80)", "integer", metavar="N", minimum=2)]
Rows = Annotated[int | None, Param("rows (default: 24)", "integer", metavar="N", minimum=1)]
NoRecord = Annotated[bool, Param("keep no recording", "boolean")]
Above = Annotated[int, Param("also so many lines from above the screen", "integer", metavar="N", minimum=0)]
Text = Annotated[
    str | None,
    Param(r"what is typed; \n is enter, \t, \e and \x03 as in C", positional=True, metavar="TEXT"),
]
TypedFile = Annotated[Any, Param("type what a file holds (- for standard input)", "file", metavar="FILE")]


@operation(
    "terminals.create",
    effect=WRITES,
    examples=["cfwb terminals create fix-47", "cfwb terminals create fix-47 --id agent -- claude"],
    capability="sandboxes",
)
async def create_terminal(
    state: State,
    sandbox: TheSandbox,
    command: Program = (),
    id: NewTerminal = None,
    cwd: Cwd = None,
    var: Variables = (),
    session: InSession = None,
    cols: Columns = None,
    rows: Rows = None,
    no_record: NoRecord = False,
) -> Terminal:
    """Start a program on a terminal that goes on whether anybody looks or not."""
    return await state.backend.sandboxes.terminals.create(
        sandbox, command, id, cwd, variables(var), session, cols, rows, not no_record
    )


@operation(
    "terminals.list",
    effect=READS,
    examples=["cfwb terminals list fix-47"],
    capability="sandboxes",
    fields=("id", "argv", "state", "title", "cols", "rows", "viewers", "keyboard", "started"),
)
async def list_terminals(state: State, sandbox: TheSandbox) -> list[Terminal]:
    """Terminals of a sandbox, also those whose program has ended."""
    return await state.backend.sandboxes.terminals.list(sandbox)


@operation(
    "terminals.get",
    effect=READS,
    examples=["cfwb terminals get fix-47 agent --json"],
    capability="sandboxes",
)
async def get_terminal(
    state: State, sandbox: TheSandbox, terminal: TheTerminal, scrollback: Above = 0
) -> TerminalScreen:
    """A terminal's screen as text, as it is now."""
    return await state.backend.sandboxes.terminals.screen(sandbox, terminal, scrollback)


@operation(
    "terminals.put",
    effect=WRITES,
    examples=[r"cfwb terminals put fix-47 agent 'npm test\n'"],
    capability="sandboxes",
)
async def put_terminal(
    state: State, sandbox: TheSandbox, terminal: TheTerminal, text: Text = None, file: TypedFile = None
) -> Done:
    """Type into a terminal. Refused while a viewer has the keyboard."""
    if one_of(text=text, file=file) == "file":
        data = read_whole(file)
    else:
        data = typed(str(text))
    return Done(await state.backend.sandboxes.terminals.type(sandbox, terminal, data))


def typed(text: str) -> bytes:
    r"""What a text with escapes types: `\n` is the enter key (a carriage return), `\e` escape, `\x03` control-C."""
    escapes = re.sub(r"\\(.)", lambda found: r"\x1b" if found[1] == "e" else found[0], text, flags=re.DOTALL)
    try:
        data: bytes = codecs.escape_decode(escapes.encode("utf-8", "surrogateescape"))[0]
        return data.replace(b"\n", b"\r")
    except ValueError as error:
        raise UsageError(
            f"TEXT has an escape that means nothing: {error}", r"write \\ for a backslash"
        ) from None


@operation(
    "terminals.delete",
    effect=DESTROYS,
    examples=["cfwb terminals delete fix-47 agent --force"],
    capability="sandboxes",
)
async def delete_terminal(
    state: State, sandbox: TheSandbox, terminal: TheTerminal, dry_run: DryRun = False
) -> Removal:
    """Hang up a terminal: its program is ended, its recording deleted."""
    if not dry_run:
        await state.backend.sandboxes.terminals.delete(sandbox, terminal)
    return Removal([f"terminal {terminal} with its recording"], 1, dry_run)


@operation(
    "terminals.export",
    effect=READS,
    examples=["cfwb terminals export fix-47 agent > agent.cast"],
    capability="sandboxes",
)
async def export_terminal(
    state: State, sandbox: TheSandbox, terminal: TheTerminal, output: ToFile = None
) -> Output | Written:
    """A terminal's recording, an asciicast v2 file."""
    source = state.backend.sandboxes.terminals.recording(sandbox, terminal)
    if output is not None:
        from .sandbox_files import write_stream

        return Written(output, await write_stream(output, source))
    return Output(("stdout", piece) async for piece in source)
