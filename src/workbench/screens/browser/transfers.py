"""Files and folders up and down, with progress, rate and a key that stops it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding
from textual.suggester import Suggester

from workbench.model.errors import NAMED, Cancelled, WorkbenchError
from workbench.screens.session import WORK
from workbench.widgets.paging import Entry
from workbench.widgets.transfer import TransferBar, Watched

from .pane import Browsing
from .replacing import may_replace

Run = Callable[[Watched], Awaitable[str]]


class PathSuggester(Suggester):
    """The rest of a path that is being typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return self._rest(value)

    @staticmethod
    def _rest(value: str) -> str | None:
        folder, begun = os.path.split(os.path.expanduser(value))
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.startswith(begun))
        except OSError:
            return None
        if not begun or not names:
            return None
        end = "/" if os.path.isdir(os.path.join(folder, names[0])) else ""
        return value + names[0][len(begun) :] + end


def absolute(typed: str) -> str:
    """A path as it was typed, `~` and all, from the root."""
    return os.path.abspath(os.path.expanduser(typed))


def files_below(path: str) -> list[tuple[str, str, int]]:
    """(path, path below with slashes, bytes) of every ordinary file below a folder; links are not followed."""
    found = []
    for place, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(place, name)
            if os.path.isfile(full) and not os.path.islink(full):
                found.append((full, os.path.relpath(full, path).replace(os.sep, "/"), os.path.getsize(full)))
    return found


def file_path(folder: str, relative: str) -> str | None:
    """Where a key goes below a folder; None for one that can't be a path there."""
    parts = relative.split("/")
    if any(part in ("", ".", "..") or "\0" in part or os.sep in part for part in parts):
        return None
    try:
        os.fsencode(relative)
    except UnicodeEncodeError:
        return None
    return os.path.join(folder, *parts)


