"""Writes tagged JSON as a stored value, byte for byte as the runtime would where it has a choice.

Containers are generators, driven by a stack of their own, as in the reader.
"""

import struct
from collections.abc import Generator, Iterable
from types import GeneratorType
from typing import Any

from workbench.model.tagged import special_number

from . import format as f
from .dates import from_iso
from .given import Given, only
from .output import array_index, bad

Work = Generator[Any, None, None]
_HOLE = {"$hole": True}


def encode(value: Any) -> bytes:
    """The bytes of a value. Raises WorkbenchError `json.bad_tag` where a tag, or a number, says no JavaScript value."""
    writer = _Writer(value)
    stack: list[Work] = []
    work: Work | None = writer.write(value)
    while True:
        if type(work) is GeneratorType:
            stack.append(work)
        elif not stack:
            return bytes(writer.out)
        try:
            work = next(stack[-1])
        except StopIteration:
            stack.pop()
            work = None


class _Writer(Given):
    """One value."""

    def write(self, value: Any) -> Work | None:
        """Append a value; a container comes back as the generator that appends it."""
        if type(value) is str:
            self.string(value)
        elif value is None:
            self.out.append(f.NULL)
        elif value is True or value is False:
            self.out.append(f.TRUE if value else f.FALSE)
        elif type(value) is int or type(value) is float:
            self.number(value)
        elif type(value) is dict:
            return self.put_dict(value)
        elif type(value) is list:
            return self.array(value)
        else:
            raise bad(f"no JavaScript value for {type(value).__name__}")
        return None

    def put_dict(self, node: dict[str, Any]) -> Work | None:
        for name in node:
            if name[:1] == "$" and name[:2] != "$$":
                tag = name
                break
        else:
            return self.put_object(node)
        known = _TAGS.get(tag)
        if known is None:
            raise bad(f"{tag} is no tag; a name of your own that begins with $ gets a second one")
        return known(self, node)

    # -- containers

    def put_object(self, node: dict[str, Any]) -> Work:
        self.keep(node)
        self.out.append(f.OBJECT)
        yield from self.properties(node.items())
        self.out.append(f.OBJECT_END)
        self.varint(len(node))

    def properties(self, items: Iterable[tuple[str, Any]]) -> Work:
        for name, value in items:
            self.key(name)
            work = self.write(value)
            if work is not None:
                yield work

    def array(self, items: list[Any]) -> Work:
        if _HOLE in items:
            present = [(str(index), item) for index, item in enumerate(items) if item != _HOLE]
            return self.sparse(items, present, len(items))
        return self.dense(items, items, [])

    def dense(self, node: Any, items: list[Any], extra: list[tuple[str, Any]]) -> Work:
        self.keep(node)
        self.out.append(f.DENSE)
        self.varint(len(items))
        for item in items:
            work = self.write(item)
            if work is not None:
                yield work
        yield from self.properties(extra)
        self.out.append(f.DENSE_END)
        self.varint(len(extra))
        self.varint(len(items))

    def sparse(self, node: Any, items: list[tuple[str, Any]], length: int) -> Work:
        self.keep(node)
        self.out.append(f.SPARSE)
        self.varint(length)
        yield from self.properties(items)
        self.out.append(f.SPARSE_END)
        self.varint(len(items))
        self.varint(length)

    def tagged_array(self, node: dict[str, Any]) -> Work:
        only("$array", node)
        said = node["$array"]
        length = said.get("length") if type(said) is dict else None
        items = said.get("items", {}) if type(said) is dict else None
        if type(length) is not int or not 0 <= length < 2**32 or type(items) is not dict or len(said) > 2:
            raise bad('$array says {"length": N, "items": {index or name: value}}')
        indexed = {index: value for name, value in items.items() if (index := array_index(name)) is not None}
        if any(index >= length for index in indexed):
            raise bad(f"$array of length {length} has an item {max(indexed)}")
        if len(indexed) == length:
            extra = [(name, value) for name, value in items.items() if array_index(name) is None]
            return self.dense(node, [indexed[index] for index in range(length)], extra)
        return self.sparse(node, list(items.items()), length)

    def put_map(self, node: dict[str, Any]) -> Work:
        only("$map", node)
        pairs = node["$map"]
        if type(pairs) is not list or not all(type(pair) is list and len(pair) == 2 for pair in pairs):
            raise bad("$map is a list of [key, value] pairs")
        return self.many(node, [side for pair in pairs for side in pair], f.MAP, f.MAP_END)

    def put_set(self, node: dict[str, Any]) -> Work:
        only("$set", node)
        if type(node["$set"]) is not list:
            raise bad("$set is a list of values")
        return self.many(node, node["$set"], f.SET, f.SET_END)

    def many(self, node: Any, values: list[Any], begin: int, end: int) -> Work:
        self.keep(node)
        self.out.append(begin)
        for value in values:
            work = self.write(value)
            if work is not None:
                yield work
        self.out.append(end)
        self.varint(len(values))

    # -- tags of single values

    def undefined(self, node: dict[str, Any]) -> None:
        only("$undefined", node)
        self.out.append(f.UNDEFINED)

    def hole(self, node: dict[str, Any]) -> None:
        raise bad("$hole stands only in an array")

    def tagged_number(self, node: dict[str, Any]) -> None:
        only("$number", node)
        self.out.append(f.DOUBLE)
        self.out += struct.pack("<d", special_number(node))

    def bigint(self, node: dict[str, Any]) -> None:
        only("$bigint", node)
        self.digits(f.BIGINT, node["$bigint"])

    def date(self, node: dict[str, Any]) -> None:
        only("$date", node)
        said = node["$date"]
        at = from_iso(said) if type(said) is str else None
        if at is None and said is not None:
            raise bad(f"$date is ISO 8601 with its zone, or null for an invalid date, not {str(said)[:60]!r}")
        self.keep(node)
        self.out.append(f.DATE)
        self.out += struct.pack("<d", float("nan") if at is None else at)

    def regexp(self, node: dict[str, Any]) -> None:
        only("$regexp", node)
        said = node["$regexp"]
        if (
            type(said) is not dict
            or type(said.get("source")) is not str
            or type(said.get("flags", "")) is not str
        ):
            raise bad('$regexp says {"source": text, "flags": letters}')
        flags = said.get("flags", "")
        if set(flags) - set("dgimsuvy") or len(set(flags)) != len(flags) or {"u", "v"} <= set(flags):
            raise bad(f"{flags!r} are no flags of a regular expression")
        self.keep(node)
        self.out.append(f.REGEXP)
        self.string(said["source"])
        self.varint(sum(1 << f.FLAGS.index(flag) for flag in flags))

    def boxed(self, node: dict[str, Any]) -> None:
        only("$boxed", node)
        said = node["$boxed"]
        self.keep(node)
        if said is True or said is False:
            self.out.append(f.BOXED_TRUE if said else f.BOXED_FALSE)
        elif type(said) is str:
            self.out.append(f.BOXED_STRING)
            self.string(said)
        elif type(said) is dict and list(said) == ["$bigint"]:
            self.digits(f.BOXED_BIGINT, said["$bigint"])
        elif type(said) is int or type(said) is float or (type(said) is dict and list(said) == ["$number"]):
            self.out.append(f.BOXED_NUMBER)
            self.out += struct.pack("<d", special_number(said) if type(said) is dict else said)
        else:
            raise bad("$boxed holds a string, a number, a BigInt or a boolean")

    # -- errors

    def error(self, node: dict[str, Any]) -> Work:
        """V8's own form where it can say it, which every version of the runtime reads; else the runtime's."""
        only("$error", node)
        said = node["$error"]
        if type(said) is not dict or set(said) - {"name", "message", "stack", "cause", "properties"}:
            raise bad('$error says {"name", "message", "stack", "cause", "properties"}')
        name, message, stack = said.get("name", "Error"), said.get("message"), said.get("stack")
        plain = all(part is None or type(part) is str for part in (message, stack))
        if plain and (name == "Error" or name in f.ERROR_TAGS) and "properties" not in said:
            return self.plain_error(node, said, name)
        return self.host_error(node, said, name)

    def plain_error(self, node: Any, said: dict[str, Any], name: str) -> Work:
        self.keep(node)
        self.out.append(f.ERROR)
        if name in f.ERROR_TAGS:
            self.out.append(f.ERROR_TAGS[name])
        for part, tag in (("message", f.ERROR_MESSAGE), ("stack", f.ERROR_STACK)):
            if said.get(part) is not None:
                self.out.append(tag)
                self.string(said[part])
        if "cause" in said:
            self.out.append(f.ERROR_CAUSE)
            work = self.write(said["cause"])
            if work is not None:
                yield work
        self.out.append(f.ERROR_END)

    def host_error(self, node: Any, said: dict[str, Any], name: Any) -> Work:
        self.keep(node)
        self.out.append(f.HOST)
        self.varint(f.HOST_ERROR)
        known = type(name) is str and name in f.HOST_ERROR_NAMES[1:]
        self.varint(f.HOST_ERROR_NAMES.index(name) if known else 0)
        for part in ([] if known else [name]) + [said.get("message", "")]:
            work = self.write(part)
            if work is not None:
                yield work
        own = {part: said[part] for part in ("stack", "cause") if part in said}
        own.update(said.get("properties", {}))
        self.next += 1
        self.out.append(f.OBJECT)
        yield from self.properties(own.items())
        self.out.append(f.OBJECT_END)
        self.varint(len(own))


_TAGS = {
    "$undefined": _Writer.undefined,
    "$hole": _Writer.hole,
    "$number": _Writer.tagged_number,
    "$bigint": _Writer.bigint,
    "$date": _Writer.date,
    "$map": _Writer.put_map,
    "$set": _Writer.put_set,
    "$array": _Writer.tagged_array,
    "$bytes": _Writer.put_bytes,
    "$error": _Writer.error,
    "$regexp": _Writer.regexp,
    "$boxed": _Writer.boxed,
    "$ref": _Writer.reference,
}
