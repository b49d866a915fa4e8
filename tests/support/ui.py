"""Drive the workbench as a person does: keys in, what is on screen out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType
from textual._context import visible_screen_stack
from textual.pilot import Pilot
from textual.screen import Screen

from tests.support.sample import sample
from workbench.app import WorkbenchApp

KEYS = {
    "/": "slash",
    ".": "full_stop",
    " ": "space",
    "-": "minus",
    "_": "underscore",
    ":": "colon",
    "~": "tilde",
}


class Window:
    """A window on a project, with a person at it."""

    def __init__(self, app: WorkbenchApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot
        self._text: str | None = None
        display = app._display

        def displayed(screen: Screen[Any], renderable: RenderableType | None) -> None:
            display(screen, renderable)
            self._text = None

        app._display = displayed  # type: ignore[method-assign]

    @property
    def text(self) -> str:
        """What is on screen, line by line: read again after each frame, which costs more than waiting for one."""
        if self._text is None:
            # As the compositor's own drawing does: a dialog drawn without it has nothing behind it, and stays so for pictures too.
            visible_screen_stack.set(self.app._background_screens)
            strips = self.app.screen._compositor.render_strips()
            self._text = "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
        return self._text

    def says(self, text: str) -> bool:
        """Whether a text is on screen, also where it is broken over lines."""
        return text in " ".join(self.text.split())

    def line(self, part: str) -> str:
        """The first line on screen that holds `part`."""
        return next((line for line in self.text.splitlines() if part in line), "")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        for letter in text:
            await self.pilot.press(KEYS.get(letter, letter))

    async def until(self, seen: str | Callable[[], object], seconds: float = 30) -> None:
        """Wait until a text is on screen, or a condition holds."""
        end = time.monotonic() + seconds
        while not (seen in self.text if isinstance(seen, str) else seen()):
            if time.monotonic() > end:
                pytest.fail(f"not seen in {seconds} s: {seen!r}\n{self.text}")
            await self.pilot.pause(0.02)
        await self.pilot.pause()

    async def gone(self, text: str, seconds: float = 30) -> None:
        """Wait until a text is no longer on screen."""
        await self.until(lambda: text not in self.text, seconds)


@asynccontextmanager
async def window(folder: str | os.PathLike[str], size: tuple[int, int] = (120, 40)) -> AsyncIterator[Window]:
    """Open the workbench on a folder; closed at the end as a person closes it."""
    app = WorkbenchApp(folder=str(folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        opened = Window(app, pilot)
        yield opened
        await asyncio.sleep(0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of one's own: nothing kept from other tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def demo(home: Path) -> str:
    """The sample project, in a copy of one's own."""
    return sample(home / "sample")
