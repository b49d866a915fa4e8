"""The two browsers: what each adds to what they have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding

from .edits import Editing
from .sources import KvSource, R2Source, Source


class Browser(Editing):
    """All of it: browsing, moving bytes, editing."""


class KvBrowser(Browser):
    """The keys of a KV namespace."""

    @property
    def source(self) -> Source:
        return KvSource(self.session, self.locator.resource)


class R2Browser(Browser):
    """The objects of an R2 bucket, and the uploads begun and not completed."""

    BINDINGS: ClassVar[list[Any]] = [Binding("p", "uploads", "Uploads")]

    @property
    def source(self) -> Source:
        return R2Source(self.session, self.locator.resource)

    @work
    async def action_uploads(self) -> None:
        from .uploads import Uploads

        await self.app.push_screen_wait(Uploads(self.session, self.locator.resource))
        self.written()
