"""Multipart uploads that were begun and neither completed nor aborted."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static

from workbench.model.errors import WorkbenchError
from workbench.model.r2 import R2Upload
from workbench.model.text import visible
from workbench.screens.overview import size
from workbench.screens.session import Session
from workbench.widgets.target_badge import TargetBadge


class Uploads(ModalScreen[None]):
    """Lists them; d aborts the one under the cursor."""

    CSS_PATH = "editor.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q", "dismiss(None)", "Back"),
        Binding("d,delete", "abort", "Abort"),
    ]

    def __init__(self, session: Session, bucket: str) -> None:
        super().__init__()
        self.session, self.bucket = session, bucket
        self._uploads: list[R2Upload] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content(f"Pending uploads of {visible(self.bucket)}"), id="heading")
            yield TargetBadge(self.session.target)
            yield DataTable(cursor_type="row", zebra_stripes=True)
            yield Static("", id="wrong")
            yield Static(Content("d abort · esc back"), id="keys")

    async def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_columns("key", "parts", "size", "upload", "begun")
        table.focus()
        await self._fill()

    async def _fill(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.clear()
        try:
            page = await self.session.call("r2.uploads.list", bucket=self.bucket)
        except WorkbenchError as error:
            self._say(error.message)
            return
        self._uploads = list(page.items)
        for one in self._uploads:
            cells = (
                one.key,
                f"{one.parts}",
                size(one.size),
                one.upload_id,
                (one.initiated or "not known here")[:16].replace("T", " "),
            )
            table.add_row(*[Text(visible(cell, limit=80)) for cell in cells])
        self._say("" if self._uploads else "None: every upload was completed or aborted.")

    def _say(self, text: str) -> None:
        self.query_one("#wrong", Static).update(Content(visible(text, limit=1000)))

    @work
    async def action_abort(self) -> None:
        """Abort the upload under the cursor, after asking."""
        from workbench.screens.dialogs import Confirm

        row = self.query_one(DataTable).cursor_row
        if row >= len(self._uploads):
            return
        upload = self._uploads[row]
        confirm = Confirm(
            f"Abort the upload of {upload.key}",
            target=self.session.target,
            question=f"{upload.parts} parts, {size(upload.size)}, of {self.bucket}",
            lines=[upload.upload_id],
            action="Abort",
        )
        if self.session.target.kind == "remote" or await self.app.push_screen_wait(confirm):
            try:
                await self.session.call(
                    "r2.uploads.delete", upload_id=upload.upload_id, bucket=self.bucket, force=True
                )
            except WorkbenchError as error:
                self._say(error.message)
                return
            await self._fill()
