"""Make the pictures in docs/screenshots from the workbench itself, on the sample project (`make screenshots`).

Each is an SVG as Textual exports it, of the real screen after the keys a person would press.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
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
    """open: what is opened, by its label in the tree, unfolding what lies before the slash. keys: pressed then; of more letters than a
    key has, typed. sandbox: the kind of pane of a sandbox that is made for the picture, instead of `open`.
    """

    name: str
    size: tuple[int, int]
    open: str = ""
    keys: Sequence[str] = ()
    light: bool = False
    sandbox: str = ""


TESTS = "python3 -m unittest -v test_cart.py\n"
CODE = "[{'price': n, 'with vat': n * 1.2} for n in (40, 60)]"
CART = 'def total(prices, vat):\n    """What the customer pays."""\n    return sum(prices) + vat\n'
CART_TEST = """import unittest

from cart import total


class Totals(unittest.TestCase):
    def test_vat(self):
        self.assertEqual(total([40, 60], 20), 120)

    def test_more_vat(self):
        self.assertEqual(total([50, 150], 10), 220)
"""
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
    Picture("terminal", (160, 45), "", (TESTS, "f8", "s", "vim -n test_cart.py\n", "5G"), sandbox="terminal"),
    Picture("code", (120, 36), "", (CODE, "f5"), sandbox="code"),
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
        if picture.sandbox:
            await open_in_sandbox(app, picture.sandbox)
            await pilot.pause(SETTLE)
        for key in picture.keys:
            for one in typed(key):
                await pilot.press(one)
            await pilot.pause(SETTLE if picture.sandbox else 0.3)
        await pilot.pause(SETTLE)
        (FOLDER / f"{picture.name}.svg").write_text(app.export_screenshot(title="cfwb"), encoding="utf-8")


def typed(key: str) -> Sequence[str]:
    """A key by its name, or the keys of a text."""
    if not any(letter in key for letter in " \n") and key != "5G":
        return [key]
    names = {" ": "space", "\n": "enter", "-": "minus", "_": "underscore", ".": "full_stop"}
    return [names.get(letter, letter) for letter in key]


async def open_in_sandbox(app: WorkbenchApp, kind: str) -> None:
    """A sandbox with a small project, and a terminal or a code context in it."""
    session = app.workbench.session
    assert session is not None
    server = session.state.backend.sandboxes
    await session.call("sandboxes.create", name="fix-47")
    for name, text in (("cart.py", CART), ("test_cart.py", CART_TEST)):
        await server.files.put("fix-47", name, [text.encode()])
    if kind == "terminal":
        made = await session.call("terminals.create", sandbox="fix-47")
        await app.workbench.open(Locator("terminal", "fix-47", made.id, label="fix-47"))
    else:
        context = await session.call("sandboxes.contexts.create", sandbox="fix-47")
        where = Locator("code", "fix-47", context.id, (context.language,), label="fix-47 python")
        await app.workbench.open(where)


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
            os.chmod(folder, 0o711)  # as root, sandboxes run as an id that has to walk through
            for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "CFWB_HUB_HOME"):
                os.environ[name] = os.path.join(folder, name.split("_")[1].lower())
            os.mkdir(os.environ["XDG_RUNTIME_DIR"], 0o700)
            project = unpack(os.path.join(folder, "sample"))
            try:
                asyncio.run(take(picture, project))
            finally:
                if picture.sandbox:
                    cfwb = [sys.executable, "-m", "workbench.cli.main", "--project", project]
                    subprocess.run([*cfwb, "hub", "stop", "--sandboxes"], check=True)
        print(FOLDER / f"{picture.name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
