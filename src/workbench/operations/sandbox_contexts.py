"""Code contexts: Python, JavaScript and TypeScript in a sandbox, with variables and imports that stay."""

from typing import Annotated, Any

from workbench.model.contexts import CodeContext
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .amounts import variables
from .files import read_text
from .outcomes import Done
from .outputs import CodeOutput
from .parameters import DryRun, Param, one_of
from .resolve import State
from .sandboxes import Cwd, TheSandbox, Timeout, Variables

Language = Annotated[
    str, Param("the language", choices=("python", "javascript", "typescript"), metavar="LANGUAGE")
]
Interpreter = Annotated[
    str | None, Param("what runs it: a name or a path inside (default: python3, node)", metavar="PROGRAM")
]
TheContext = Annotated[str, Param("the context's id", positional=True, metavar="CONTEXT")]
InContext = Annotated[str | None, Param("the context (default: the language's own)", metavar="ID")]
Code = Annotated[str | None, Param("the code", positional=True, metavar="CODE")]
CodeFile = Annotated[Any, Param("run what a file holds (- for standard input)", "file", metavar="FILE")]


@operation(
    "sandboxes.contexts.create",
    effect=WRITES,
    examples=["cfwb sandboxes contexts create fix-47 --language typescript"],
    capability="sandboxes",
)
async def create_context(
    state: State,
    sandbox: TheSandbox,
    language: Language = "python",
    cwd: Cwd = None,
    var: Variables = (),
    interpreter: Interpreter = None,
) -> CodeContext:
    """Start an interpreter that keeps variables and imports.

    They stay until it is deleted or the sandbox stops. TypeScript needs Node 22.13 inside, or the package typescript in its folder.
    Python uses IPython where that can be imported.
    """
    return await state.backend.sandboxes.contexts.create(sandbox, language, cwd, variables(var), interpreter)


@operation(
    "sandboxes.contexts.list",
    effect=READS,
    examples=["cfwb sandboxes contexts list fix-47"],
    capability="sandboxes",
)
async def list_contexts(state: State, sandbox: TheSandbox) -> list[CodeContext]:
    """Code contexts of a sandbox."""
    return await state.backend.sandboxes.contexts.list(sandbox)


@operation(
    "sandboxes.contexts.run",
    effect=WRITES,
    examples=[
        "cfwb sandboxes contexts run fix-47 'import math; math.pi'",
        "cfwb sandboxes contexts run fix-47 --language javascript --file sum.js --json",
    ],
    capability="sandboxes",
)
async def run_code(
    state: State,
    sandbox: TheSandbox,
    code: Code = None,
    file: CodeFile = None,
    context: InContext = None,
    language: Language = "python",
    var: Variables = (),
    timeout: Timeout = None,  # noqa: ASYNC109
) -> CodeOutput:
    """Run code in a context, and show the value of its last expression.

    What it prints comes as it is printed.
    With --json `results` has every result as text and what else it is: html, markdown, svg, png, jpeg, json, table,
    chart.
    The exit status is 1 where the code failed. Ctrl+C interrupts it; its variables stay.
    """
    text = code if one_of(code=code, file=file) == "code" else read_text(file)
    return CodeOutput(
        state.backend.sandboxes.contexts.run(
            sandbox, str(text), context, None if context else language, variables(var), timeout
        )
    )


@operation(
    "sandboxes.contexts.stop",
    effect=WRITES,
    examples=["cfwb sandboxes contexts stop fix-47 c-1a2b3c4d"],
    capability="sandboxes",
)
async def stop_context(state: State, sandbox: TheSandbox, context: TheContext) -> Done:
    """Interrupt what runs in a context; its variables stay."""
    await state.backend.sandboxes.contexts.interrupt(sandbox, context)
    return Done(1)


@operation(
    "sandboxes.contexts.delete",
    effect=DESTROYS,
    examples=["cfwb sandboxes contexts delete fix-47 c-1a2b3c4d --force"],
    capability="sandboxes",
)
async def delete_context(
    state: State, sandbox: TheSandbox, context: TheContext, dry_run: DryRun = False
) -> Removal:
    """End a context; its variables are gone."""
    if not dry_run:
        await state.backend.sandboxes.contexts.delete(sandbox, context)
    return Removal([f"context {context} with its variables"], 1, dry_run)
