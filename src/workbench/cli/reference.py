"""docs/reference.md, made from the registry: `python -m workbench.cli.reference` writes it again."""

import os

from workbench.operations import DESTROYS, MODULES, READS, WITHOUT_VERB, Operation, all_operations
from workbench.operations.parameters import Parameter

from .arguments import GLOBALS, LAUNCHES, usage

_HEAD = """\
# Reference

Made from the declarations in `src/workbench/operations/` by `python -m workbench.cli.reference`; a test keeps it current. What JSON
looks like is in [json.md](json.md).

    cfwb                opens the workbench
{launches}
    cfwb NOUN ... VERB  does one thing

Flags that every command takes, before or after its words:

| flag | |
|---|---|
{globals}

Exit status: 0 done, 1 it failed, 2 wrong usage. A command that *destroys* asks on a terminal, needs `--force`
where there is none, and lists what would go with `--dry-run`.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(parameter: Parameter) -> str:
    bare = parameter.positional or parameter.type == "boolean"
    flag = parameter.flag if bare else f"{parameter.flag} {parameter.value}"
    marks = [parameter.help]
    if parameter.choices:
        marks.append(f"one of {', '.join(parameter.choices)}")
    if parameter.required:
        marks.append("required")
    elif parameter.default not in (None, "", (), False):
        marks.append(f"default `{parameter.default}`")
    return f"| `{flag}{'...' if parameter.repeat else ''}` | {_cell('; '.join(marks))} |"


def section(operation: Operation) -> str:
    """What the page says of one operation."""
    effect = {READS: "reads", DESTROYS: "destroys"}.get(operation.effect, "writes")
    lines = [f"### {' '.join(operation.words)}", "", operation.summary]
    if operation.description:
        lines += ["", operation.description]
    lines += ["", f"    {usage(operation)}", ""]
    if operation.parameters:
        lines += ["| | |", "|---|---|"]
        lines += [
            _row(p) for p in sorted(operation.parameters, key=lambda parameter: not parameter.positional)
        ]
        lines.append("")
    lines.append(f"`{operation.name}`, *{effect}*. Result: {operation.result}.")
    lines += ["", *(f"    {example}" for example in operation.examples)]
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    globals_ = "\n".join(
        f"| `{name}{f' {value}' if value else ''}` | {text} |" for name, (value, text) in GLOBALS.items()
    )
    launches = "\n".join(f"    cfwb {name.ljust(14)} {text}" for name, text in LAUNCHES.items())
    parts = [_HEAD.format(globals=globals_, launches=launches)]
    operations = all_operations()
    for word in MODULES:
        if word not in WITHOUT_VERB:
            parts.append(f"## {word}\n")
            parts += [section(operation) + "\n" for operation in operations if operation.words[0] == word]
    parts.append("## About the tool itself\n")
    parts += [section(operation) + "\n" for operation in operations if operation.name in WITHOUT_VERB]
    return "\n".join(parts)


def main() -> None:
    """Write the page into docs/ of the current folder."""
    os.makedirs("docs", exist_ok=True)
    with open(os.path.join("docs", "reference.md"), "w", encoding="utf-8") as file:
        file.write(page())


if __name__ == "__main__":
    main()
