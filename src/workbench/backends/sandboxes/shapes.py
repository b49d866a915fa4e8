"""The server's JSON as the model's values; what a newer server adds is left out, what it lacks is the default."""

from __future__ import annotations

import posixpath
from typing import Any, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.sandboxes import Sandbox, SandboxEvent, SandboxProcess, Terminal, Usage

T = TypeVar("T", bound=tuple[Any, ...])

WORKSPACE = "/workspace"


def value(kind: type[T], data: Any) -> T:
    """A NamedTuple out of the fields of an object. Raises `sandboxes.bad_answer` where one without a default is missing."""
    if not isinstance(data, dict):
        raise WorkbenchError(
            "sandboxes.bad_answer", f"the server's answer is no object but {type(data).__name__}"
        )
    names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    try:
        return kind(
            **{
                name: tuple(data[name]) if isinstance(data[name], list) else data[name]
                for name in names
                if name in data
            }
        )
    except TypeError as error:
        raise WorkbenchError(
            "sandboxes.bad_answer", f"the server's answer lacks something: {error}"
        ) from None


def sandbox(data: Any) -> Sandbox:
    found = value(Sandbox, data)
    return found._replace(usage=value(Usage, found.usage)) if found.usage is not None else found


def event(data: Any) -> SandboxEvent:
    known = ("id", "at", "event", "sandbox", "name")
    detail = {name: item for name, item in data.items() if name not in known}
    return value(SandboxEvent, {"detail": detail} | {name: data.get(name) for name in known})


def process(data: Any) -> SandboxProcess:
    return value(
        SandboxProcess, dict.fromkeys(("pid", "exit_code", "signal", "started", "ended", "cwd")) | data
    )


def terminal(data: Any) -> Terminal:
    return value(Terminal, data)


def absolute(path: str) -> str:
    """A path inside a sandbox as it is meant: relative ones from /workspace, `.` and `..` worked out."""
    return posixpath.normpath(posixpath.join(WORKSPACE, path or ".")).replace("//", "/")
