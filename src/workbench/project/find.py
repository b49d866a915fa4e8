"""Where a project's configuration and its state lie: the search upward, the build tool's redirect, other Workers.

Source: workers-sdk, packages/workers-utils/src/config/config-helpers.ts. wrangler looks for each file name all the
way up before it tries the next, so a wrangler.json far above wins over a wrangler.jsonc beside it.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from workbench.model.bindings import CONFIG_NAMES, STATE, Problem
from workbench.project.document import is_file, read_text
from workbench.project.jsonc import parse

REDIRECT = os.path.join(".wrangler", "deploy", "config.json")
_ENDINGS = (".json", ".jsonc", ".toml")
_SKIPPED_NAMES = """
    __pycache__ bower_components build coverage dist node_modules out public static target vendor
    venv
"""
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
DEEPEST = 5
MOST_FOLDERS = 2000


class Redirect(NamedTuple):
    """What a build tool's `.wrangler/deploy/config.json` points to: the generated configuration and its companions."""

    config: str
    auxiliary: tuple[str, ...]


def upward(folder: str) -> Iterator[str]:
    """The folder and all above it."""
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def config_above(folder: str) -> str | None:
    """The configuration wrangler would use in this folder."""
    for name in CONFIG_NAMES:
        for place in upward(folder):
            path = os.path.join(place, name)
            if is_file(path):
                return path
    return None


def state_above(folder: str) -> str | None:
    """The nearest state directory at or above a folder, which may itself be one (it holds `v3`)."""
    for place in upward(folder):
        if os.path.isdir(os.path.join(place, STATE)):
            return os.path.join(place, STATE)
        if os.path.isdir(os.path.join(place, "v3")) and place == folder:
            return place
    return None


def shadowed(config: str, folder: str) -> list[Problem]:
    """A problem for each configuration that one might take for the one in use, and is not."""
    found = []
    for name in CONFIG_NAMES:
        for place in upward(folder):
            path = os.path.join(place, name)
            if path == config or len(place) < len(os.path.dirname(config)):
                continue
            if is_file(path):
                found.append(Problem(path, None, None, f"wrangler ignores it: {config} comes first"))
    return found


def redirect_for(folder: str, config: str | None, problems: list[Problem]) -> Redirect | None:
    """The redirect in force; one that can't be used is a problem, and the user's own configuration is read."""
    for place in upward(folder):
        path = os.path.join(place, REDIRECT)
        if is_file(path):
            break
    else:
        return None
    if config is not None and os.path.join(os.path.dirname(config), REDIRECT) != path:
        problems.append(
            Problem(path, None, None, f"it is not beside {config}, so it is not used; wrangler stops here")
        )
        return None
    return _read_redirect(path, problems)


def _read_redirect(path: str, problems: list[Problem]) -> Redirect | None:
    text = read_text(path, problems)
    fields, faults = parse(text) if text is not None else (None, [])
    fields = fields if isinstance(fields, dict) else {}
    target = fields.get("configPath")
    if faults or not isinstance(target, str) or not target:
        problems.append(Problem(path, None, None, 'it names no generated configuration ("configPath")'))
        return None
    generated = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if not is_file(generated):
        problems.append(
            Problem(path, None, None, f"the configuration it points to, {generated}, does not exist")
        )
        return None
    auxiliary = []
    others = fields.get("auxiliaryWorkers")
    for other in others if isinstance(others, list) else []:
        at = other.get("configPath") if isinstance(other, dict) else None
        if isinstance(at, str) and at:
            auxiliary.append(os.path.normpath(os.path.join(os.path.dirname(path), at)))
    return Redirect(generated, tuple(one for one in auxiliary if is_file(one)))


def beside(config: str) -> list[str]:
    """The other configurations in the same folder (`wrangler.api.jsonc`), for `wrangler dev -c`: they share its state."""
    folder = os.path.dirname(config)
    return [
        path for path in configs_in(folder) if path != config and os.path.basename(path) not in CONFIG_NAMES
    ]


def configs_in(folder: str) -> list[str]:
    """The wrangler configurations right in a folder, in order of precedence, then of name."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    kept = [
        name
        for name in names
        if name.startswith("wrangler.") and name.endswith(_ENDINGS) and is_file(os.path.join(folder, name))
    ]
    kept.sort(
        key=lambda name: (CONFIG_NAMES.index(name) if name in CONFIG_NAMES else len(CONFIG_NAMES), name)
    )
    return [os.path.join(folder, name) for name in kept]


def below(folder: str) -> list[str]:
    """The configurations in a folder and its subfolders, nearest first; of several that shadow each other the first.

    Hidden folders, dependencies and build output are passed over, links are not followed, and the walk ends after
    five levels or 2,000 folders.
    """
    found: list[str] = []
    level, seen = [folder], 0
    for _ in range(DEEPEST):
        deeper: list[str] = []
        for place in level:
            seen += 1
            if seen > MOST_FOLDERS:
                return found
            configs = configs_in(place)
            main = [path for path in configs if os.path.basename(path) in CONFIG_NAMES][:1]
            found += main + [path for path in configs if os.path.basename(path) not in CONFIG_NAMES]
            deeper += _subfolders(place)
        level = deeper
    return found


def _subfolders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.path
                for entry in entries
                if entry.name[0] != "." and entry.name not in _SKIPPED and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def workspace(folder: str) -> str:
    """The root of the repository or workspace a folder belongs to, or the folder itself."""
    home = os.path.expanduser("~")
    for place in upward(folder):
        if place == home and place != folder:
            break
        if os.path.exists(os.path.join(place, ".git")) or is_file(os.path.join(place, "pnpm-workspace.yaml")):
            return place
        package = os.path.join(place, "package.json")
        if is_file(package):
            text = read_text(package, [])
            if text is not None and '"workspaces"' in text:
                return place
    return folder
