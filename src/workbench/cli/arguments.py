"""A command line, understood: global flags anywhere, the words of the command, then what the operation takes."""

from typing import Any

from workbench.model.errors import UsageError
from workbench.operations import MODULES, Operation, Parameter, beginning, of_word
from workbench.operations.parameters import from_text

# Global flags: name -> what follows it (None: nothing) and its help. They may stand before or after the words.
GLOBALS: dict[str, tuple[str | None, str]] = {
    "--project": ("DIR", "the project's folder (default: found from here upward)"),
    "--worker": ("NAME", "the Worker meant, where there are several"),
    "--env": ("NAME", "the environment of the config"),
    "--persist-to": ("DIR", "where the state lies, as given to wrangler dev"),
    "--local": (None, "the local state (the default)"),
    "--remote": (None, "the deployed account"),
    "--server": ("URL", "the local target through its running dev server: its address, or auto"),
    "--bridge": ("NAME", "sandboxes behind a deployed bridge, as `bridges create` named it"),
    "--json": (None, "JSON on standard output, also on a terminal"),
    "--raw": (None, "the value's own bytes on standard output"),
    "--help": (None, "help for a command or a group of commands"),
    "--version": (None, "the version"),
}
LAUNCHES = {
    "demo": "open the workbench on a sample project with real state, in a fresh temporary folder",
    "serve": "answer the Local Explorer's API, and every command, over HTTP on 127.0.0.1",
}
# What a launch takes beside the global flags: name -> its value and its help.
LAUNCH_FLAGS: dict[str, dict[str, tuple[str, str]]] = {
    "serve": {"--port": ("N", "the port (default: 8788; 0: any that is free)")}
}


class Line:
    """What a line says. words: of the command (none: open the workbench); options: the global flags that were given.

    group: the operations that begin with the words.
    """

    def __init__(
        self,
        words: tuple[str, ...],
        operation: Operation | None,
        arguments: dict[str, Any],
        options: dict[str, Any],
        group: tuple[Operation, ...] = (),
    ) -> None:
        self.words = words
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.group = group


def _is_flag(word: str) -> bool:
    """`--flag`, `--flag=value`, `-h`; not `-`, `-5`, nor SQL that begins with a comment."""
    name = word.partition("=")[0].lstrip("-")
    dashes = len(word) - len(word.lstrip("-"))
    return dashes in (1, 2) and name[:1].isalpha() and name.replace("-", "a").isalnum() and name.isascii()


