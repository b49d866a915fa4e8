"""What one does in the inspector: write entries, drop tables, set the alarm, delete facets. Each asks where something goes."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import work
from textual.binding import Binding

from workbench.model.durable_objects import StorageEntry
from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal
from workbench.model.text import visible
from workbench.screens.browser.editor import Edited, NotValid, read_expiration
from workbench.screens.dialogs import Ask, Confirm
from workbench.widgets.room import Room

from .editor import ValueEditor, as_text, from_text
from .pane import Inspecting

WHEN = "3 d, 90 min, 2030-01-31T08:00 (UTC) or Unix seconds; empty takes the alarm back"


class Editing(Inspecting):
    """The part of the inspector that writes."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("e", "edit", "Edit"),
        Binding("n", "new", "New entry"),
        Binding("d,delete", "delete", "Delete"),
        Binding("D,shift+d", "delete_room", "Delete the facet, or the object", show=False),
        Binding("a", "alarm", "Alarm"),
    ]

    def _resource(self, room: Room) -> str:
        """Room and object, for a question."""
        return f"{self.spoken} ▸ {self.where(room)}"

    def _written(self) -> None:
        self.read()
        self.post_message(self.Changed())

    # Entries

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        """Edit the entry under the cursor: a string as text, anything else as tagged JSON."""
        room, line = self.house.room, self.house.line
        if room is None or line is None or line.entry is None:
            if line is not None and line.table is not None and room is not None:
                self.open_console(room, line.table.name)
            return
        stored = await self._stored(room, line.entry.key)
        if stored is None:
            return
        if stored.undecoded:
            self.tell(
                f"{stored.key} can't be decoded ({stored.undecoded}), so it can't be edited here. n writes another value "
                "under the same key.",
                error=True,
            )
            return
        text, plain = as_text(stored.value)

        async def write(edited: Edited) -> None:
            said = edited.data.decode("utf-8")
            value = said if plain else from_text(said)
            await self._put(room, stored.key, value, before=stored)

        what = "text" if plain else "tagged JSON"
        editor = ValueEditor(
            stored.key,
            text,
            target=self.session.target,
            resource=f"{self._resource(room)} ({what})",
            new=False,
            write=write,
        )
        if await self.app.push_screen_wait(editor) is not None:
            self._written()

    @work(exclusive=True, group="edit")
    async def action_new(self) -> None:
        """A new entry in the room one is in."""
        room = self.house.room
        if room is None or room.deleted:
            return

        async def write(edited: Edited) -> None:
            await self._put(room, edited.key, from_text(edited.data.decode("utf-8")), before=None)

        editor = ValueEditor(
            room.prefix,
            "",
            target=self.session.target,
            resource=f"{self._resource(room)} (tagged JSON)",
            new=True,
            write=write,
        )
        made = await self.app.push_screen_wait(editor)
        if made is not None:
            room.wish = ("entry", made.key)
            self._written()

    async def _stored(self, room: Room, key: str) -> StorageEntry | None:
        """An entry as it is now; says so where it can't be read."""
        try:
            found: StorageEntry = await self.session.call(
                "do.storage.get", key=key, **self.place.arguments(room.path)
            )
        except WorkbenchError as error:
            self.tell_error(error)
            return None
        return found

    async def _put(self, room: Room, key: str, value: Any, before: StorageEntry | None) -> None:
        """Write an entry; asks where another value is there than the one that was opened."""
        arguments = self.place.arguments(room.path)
        try:
            now: StorageEntry | None = await self.session.call("do.storage.get", key=key, **arguments)
        except WorkbenchError as error:
            if error.code != "do.key_not_found":
                raise
            now = None
        if now is not None and (before is None or now.raw != before.raw):
            question = (
                "It was changed since you opened it; writing replaces what is there now."
                if before is not None
                else "This key has a value already; writing replaces it."
            )
            if not await self._confirmed(f"Overwrite {key} in {self._resource(room)}", question, "Overwrite"):
                raise WorkbenchError("cancelled", "not written")
        await self.session.call("do.storage.put", key=key, value=value, **arguments)

    async def _confirmed(
        self, title: str, question: str, action: str, removal: Removal | None = None
    ) -> bool:
        return await self.app.push_screen_wait(
            Confirm(
                title,
                target=self.session.target,
                question=question,
                lines=removal.removed if removal else (),
                total=removal.total if removal else None,
                note=removal.note if removal else "",
                action=action,
            )
        )

    # Deleting

    @work(exclusive=True, group="edit")
    async def action_delete(self) -> None:
        """Delete the entry, or drop the table, under the cursor."""
        room, line = self.house.room, self.house.line
        if room is None or line is None:
            return
        if line.entry is not None:
            await self._delete_entry(room, line.entry.key)
        elif line.table is not None:
            await self._drop(room, line.table.name, line.table.kind)
        elif not room.deleted:
            self.tell("Nothing is under the cursor. D deletes the whole facet, or the object.")

    async def _delete_entry(self, room: Room, key: str) -> None:
        arguments = {"key": (key,), **self.place.arguments(room.path)}
        try:
            removal: Removal = await self.session.call("do.storage.delete", dry_run=True, **arguments)
            if not await self._confirmed(f"Delete {key}", f"from {self._resource(room)}", "Delete", removal):
                return
            await self.session.call("do.storage.delete", force=True, **arguments)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self._written()

    async def _drop(self, room: Room, name: str, kind: str) -> None:
        quoted = name.replace('"', '""')
        sql = f'DROP {"VIEW" if kind == "view" else "TABLE"} "{quoted}"'
        if not await self._confirmed(f"Drop {name}", f"from {self._resource(room)}\n{sql}", "Drop"):
            return
        try:
            await self.session.call("do.query", sql=sql, **self.place.arguments(room.path))
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self._written()

    @work(exclusive=True, group="edit")
    async def action_delete_room(self) -> None:
        """Delete the facet one is in with everything inside it, or the whole object."""
        room = self.house.room
        if room is None or room.deleted:
            return
        if room.path:
            operation, arguments = "do.facets.delete", self.place.arguments(room.path)
            title = f"Delete {self._resource(room)}"
        else:
            operation = "do.objects.delete"
            arguments = {"object": self.place.object, "namespace": self.place.namespace}
            title = f"Delete the whole object {self.spoken}, its facets included"
        try:
            removal: Removal = await self.session.call(operation, dry_run=True, **arguments)
            if not await self._confirmed(title, "This goes:", "Delete", removal):
                return
            done: Removal = await self.session.call(operation, force=True, **arguments)
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self.tell(done.note or f"{visible(self.where(room))} is deleted")
        self._written()

    # The alarm

    @work(exclusive=True, group="edit")
    async def action_alarm(self) -> None:
        """Set the object's alarm, or take it back."""
        known = self.known
        if known is None:
            return

        def check(text: str) -> str:
            try:
                read_expiration(text)
            except NotValid:
                return WHEN
            return ""

        label = f"It is set for {known.alarm}.\n{WHEN}" if known.alarm else WHEN
        answer = await self.app.push_screen_wait(
            Ask(
                f"Alarm of {known.class_name} / {self.spoken}",
                target=self.session.target,
                label=label,
                check=check,
                value=known.alarm or "",
            )
        )
        if answer is None or answer.strip() == (known.alarm or ""):
            return
        where: dict[str, Any] = {"object": self.place.object, "namespace": self.place.namespace}
        try:
            if answer.strip():
                await self._set_alarm(answer, where)
            elif not await self._take_back(known.alarm or "", where):
                return
        except WorkbenchError as error:
            self.tell_error(error)
            return
        self._written()

    async def _set_alarm(self, answer: str, where: dict[str, Any]) -> None:
        from datetime import UTC, datetime

        moment = datetime.fromtimestamp(read_expiration(answer) or 0, UTC).isoformat()
        written = await self.session.call("do.alarms.update", at=moment, **where)
        self.tell(f"alarm at {written.scheduled}\n{written.note}")

    async def _take_back(self, alarm: str, where: dict[str, Any]) -> bool:
        question = f"It would fire at {alarm}."
        if not await self._confirmed(f"Take back the alarm of {self.spoken}", question, "Take back"):
            return False
        removal: Removal = await self.session.call("do.alarms.delete", force=True, **where)
        self.tell(removal.note or "the alarm is taken back")
        return True
