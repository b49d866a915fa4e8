"""A Worker's vars and its local secrets: `.dev.vars`, or `.env` where there is none, by wrangler's rules.

Source: workers-sdk, packages/wrangler/src/dev/dev-vars.ts and config/dot-env.ts.
"""

import os
from typing import Any, NamedTuple

from workbench.model.bindings import Binding, Problem
from workbench.project.document import Document, is_file
from workbench.project.environment import Settings


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
    required = _required(document, settings)
    secrets = load_secrets(folder, settings.environment, document.problems, required is not None)
    hidden = secrets.values
    if required is not None:
        hidden = {key: value for key, value in hidden.items() if key in plain or key in required}
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


def load_secrets(
    folder: str, environment: str | None, problems: list[Problem], with_process: bool = False
) -> Secrets:
    """The local secrets of a folder; `.dev.vars.<env>` stands in for `.dev.vars`, while `.env` files add up.

    with_process: beside `.env` files (never beside `.dev.vars`) the process's own environment counts, before them.
    """
    candidates = [".dev.vars"] if not environment else [f".dev.vars.{environment}", ".dev.vars"]
    for name in candidates:
        path = os.path.join(folder, name)
        if is_file(path):
            from workbench.project.dotenv import read_env

            values = read_env(path, problems)
            return Secrets({key: (value, name) for key, value in values.items()}, (path,))
    if os.environ.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "").lower() == "false":
        return Secrets({}, ())
    with_process = with_process or os.environ.get("CLOUDFLARE_INCLUDE_PROCESS_ENV", "").lower() == "true"
    return _load_dot_env(folder, environment, problems, dict(os.environ) if with_process else {})


def _load_dot_env(
    folder: str, environment: str | None, problems: list[Problem], process: dict[str, str]
) -> Secrets:
    names = [".env", ".env.local"]
    if environment:
        names += [f".env.{environment}", f".env.{environment}.local"]
    found: dict[str, tuple[str, str]] = {}
    files = [path for path in (os.path.join(folder, name) for name in names) if is_file(path)]
    if files:
        from workbench.project.dotenv import expand, read_env

        for path in files:
            read = read_env(path, problems)
            found |= {key: (value, os.path.basename(path)) for key, value in read.items()}
        texts = expand({key: value for key, (value, _) in found.items()}, process)
        found = {key: (texts[key], source) for key, (_, source) in found.items()}
    found |= {key: (value, "the environment") for key, value in process.items()}
    return Secrets(found, tuple(files))
