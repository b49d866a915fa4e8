"""The OpenAPI documents, made from what is declared: the Explorer's paths from the routes, the operations from the registry."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench import __version__
from workbench.operations import READS, Operation, Parameter, all_operations, get

from .call import Call
from .replies import Reply, json_reply
from .routes import Route, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable

routes = Routes()
_TOKEN = {"token": {"type": "http", "scheme": "bearer", "description": "what cfwb serve printed"}}
_ERROR = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}
_ENVELOPE = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}},
        "messages": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}},
        "result": {},
        "result_info": {"type": "object"},
    },
    "required": ["success", "errors", "messages", "result"],
}
_CONTENT = {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Bytes"}]}
_BYTES = {
    "type": "object",
    "properties": {"$bytes": {"type": "string", "format": "byte"}},
    "required": ["$bytes"],
}
_RAW = {
    "workers-kv-namespace-read-key-value-pair",
    "r2-bucket-get-object",
}


@routes.route("GET", "/", "reads", name="cfwb-openapi", added=True)
def get_document(call: Call) -> Reply:
    """This document."""
    return json_reply(explorer_document())


@cache
def explorer_document() -> dict[str, Any]:
    """The Explorer's paths, and what is added to them."""
    from .table import ROUTES

    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        path = re.sub(r"\*}", "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _of_route(route, path)
    document = _document(
        "cfwb serve",
        "The Local Explorer's API on the state directory alone. Every path also answers below /accounts/{any account}. "
        "What is marked x-cfwb-added the original lacks.",
        "/cdn-cgi/explorer/api",
        paths,
    )
    document["components"]["schemas"] = {"Error": _ERROR, "Envelope": _ENVELOPE}
    return document


@cache
def operations_document() -> dict[str, Any]:
    """Every operation: `POST /<name>` with its arguments."""
    paths = {f"/{operation.name}": {"post": _of_operation(operation)} for operation in all_operations()}
    document = _document(
        "cfwb operations",
        "Every operation of cfwb, as on its command line; the answer is the envelope that --json gives there.",
        "/cdn-cgi/cfwb/api",
        paths,
    )
    document["components"]["schemas"] = {"Bytes": _BYTES}
    return document


def _document(title: str, description: str, url: str, paths: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "description": description, "version": __version__},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {"securitySchemes": _TOKEN},
    }


def _of_route(route: Route, path: str) -> dict[str, Any]:
    described = [get(name) for name in route.operations]
    found: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if route.description:
        found["description"] = route.description
    if described:
        found["x-cfwb-operations"] = [operation.name for operation in described]
    if route.added:
        found["x-cfwb-added"] = True
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    for name, check in route.query.items():
        schema = check.schema()
        row: dict[str, Any] = {"name": name, "in": "query", "schema": schema}
        if "description" in schema:
            row["description"] = schema.pop("description")
        parameters.append(row)
    if parameters:
        found["parameters"] = parameters
    if route.json is not None:
        found["requestBody"] = _body("application/json", route.json.schema())
    elif route.body != "none":
        found["requestBody"] = _body("application/octet-stream", {"type": "string", "format": "binary"})
    envelope = {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}
    raw = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    found["responses"] = {
        "200": {"description": "Done.", "content": raw | envelope if route.name in _RAW else envelope},
        "default": {"description": "An error, in the envelope.", "content": envelope},
    }
    if route.access in ("writes", "asks"):
        found["security"] = [{"token": []}] if route.access == "writes" else [{}, {"token": []}]
    return found


def _body(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media: {"schema": schema}}}


def _of_operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "x-cfwb-effect": operation.effect,
    }
    if operation.description:
        found["description"] = operation.description
    taken = [parameter for parameter in operation.parameters if parameter.type != "path"]
    if taken:
        found["requestBody"] = {"content": {"application/json": {"schema": _arguments(taken)}}}
    answer = {"type": "object", "description": f"result: {operation.result}"}
    found["responses"] = {
        "200": {"description": operation.result, "content": {"application/json": {"schema": answer}}},
        "default": {
            "description": "An error: `{target, operation, error: {code, message, hint}}`.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    }
    if operation.effect != READS:
        found["security"] = [{"token": []}]
    return found


def _arguments(parameters: Iterable[Parameter]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for parameter in parameters:
        found["properties"][parameter.name] = _of_parameter(parameter)
    required = [parameter.name for parameter in parameters if parameter.required]
    return found | {"required": required} if required else found


def _of_parameter(parameter: Parameter) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "string": {"type": "string"},
        "integer": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "content": dict(_CONTENT),
        "file": dict(_CONTENT),
    }
    schema = kinds.get(parameter.type, {})
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.repeat:
        schema = {"type": "array", "items": schema}
    elif parameter.default not in (None, "", ()):
        schema["default"] = parameter.default
    return schema | {"description": parameter.help}
