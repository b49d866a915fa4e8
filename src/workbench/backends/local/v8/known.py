"""The objects read so far, by the numbers they may be met again under; and the buffers that views share.

An object met again is `{"$ref": pointer}`: a JSON pointer into the tagged value to where it was first. Pointers are
worked out at the end, since an array may turn out to need `$array` only when its properties have been read. A view
names its buffer only where it is not all of it, or where the buffer is met again.
"""

from typing import Any

from workbench.model.tagged import bytes_tag

from . import format as f
from .stream import Stream, Undecodable


class Place:
    """Where a node is: below `parent`, by the steps `keys`."""

    __slots__ = ("depth", "keys", "parent")

    def __init__(self, parent: "Place | None", *keys: str | int) -> None:
        self.parent = parent
        self.keys = keys
        self.depth: int = parent.depth + len(keys) if parent is not None else 0
        if self.depth > f.DEEPEST:
            raise Undecodable(f"it is nested deeper than {f.DEEPEST} levels")

    def pointer(self) -> str:
        steps: list[str] = []
        at: Place | None = self
        while at is not None:
            steps.extend(str(key).replace("~", "~0").replace("/", "~1") for key in reversed(at.keys))
            at = at.parent
        return "".join("/" + step for step in reversed(steps))


class Known(Stream):
    """A stream with the objects met in it."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.places: list[Place | None] = []
        self.buffers: dict[int, bytes] = {}
        self.growable: dict[int, int] = {}
        self.unnamed: dict[int, dict[str, Any]] = {}
        self.references: list[tuple[dict[str, Any], int]] = []

    def resolve(self) -> None:
        """Fill in the pointers of all references."""
        for node, target in self.references:
            place = self.places[target]
            node["$ref"] = place.pointer() if place is not None else ""

    def keep(self, place: Place) -> int:
        """Give an object the next number."""
        self.places.append(place)
        return len(self.places) - 1

    def reference(self, place: Place) -> Any:
        target = self.varint()
        if target >= len(self.places) or self.places[target] is None:
            raise Undecodable(f"a reference to object {target}, which is not there")
        view = self.unnamed.pop(target, None)
        if view is not None:
            view |= {"offset": 0, "buffer": self._buffer_node(target)}
        node: dict[str, Any] = {}
        self.references.append((node, target))
        if target in self.buffers and self._view_follows():
            return self._view(target, node, place)
        node["$ref"] = ""
        return node

    def buffer(self, place: Place) -> Any:
        own = len(self.places)
        growable = self.raw[self.at - 1] == f.RESIZABLE
        length = self.varint()
        if growable:
            self.growable[own] = self.varint()
        self.buffers[own] = self.take(length)
        self.places.append(place)
        if not self._view_follows():
            return self._buffer_node(own)
        self.places[own] = Place(place, "buffer")
        return self._view(own, None, place)

    def _view_follows(self) -> bool:
        return self.at < len(self.raw) and self.peek_or_end() == f.VIEW

    def peek_or_end(self) -> int | None:
        try:
            return self.peek()
        except IndexError:
            return None

    def _buffer_node(self, own: int) -> dict[str, Any]:
        node: dict[str, Any] = bytes_tag(self.buffers[own], "ArrayBuffer")
        if own in self.growable:
            node["max_length"] = self.growable[own]
        return node

    def _view(self, own: int, known: dict[str, Any] | None, place: Place) -> dict[str, Any]:
        """A view on buffer `own`, which it names only where the view is not all of it or somebody else has it too.

        known: the `$ref` to the buffer where it was met before.
        """
        self.at += 1
        kind, size = f.VIEWS.get(self.raw[self.at], ("", 1))
        self.at += 1
        offset, length = self.varint(), self.varint()
        flags = self.varint() if self.version >= 14 else 0
        data = self.buffers[own]
        if not kind or offset + length > len(data) or offset % size or length % size:
            raise Undecodable("a view on bytes that are not there")
        self.keep(place)
        tracking = bool(flags & f.TRACKING)
        shown = data[offset:] if tracking else data[offset : offset + length]
        node: dict[str, Any] = bytes_tag(shown, None if kind == "Uint8Array" else kind)
        if tracking:
            node["tracking"] = True
        if known is not None:
            node |= {"offset": offset, "buffer": known}
        elif len(shown) != len(data) or own in self.growable:
            node |= {"offset": offset, "buffer": self._buffer_node(own)}
        else:
            self.unnamed[own] = node
        return node
