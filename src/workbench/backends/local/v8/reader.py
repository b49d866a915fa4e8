"""Reads a stored value into tagged JSON (the vocabulary is in model/tagged.py).

Every container is a generator that yields the containers inside it, so that nesting costs no Python stack. An object
met again is `{"$ref": pointer}` (module `known`).
"""

import struct
from collections.abc import Generator
from types import GeneratorType
from typing import Any

from . import format as f
from .dates import to_iso
from .known import Known, Place
from .stream import Undecodable

Work = Generator["Work", Any, Any]


def decode(raw: bytes) -> Any:
    """Tagged JSON of a stored value. Raises Undecodable; nothing else, whatever the bytes are."""
    try:
        return _Reader(raw).run()
    except (IndexError, struct.error) as error:
        raise Undecodable("the value is cut short") from error


class _Reader(Known):
    """One value."""

    def run(self) -> Any:
        """The whole value: drives the containers' generators with a stack of its own."""
        value = self.read(Place(None))
        stack: list[Work] = []
        while True:
            if type(value) is GeneratorType:
                stack.append(value)
                answer = None
            elif stack:
                answer = value
            else:
                break
            try:
                value = stack[-1].send(answer)
            except StopIteration as done:
                stack.pop()
                value = done.value
        self.resolve()
        return value

    def read(self, place: Place) -> Any:
        """The next value, or the generator that will read it."""
        while (tag := self.peek()) == f.OBJECT_COUNT:
            self.at += 1
            self.varint()
        self.at += 1
        leaf = _LEAVES.get(tag)
        if leaf is not None:
            return leaf(self)
        container = _CONTAINERS.get(tag)
        if container is not None:
            return container(self, place)
        if tag in f.OTHERS:
            raise Undecodable(f"it holds {f.OTHERS[tag]}")
        raise Undecodable(f"byte {tag:#04x} at {self.at - 1} begins no value")

    def inner(self, parent: Place, *keys: str | int) -> Any:
        """The next value inside `parent`; a plain one is read without a place of its own."""
        leaf = _LEAVES.get(self.raw[self.at])
        if leaf is not None:
            self.at += 1
            return leaf(self)
        return self.read(Place(parent, *keys))

    def string(self) -> str:
        value = self.read(Place(None))
        if type(value) is not str:
            raise Undecodable(f"no string where one belongs, at {self.at}")
        return value

    def key(self) -> str:
        """A property's name, with the second "$" of a name that begins with one."""
        value = self.read(Place(None))
        if type(value) is str:
            return "$" + value if value[:1] == "$" else value
        if type(value) is int or type(value) is float:
            return str(value)
        raise Undecodable(f"no property name where one belongs, at {self.at}")

    # -- containers

    def get_object(self, place: Place) -> Work:
        self.keep(place)
        node: dict[str, Any] = {}
        yield from self.properties(node, place, f.OBJECT_END)
        self.counted(len(node))
        return node

    def counted(self, *counts: int) -> None:
        """The counts after a container's end tag, which the runtime checks too (so a name twice is an error)."""
        for count in counts:
            if self.varint() != count:
                raise Undecodable(f"a count at {self.at} is not what was there")

    def properties(self, node: dict[str, Any], place: Place, end: int) -> Work:
        """Names and values up to the tag `end`; inside `place`."""
        while self.peek() != end:
            name = self.key()
            value = self.inner(place, name)
            node[name] = (yield value) if type(value) is GeneratorType else value
        self.at += 1

    def dense(self, place: Place) -> Work:
        self.keep(place)
        inside = Place(place)
        length = self.varint()
        items: list[Any] = []
        for index in range(length):
            if self.raw[self.at] == f.HOLE:
                self.at += 1
                items.append({"$hole": True})
                continue
            value = self.inner(inside, index)
            items.append((yield value) if type(value) is GeneratorType else value)
        extra: dict[str, Any] = {}
        yield from self.properties(extra, inside, f.DENSE_END)
        self.counted(len(extra), length)
        if not extra:
            return items
        inside.keys = ("$array", "items")
        present = {str(index): item for index, item in enumerate(items) if item != {"$hole": True}}
        return {"$array": {"length": length, "items": present | extra}}

    def sparse(self, place: Place) -> Work:
        self.keep(place)
        inside = Place(place)
        length = self.varint()
        found: dict[str, Any] = {}
        yield from self.properties(found, inside, f.SPARSE_END)
        self.counted(len(found), length)
        if length <= 2 * len(found) + 16:
            items: list[Any] = [{"$hole": True}] * length
            if all(name.isdecimal() and str(int(name)) == name and int(name) < length for name in found):
                for name, value in found.items():
                    items[int(name)] = value
                return items
        inside.keys = ("$array", "items")
        return {"$array": {"length": length, "items": found}}

    def get_map(self, place: Place) -> Work:
        self.keep(place)
        pairs: list[list[Any]] = []
        while self.peek() != f.MAP_END:
            pair: list[Any] = []
            for side in (0, 1):
                value = self.inner(place, "$map", len(pairs), side)
                pair.append((yield value) if type(value) is GeneratorType else value)
            pairs.append(pair)
        self.at += 1
        self.counted(2 * len(pairs))
        return {"$map": pairs}

    def get_set(self, place: Place) -> Work:
        self.keep(place)
        values: list[Any] = []
        while self.peek() != f.SET_END:
            value = self.inner(place, "$set", len(values))
            values.append((yield value) if type(value) is GeneratorType else value)
        self.at += 1
        self.counted(len(values))
        return {"$set": values}

    def date(self, place: Place) -> Any:
        self.keep(place)
        at = self.raw_double()
        return {"$date": to_iso(at)}

    def regexp(self, place: Place) -> Any:
        self.keep(place)
        source = self.string()
        bits = self.varint()
        if bits & ~f.KNOWN_FLAGS or bits & f.BOTH_UNICODE == f.BOTH_UNICODE:
            raise Undecodable("a regular expression with flags that are not known")
        flags = "".join(sorted(flag for bit, flag in enumerate(f.FLAGS) if bits >> bit & 1))
        return {"$regexp": {"source": source, "flags": flags}}

    def boxed(self, place: Place) -> Any:
        self.keep(place)
        tag = self.raw[self.at - 1]
        if tag == f.BOXED_NUMBER:
            return {"$boxed": self.double()}
        if tag == f.BOXED_BIGINT:
            return {"$boxed": self.bigint()}
        if tag == f.BOXED_STRING:
            return {"$boxed": self.string()}
        return {"$boxed": tag == f.BOXED_TRUE}

    # -- errors

    def error(self, place: Place) -> Work:
        """V8's own form of an Error."""
        self.keep(place)
        said: dict[str, Any] = {"name": "Error"}
        while (tag := self.varint()) != f.ERROR_END:
            if tag in f.ERROR_NAMES:
                said["name"] = f.ERROR_NAMES[tag]
            elif tag == f.ERROR_MESSAGE:
                said["message"] = self.string()
            elif tag == f.ERROR_STACK:
                said["stack"] = self.string()
            elif tag == f.ERROR_CAUSE:
                value = self.inner(place, "$error", "cause")
                said["cause"] = (yield value) if type(value) is GeneratorType else value
            else:
                raise Undecodable("an Error with a part that is not known")
        return {"$error": said}

    def host(self, place: Place) -> Work:
        """The runtime's own objects; of them an Error can be said."""
        kind = self.varint()
        if kind != f.HOST_ERROR:
            raise Undecodable(
                f"it holds {f.HOST_NAMES.get(kind, 'an object')}, which only the runtime can read"
            )
        self.keep(place)
        number_of_name = self.varint()
        if number_of_name >= len(f.HOST_ERROR_NAMES):
            raise Undecodable("an Error of a kind that is not known")
        said: dict[str, Any] = {"name": f.HOST_ERROR_NAMES[number_of_name]}
        inside = Place(place, "$error")
        for part in ("name", "message") if number_of_name == 0 else ("message",):
            value = self.inner(inside, part)
            said[part] = (yield value) if type(value) is GeneratorType else value
        if self.peek() != f.OBJECT:
            raise Undecodable("an Error without its properties")
        self.at += 1
        self.places.append(None)
        own: dict[str, Any] = {}
        rest = Place(inside, "properties")
        while self.peek() != f.OBJECT_END:
            name = self.key()
            above = name in ("stack", "cause")
            value = self.inner(inside if above else rest, name)
            value = (yield value) if type(value) is GeneratorType else value
            (said if above else own)[name] = value
        self.at += 1
        self.counted(len(own) + ("stack" in said) + ("cause" in said))
        if own:
            said["properties"] = own
        return {"$error": said}


