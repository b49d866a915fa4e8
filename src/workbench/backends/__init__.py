"""The adapter: one protocol (`protocol`), a sub-interface a product, one error family. Imports model/ only.

`local/` implements it on the emulator's state directory, `cloudflare/` on the deployed account and on a dev server's mirror of its API;
`lacking` stands where one has no such product. The protocols are types: nothing needs them to run, so they are
imported when somebody asks for one (all the model's values come with them, and every command would pay for that).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .protocol import (
        D1,
        R2,
        Backend,
        DurableObjects,
        Kv,
        Queues,
        RowStream,
        Sandboxes,
        Servers,
        SqlDatabase,
        SqlSession,
        StateStore,
        Traces,
        Workers,
        WorkflowControl,
        Workflows,
    )


def __getattr__(name: str) -> Any:
    # `from . import protocol` would ask this function for `protocol`, and so on.
    from importlib import import_module

    return getattr(import_module(f"{__name__}.protocol"), name)


__all__ = [
    "D1",
    "R2",
    "Backend",
    "DurableObjects",
    "Kv",
    "Queues",
    "RowStream",
    "Sandboxes",
    "Servers",
    "SqlDatabase",
    "SqlSession",
    "StateStore",
    "Traces",
    "Workers",
    "WorkflowControl",
    "Workflows",
]
