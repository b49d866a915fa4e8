"""One operation of the API, made into a request from what a user gave (`sending` sends it).

Parameters go where the operation has them: into the path, the query, a header, the body's JSON, a form. The account of the
target is filled in.
"""

import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.secrets import MASK

from .catalogue import ApiOperation, ApiParameter
from .mirrored import is_mirrored

BINARY = "application/octet-stream"


class ApiRequest(NamedTuple):
    """A request as it would be sent; the credentials in `headers` are masked. body: JSON, or a sentence of what it is."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any


class Call(NamedTuple):
    """A request of an operation. path: with its parameters in. files: of a form. content: the body's bytes."""

    operation: ApiOperation
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any
    files: dict[str, Any]
    content: bytes | None

    def shown(self, base: str, credentials: dict[str, str]) -> ApiRequest:
        """As a dry run shows it."""
        asked = {name: value for name, value in self.query.items() if value is not None}
        headers = dict(credentials) | self.headers
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        body = self.body
        if self.files:
            body = {
                name: f"{len(part[1]):,} bytes" if part[0] else part[1].decode()
                for name, part in self.files.items()
            }
            headers["Content-Type"] = "multipart/form-data"
        elif self.content is not None:
            body = f"{len(self.content):,} bytes"
        query = f"?{urlencode(asked, doseq=True)}" if asked else ""
        return ApiRequest(self.operation.method, base + self.path + query, headers, body)


def prepared(
    operation: ApiOperation,
    given: tuple[Any, ...],
    body: Any,
    content: bytes | None,
    account: str | None,
    *,
    mirror: bool,
) -> Call:
    """given: `NAME=VALUE` each. Raises UsageError for names it has not, values it cannot take, and what is missing."""
    values = _values(operation, given)
    if account is not None:
        values.setdefault("account_id", account)
    known = {one.name: one for one in operation.parameters}
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    fields: dict[str, Any] = {}
    files: dict[str, Any] = {}
    for name, value in values.items():
        parameter = known.get(name)
        if parameter is None and "." in name:
            query[name] = value
        if parameter is None or parameter.where == "path":
            continue
        if parameter.where == "query":
            query |= _dotted(name, value)
        elif parameter.where == "header":
            headers[name] = str(value)
        elif parameter.where == "form":
            files[name] = _part(value)
        else:
            fields[name] = value
    whole = _body(operation, body, fields)
    if content is not None and (whole is not None or files):
        raise UsageError("give only one of --body, --file")
    if content is not None:
        headers["Content-Type"] = headers.get("Content-Type", BINARY)
    _missing(operation, values, whole, content)
    path = _path(operation, values, mirror=mirror)
    return Call(operation, path, query, headers, whole, files, content)


def names_in_path(operation: ApiOperation, given: tuple[Any, ...]) -> list[str]:
    """What the path's parameters were given, in its order, the account left out."""
    values = _values(operation, given)
    names = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    return [str(values[name]) for name in names if name != "account_id" and values.get(name)]


def _values(operation: ApiOperation, given: tuple[Any, ...]) -> dict[str, Any]:
    known = {one.name: one for one in operation.parameters}
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=") if isinstance(text, str) else ("", "", "")
        if not equals:
            raise UsageError(f"--param wants NAME=VALUE, not {text!r}")
        parameter = known.get(name) or known.get(name.replace("-", "_"))
        if parameter is None:
            outer, _, inner = name.partition(".")
            if inner and (one := known.get(outer)) is not None and one.where == "query":
                values[name] = value  # account.id=...: a field of a query's object
                continue
            raise UsageError(f"{operation.name} has no parameter {name!r}", _near(name, list(known)))
        read = _read(parameter, value)
        if parameter.type.startswith("list of") and not isinstance(read, list):
            values.setdefault(parameter.name, []).append(read)
        else:
            values[parameter.name] = read
    return values


def _near(name: str, known: list[str]) -> str:
    """What may have been meant: alike in letters, or with the word in it (`zone` of `zone_id`)."""
    from difflib import get_close_matches

    words = {word for word in name.replace("-", "_").split("_") if len(word) > 1}
    inside = [one for one in known if words & set(one.split("_"))]
    near = get_close_matches(name, known, 1, 0.6) or inside[:3]
    return f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(known) or 'none'}"


def _dotted(name: str, value: Any) -> dict[str, Any]:
    """A query's parameter as the API has it: an object's fields each by their name, `account.id=...`."""
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for field, inner in value.items():
            found |= _dotted(f"{name}.{field}", inner)
        return found
    return {name: value if isinstance(value, str | list) else json.dumps(value)}