def near(word: str, choices: Any) -> str:
    """`did you mean X?`, or "" where nothing is near."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(choices), 1, 0.6)
    return f"did you mean {found[0]}?" if found else ""


def options_in(argv: list[str]) -> dict[str, Any]:
    """The global flags of a line that may be wrong otherwise, to know how to answer it."""
    before = argv[: argv.index("--")] if "--" in argv else argv
    return {"--json": "--json" in before}


class _Reader:
    """One pass over the line, from left to right."""

    def __init__(self, argv: list[str]) -> None:
        self.rest = list(argv)
        self.options: dict[str, Any] = {}
        self.only_positional = False

    def take_flag(self) -> tuple[str, str | None] | None:
        """The next word as (flag, attached value), taken off; None where it is no flag."""
        word = self.rest[0]
        if self.only_positional or not _is_flag(word):
            return None
        self.rest.pop(0)
        flag, equals, value = word.partition("=")
        return {"-h": "--help"}.get(flag, flag), value if equals else None

    def take_value(
        self, flag: str, attached: str | None, known: Any, *, alone: str | None = None, missing: bool = False
    ) -> str:
        """What follows a flag, whatever it looks like, unless it is another flag of the command.

        alone: what it means where nothing follows, or where what does is a positional value that is still missing.
        """
        if attached is not None:
            return attached
        if alone is not None and (missing or not self.rest or _is_flag(self.rest[0]) or self.rest[0] == "--"):
            return alone
        if not self.rest or self.rest[0] in known or self.rest[0] in GLOBALS:
            raise UsageError(f"{flag} needs a value", f"write {flag}=VALUE where the value looks like a flag")
        return self.rest.pop(0)

    def take_global(self, flag: str, attached: str | None) -> bool:
        """Note a global flag; False where it is none."""
        if flag not in GLOBALS:
            return False
        if GLOBALS[flag][0] is None:
            if attached is not None:
                raise UsageError(f"{flag} takes no value")
            self.options[flag] = True
        else:
            self.options[flag] = self.take_value(flag, attached, ())
        return True


DEEPEST = 3  # words of the longest command


def _words(reader: _Reader) -> tuple[tuple[str, ...], Operation | None, tuple[Operation, ...]]:
    """Take the command's words off the line, and global flags among them: what they name, or all they begin."""
    words: tuple[str, ...] = ()
    while reader.rest and len(words) < DEEPEST and words[:1] not in _LAUNCH_WORDS:
        taken = reader.take_flag()
        if taken is None:
            words += (reader.rest.pop(0),)
        elif not reader.take_global(*taken):
            reader.rest.insert(0, taken[0] if taken[1] is None else f"{taken[0]}={taken[1]}")
            break
    operation = beginning(words)
    if operation is not None:
        count = len(operation.words)
        reader.rest[:0] = words[count:]
        return words[:count], operation, (operation,)
    if words[:1] in _LAUNCH_WORDS or not words:
        if reader.rest and not words and reader.rest[0] not in ("--help", "-h"):
            flag = reader.rest[0].partition("=")[0]
            hint = f"{near(flag, GLOBALS)} a command's own flags come after it".strip()
            raise UsageError(f"cfwb has no {flag} before a command", hint)
        return words, None, ()
    return words, None, _group(words)


_LAUNCH_WORDS = tuple((word,) for word in LAUNCHES)


def _group(words: tuple[str, ...]) -> tuple[Operation, ...]:
    """The operations that begin with these words. Raises UsageError where none does, naming the first word that is wrong."""
    group = of_word(words[0])
    for depth in range(len(words)):
        group = [operation for operation in group if operation.words[: depth + 1] == words[: depth + 1]]
        if not group:
            raise _unknown(words[:depth], words[depth])
    return tuple(group)


def _unknown(words: tuple[str, ...], word: str) -> UsageError:
    if not words:
        choices = [*MODULES, *LAUNCHES]
    else:
        depth = len(words)
        choices = sorted(
            {
                op.words[depth]
                for op in of_word(words[0])
                if op.words[:depth] == words and len(op.words) > depth
            }
        )
    line = " ".join(("cfwb", *words))
    return UsageError(f"{line} has no {word!r}", near(word, choices) or f"there are: {', '.join(choices)}")


def _flags(operation: Operation) -> dict[str, Parameter]:
    # A positional one is also understood as `--name`: whoever guesses either spelling is right.
    known = {"--" + p.name.replace("_", "-"): p for p in operation.parameters}
    return known | {f"{p.flag}-json": p for p in known.values() if p.type == "value"}


