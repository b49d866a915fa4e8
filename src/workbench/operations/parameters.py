"""Parameters of operations: read from a function's signature, checked before it runs, understood from text.

A parameter is an argument annotated with one of the aliases below (`Annotated[type, Param(...)]`), shared so that the same
thing has the same name, help and rules everywhere.
"""

import json
import math
import os
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from workbench.model.errors import UsageError


class Param:
    """What an alias says of a parameter. kind: string, integer, boolean, json, value, content, file or path (see `check`).

    alone: what a flag means when no value follows it, or None where one must. asked: what a person at a terminal is asked for, unseen,
    where neither this nor `from_env` is given (a secret: it must not stand on a command line). key: it names what is stored, so
    on the local state it may be text that bytes became which are no UTF-8 (surrogateescape): what a list shows can be opened.
    """

    __slots__ = (
        "alone",
        "asked",
        "choices",
        "help",
        "key",
        "kind",
        "metavar",
        "minimum",
        "positional",
        "repeat",
    )

    # Plain classes: the few here are made on every start, and a NamedTuple costs ten times as much to define.
    def __init__(
        self,
        help: str,
        kind: str = "string",
        *,
        positional: bool = False,
        repeat: bool = False,
        choices: tuple[str, ...] = (),
        metavar: str = "",
        minimum: int | None = None,
        alone: str | None = None,
        asked: str = "",
        key: bool = False,
    ) -> None:
        self.alone = alone
        self.asked = asked
        self.help = help
        self.key = key
        self.kind = kind
        self.positional = positional
        self.repeat = repeat
        self.choices = choices
        self.metavar = metavar
        self.minimum = minimum


class Parameter:
    """A parameter of one operation, as its `Param` describes it. default is None where there is none.

    argument: what the function calls it: a name that Python keeps for itself (`from`) bears a `_` there.
    """

    __slots__ = (
        "alone",
        "argument",
        "asked",
        "choices",
        "default",
        "help",
        "key",
        "metavar",
        "minimum",
        "name",
        "positional",
        "repeat",
        "required",
        "type",
    )

    def __init__(self, name: str, param: Param, *, required: bool = False, default: Any = None) -> None:
        self.argument = name
        self.name = name.rstrip("_")
        self.alone = param.alone
        self.asked = param.asked
        self.type = param.kind
        self.required = required
        self.default = default
        self.help = param.help
        self.key = param.key
        self.positional = param.positional
        self.repeat = param.repeat
        self.choices = param.choices
        self.metavar = param.metavar or name.upper()
        self.minimum = param.minimum

    @property
    def flag(self) -> str:
        """`--custom-metadata`; a positional one has its name in capitals."""
        return self.metavar if self.positional else "--" + self.name.replace("_", "-")

    @property
    def value(self) -> str:
        """How the value of a flag is written: `FILE`, or `[FILE]` where it may be left out."""
        return self.metavar if self.alone is None else f"[{self.metavar}]"


def read_parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters of an operation's function, in order, without `state`."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    first = len(names) - len(defaults)
    found = []
    for index, name in enumerate(names):
        if name == "state":
            continue
        param: Param = function.__annotations__[name].__metadata__[0]
        required = index < first
        default = None if required else defaults[index - first]
        found.append(Parameter(name, param, required=required, default=None if default is ... else default))
    return tuple(found)


def from_text(parameter: Parameter, text: str, as_json: bool = False) -> Any:
    """What a person typed, as the parameter's type. Raises UsageError. (Text of a command line keeps its exact bytes.)"""
    if parameter.type == "integer":
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{parameter.flag} wants a whole number, not {text!r}") from None
    if parameter.type == "number":
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise UsageError(f"{parameter.flag} wants a number, not {text!r}")
        return found
    if as_json or parameter.type == "json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{parameter.flag} wants JSON: {error}", f"a string needs its quotes: '{json.dumps('text')}'"
            ) from None
    if parameter.type == "content":
        return text.encode("utf-8", "surrogateescape")
    return text


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "content": ((str, bytes, bytearray), "text or bytes"),
    "file": ((str, os.PathLike, Iterable), "a path or pieces of bytes"),
    "path": ((str, os.PathLike), "a path"),
}


_LARGEST = 2**53 - 1  # beyond it not every JSON reader has the same number


def _fits(parameter: Parameter, value: Any) -> bool:
    return isinstance(value, _TYPES[parameter.type][0]) and not (
        parameter.type in ("integer", "number") and isinstance(value, bool)
    )


def _check_one(parameter: Parameter, value: Any, stored: bool) -> Any:
    if parameter.type in ("json", "value"):
        return value
    if not _fits(parameter, value):
        wanted = _TYPES[parameter.type][1]
        raise UsageError(f"{parameter.flag} wants {wanted}, not {type(value).__name__}")
    if parameter.choices and value not in parameter.choices:
        raise UsageError(f"{parameter.flag} is one of {', '.join(parameter.choices)}, not {value!r}")
    if parameter.type == "integer" and abs(value) > _LARGEST:
        raise UsageError(f"{parameter.flag} is at most {_LARGEST}")
    if parameter.minimum is not None and value < parameter.minimum:
        raise UsageError(f"{parameter.flag} is at least {parameter.minimum}, not {value}")
    if parameter.type == "string" and not value.isascii():
        try:
            value.encode("utf-8", "surrogateescape" if stored and parameter.key else "strict")
        except UnicodeEncodeError:
            hint = "only the local state holds such keys: ask it alone" if parameter.key else ""
            raise UsageError(f"{parameter.flag} is not valid Unicode text: {value!r}", hint) from None
    return value


