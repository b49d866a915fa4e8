"""What a write to the deployed account needs before it is done: that the project allows it, and somebody's word.

A write asks, naming the account and the resource; what destroys asks for the resource's name to be typed. `--force` is the only way past
the question, and nothing is past the project's read-only setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.state import Removal

from . import DESTROYS, READS

if TYPE_CHECKING:
    from . import Operation
    from .executor import Confirm
    from .resolve import State


class Resource(NamedTuple):
    """What is written to. what: `KV namespace`. name: what a person calls it, and types. id: where that is another text."""

    what: str
    name: str
    id: str = ""

    @property
    def sentence(self) -> str:
        if self.name == self.what:
            return self.what
        return f"{self.what} {self.name}" + (f" ({self.id})" if self.id and self.id != self.name else "")


async def consented(
    state: State, operation: Operation, arguments: dict[str, Any], force: bool, confirm: Confirm | None
) -> dict[str, Any]:
    """The arguments to go on with, once it may be done. Raises `remote.read_only`, `confirmation.needed`, `confirmation.refused`."""
    from workbench.project.preferences import remote_is_read_only

    from .executor import Question, says_yes, what_would_go

    effect: str = operation.effect
    if operation.weigh is not None:
        effect, arguments = await operation.weigh(state, arguments)
    if effect == READS:
        return arguments
    resource = await resource_of(state, operation, arguments)
    target = state.answered
    # A zone's operation needs no account to be known.
    account = f"account {target.source}" if target.source else "account"
    if remote_is_read_only(state.project.folder):
        raise WorkbenchError(
            "remote.read_only",
            f"{operation.name} writes to {resource.sentence}, {account}, and this project is set to read the account only",
            "cfwb project update --remote-mode writable allows it",
        )
    if force:
        return arguments
    if confirm is None:
        verb = "destroys data" if effect == DESTROYS else "writes"
        raise WorkbenchError(
            "confirmation.needed",
            f"{operation.name} {verb} on the deployed {account}, {resource.sentence}, and needs --force",
            "--dry-run lists what would go" if operation.effect == DESTROYS else "",
        )
    removal = Removal([], 0, True)
    if operation.effect == effect == DESTROYS:
        removal = await what_would_go(state, operation, arguments)
        if not removal.total:
            return arguments
    typed = resource.name if effect == DESTROYS else None
    # What would go is listed; what would only be written is named here.
    said = resource.sentence + ("" if removal.total else _within(arguments))
    question = Question(operation.name, target, removal, said, typed)
    if not await says_yes(confirm, question):
        raise WorkbenchError("confirmation.refused", "nothing was changed")
    return arguments


def must_be_writable(state: State, operation: str) -> None:
    """Raises `remote.read_only` where this project is set to read what is deployed only."""
    from workbench.project.preferences import remote_is_read_only

    if remote_is_read_only(state.project.folder):
        raise WorkbenchError(
            "remote.read_only",
            f"{operation} writes behind {state.target.source}, and this project is set to read the account only",
            "cfwb project update --remote-mode writable allows it",
        )


async def resource_of(state: State, operation: Operation, arguments: dict[str, Any]) -> Resource:
    """What an operation would write to, as its arguments name it."""
    word = operation.words[0]
    if word == "kv":
        typed = arguments.get("to_binding") or arguments.get("binding")
        return _bound(state, "kv", "KV namespace", typed, await state.kv(typed))
    if word == "r2":
        typed = arguments.get("to_bucket") or arguments.get("bucket")
        return _bound(state, "r2", "R2 bucket", None, await state.bucket(typed))
    if word == "d1":
        typed = arguments.get("database")
        return _bound(state, "d1", "D1 database", typed, await state.database(typed))
    if word == "do":
        typed = arguments.get("namespace")
        id = await state.namespace(typed)
        return Resource("Durable Object namespace", typed or id, id)
    if word == "queues":
        typed = str(arguments.get("queue"))
        return Resource("queue", typed, await state.queue(typed))
    if word == "workflows":
        return Resource("workflow", await state.workflow(arguments.get("workflow")))
    if word == "api":
        from .api import touched

        return Resource(*touched(arguments))
    return Resource(word, next((str(value) for value in arguments.values() if isinstance(value, str)), word))


def _within(arguments: dict[str, Any]) -> str:
    """Which keys of it, where they are named."""
    keys = arguments.get("key")
    if isinstance(keys, str):
        keys = [keys]
    if not keys:
        return ""
    return f", key {keys[0]}" if len(keys) == 1 else f", {len(keys):,} keys"


def _bound(state: State, kind: str, what: str, typed: str | None, id: str) -> Resource:
    """By the name that was typed, else (also where that is the id) the binding's, else the id."""
    name = next((binding.name for binding in state.bindings(kind) if binding.resource_id == id), id)
    if typed is not None and typed != id:
        name = typed
    return Resource(what, id if kind == "r2" and typed is None else name, id)
