"""What a Worker's configuration binds."""

from typing import Any, Literal, NamedTuple

Mode = Literal["local", "remote"]


class Binding(NamedTuple):
    """One name in a Worker's `env`, or state that exists without one.

    kind: the platform's word: kv, r2, d1, durable_object, workflow, queue_producer, queue_consumer, service,
        worker_loader, container, ai, vectorize, hyperdrive, assets, var, secret, ...
    resource_id: the id that names its state (KV namespace id, bucket name, database id, `script-Class`), or None.
    resource_name: what a person calls it (database name, class name), or None.
    mode: `remote` where the config says `remote: true`: local code on remote data.
    bound: False for state that was found on disk with no binding in any config (name is then the resource's own).
    detail: what else the config says of it (script_name, masked value, consumer settings), for the details pane.
    """

    name: str
    kind: str
    resource_id: str | None
    resource_name: str | None
    worker: str | None
    mode: Mode = "local"
    bound: bool = True
    detail: dict[str, Any] = {}


class Problem(NamedTuple):
    """Something wrong in a configuration file; line and column count from 1, or are None."""

    file: str
    line: int | None
    column: int | None
    message: str


class Worker(NamedTuple):
    """One config file (and environment) read: its bindings, and what is wrong with it.

    account_id: the account it is deployed to, where the config says so.
    """

    name: str
    config_path: str
    environment: str | None
    environments: tuple[str, ...]
    bindings: tuple[Binding, ...]
    problems: tuple[Problem, ...] = ()
    main: str | None = None
    account_id: str | None = None


CONFIG_NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
"""Of a Worker's configuration, in the order in which wrangler looks for them."""
STATE = ".wrangler/state"
"""Where a project's state lies, unless something else is asked for."""


class Project(NamedTuple):
    """A folder, its Workers, and the state directory they share.

    workers: the one in use first.
    state_directory: the folder that holds `v3` (`.wrangler/state`, or what `--persist-to` says), absolute; it need not exist.
    others: configuration files of other Workers nearby, which keep their state elsewhere; filled where they were looked for.
    notice: what is good to know and no problem, "" for nothing: that this is one of several Workers.
    """

    folder: str
    workers: tuple[Worker, ...]
    state_directory: str
    problems: tuple[Problem, ...] = ()
    others: tuple[str, ...] = ()
    notice: str = ""
