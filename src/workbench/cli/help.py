"""`--help`, for everything, a group of commands or one command: made from the registry."""

import re
import sys
from textwrap import wrap

from workbench.operations import DESTROYS, MODULES, WITHOUT_VERB, Operation, all_operations, of_word
from workbench.operations.parameters import Parameter

from .arguments import GLOBALS, LAUNCH_FLAGS, LAUNCHES, Line, usage
from .table import terminal_width

INTRODUCTION = """\
cfwb: a terminal workbench for Cloudflare's developer platform.

  cfwb                opens the workbench on the project here
  cfwb demo           opens it on a sample project, in a fresh temporary folder
  cfwb serve          answers the Local Explorer's API over HTTP on 127.0.0.1
  cfwb NOUN ... VERB  does one thing; JSON with --json or into a pipe
"""


def show(line: Line) -> None:
    """Print the help that a line asks for."""
    if line.operation is not None:
        print(of_operation(line.operation))
    elif line.words and line.words[0] in LAUNCHES:
        print(of_launch(line.words[0]))
    elif line.words:
        print(of_group(line.words, line.group))
    else:
        print(of_everything())


def _width() -> int:
    """Columns of the page: the terminal's, but no wider than one likes to read; 80 into a pipe (`| less`)."""
    return min(terminal_width(), 110) if sys.stdout.isatty() else 80


def _prose(text: str) -> str:
    """Paragraphs, filled."""
    return "\n".join("\n".join(wrap(line, _width()) or [""]) for line in text.splitlines())


def _usage(text: str) -> str:
    """A usage line, broken between its arguments where it is too long."""
    whole = re.sub(r"\[[^]]*\]|--\S+ [A-Z]+", lambda found: found[0].replace(" ", "\0"), text)
    lines = wrap(whole, _width(), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _columns(pairs: list[tuple[str, str]]) -> str:
    """Two columns, the right one wrapped; a left one that is too long has a line of its own."""
    wide = min(max((len(left) for left, _ in pairs), default=0), 30)
    room = max(30, _width() - wide - 4)
    lines = []
    for left, right in pairs:
        text = wrap(right, room) or [""]
        if len(left) > wide:
            lines.append(f"  {left}")
            left = ""
        lines += [
            f"  {(left if not index else '').ljust(wide)}  {part}".rstrip() for index, part in enumerate(text)
        ]
    return "\n".join(lines)


def _globals() -> str:
    return _columns([(f"{name} {value}" if value else name, text) for name, (value, text) in GLOBALS.items()])


def _listed(operations: list[Operation] | tuple[Operation, ...]) -> str:
    return _columns([(" ".join(operation.words), operation.summary) for operation in operations])


def of_everything() -> str:
    """The page of `cfwb --help`: the commands by their first word, which stands above them."""
    operations = all_operations()
    parts = [INTRODUCTION, "Commands:"]
    for word in MODULES:
        of_one = [op for op in of_word(word) if op in operations and op.name not in WITHOUT_VERB]
        if of_one:
            parts.append(_listed(of_one) + "\n")
    parts.append("About the tool itself:")
    parts.append(_listed([op for op in operations if op.name in WITHOUT_VERB]))
    parts.append("\nEverywhere:")
    parts.append(_globals())
    parts.append(
        "\ncfwb NOUN --help lists a noun's commands, cfwb COMMAND --help tells more of one.\n"
        "Exit status: 0 done, 1 it failed, 2 wrong usage."
    )
    return "\n".join(parts)


def of_launch(word: str) -> str:
    """The page of `cfwb serve --help`."""
    flags = [(f"{name} {value}", text) for name, (value, text) in LAUNCH_FLAGS.get(word, {}).items()]
    usage = " ".join(["cfwb", word, *(f"[{name}]" for name, _ in flags)])
    parts = [f"usage: {usage}", "", LAUNCHES[word]]
    if flags:
        parts.append("\n" + _columns(flags))
    if word == "demo":  # it has a project, a state and a target of its own
        return "\n".join(parts)
    return "\n".join([*parts, f"\nEverywhere:\n{_globals()}"])


def of_group(words: tuple[str, ...], group: tuple[Operation, ...]) -> str:
    """The page of `cfwb kv --help`."""
    return f"usage: cfwb {' '.join(words)} ...\n\n{_listed(group)}\n\ncfwb {' '.join(words)} ... --help tells more of one."


def _parameter(parameter: Parameter) -> tuple[str, str]:
    left = parameter.flag
    if not parameter.positional and parameter.type != "boolean":
        left += f" {parameter.value}"
    text = parameter.help
    if parameter.choices:
        text += f" ({', '.join(parameter.choices)})"
    if parameter.required:
        text += "; required" if not parameter.positional else ""
    elif parameter.default not in (None, "", (), False):
        text += f" (default: {parameter.default})"
    return left + ("..." if parameter.repeat else ""), text


def of_operation(operation: Operation) -> str:
    """The page of one command."""
    parts = [_usage(f"usage: {usage(operation)}"), "", _prose(operation.summary)]
    if operation.description:
        parts.append("\n" + _prose(operation.description))
    if operation.parameters:
        parts.append(
            "\n"
            + _columns(
                [
                    _parameter(parameter)
                    for parameter in sorted(operation.parameters, key=lambda p: not p.positional)
                ]
            )
        )
    if operation.effect == DESTROYS:
        parts.append("\nIt destroys data: it asks on a terminal, and needs --force where there is none.")
    parts.append("\n" + _usage(f"Result: {operation.result}"))
    if operation.examples:
        parts.append("\nExamples:\n" + "\n".join(f"  {example}" for example in operation.examples))
    parts.append(f"\nEverywhere:\n{_globals()}")
    return "\n".join(parts)