def _arguments(reader: _Reader, operation: Operation) -> dict[str, Any]:
    """Take the operation's own arguments off the line."""
    flags = _flags(operation)
    positional = [parameter for parameter in operation.parameters if parameter.positional]
    arguments: dict[str, Any] = {}

    def put(parameter: Parameter, value: Any) -> None:
        if parameter.repeat:
            arguments.setdefault(parameter.name, []).append(value)
        elif parameter.name in arguments:
            raise UsageError(f"{parameter.flag} was given twice")
        else:
            arguments[parameter.name] = value

    while reader.rest:
        if reader.rest[0] == "--" and not reader.only_positional:
            reader.rest.pop(0)
            reader.only_positional = True
            continue
        taken = reader.take_flag()
        if taken is None:
            word = reader.rest.pop(0)
            if word == "-" and "--file" in flags and not reader.only_positional:
                put(flags["--file"], word)
            elif not (positional := [p for p in positional if p.repeat or p.name not in arguments]):
                raise UsageError(f"one argument too many: {word!r}", usage(operation))
            else:
                put(positional[0], from_text(positional[0], word))
            continue
        flag, attached = taken
        if flag not in flags:
            if not reader.take_global(flag, attached):
                hint = near(flag, [*flags, *GLOBALS]) or "a value that begins with - comes after --"
                raise UsageError(f"cfwb {' '.join(operation.words)} has no {flag}", hint)
        elif flags[flag].type == "boolean":
            if attached is not None:
                raise UsageError(f"{flag} takes no value")
            arguments[flags[flag].name] = True
        else:
            parameter = flags[flag]
            missing = any(p.required and p.name not in arguments for p in positional)
            text = reader.take_value(flag, attached, flags, alone=parameter.alone, missing=missing)
            as_json = parameter.type == "value" and flag != parameter.flag
            put(parameter, from_text(parameter, text, as_json))
    for parameter in operation.parameters:
        if parameter.required and not parameter.asked and parameter.name not in arguments:
            raise UsageError(f"{parameter.flag} is missing", usage(operation))
    return arguments


def parse(argv: list[str]) -> Line:
    """Understand a command line (without the program's name). Raises UsageError."""
    reader = _Reader(argv)
    words, operation, group = _words(reader)
    if "--help" in reader.options or any(
        word in ("--help", "-h") for word in reader.rest[: _end(reader.rest)]
    ):
        return Line(words, operation, {}, reader.options | {"--help": True}, group)
    if operation is not None:
        arguments = _arguments(reader, operation)
        return Line(words, operation, arguments, reader.options, group)
    if words and words[0] not in LAUNCHES and "--version" not in reader.options:
        if reader.rest:
            raise UsageError(
                f"{reader.rest[0]} comes after the command: cfwb {' '.join(words)} ... {reader.rest[0]}"
            )
        depth = len(words)
        following = sorted({op.words[depth] for op in group})
        raise UsageError(f"cfwb {' '.join(words)} needs one more word", f"there are: {', '.join(following)}")
    if words and words[0] in LAUNCHES:
        return Line(words, None, _launch_arguments(reader, words[0]), reader.options, group)
    return Line(words, None, {}, reader.options, group)


def _launch_arguments(reader: _Reader, word: str) -> dict[str, Any]:
    """What follows `demo` or `serve`: whole numbers under their flags' names."""
    flags = LAUNCH_FLAGS.get(word, {})
    arguments: dict[str, Any] = {}
    while reader.rest:
        taken = reader.take_flag()
        if taken is not None and taken[0] in flags:
            text = reader.take_value(*taken, flags)
            if not text.isdecimal() or int(text) > 65535:
                raise UsageError(f"{taken[0]} wants a number from 0 to 65535, not {text!r}")
            arguments[taken[0].lstrip("-")] = int(text)
        elif taken is None or not reader.take_global(*taken):
            there = ", ".join(flags)
            raise UsageError(f"cfwb {word} takes nothing more", f"it has {there}" if there else "")
    return arguments


def named(argv: list[str]) -> Operation | None:
    """The operation that a line names, also where the rest of the line is wrong."""
    try:
        return _words(_Reader(argv))[1]
    except UsageError:
        return None


def _end(rest: list[str]) -> int:
    return rest.index("--") if "--" in rest else len(rest)


def usage(operation: Operation) -> str:
    """`cfwb kv values get KEY [--binding NAME]`."""
    return " ".join(("cfwb", *operation.words, operation.signature)).rstrip()


__all__ = ["GLOBALS", "LAUNCHES", "LAUNCH_FLAGS", "Line", "named", "near", "options_in", "parse", "usage"]
