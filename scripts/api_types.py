"""The types that the SDK's sources name, in our words: `string`, `integer`, `list of string`, `a|b`, `number or string`, `object`.

A name is looked up where it comes from: an alias (`TTL: TypeAlias = Union[float, Literal[1]]`) is what it stands for, a model is an
object with fields, its bases' included.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

_SIMPLE = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "object": "any",
    "Any": "any",
    "datetime": "time",
    "date": "time",
    "FileTypes": "file",
    "FileContent": "file",
    "BinaryTypes": "file",
    "Base64FileInput": "file",
}
_LISTS = {"List", "Iterable", "Sequence", "SequenceNotStr", "list"}
_MOST_FIELDS = 60
_DEEPEST = 8
"""Aliases of aliases; a type that holds itself ends here."""


@lru_cache(None)
def module(file: Path) -> Module:
    """A file, read once."""
    return Module(file)


class Module:
    """A file of the SDK: what it imports, and what the types it names look like."""

    def __init__(self, file: Path) -> None:
        tree = ast.parse(file.read_text())
        self._from: dict[str, tuple[Path, str]] = {}
        self._classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self._aliases = {
            node.target.id: node.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and ast.unparse(node.annotation) == "TypeAlias"
            and node.value is not None
        }
        self._fields = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        ]
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                for one in node.names:
                    inside = folder / f"{one.name}.py"
                    found = inside if inside.exists() else folder.with_suffix(".py")
                    if "types" in found.parts and found.exists():
                        self._from[one.asname or one.name] = (found, one.name)

    def aliases(self, name: str) -> dict[str, str]:
        """Of a module of parameters: the wire's names of its fields, where they differ."""
        found: dict[str, str] = {}
        for node in module(self._from[name][0])._fields if name in self._from else ():
            alias = _alias_in(node.annotation)
            if alias is not None and isinstance(node.target, ast.Name):
                found.setdefault(node.target.id, alias)
        return found

    def fields(self, node: ast.expr) -> dict[str, str]:
        """Of a model, or of all that a union may be: the fields with their types."""
        return {name: _words(kind) for name, kind in self._model(node).items()}

    def _model(self, node: ast.expr, deep: int = 0) -> dict[str, str]:
        where, name = self._found(node)
        if deep > _DEEPEST or where is None:
            return {}
        if (alias := where._aliases.get(name)) is not None:
            found: dict[str, str] = {}
            for inner in _members(alias):
                for key, kind in where._model(inner, deep + 1).items():
                    found[key] = _either([found.get(key, ""), kind])
            return dict(list(found.items())[:_MOST_FIELDS])
        model = where._classes.get(name)
        if model is None:
            return {}
        own = {
            ((row.value and _alias_in(row.value)) or row.target.id.rstrip("_")): where._type(row.annotation)
            for row in model.body
            if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name)
        }
        for base in model.bases:
            own |= {key: kind for key, kind in where._model(base, deep + 1).items() if key not in own}
        return dict(list(own.items())[:_MOST_FIELDS])

    def type_of(self, node: ast.expr | None) -> str:
        """An annotation in our words."""
        return _words(self._type(node))

    def _type(self, node: ast.expr | None, deep: int = 0) -> str:
        """The same, each text to choose from marked by `=`."""
        if isinstance(node, ast.BinOp):
            return _either([self._type(node.left, deep), self._type(node.right, deep)])
        if isinstance(node, ast.Constant):
            return "" if node.value is None else "object"
        if isinstance(node, ast.Name) and node.id in ("Omit", "NotGiven", "None"):
            return ""
        if isinstance(node, ast.Name) and node.id in _SIMPLE:
            return _SIMPLE[node.id]
        if isinstance(node, ast.Name | ast.Attribute):
            where, name = self._found(node)
            alias = None if where is None else where._aliases.get(name)
            if where is None or alias is None or deep > _DEEPEST:
                return "object"
            return where._type(alias, deep + 1)
        if isinstance(node, ast.Subscript):
            name = ast.unparse(node.value).rpartition(".")[2]
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if name == "Literal":
                return _either([_literal(one.value) for one in inside if isinstance(one, ast.Constant)])
            if name in ("Optional", "Annotated", "Required"):
                return self._type(inside[0], deep)
            if name == "Union":
                return _either([self._type(one, deep) for one in inside])
            if name in _LISTS:
                return f"list of {self._type(inside[0], deep) or 'any'}"
        return "object"

    def _found(self, node: ast.expr) -> tuple[Module | None, str]:
        """The file that defines a name, and the name there."""
        if isinstance(node, ast.Name):
            if node.id in self._classes or node.id in self._aliases:
                return self, node.id
            file, name = self._from.get(node.id, (None, node.id))
            return (None if file is None else module(file)), name
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in self._from
        ):
            return module(self._from[node.value.id][0]), node.attr
        return None, ""


def _members(node: ast.expr) -> list[ast.expr]:
    """What a union is made of; anything else is its only member."""
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value).rpartition(".")[2]
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Union":
            return [one for part in inside for one in _members(part)]
        if name in ("Optional", "Annotated"):
            return _members(inside[0])
    return [node]


def _alias_in(node: ast.expr | None) -> str | None:
    """`PropertyInfo(alias="x")` or `FieldInfo(alias="x")` somewhere in it."""
    for inner in ast.walk(node) if node is not None else ():
        if isinstance(inner, ast.keyword) and inner.arg == "alias" and isinstance(inner.value, ast.Constant):
            return str(inner.value.value)
    return None


def _literal(value: object) -> str:
    """A text to choose; of a number or a truth value only what it is, since `--param` reads it by that."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "" if value is None else str(value)


def _either(types: list[str]) -> str:
    """One of several: choices where all of them are, else in words."""
    known = list(dict.fromkeys(one for one in types if one))
    if known and all(one.startswith("=") for one in known):
        return "=" + "|".join(dict.fromkeys("|".join(one[1:] for one in known).split("|")))
    if "number" in known:  # Literal[1] beside a number is a number with a meaning
        known = [one for one in known if one != "integer"]
    return " or ".join(dict.fromkeys(" or ".join(known).split(" or ")))


def _words(marked: str) -> str:
    """Without the marks."""
    return re.sub(r"(^|list of | or )=", r"\1", marked)


def _literal(value: object) -> str:
    """A text to choose; of a number or a truth value only what it is, since `--param` reads it by that."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "" if value is None else f"={value}"
