"""The SDK's sources, read as syntax: every method of a resource that sends a request, with what it sends.

A resource is a class under `cloudflare/resources/`, beside an asynchronous twin that is left out. A method calls `self._get`,
`_post`, ... with the path (a text, or `path_template(text, ...)`), `body=`, and `options=make_request_options(query=...)`;
`_get_api_list` pages.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from api_types import Module

SDK = Path(sysconfig.get_paths()["purelib"]) / "cloudflare"
CALLS = {
    "_get": "GET",
    "_get_api_list": "GET",
    "_post": "POST",
    "_put": "PUT",
    "_patch": "PATCH",
    "_delete": "DELETE",
}
_OWN = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}


class Found(NamedTuple):
    """resource: the attributes that lead to it (`("kv", "namespaces", "keys")`). verb: the SDK's name of the method.

    pages: "" or `number`, `cursor`, `token`, `single`. parameters: `[name, where, type, required]`, where one of path, query,
    header, body, form, whole (all of the body), file. result: `[kind, {field: type}]`, kind one of list, one, bytes, none.
    """

    resource: tuple[str, ...]
    verb: str
    method: str
    path: str
    pages: str
    parameters: list[list[Any]]
    result: list[Any]


def read(sdk: Path) -> list[Found]:
    """Every operation, in the order of the files."""
    found: list[Found] = []
    for file in sorted((sdk / "resources").rglob("*.py")):
        parts = file.relative_to(sdk / "resources").with_suffix("").parts
        resource = parts[:-1] if len(parts) > 1 and parts[-1].rstrip("_") == parts[-2].rstrip("_") else parts
        tree = ast.parse(file.read_text())
        module = Module(file)
        for node in tree.body:
            if (
                isinstance(node, ast.ClassDef)
                and node.name.endswith("Resource")
                and not node.name.startswith("Async")
            ):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and (call := request(method)) is not None:
                        found.append(_operation(module, resource, method, call))
    return found


def request(method: ast.FunctionDef) -> ast.Call | None:
    """The call by which a method sends its request; None where it sends none."""
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CALLS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "self"
        ):
            return node
    return None


def path_of(call: ast.Call) -> str:
    """The path of a request, its parameters in braces."""
    given = call.args[0]
    if isinstance(given, ast.Call):
        given = given.args[0]
    assert isinstance(given, ast.Constant) and isinstance(given.value, str)
    return given.value


def method_of(call: ast.Call) -> str:
    """GET, POST, ...; a list may be asked for by another method than GET."""
    assert isinstance(call.func, ast.Attribute)
    named = next((word.value for word in call.keywords if word.arg == "method"), None)
    return str(named.value).upper() if isinstance(named, ast.Constant) else CALLS[call.func.attr]


def _operation(module: Module, resource: tuple[str, ...], method: ast.FunctionDef, call: ast.Call) -> Found:
    path = path_of(call)
    where = dict(_places(module, method, call, path))
    arguments = method.args.args + method.args.kwonlyargs
    defaults = [None] * (len(method.args.args) - len(method.args.defaults)) + list(method.args.defaults)
    defaults += list(method.args.kw_defaults)
    parameters = []
    for argument, default in zip(arguments, defaults, strict=True):
        if argument.arg in _OWN:
            continue
        place, wire = where.get(argument.arg, (_elsewhere(call), argument.arg))
        required = default is None or (place == "path" and "account_or_zone" not in path)
        parameters.append([wire, place, module.type_of(argument.annotation), int(required)])
    pages = next((word.value for word in call.keywords if word.arg == "page"), None)
    return Found(
        resource,
        method.name,
        method_of(call),
        path,
        _pages(pages),
        parameters,
        _result(module, method.returns),
    )


def _elsewhere(call: ast.Call) -> str:
    """Where an argument goes that is handed on by way of a variable: a form with files, a body, else the query."""
    words = {word.arg for word in call.keywords}
    if "files" in words:
        return "form"
    return "body" if "body" in words else "query"


def _places(
    module: Module, method: ast.FunctionDef, call: ast.Call, path: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where each argument goes, and under what name."""
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "strip_not_given"
        ):
            for key, value in _pairs(node.args[0]):
                for name in ast.walk(value):
                    if isinstance(name, ast.Name):
                        yield name.id, ("header", key)
    for word in call.keywords:
        if word.arg in ("body", "files", "content"):
            yield from _sent(module, word.arg, word.value)
        if word.arg == "options":
            for inner in ast.walk(word.value):
                if isinstance(inner, ast.keyword) and inner.arg == "query":
                    yield from _mapped(module, inner.value, "query")
    arguments = {one.arg for one in method.args.args + method.args.kwonlyargs}
    for name in arguments:
        if "{" + name + "}" in path or (name in ("account_id", "zone_id") and "{account_or_zone_id}" in path):
            yield name, ("path", name)


def _sent(module: Module, keyword: str, value: ast.expr) -> Iterator[tuple[str, tuple[str, str]]]:
    inner = value.args[0] if isinstance(value, ast.Call) and value.args else value
    if isinstance(inner, ast.Dict):
        yield from _mapped(module, value, "body")
    elif keyword != "files":
        for node in ast.walk(inner):
            if isinstance(node, ast.Name) and node.id in ("body", "file", "content"):
                yield node.id, ("file" if keyword == "content" else "whole", node.id)


def _mapped(module: Module, value: ast.expr, place: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """`maybe_transform({"python_name": python_name}, params.Type)`: the wire's names stand in the type."""
    if not (isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Dict)):
        return
    aliases: dict[str, str] = {}
    for node in value.args[1:]:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                aliases |= module.aliases(inner.value.id)
    for key, name in _pairs(value.args[0]):
        if isinstance(name, ast.Name):
            yield name.id, (place, aliases.get(key, key))


def _pairs(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _pages(page: ast.expr | None) -> str:
    name = "" if page is None else ast.unparse(page)
    for part, kind in (
        ("V4Page", "number"),
        ("Cursor", "cursor"),
        ("PageToken", "token"),
        ("Containers", "token"),
        ("SinglePage", "single"),
    ):
        if part in name:
            return kind
    return "cursor" if name else ""


def _result(module: Module, returns: ast.expr | None) -> list[Any]:
    """The kind of an answer, and the fields of it (or of its items) with their types."""
    text = "" if returns is None else ast.unparse(returns)
    if "BinaryAPIResponse" in text:
        return ["bytes", {}]
    if text in ("None", ""):
        return ["none", {}]
    names = [node for node in ast.walk(returns) if isinstance(node, ast.Name)] if returns is not None else []
    fields = next((found for name in names if (found := module.fields(name))), {})
    return ["list" if "Pag" in text or "SinglePage" in text else "one", fields]
