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


def expand(value: str, known: dict[str, str], process: dict[str, str], depth: int = 0) -> str:
    """A `.env` value with `$NAME`, `${NAME}` and `${NAME:-default}` replaced; `\\$` stands for a dollar sign.

    process: variables that count before the files' own (`known`).
    """

    def replace(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        if process.get(name):
            return process[name]
        given = known.get(name) or found["default"] or ""
        return expand(given, known, process, depth + 1)

    if depth > 10 or "$" not in value:
        return value
    return _REFERENCE.sub(replace, value).replace("\\$", "$")
