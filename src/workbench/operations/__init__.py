"""Every operation, declared once; all faces are made from these declarations and nothing else.

A module a noun (`kv`, `r2`, ...), each function under `@operation`; `executor` is the one door through which they run. May
import model/, project/ and backends/, never a face. `get` imports only the modules of a name's first word, and of those no more than it
needs, for this is on the start-up path of every command.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from workbench.model.errors import UsageError

from .parameters import FORCE, Parameter, read_parameters

READS = "reads"
WRITES = "writes"
DESTROYS = "destroys"

# First word of a name -> the modules that declare its operations.
MODULES: dict[str, tuple[str, ...]] = {
    "bindings": ("bindings",),
    "project": ("bindings", "accounts"),
    "kv": ("kv", "kv_bulk", "kv_between"),
    "r2": ("r2", "r2_copies", "r2_folders", "r2_uploads", "r2_between"),
    "d1": ("d1", "batches", "d1_between"),
    "do": ("durable_objects", "durable_storage", "durable_sql", "batches"),
    "workflows": ("workflows",),
    "traces": ("traces",),
    "queues": ("queues",),
    "workers": ("workers",),
    "servers": ("servers", "server_logs", "server_requests"),
    "auth": ("accounts",),
    "api": ("api",),
    "state": ("state_directory",),
    "hub": ("hub",),
    "sandboxes": (
        "sandboxes",
        "sandbox_files",
        "sandbox_processes",
        "sandbox_snapshots",
        "sandbox_network",
        "sandbox_contexts",
        "sandbox_mounts",
    ),
    "terminals": ("terminals", "sandbox_terminals"),
    "bridges": ("bridges",),
    "schema": ("guide",),
    "agent-context": ("guide",),
    "completion": ("guide",),
}

# The whole vocabulary of last words; an act has one spelling. Nouns that stand alone are in `WITHOUT_VERB`.
VERBS = (
    "list",
    "get",
    "put",
    "delete",
    "create",
    "update",
    "query",
    "run",
    "exec",
    "watch",
    "wait",
    "export",
    "import",
    "copy",
    "move",
    "restore",
    "diff",
    "undo",
    "start",
    "stop",
    "restart",
    "pause",
    "resume",
    "terminate",
    "send",
    "pull",
    "render",
    "check",
)
# First words whose operations wait for another process, and so run in an event loop.
SUSPENDING = ("hub", "sandboxes", "terminals", "bridges")
Weigh = Callable[[Any, dict[str, Any]], Coroutine[Any, Any, tuple[str, dict[str, Any]]]]
"""Given the state and the arguments: their effect, and the arguments to go on with (what was read from a stream is kept)."""
AccountNeed = Literal["must", "may", "not"]
"""Whether an account must be clear, is asked for in case it is, or is nobody's business."""
WITHOUT_VERB = ("schema", "agent-context", "completion")


