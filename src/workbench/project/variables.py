"""A Worker's vars and its local secrets: `.dev.vars`, or `.env` where there is none, by wrangler's rules.

Source: workers-sdk, packages/wrangler/src/dev/dev-vars.ts and config/dot-env.ts; the file's syntax is dotenv's.
"""

import os
import re
from typing import Any, NamedTuple

from workbench.model.bindings import Binding, Problem
from workbench.project.document import Document, is_file, read_text
from workbench.project.environment import Settings

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)(?:[ \t]*=|:[ \t])[ \t]*
    (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^\#\r\n]*)[ \t]*(?:\#.*)?$""",
    re.VERBOSE | re.MULTILINE,
)
_REFERENCE = re.compile(r"(?<!\\)\$(?:\{(?P<braced>[\w.]+)(?::?-(?P<default>[^}]*))?\}|(?P<bare>\w+))")


class Secrets(NamedTuple):
    """What the files gave: name to (value, file it came from); files is which were read."""

    values: dict[str, tuple[str, str]]
    files: tuple[str, ...]


def variables(document: Document, settings: Settings, folder: str, taken: set[str]) -> list[Binding]:
    """Vars and secrets as bindings. folder: where the user's configuration lies. taken: the names of other bindings.

    A var's detail holds `value`; a secret's `value` and `source`, and no face shows the value unasked. A secret that
    the configuration requires and no file gives has `missing`.
    """
    at = settings.paths.get("vars", ("vars",))
    plain = document.table(settings.fields.get("vars"), *at)
    secrets = load_secrets(folder, settings.environment, document.problems)
    required = _required(document, settings)
    hidden = dict(secrets.values)
    if required is not None:
        hidden = {key: value for key, value in hidden.items() if key in plain or key in required}
        for name in required:
            if name not in hidden and name in os.environ:
                hidden[name] = (os.environ[name], "the environment")
    found = [
        Binding(name, "var", None, None, settings.name, detail={"value": value})
        for name, value in plain.items()
        if name not in hidden and name not in taken
    ]
    for name, (value, source) in hidden.items():
        if name not in taken:
            found.append(_secret(settings, name, {"source": source, "value": value}))
    for name in required or ():
        if name not in hidden and name not in taken:
            found.append(_secret(settings, name, {"source": None, "missing": True}))
            document.problem(f"the secret {name} is required, and no .dev.vars or .env gives it", "secrets")
    return found


def _secret(settings: Settings, name: str, detail: dict[str, Any]) -> Binding:
    return Binding(name, "secret", None, None, settings.name, detail=detail)


def _required(document: Document, settings: Settings) -> list[str] | None:
    """The secrets the configuration declares; None where it declares nothing, so that any file's values count."""
    if "secrets" not in settings.fields:
        return None
    at = settings.paths["secrets"]
    return document.strings(document.table(settings.fields["secrets"], *at).get("required"), *at, "required")


def load_secrets(folder: str, environment: str | None, problems: list[Problem]) -> Secrets:
    """The local secrets of a folder; `.dev.vars.<env>` stands in for `.dev.vars`, while `.env` files add up."""
    candidates = [".dev.vars"] if not environment else [f".dev.vars.{environment}", ".dev.vars"]
    for name in candidates:
        path = os.path.join(folder, name)
        if is_file(path):
            values = read_env(path, problems)
            return Secrets({key: (value, name) for key, value in values.items()}, (path,))
    if os.environ.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "").lower() == "false":
        return Secrets({}, ())
    return _load_dot_env(folder, environment, problems)


def _load_dot_env(folder: str, environment: str | None, problems: list[Problem]) -> Secrets:
    names = [".env", ".env.local"]
    if environment:
        names += [f".env.{environment}", f".env.{environment}.local"]
    found: dict[str, tuple[str, str]] = {}
    files = [path for path in (os.path.join(folder, name) for name in names) if is_file(path)]
    for path in files:
        found |= {key: (value, os.path.basename(path)) for key, value in read_env(path, problems).items()}
    texts = {key: value for key, (value, _) in found.items()}
    return Secrets(
        {key: (expand(value, texts), source) for key, (value, source) in found.items()}, tuple(files)
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


def expand(value: str, known: dict[str, str], depth: int = 0) -> str:
    """A `.env` value with `$NAME`, `${NAME}` and `${NAME:-default}` replaced; `\\$` stands for a dollar sign."""

    def replace(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        given = known.get(name) or os.environ.get(name, "")
        if not given and found["default"] is not None:
            return expand(found["default"], known, depth + 1)
        return expand(given, known, depth + 1) if name in known else given

    if depth > 10 or "$" not in value:
        return value
    return _REFERENCE.sub(replace, value).replace("\\$", "$")