_LEAVES = {
    f.ONE_BYTE: _Reader.one_byte,
    f.INT32: _Reader.zigzag,
    f.DOUBLE: _Reader.double,
    f.NULL: lambda reader: None,
    f.TRUE: lambda reader: True,
    f.FALSE: lambda reader: False,
    f.UNDEFINED: lambda reader: {"$undefined": True},
    f.UINT32: _Reader.varint,
    f.BIGINT: _Reader.bigint,
    f.TWO_BYTE: _Reader.two_byte,
    f.UTF8: _Reader.utf8,
}
_CONTAINERS = {
    f.OBJECT: _Reader.get_object,
    f.DENSE: _Reader.dense,
    f.SPARSE: _Reader.sparse,
    f.MAP: _Reader.get_map,
    f.SET: _Reader.get_set,
    f.REFERENCE: _Reader.reference,
    f.DATE: _Reader.date,
    f.REGEXP: _Reader.regexp,
    f.BOXED_TRUE: _Reader.boxed,
    f.BOXED_FALSE: _Reader.boxed,
    f.BOXED_NUMBER: _Reader.boxed,
    f.BOXED_BIGINT: _Reader.boxed,
    f.BOXED_STRING: _Reader.boxed,
    f.BUFFER: _Reader.buffer,
    f.RESIZABLE: _Reader.buffer,
    f.ERROR: _Reader.error,
    f.HOST: _Reader.host,
}
