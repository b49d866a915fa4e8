"""One operation of the API, made into a request from what a user gave, and sent.

Parameters go where the operation has them: into the path, the query, a header, the body's JSON, a form. The account of the
target is filled in.
"""

import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.secrets import MASK
from workbench.model.tagged import text_or_bytes

from .api import Answer, Api
from .catalogue import ApiOperation, ApiParameter
from .mirrored import is_mirrored
from .paging import MOST_PAGES, next_cursor

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
        if parameter is None or parameter.where == "path":
            continue
        if parameter.where == "query":
            query[name] = value if isinstance(value, str | list) else json.dumps(value)
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


def _values(operation: ApiOperation, given: tuple[Any, ...]) -> dict[str, Any]:
    known = {one.name: one for one in operation.parameters}
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=") if isinstance(text, str) else ("", "", "")
        if not equals:
            raise UsageError(f"--param wants NAME=VALUE, not {text!r}")
        parameter = known.get(name) or known.get(name.replace("-", "_"))
        if parameter is None:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(f"{operation.name} has no parameter {name!r}", hint)
        read = _read(parameter, value)
        if parameter.type.startswith("list of") and not isinstance(read, list):
            values.setdefault(parameter.name, []).append(read)
        else:
            values[parameter.name] = read
    return values


def _read(parameter: ApiParameter, text: str) -> Any:
    """What was typed, as the parameter's type."""
    kind = parameter.type.removeprefix("list of ")
    if kind == "boolean":
        if text not in ("true", "false"):
            raise UsageError(f"{parameter.name} is true or false, not {text!r}")
        return text == "true"
    if kind in ("integer", "number"):
        try:
            return json.loads(text)
        except ValueError:
            raise UsageError(f"{parameter.name} wants a number, not {text!r}") from None
    if parameter.where in ("body", "whole") and (kind in ("any", "object") or text[:1] in ("[", "{")):
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
            # The API wants the slashes of an R2 key as they are.
            parts.append(quote(str(value), safe="/" if name == "object_key" and not mirror else ""))
        else:
            parts.append(part)
    return "/".join(parts)


def masked_headers(names: list[str]) -> dict[str, str]:
    """The headers that credentials make, as a dry run shows them."""
    return {name: f"Bearer {MASK}" if name == "Authorization" else MASK for name in names}


async def sent(api: Api, call: Call, all_pages: bool) -> Any:
    """Send it; the envelope's result, all pages of it where they are asked for, or other bytes as text."""
    if not all_pages or call.operation.pages in ("", "single"):
        return _result(call, await _once(api, call, call.query))
    found: list[Any] = []
    query = dict(call.query)
    for page in range(int(query.get("page", 1)), MOST_PAGES):
        if call.operation.pages == "number":
            query["page"] = page
        answer = await _once(api, call, query)
        rows = _rows(answer.result)
        found += rows
        if not rows or not _go_on(call, answer, query, page, len(found)):
            return found
    raise WorkbenchError("remote.bad_answer", "the list has no end: each page leads to another")


def _go_on(call: Call, answer: Answer, query: dict[str, Any], page: int, have: int) -> bool:
    """Whether there is another page; the query is changed to ask for it."""
    info = answer.info
    if call.operation.pages == "number":
        pages, total = info.get("total_pages"), info.get("total_count")
        return page < pages if isinstance(pages, int) else have < total if isinstance(total, int) else True
    if call.operation.pages == "token":
        query["page_token"] = info.get("next_page_token") or None
        return query["page_token"] is not None
    query["cursor"] = next_cursor(info)
    return query["cursor"] is not None


async def _once(api: Api, call: Call, query: dict[str, Any]) -> Answer:
    kind = call.operation.result[0]
    return await api.send(
        call.operation.method,
        call.path,
        params=query,
        headers=call.headers,
        json_body=call.body,
        content=call.content,
        files=call.files or None,
        doing=call.operation.name,
        enveloped=kind != "bytes",
    )


def _result(call: Call, answer: Answer) -> Any:
    if isinstance(answer.result, bytes):
        try:
            return (
                json.loads(answer.result)
                if "json" in answer.headers.get("content-type", "")
                else text_or_bytes(answer.result)
            )
        except ValueError:
            return text_or_bytes(answer.result)
    return answer.result


def _rows(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return next((value for value in result.values() if isinstance(value, list)), [])
    return result if isinstance(result, list) else []
