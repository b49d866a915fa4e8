"""The objects written so far, by their numbers; references to them, and the buffers that views share."""

from collections.abc import Iterable
from typing import Any

from . import format as f
from .output import Output, bad, decoded


def only(tag: str, node: dict[str, Any], allowed: Iterable[str] = ()) -> None:
    """Refuse what stands beside a tag."""
    extra = set(node) - {tag, *allowed}
    if extra:
        raise bad(
            f"{tag} beside {min(extra)}: a tag stands alone; a name of your own that begins with $ gets a second one"
        )


class Given(Output):
    """The output with the nodes of the tagged value that are in it. root: all of the value."""

    def __init__(self, root: Any) -> None:
        super().__init__()
        self.root = root
        self.numbers: dict[int, int] = {}
        self.buffers: dict[int, int] = {}
        self.next = 0

    def keep(self, node: Any) -> None:
        """Give a node the next object's number."""
        self.numbers[id(node)] = self.next
        self.next += 1

    def reference(self, node: dict[str, Any]) -> None:
        only("$ref", node)
        self.out.append(f.REFERENCE)
        self.varint(self.number_of(node))

    def number_of(self, node: dict[str, Any]) -> int:
        """The number of the object that a `$ref` points to; it must stand before."""
        try:
            return self.numbers[id(self.resolved(node))]
        except KeyError as error:
            raise bad(f"$ref {str(node['$ref'])[:60]!r} points to no object before it") from error

    def put_bytes(self, node: dict[str, Any]) -> None:
        only("$bytes", node, ("type", "offset", "buffer", "tracking", "max_length"))
        data = decoded(node)
        kind = node.get("type", "Uint8Array")
        if kind == "ArrayBuffer":
            self.keep(node)
            self.buffer(data, node.get("max_length"))
            return
        if kind not in f.VIEW_TAGS:
            raise bad(f"{str(kind)[:40]!r} is no kind of typed array")
        tag, size = f.VIEW_TAGS[kind]
        offset = node.get("offset", 0)
        growable = False
        if "buffer" in node:
            whole, growable = self.named_buffer(node["buffer"])
            if type(offset) is not int or whole[offset : offset + len(data)] != data:
                raise bad(
                    "$bytes is not what its buffer holds at its offset; leave out buffer and offset to give it its own"
                )
        else:
            self.next += 1
            self.buffer(data, None)
            offset = 0
        if len(data) % size or offset % size:
            raise bad(f"{len(data)} bytes are no {kind}: {size} bytes an element")
        self.keep(node)
        tracking = bool(node.get("tracking"))
        self.out += bytes((f.VIEW, tag))
        self.varint(offset)
        self.varint(0 if tracking else len(data))
        self.varint(tracking * f.TRACKING | growable * f.ON_RESIZABLE)

    def buffer(self, data: bytes, max_length: Any) -> None:
        if max_length is None:
            self.out.append(f.BUFFER)
            self.varint(len(data))
        else:
            if type(max_length) is not int or max_length < len(data):
                raise bad("max_length is smaller than the buffer")
            self.out.append(f.RESIZABLE)
            self.varint(len(data))
            self.varint(max_length)
        self.out += data

    def named_buffer(self, said: Any) -> tuple[bytes, bool]:
        """Write the buffer that a view names (or the reference to it); its bytes, and whether it is resizable."""
        if type(said) is dict and "$ref" in said:
            self.reference(said)
            said = self.resolved(said)
        elif type(said) is dict and said.get("type") == "ArrayBuffer" and "$bytes" in said:
            self.put_bytes(said)
        if type(said) is not dict or said.get("type") != "ArrayBuffer":
            raise bad("the buffer of $bytes is an ArrayBuffer, or a $ref to one")
        return decoded(said), "max_length" in said

    def resolved(self, node: dict[str, Any]) -> Any:
        """What a `$ref` points to."""
        pointer = node["$ref"]
        target: Any = self.root
        try:
            for step in pointer.split("/")[1:]:
                step = step.replace("~1", "/").replace("~0", "~")
                target = target[int(step) if type(target) is list else step]
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise bad(f"$ref {str(pointer)[:60]!r} points to nothing in this value") from error
        return target
