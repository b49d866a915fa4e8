"""What the window looks like at a size, and what is kept of it between starts."""

from __future__ import annotations

import json
import os
from typing import Any

from workbench.model.bindings import Project
from workbench.screens.log import state_home
from workbench.screens.pane import Locator

from . import catalogue

VERSION = 1
DETAILS_BESIDE = 110
"""Columns from which the details stand beside the panes; below, they lie over them."""


def kept_path(state_directory: str) -> str:
    """The file that keeps the tabs of a state directory, named by the directory's real path."""
    import hashlib

    name = hashlib.sha256(os.fsencode(os.path.realpath(state_directory))).hexdigest()[:16]
    return os.path.join(state_home(), "windows", f"{name}.json")


def read_kept(path: str) -> dict[str, Any]:
    """What was kept; {} where there is nothing, or nothing this version understands."""
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and kept.get("version") == VERSION else {}


def write_kept(path: str, kept: dict[str, Any]) -> None:
    """Keep it; a file of a newer version, and a folder that can't be written, are left alone."""
    try:
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
        if isinstance(before, dict) and int(before.get("version") or 0) > VERSION:
            return
    except (OSError, ValueError, TypeError):
        pass
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fresh = f"{path}.{os.getpid()}"
        with open(fresh, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, **kept}, file)
        os.replace(fresh, path)
    except (OSError, ValueError):
        pass


def locators(kept: dict[str, Any]) -> list[tuple[Locator, dict[str, Any], str]]:
    """The tabs that were open, and what each was on ("" for the state directory); anything malformed is left out."""
    found = []
    tabs = kept.get("tabs")
    for tab in tabs if isinstance(tabs, list) else []:
        try:
            kind, resource, object_id, facets, view, label = tab["locator"]
            texts = (kind, resource, object_id, view, label, *facets)
            if all(isinstance(text, str) for text in texts):
                state = tab.get("state")
                locator = Locator(kind, resource, object_id, tuple(facets), view, label)
                target = tab.get("target")
                reach = (
                    target
                    if isinstance(target, str) and target.startswith(("remote", "server ", "bridge "))
                    else ""
                )
                found.append((locator, state if isinstance(state, dict) else {}, reach))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def not_connected(locator: Locator, reach: str) -> str:
    """Of a tab that was on something else than the state directory when the window was closed."""
    what = locator.label or locator.resource
    if reach == "remote":
        return f"{what} was open here on the deployed account (▲▲ REMOTE). Nothing was asked of it in this window yet."
    if reach.startswith("bridge "):
        return f"{what} was open here behind the bridge {reach.partition(' ')[2]} (▲▲ BRIDGE). Nothing was asked there in this window yet."
    return f"{what} was open here through the dev server at {reach.partition(' ')[2]}."


def bound_to_remote(locator: Locator) -> str:
    """Of a binding with `remote: true`."""
    what = locator.label or locator.resource
    return (
        f"{what} is bound with remote: true: the code that runs here works on the deployed account's data (▲▲ REMOTE). "
        "The local state holds none of it, and nothing was asked of the account yet."
    )


def first_resource(project: Project) -> Locator | None:
    """What opens on a first start: the first resource of the first Worker, in the tree's order."""
    for worker in project.workers:
        for group in catalogue.groups(worker.bindings, ""):
            for item in group.children:
                if isinstance(item.locator, Locator) and item.mark != "remote":
                    return item.locator
    return None
