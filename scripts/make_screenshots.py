"""Make the pictures in docs/screenshots from the workbench itself, on the sample project (`make screenshots`).

Each is an SVG as Textual exports it, of the real screen after the keys a person would press.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from workbench.app import WorkbenchApp
from workbench.demo import unpack
from workbench.screens.pane import Locator

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
SETTLE = 1.5
"""Seconds that reading and drawing are given."""


class Picture(NamedTuple):
    """open: what is opened, by its label in the tree, unfolding what lies before the slash. keys: pressed then."""

    name: str
    size: tuple[int, int]
    open: str = ""
    keys: Sequence[str] = ()
    light: bool = False


ORDERS = ("f4", *["down"] * 6, "o")
"""To the table of that name in the schema, and open it."""

PICTURES = (
    Picture("workbench", (160, 45), "AppRunner/my-app", ("right", "down", "down")),
    Picture("keys", (160, 45), "CACHE", ("down", "enter", "down")),
    Picture("keys-80x24", (80, 24), "CACHE", ("down", "enter", "down")),
    Picture("keys-light", (160, 45), "CACHE", ("down", "enter", "down"), True),
    Picture("objects", (160, 45), "FILES", ("down", "down", "down", "enter")),
    Picture("console", (160, 45), "shop", ORDERS),
    Picture("console-light", (160, 45), "shop", ORDERS, True),
    Picture("workflow", (160, 45), "billing-flow", ("down", "down", "enter", "up")),
    Picture("commands", (120, 36), "", ("colon",)),
    Picture("help", (120, 36), "", ("question_mark",)),
)


async def take(picture: Picture, project: str) -> None:
    """Open the workbench, go there, and write the picture."""
    app = WorkbenchApp(folder=project)
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause(SETTLE)
        if picture.light != ("light" in app.theme):
            await pilot.press("ctrl+t")
        if picture.open:
            await open_by_label(app, picture.open)
            await pilot.pause(SETTLE)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(SETTLE)
        (FOLDER / f"{picture.name}.svg").write_text(app.export_screenshot(title="cfwb"), encoding="utf-8")


async def open_by_label(app: WorkbenchApp, path: str) -> None:
    """Open a resource of the tree; `Class/object` unfolds the class first."""
    explorer = app.workbench.explorer
    tree = explorer.resources
    for label in path.split("/"):
        item = next(item for item in tree.in_sight() if item.label == label)
        tree.go_to(item.key)
        await asyncio.sleep(0.1)
        if label != path.rpartition("/")[2]:
            tree.action_unfold()
            await asyncio.sleep(SETTLE)
        elif isinstance(item.locator, Locator):
            await app.workbench.open(item.locator)


def main(names: Sequence[str]) -> None:
    """Make all pictures, or those named."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if names and picture.name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="cfwb-pictures-") as folder:
            os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
            asyncio.run(take(picture, unpack(os.path.join(folder, "sample"))))
        print(FOLDER / f"{picture.name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
