"""The syntax of `.env` and `.dev.vars` files, as npm's dotenv and dotenv-expand read it. Imported where there is one."""

import re

from workbench.model.bindings import Problem
from workbench.project.document import read_text

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)(?:[ \t]*=|:[ \t])[ \t]*
    (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^\#\r\n]*)[ \t]*(?:\#.*)?$""",
    re.VERBOSE | re.MULTILINE,
)
_REFERENCE = re.compile(
    r"(?<!\\)\$(?:\{(?P<braced>[\w.]+)(?::?-(?P<default>(?:\$\{[^}]*\}|[^}])*))?\}|(?P<bare>\w+))"
)
_LONGEST = 64 * 1024
_MOST_REFERENCES = 1000


def read_env(path: str, problems: list[Problem]) -> dict[str, str]:
    """The variables of a `.env` file; an unreadable one is a problem and gives none."""
    text = read_text(path, problems)
    if text is None:
        return {}
    found: dict[str, str] = {}
    for line in _LINE.finditer(text.replace("\r\n", "\n")):
        value = line["value"].strip()
        quote = value[:1]
        if len(value) > 1 and quote in "'\"`" and value[-1] == quote:
            value = value[1:-1]
        if quote == '"':
            value = value.replace("\\n", "\n").replace("\\r", "\r")
        found[line["name"]] = value
    return found


def expand(known: dict[str, str], process: dict[str, str]) -> dict[str, str]:
    """`.env` values with `$NAME`, `${NAME}` and `${NAME:-default}` replaced; `\\$` stands for a dollar sign.

    A name stands for the value of a line above, in the order of the lines. process: variables that count before those.
    A value of more than 1,000 references, or that would grow beyond 64 KiB, stays as it is written.
    """
    done: dict[str, str] = {}

    def reference(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        return process.get(name) or done.get(name) or _REFERENCE.sub(reference, found["default"] or "")

    for name, value in known.items():
        few = value.count("$") <= _MOST_REFERENCES
        grown = _REFERENCE.sub(reference, value).replace("\\$", "$") if few else value
        done[name] = grown if len(grown) <= _LONGEST else value
    return done
