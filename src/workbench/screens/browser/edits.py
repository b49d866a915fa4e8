"""What one does to keys: edit, new, rename, copy, delete. Each asks first where something would be lost."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding

from workbench.model.errors import WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.text import visible
from workbench.widgets.paging import Entry
from workbench.widgets.transfer import Watched

from .replacing import may_replace
from .sources import Loaded
from .transfers import Run, Transferring

MOST_TEXT = 1 << 20
LONGEST_LINE = 60_000
MANY = 5
"""Keys named in a heading; more are counted."""


class Editing(Transferring):
    """The part of the browser that writes keys."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("e", "edit", "Edit"),
        Binding("n", "new", "New"),
        Binding("d,delete", "delete", "Delete"),
        Binding("m", "move", "Rename", show=False),
        Binding("c", "copy", "Copy", show=False),
    ]

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        """Edit the value under the cursor, in a dialog or from there in $EDITOR."""
        entry = self.keys.current
        if entry is None or entry.folder:
            return
        try:
            loaded = await self.source.load(entry.key)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        if not loaded.whole:
            self.tell("Too large to edit here: s saves it to disk, i uploads the changed file.", error=True)
            return
        if not _is_text(loaded.data):
            self.tell(
                "These bytes are not text: s saves them to disk, i uploads the changed file.", error=True
            )
            return
        if fits_here(loaded.data):
            await self._edit(loaded, entry.key)
        else:
            await self._edit_outside(loaded)

    async def _edit_outside(self, loaded: Loaded) -> None:
        """A text too long for a text area of ours goes straight to $EDITOR."""
        from workbench.screens.outside import edit_outside, keep_outside

        ending = os.path.splitext(loaded.key)[1]
        try:
            text = edit_outside(self.app, loaded.data.decode("utf-8"), ending)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        data = text.encode("utf-8", "surrogatepass")
        if data == loaded.data:
            self.tell("Nothing was changed.")
            return
        try:
            if not await self._may_overwrite(loaded, loaded.key):
                raise WorkbenchError("cancelled", "not written")
            await self.source.put_text(loaded, loaded.key, data)
        except WorkbenchError as error:
            kept = keep_outside(text, ending)
            self.tell_error(error)
            self.tell(f"What you typed is in {kept}" if kept else "What you typed could not be kept.")
            return
        self.written()
        await self.refresh_data()

    @work(exclusive=True, group="edit")
    async def action_new(self) -> None:
        """A new key, in this folder."""
        await self._edit(None, self.prefix)

    async def _edit(self, loaded: Loaded | None, key: str) -> None:
        from .editor import Edited, EntryEditor

        source = self.source

        async def write(edited: Edited) -> None:
            if not await self._may_overwrite(loaded, edited.key):
                raise WorkbenchError("cancelled", "not written")
            changes: dict[str, Any] = {}
            if source.product == "kv":
                changes = {"metadata": edited.metadata, "expiration": edited.expiration}
            await source.put_text(loaded, edited.key, edited.data, **changes)

        data = loaded.data if loaded else b""
        kv = source.product == "kv"
        edited = Edited(
            key,
            data,
            loaded.metadata if loaded and kv else None,
            loaded.expiration if loaded and kv else None,
        )
        editor = EntryEditor(
            edited,
            target=self.session.target,
            resource=self.title,
            new=loaded is None,
            write=write,
            has_metadata=kv,
        )
        done = await self.app.push_screen_wait(editor)
        if done is not None:
            self.written(done.key if loaded is None else None)
            if loaded is not None:
                await self.refresh_data()

    async def _may_overwrite(self, loaded: Loaded | None, key: str) -> bool:
        """Whether to write: asks where another value is there than the one that was opened."""
        from workbench.screens.dialogs import Confirm

        try:
            now = await self.source.load(key)
        except WorkbenchError:
            return True  # nothing there: nothing to lose
        if loaded is not None and now.data == loaded.data:
            return True
        question = (
            "It was changed since you opened it; writing replaces what is there now."
            if loaded is not None
            else "This key has a value already; writing replaces it."
        )
        return await self.app.push_screen_wait(
            Confirm(f"Overwrite {key}", target=self.session.target, question=question, action="Overwrite")
        )

    @work(exclusive=True, group="edit")
    async def action_delete(self) -> None:
        """Delete what is marked, or what has the cursor, after showing all that goes."""
        from workbench.screens.dialogs import Confirm

        chosen = self.chosen()
        if not chosen:
            return
        keys = [entry.key for entry in chosen if not entry.folder]
        prefixes = [entry.key for entry in chosen if entry.folder]
        source = self.source
        try:
            removal = await source.removal(keys, prefixes)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        names = ", ".join(entry.key for entry in chosen[:MANY]) + (" …" if len(chosen) > MANY else "")
        confirm = Confirm(
            f"Delete {names}",
            target=self.session.target,
            question=f"{removal.total:,} {source.noun}{'s' if removal.total != 1 else ''} of {self.title}",
            lines=removal.removed,
            total=removal.total,
            note=removal.note,
        )
        # On the account the executor asks, with the same list and the name to be typed.
        if self.session.target.kind == "remote" or await self.app.push_screen_wait(confirm):
            self.keys.marks = {}
            self.transfer(f"deleting from {self.title}", source.noun + "s", self._delete(keys, prefixes))

    def _delete(self, keys: list[str], prefixes: list[str]) -> Run:
        async def run(watched: Watched) -> str:
            gone = await self.source.delete(keys, prefixes, watched.cancel, watched.progress)
            return f"{gone:,} deleted"

        return run

    @work(exclusive=True, group="edit")
    async def action_move(self) -> None:
        """Rename: a key, a folder (every key below it), or all that is marked under another prefix."""
        await self._relocate(move=True)

    @work(exclusive=True, group="edit")
    async def action_copy(self) -> None:
        """Copy: a key, a folder, or all that is marked under another prefix."""
        await self._relocate(move=False)

    async def _relocate(self, *, move: bool) -> None:
        from workbench.screens.dialogs import Ask

        chosen = self.chosen()
        if not chosen:
            return
        word = "Rename" if move else "Copy"
        one = chosen[0] if len(chosen) == 1 else None
        value = one.key if one else self.prefix
        label = (
            f"{word} to"
            if one
            else f"{word} {len(chosen):,} marked, to the prefix (in place of {self.prefix or 'nothing'})"
        )

        def check(text: str) -> str:
            if one and not text:
                return "a key needs a name"
            return "that is where it is already" if text == value else ""

        heading = f"{word} {visible(one.key, limit=200) if one else 'what is marked'}"
        answer = await self.app.push_screen_wait(
            Ask(heading, target=self.session.target, label=label, value=value, check=check)
        )
        if answer is None:
            return
        cancel = Cancel()
        try:
            pairs = await self._pairs(chosen, value, answer, cancel)
            if not await may_replace(self, [new for _, new in pairs]):
                return
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.keys.marks = {}
        title = "renaming" if move else "copying"
        self.transfer(
            title, self.source.noun + "s", self._run_pairs(pairs, move), wish=pairs[0][1] if one else None
        )

    async def _pairs(self, chosen: list[Entry], old: str, new: str, cancel: Cancel) -> list[tuple[str, str]]:
        """Old key and new key of everything that goes; `old` at its beginning becomes `new`."""
        pairs = []
        for entry in chosen:
            found = await self.source.keys_under(entry.key, cancel) if entry.folder else [entry.key]
            pairs += [(key, new + key[len(old) :]) for key in found]
        return pairs

    def _run_pairs(self, pairs: list[tuple[str, str]], move: bool) -> Run:
        async def run(watched: Watched) -> str:
            for number, (key, new_key) in enumerate(pairs):
                watched.cancel.check()
                await self.source.copy(key, new_key, move=move, cancel=watched.cancel)
                watched.progress(number + 1, len(pairs))
            return f"{len(pairs):,} {'renamed' if move else 'copied'}"

        return run


def fits_here(data: bytes) -> bool:
    """Whether a text area stays quick with it: neither very long nor with a very long line."""
    return len(data) <= MOST_TEXT and max(map(len, data.split(b"\n"))) <= LONGEST_LINE


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