class Transferring(Browsing):
    """The part of the browser that moves bytes, and the line that says how far it is."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("s", "save", "Save to disk", show=False),
        Binding("i", "upload", "Upload", show=False),
    ]

    _under_way: Watched | None = None

    @property
    def transferring(self) -> bool:
        return self._under_way is not None

    def stop_transfer(self) -> bool:
        """Stop what runs; whether anything did."""
        if self._under_way is None:
            return False
        self._under_way.cancel.cancel()
        return True

    def transfer(self, title: str, unit: str, run: Run, wish: str | None = None) -> None:
        """Run long work under the bar, one at a time; wish: the key to go to when it is done."""
        if self._under_way is not None:
            self.tell("One thing at a time: esc stops what runs.", error=True)
            return
        self._under_way = Watched(title, unit)
        self._transfer(self._under_way, run, wish)

    @work(group="transfer")
    async def _transfer(self, watched: Watched, run: Run, wish: str | None) -> None:
        bar = self.query_one(TransferBar)
        bar.begin(watched)
        WORK.set(set())  # this worker's own: a question may be answered for all that follows in it
        try:
            self.tell(await run(watched))
        except Cancelled:
            self.tell(f"{watched.title}: stopped after {watched.amount}")
            wish = None
        except WorkbenchError as error:
            self.tell_error(error)
            wish = None
        finally:
            self._under_way = None
            bar.end()
        self.written(wish)

    @work(exclusive=True, group="edit")
    async def action_upload(self) -> None:
        """A file, or every file below a folder, into this place."""
        from workbench.screens.dialogs import Ask

        def check(text: str) -> str:
            path = os.path.expanduser(text)
            return "" if os.path.isfile(path) or os.path.isdir(path) else f"there is no file or folder {path}"

        answer = await self.app.push_screen_wait(
            Ask(
                f"Upload to {self.title}",
                target=self.session.target,
                label="a file, or a folder with all below it (→ completes)",
                check=check,
                suggest=PathSuggester(),
            )
        )
        if not answer:
            return
        path = absolute(answer)
        folder = await self.session.blocking(partial(os.path.isdir, path))
        key = await self.app.push_screen_wait(
            Ask(
                f"Upload {os.path.basename(path)}",
                target=self.session.target,
                label="under the prefix" if folder else "as the key",
                value=self.prefix + os.path.basename(path) + ("/" if folder else ""),
                check=lambda text: "" if text or folder else "a key needs a name",
            )
        )
        if key is None:
            return
        try:
            files = await self.session.blocking(lambda: _listed(path, key, folder))
            if not await may_replace(self, [name for _, name, _ in files]):
                return
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.transfer("uploading", "bytes", self._upload(files), wish=files[0][1] if files else None)

    def _upload(self, files: list[tuple[str, str, int]]) -> Run:
        async def run(watched: Watched) -> str:
            watched.total = sum(size for _, _, size in files)
            for number, (path, key, size) in enumerate(files):
                watched.cancel.check()
                watched.note = f"{number + 1}/{len(files)} {key}"
                await self.source.put_file(key, path, watched.cancel, watched.progress)
                watched.base += size
                watched.done = watched.base
            return f"{len(files):,} file{'s' if len(files) != 1 else ''} uploaded"

        return run

    @work(exclusive=True, group="edit")
    async def action_save(self) -> None:
        """What is marked, or has the cursor, to disk: a file, or a folder of files."""
        from workbench.screens.dialogs import Ask, Confirm

        chosen = self.chosen()
        if not chosen:
            return
        one = chosen[0] if len(chosen) == 1 and not chosen[0].folder else None
        name = (
            one.key.rstrip("/").rpartition("/")[2]
            if one
            else (self.title if len(chosen) > 1 else chosen[0].name)
        )
        answer = await self.app.push_screen_wait(
            Ask(
                f"Save {one.key if one else f'{len(chosen)} marked' if len(chosen) > 1 else chosen[0].key}",
                target=self.session.target,
                label="to the file" if one else "into the folder (made where it is missing)",
                value=os.path.join(os.getcwd(), name.strip("/") or "value"),
                check=lambda text: "" if text else "a path is needed",
                suggest=PathSuggester(),
            )
        )
        if not answer:
            return
        path = absolute(answer)
        if one is not None and await self.session.blocking(partial(os.path.isdir, path)):
            path = os.path.join(path, name)
        if one is not None and await self.session.blocking(partial(os.path.exists, path)):
            confirm = Confirm("Overwrite a file", target=None, question=path, action="Overwrite")
            if not await self.app.push_screen_wait(confirm):
                return
        self.transfer("saving", "bytes" if one else self.source.noun + "s", self._save(chosen, path, one))

    def _save(self, chosen: list[Entry], path: str, one: Entry | None) -> Run:
        async def run(watched: Watched) -> str:
            if one:
                await self.source.get_file(one.key, path, watched.cancel, watched.progress)
                return f"saved to {path}"
            return await self._save_many(chosen, path, watched)

        return run

    async def _save_many(self, chosen: list[Entry], folder: str, watched: Watched) -> str:
        keys: list[str] = []
        for entry in chosen:
            if entry.folder:
                keys += await self.source.keys_under(entry.key, watched.cancel)
            else:
                keys.append(entry.key)
        watched.total = len(keys)
        skipped: list[str] = []
        for key in keys:
            watched.cancel.check()
            watched.note = key
            place = file_path(folder, key[len(self.prefix) :])
            try:
                if place is None:
                    raise WorkbenchError("file.bad_name", "that can't be a file's name")
                await self.session.blocking(partial(_make_room, place))
                await self.source.get_file(key, place, watched.cancel, lambda done, total: None)
            except Cancelled:
                raise
            except WorkbenchError as error:
                skipped.append(f"{key}: {error.message}")
            watched.done += 1
        saved = f"{len(keys) - len(skipped):,} saved below {folder}"
        if skipped:
            saved += f"; {len(skipped):,} left out:"
        return "\n".join([saved, *skipped[:NAMED], *(["…"] if len(skipped) > NAMED else [])])


def _listed(path: str, key: str, folder: bool) -> list[tuple[str, str, int]]:
    """(path, key, bytes) of what is to be uploaded."""
    if not folder:
        return [(path, key, os.path.getsize(path))]
    return [(full, key + relative, size) for full, relative, size in files_below(path)]


def _make_room(path: str) -> None:
    """The folders above a file. Raises WorkbenchError where a file is in the way."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise WorkbenchError("file.failed", f"{path}: {error.strerror}") from error
    if os.path.isdir(path):
        raise WorkbenchError("file.is_a_folder", f"{path} is a folder")