def check(
    parameters: Iterable[Parameter], arguments: dict[str, Any], *, stored: bool = False
) -> dict[str, Any]:
    """The arguments a function gets, of the right types; what was not given is left to its defaults. Raises UsageError.

    A `content` is text or bytes, a `file` a path or an iterable of bytes, a `json` or a `value` any JSON value as it is (on a
    command line a `value` is text, or JSON by the flag with `-json`). None means not given, but for a `json`. stored: they are for
    the state on disk, where a key may be any bytes.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in arguments:
        if name not in known:
            raise UsageError(f"no parameter {name!r}", f"there are: {', '.join(known) or 'none'}")
    checked = {}
    for name, parameter in known.items():
        value = arguments.get(name)
        if value is None and (parameter.type != "json" or name not in arguments):
            if parameter.required:
                raise UsageError(f"{parameter.flag} is missing", parameter.help)
        elif parameter.repeat:
            if isinstance(value, str | bytes) or not isinstance(value, Iterable):
                raise UsageError(f"{parameter.flag} wants a list")
            checked[parameter.argument] = tuple(_check_one(parameter, item, stored) for item in value)
        else:
            checked[parameter.argument] = _check_one(parameter, value, stored)
    return checked


def one_of(**given: Any) -> str:
    """The name of the one argument that was given. Raises UsageError where none or several were."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError(f"give exactly one of {flags}" if not names else f"give only one of {flags}")
    return names[0]


# What the aliases share: one thing, one name, one help text.
Limit = Annotated[
    int | None,
    Param("at most so many; without it a command gives the whole list", "integer", metavar="N", minimum=1),
]
Cursor = Annotated[str | None, Param("go on after an earlier page: its result_info.cursor", metavar="C")]
Prefix = Annotated[str, Param("only names that begin with this", metavar="P", key=True)]
From = Annotated[
    str | None,
    Param(
        "the target to read: local, remote, remote:ACCOUNT, a dev server's address, another project's folder",
        metavar="TARGET",
    ),
]
To = Annotated[
    str | None,
    Param("the target to write to, said the same way; this one where it is not given", metavar="TARGET"),
]
After = Annotated[
    str | None, Param("go on after this name, where an interrupted copy had come to", metavar="NAME")
]
WouldChange = Annotated[bool, Param("only say what would change", "boolean")]
DryRun = Annotated[bool, Param("only list what would go", "boolean")]
FORCE = Parameter("force", Param("do not ask", "boolean"), default=False)

Namespace = Annotated[
    str | None, Param("KV namespace: a binding or an id (not needed where there is only one)", metavar="NAME")
]
TheNamespace = Annotated[
    str, Param("the KV namespace: a binding or an id", positional=True, metavar="NAMESPACE")
]
Key = Annotated[str, Param("the key", positional=True, key=True)]
Bucket = Annotated[
    str | None, Param("R2 bucket: a name or a binding (not needed where there is only one)", metavar="NAME")
]
TheBucket = Annotated[str, Param("the R2 bucket: a name or a binding", positional=True, metavar="BUCKET")]
ObjectKey = Annotated[str, Param("the object's key", positional=True, metavar="KEY", key=True)]
Database = Annotated[
    str | None, Param("D1 database: a binding, name or id (not needed where there is only one)", metavar="DB")
]
TheDatabase = Annotated[str, Param("the D1 database: a binding, name or id", positional=True, metavar="DB")]
Class = Annotated[
    str | None,
    Param(
        "Durable Object namespace: a class name, binding or id (not needed where there is only one)",
        metavar="CLASS",
    ),
]
Object = Annotated[str, Param("the object: its name or id", metavar="OBJECT")]
Facets = Annotated[
    tuple[str, ...],
    Param(
        "a facet of the object; again for a facet inside it, outermost first",
        repeat=True,
        metavar="NAME",
        key=True,
    ),
]
Workflow = Annotated[
    str | None, Param("the workflow's name or binding (not needed where there is only one)", metavar="NAME")
]
Sql = Annotated[str | None, Param("the statements", positional=True, metavar="SQL")]
SqlFile = Annotated[
    Any, Param("read the statements from a file (- for standard input)", "file", metavar="FILE")
]
SqlParams = Annotated[
    tuple[Any, ...],
    Param(
        "bind text to the next ? (--param-json: a typed value, as JSON)", "value", repeat=True, metavar="V"
    ),
]
ImportFile = Annotated[Any, Param("the file (- for standard input)", "file", metavar="FILE")]
IntoTable = Annotated[str | None, Param("the table that CSV or JSON rows go into", metavar="TABLE")]
ReadOnly = Annotated[bool, Param("refuse statements that write", "boolean")]
Output = Annotated[str | None, Param("write to this file", "path", metavar="FILE")]
Content = Annotated[Any, Param("the value, as text", "content", metavar="V")]
Source = Annotated[Any, Param("read the value from a file (- for standard input)", "file", metavar="FILE")]
