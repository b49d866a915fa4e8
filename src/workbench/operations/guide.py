"""The tool about itself: its operations as data, a guide for agents, shell completion. These need no project."""

from typing import Annotated, Any, NamedTuple

from . import MODULES, READS, WITHOUT_VERB, Operation, all_operations, get, operation
from .parameters import Param
from .results import Document

OperationName = Annotated[
    str | None,
    Param("one operation, as `kv.keys.list`; all without it", positional=True, metavar="OPERATION"),
]
Shell = Annotated[str, Param("the shell", positional=True, choices=("bash", "zsh", "fish"), metavar="SHELL")]


class Described(NamedTuple):
    """An operation as data. kind: reads, writes or destroys."""

    name: str
    summary: str
    kind: str
    parameters: list[dict[str, Any]]
    description: str
    examples: list[str]
    result: str
    capability: str


def _described(declared: Operation) -> Described:
    parameters = []
    for parameter in declared.parameters:
        names = ("name", "type", "required", "default", "help", "positional", "repeat")
        row = {name: getattr(parameter, name) for name in names}
        row["flag"] = None if parameter.positional else parameter.flag
        row["choices"] = list(parameter.choices)
        row["default"] = (
            list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
        )
        parameters.append(row)
    return Described(
        declared.name,
        declared.summary,
        declared.effect,
        parameters,
        declared.description,
        list(declared.examples),
        declared.result,
        declared.capability,
    )


@operation("schema", effect=READS, examples=["cfwb schema --json", "cfwb schema kv.values.put --json"])
async def schema(operation: OperationName = None) -> list[Described]:
    """Every operation with its parameters, result and examples, as data."""
    name = operation.replace(" ", ".") if operation else None
    return [_described(found) for found in ([get(name)] if name else all_operations())]


@operation("agent-context", effect=READS, examples=["cfwb agent-context >> AGENTS.md"])
async def agent_context() -> Document:
    """A short guide for a coding agent: the grammar, the rules and every command."""
    return Document(iter([_guide()]), "text/markdown")


@operation(
    "completion", effect=READS, examples=['eval "$(cfwb completion bash)"', "cfwb completion fish | source"]
)
async def completion(shell: Shell) -> Document:
    """A completion script for a shell, to be sourced."""
    from .shells import script

    return Document(iter([script(shell)]), "text/x-shellscript")


_RULES = """\
# cfwb: the local state of a Cloudflare Workers project, from the shell

- Run it in the project's folder (or `--project DIR`). It reads and writes the emulator's own state (`.wrangler/state`), whether
  `wrangler dev` runs or not. The target is local unless told; every answer says which one it touched.
- `--json` (also: any pipe) prints one envelope, `{"target", "operation", "result", "result_info"}`, or
  `{"target", "operation", "error": {"code", "message", "hint"}}`. Exit status 0 done, 1 it failed, 2 wrong usage. Match on `error.code`.
- Grammar: nouns, then a verb; the main identifier is positional. Global flags may stand anywhere. A positional value that begins with
  `-` comes after `--`; a flag's value that looks like a flag is written `--flag=VALUE`.
- A list without `--limit` is whole; with it, go on with `--cursor` from `result_info.cursor`.
- What destroys needs `--force`; `--dry-run` lists what would go. SQL given to `query` runs as written; `--read-only` refuses writes.
- Where a project has one namespace, bucket, database, class or workflow, its flag may be left out.
  A facet inside a facet: repeat `--facet`, outermost first.
- Values JSON cannot say are tagged: `{"$bytes": base64}`, `{"$text": base64}`, `{"$number": "NaN"}`, `{"$bigint": "12"}`,
  `{"$date": ISO}`, `{"$map": [[k, v]]}`, `{"$set": [...]}`, `{"$undefined": true}`. `--raw` prints a value's own bytes.
- `cfwb schema OPERATION --json` tells the parameters of one command.
- `cfwb serve` answers the same over HTTP: `POST /cdn-cgi/cfwb/api/OPERATION` takes the parameters as JSON and gives the same envelope.

## Commands
"""


def _guide() -> str:
    lines = [_RULES]
    for word in MODULES:
        found = [op for op in all_operations() if op.words[0] == word and op.name not in WITHOUT_VERB]
        lines += [
            f"    cfwb {' '.join(op.words)} {op.signature}".rstrip() + f"\n        {op.summary}"
            for op in found
        ]
    return "\n".join(lines) + "\n"