def _read(parameter: ApiParameter, text: str) -> Any:
    """What was typed, as the parameter's type."""
    kind = parameter.type.removeprefix("list of ")
    if kind == "boolean":
        if text not in ("true", "false"):
            raise UsageError(f"{parameter.name} is true or false, not {text!r}")
        return text == "true"
    if kind in ("integer", "number"):
        try:
            number = json.loads(text)
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(f"{parameter.name} wants a number, not {text!r}")
        return number
    inside = parameter.where in ("body", "whole")
    if (inside and kind in ("any", "object")) or (
        text[:1] in ("[", "{") and (inside or (parameter.where == "query" and kind != "string"))
    ):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if "|" in kind and " or " not in kind and text not in kind.split("|"):
        raise UsageError(f"{parameter.name} is one of {kind.replace('|', ', ')}, not {text!r}")
    return text


def _part(value: Any) -> tuple[str | None, bytes, str]:
    """A part of a form; `@PATH` gives a file's bytes."""
    if isinstance(value, str) and value.startswith("@"):
        try:
            with open(value[1:], "rb") as file:
                return (value[1:].rpartition("/")[2], file.read(), BINARY)
        except OSError as error:
            raise WorkbenchError("file.failed", f"{value[1:]}: {error.strerror}") from None
    text = value if isinstance(value, str) else json.dumps(value)
    return (None, text.encode(), "text/plain")


def _body(operation: ApiOperation, body: Any, fields: dict[str, Any]) -> Any:
    """`--body`, with the parameters that belong into it."""
    wholes = [one.name for one in operation.parameters if one.where in ("whole", "file")]
    for name in wholes:
        if name in fields:
            if body is not None:
                raise UsageError(f"give only one of --body, --param {name}=")
            body = fields.pop(name)
    if not fields:
        return body
    if body is not None and not isinstance(body, dict):
        raise UsageError("--body is no object, so no --param fits into it", ", ".join(fields))
    return (body or {}) | fields


def _missing(operation: ApiOperation, values: dict[str, Any], body: Any, content: bytes | None) -> None:
    inside = body if isinstance(body, dict) else {}
    for one in operation.parameters:
        if not one.required or one.where == "path" or one.name in values or one.name in inside:
            continue
        if one.where in ("whole", "file") and (body is not None or content is not None):
            continue
        if one.where == "body" and body is not None and not isinstance(body, dict):
            continue
        how = "--body JSON or --file FILE" if one.where in ("whole", "file") else f"--param {one.name}=..."
        raise UsageError(f"{operation.name} needs {one.name} ({one.type})", how)


def _path(operation: ApiOperation, values: dict[str, Any], *, mirror: bool) -> str:
    template = operation.path
    if "{account_or_zone}" in template:
        kind = "zone" if "zone_id" in values else "account"
        if f"{kind}_id" not in values:
            raise UsageError(
                f"{operation.name} is for an account or a zone",
                "--param zone_id=... or --param account_id=...",
            )
        template = template.replace("{account_or_zone}/{account_or_zone_id}", f"{kind}s/{{{kind}_id}}")
    if mirror:
        if not is_mirrored(operation.method, template):
            raise WorkbenchError(
                "api.not_mirrored",
                f"a dev server does not answer {operation.name}",
                "--remote runs it on the account",
            )
        template = template.removeprefix("/accounts/{account_id}")
    parts = []
    for part in template.split("/"):
        name = part.strip("{}")
        if part.startswith("{") and part.endswith("}"):
            value = values.get(name)
            if value in (None, ""):
                hint = (
                    "CLOUDFLARE_ACCOUNT_ID or the config's account_id"
                    if name == "account_id"
                    else f"--param {name}=..."
                )
                raise UsageError(f"{operation.name} needs {name}", hint)
            if value in (".", ".."):
                raise UsageError(f"{name} cannot be {value!r}: no URL can hold it")
            # The API wants the slashes of an R2 key as they are. (A dry run may leave the account open.)
            kept = value == part
            parts.append(
                part if kept else quote(str(value), safe="/" if name == "object_key" and not mirror else "")
            )
        else:
            parts.append(part)
    return "/".join(parts)


def masked_headers(names: list[str]) -> dict[str, str]:
    """The headers that credentials make, as a dry run shows them."""
    return {name: f"Bearer {MASK}" if name == "Authorization" else MASK for name in names}