class Operation:
    """One declared operation.

    name: `kv.keys.list`. effect: READS, WRITES or DESTROYS. examples: whole command lines. capability: what the backend must
    be able to do, or "". fields: the fields of a result's items that every face shows, or () for all. stateless: it needs no
    project and no target. alone: it works without a project (and on the account without a chosen one). always_remote: it is
    about the account, whatever the flags say. weigh: asked before a write to the account what these arguments do there.
    text_with: the parameter that makes a text of its result, where it may be one, or "" where it always is.
    summary, description, parameters and result are worked out when asked for.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        effect: str,
        examples: tuple[str, ...],
        capability: str,
        fields: tuple[str, ...],
        alone: bool,
        always_remote: bool,
        weigh: Weigh | None,
        text_with: str = "",
    ) -> None:
        self.name = name
        self.function = function
        self.effect = effect
        self.examples = examples
        self.capability = capability
        self.fields = fields
        self.alone = alone
        self.always_remote = always_remote
        self.weigh = weigh
        self.text_with = text_with
        self._parameters: tuple[Parameter, ...] | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command: ("kv", "keys", "list")."""
        return tuple(self.name.split("."))

    @property
    def summary(self) -> str:
        """One line that says what it does."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @property
    def description(self) -> str:
        """The paragraphs below the summary, or ""."""
        lines = (self.function.__doc__ or "").strip().splitlines()[1:]
        return "\n".join(line.strip() for line in lines).strip()

    @property
    def stateless(self) -> bool:
        """Whether it works without a project (it describes the tool itself)."""
        return "state" not in self.function.__annotations__

    @property
    def account(self) -> AccountNeed:
        """Whether it needs to be clear which account is meant: one about the API itself does not."""
        return "may" if self.always_remote else "not" if self.alone else "must"

    @property
    def suspends(self) -> bool:
        """Whether it waits for another process whatever the target is."""
        return self.words[0] in SUSPENDING and not self.stateless

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it takes, in the order of the signature; `force` last, on every operation that writes."""
        if self._parameters is None:
            extra = () if self.effect == READS else (FORCE,)
            self._parameters = read_parameters(self.function) + extra
        return self._parameters

    @property
    def signature(self) -> str:
        """The parameters in one line, positional ones first: `KEY [--binding NAME]`."""
        parts = []
        for parameter in sorted(self.parameters, key=lambda parameter: not parameter.positional):
            bare = parameter.positional or parameter.type == "boolean"
            text = parameter.flag if bare else f"{parameter.flag} {parameter.value}"
            text = text if parameter.required else f"[{text}]"
            parts.append(text + "..." if parameter.repeat else text)
        return " ".join(parts)

    @property
    def between(self) -> bool:
        """Whether it reads one target and writes to (or is compared with) another."""
        return "from_" in self.function.__annotations__

    @property
    def pages(self) -> bool:
        """Whether the result is a page of a list that a cursor continues."""
        return any(parameter.name == "cursor" for parameter in self.parameters)

    @property
    def document(self) -> bool:
        """Whether the result may be a text or output that is given as it is, where JSON is not asked for."""
        returned = self.function.__annotations__.get("return")
        return not {"Document", "Output", "CodeOutput"}.isdisjoint(
            getattr(part, "__name__", "") for part in getattr(returned, "__args__", (returned,))
        )

    @property
    def result(self) -> str:
        """What comes back, in words: `a list of {name, expiration, metadata}`."""
        from .results import describe

        return describe(self.function.__annotations__.get("return"), self.fields)


_REGISTRY: dict[str, Operation] = {}


def operation(
    name: str,
    *,
    effect: str,
    examples: list[str] | tuple[str, ...] = (),
    capability: str = "",
    fields: tuple[str, ...] = (),
    alone: bool = False,
    always_remote: bool = False,
    weigh: Weigh | None = None,
    text_with: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function as an operation; its signature gives the parameters, its docstring the help."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        _REGISTRY[name] = Operation(
            name,
            function,
            effect,
            tuple(examples),
            capability,
            fields,
            alone,
            always_remote,
            weigh,
            text_with,
        )
        return function

    return declare


def _load(word: str) -> None:
    for module in MODULES[word]:
        __import__(f"{__name__}.{module}")


def of_word(word: str) -> list[Operation]:
    """The operations whose name begins with `word`, by name; [] for a word that begins none."""
    if word not in MODULES:
        return []
    _load(word)
    return [_REGISTRY[name] for name in sorted(_REGISTRY) if name.partition(".")[0] == word]


def beginning(words: tuple[str, ...]) -> Operation | None:
    """The operation whose words these begin with, or None. Imports no more modules than it takes to find it."""
    for module in MODULES.get(words[0], ()) if words else ():
        __import__(f"{__name__}.{module}")
        for count in range(len(words), 0, -1):
            found = _REGISTRY.get(".".join(words[:count]))
            if found is not None:
                return found
    return None


def get(name: str) -> Operation:
    """The operation of that name. Raises UsageError where there is none."""
    found = _REGISTRY.get(name) or beginning(tuple(name.split(".")))
    if found is None or found.name != name:
        from difflib import get_close_matches

        near = get_close_matches(name, [operation.name for operation in all_operations()], 1)
        hint = f"did you mean {near[0]}?" if near else "cfwb schema lists them all"
        raise UsageError(f"no operation {name!r}", hint)
    return found


def all_operations() -> list[Operation]:
    """Every operation, by name. Imports them all."""
    for word in MODULES:
        _load(word)
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]


__all__ = [
    "DESTROYS",
    "READS",
    "VERBS",
    "WRITES",
    "Operation",
    "Parameter",
    "all_operations",
    "beginning",
    "get",
    "of_word",
    "operation",
]
