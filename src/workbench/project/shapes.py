"""The kinds of bindings whose entries all look the same, and how an entry is read.

Which id the emulator files a thing's state under: wrangler's `convertConfigToBindings` (preview ids win in local
development) and the entries its `dev/miniflare` makes of them (the binding's name where no id is given).
"""

import os
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from workbench.model.bindings import Binding, Mode
from workbench.project.document import Document, a
from workbench.project.environment import Settings
from workbench.project.jsonc import Path

Remote = Literal["never", "asked", "needed", "always"]


class Shape(NamedTuple):
    """How a field lists bindings of one kind.

    name: the field of an entry that holds the name in `env`. ids: the fields that may hold the id of what is bound,
    in order; `falls_back` to the name of the binding. title: the field that holds a person's name for it.
    one: the field is a single entry, not a list. inside: the list lies in this field of it.
    remote: never, where the entry asks for it, where it asks and otherwise not at all (`needed`: there is no simulator),
        or always. Source: wrangler 4.164.0's own table of what has local support.
    """

    kind: str
    ids: tuple[str, ...] = ()
    falls_back: bool = False
    title: str = ""
    name: str = "binding"
    one: bool = False
    inside: str = ""
    remote: Remote = "never"


SHAPES: dict[str, Shape] = {
    "kv_namespaces": Shape("kv", ("preview_id", "id"), True, remote="asked"),
    "r2_buckets": Shape("r2", ("preview_bucket_name", "bucket_name"), True, "bucket_name", remote="asked"),
    "d1_databases": Shape(
        "d1", ("preview_database_id", "database_id"), True, "database_name", remote="asked"
    ),
    "hyperdrive": Shape("hyperdrive", ("id",), remote="asked"),
    "services": Shape("service", ("service",), title="service", remote="asked"),
    "worker_loaders": Shape("worker_loader"),
    "send_email": Shape("send_email", ("destination_address",), name="name", remote="asked"),
    "analytics_engine_datasets": Shape("analytics_engine", ("dataset",), title="dataset", remote="asked"),
    "secrets_store_secrets": Shape("secrets_store_secret", ("store_id",), title="secret_name"),
    "ratelimits": Shape("ratelimit", ("namespace_id",), name="name"),
    "pipelines": Shape("pipeline", ("stream", "pipeline"), remote="asked"),
    "vectorize": Shape("vectorize", ("index_name",), title="index_name", remote="needed"),
    "mtls_certificates": Shape("mtls_certificate", ("certificate_id",), remote="needed"),
    "dispatch_namespaces": Shape("dispatch_namespace", ("namespace",), True, "namespace", remote="needed"),
    "ai_search_namespaces": Shape("ai_search_namespace", ("namespace",), title="namespace", remote="always"),
    "ai_search": Shape("ai_search", ("instance_name",), title="instance_name", remote="always"),
    "agent_memory": Shape("agent_memory", ("namespace",), title="namespace", remote="always"),
    "artifacts": Shape("artifacts", ("namespace",), title="namespace", remote="asked"),
    "flagship": Shape("flagship", ("app_id",), True, remote="asked"),
    "vpc_services": Shape("vpc_service", ("service_id",), remote="always"),
    "vpc_networks": Shape("vpc_network", ("tunnel_id", "network_id"), remote="always"),
    "k2": Shape("k2", ("stream",), remote="always"),
    "unsafe_hello_world": Shape("hello_world"),
    "ai": Shape("ai", one=True, remote="always"),
    "analytics": Shape("analytics", one=True, remote="always"),
    "media": Shape("media", one=True, remote="always"),
    "websearch": Shape("websearch", one=True, remote="always"),
    "browser": Shape("browser", one=True, remote="asked"),
    "images": Shape("images", one=True, remote="asked"),
    "stream": Shape("stream", one=True, remote="asked"),
    "version_metadata": Shape("version_metadata", one=True),
    "logfwdr": Shape("logfwdr", ("destination",), name="name", inside="bindings"),
    "unsafe": Shape("unsafe", name="name", inside="bindings"),
    "tail_consumers": Shape("tail_consumer", ("service",), title="service", name="service"),
    "streaming_tail_consumers": Shape(
        "streaming_tail_consumer", ("service",), title="service", name="service"
    ),
}
_SECRET_FIELDS = ("secretaccesskey", "password", "token", "privatekey", "credential")
MASK = "••••••"


def listed(document: Document, settings: Settings, shape: Shape, value: Any, at: Path) -> Iterator[Binding]:
    """The bindings of one field."""
    if shape.inside:
        value, at = document.table(value, *at).get(shape.inside), (*at, shape.inside)
    if shape.one:
        entry = document.table(value, *at)
        entries = iter([(entry, at)] if entry else [])
    else:
        entries = document.items(value, *at)
    for entry, where in entries:
        name = named(document, entry, shape.name, where)
        if name is None:
            continue
        identity = first(document, entry, shape.ids, where) or (name if shape.falls_back else None)
        title = document.string(entry, shape.title, where) if shape.title else None
        mode = mode_of(document, entry, shape.remote, where)
        detail = details(entry, {shape.name, "remote"})
        if shape.remote == "needed" and mode == "local":
            detail["note"] = 'it has no simulator: without "remote": true it does not work locally'
        if shape.kind == "hyperdrive":
            _local_connection(name, detail)
        yield Binding(name, shape.kind, identity, title, settings.name, mode, True, detail)


def named(document: Document, entry: dict[str, Any], field: str, at: Path) -> str | None:
    """The entry's name; an entry without one is a problem and no binding."""
    name = document.string(entry, field, at)
    if name is None and not isinstance(entry.get(field), int | float | dict | list):
        document.problem(f'"{field}" is missing', *at)
    return name


def first(document: Document, entry: dict[str, Any], fields: tuple[str, ...], at: Path) -> str | None:
    """The first of these fields that is set."""
    for field in fields:
        value = document.string(entry, field, at)
        if value is not None:
            return value
    return None


def mode_of(document: Document, entry: dict[str, Any], remote: Remote, at: Path) -> Mode:
    """Whether local code uses remote data through this binding."""
    asked = entry.get("remote")
    if asked is not None and not isinstance(asked, bool):
        document.problem(f'"remote" should be true or false, not {a(asked)}', *at, "remote")
    if remote == "always" or (remote == "asked" and asked is True):
        return "remote"
    return "local"


def details(entry: dict[str, Any], without: set[str]) -> dict[str, Any]:
    """What else an entry says, passwords masked."""
    return {key: masked(key, value) for key, value in entry.items() if key not in without}


def masked(key: str, value: Any) -> Any:
    """A value of the configuration with passwords and keys in it masked, to any depth."""
    if isinstance(value, dict):
        return {inner: masked(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [masked(key, item) for item in value]
    if isinstance(value, str):
        plain = key.replace("_", "").lower()
        return MASK if any(word in plain for word in _SECRET_FIELDS) else _without_password(value)
    return value


def _without_password(value: str) -> str:
    """A connection string with its password masked."""
    scheme, separator, rest = value.partition("://")
    who, at, where = rest.rpartition("@")
    if not (separator and at):
        return value
    return f"{scheme}://{who.partition(':')[0]}:{MASK}@{where}"


def _local_connection(name: str, detail: dict[str, Any]) -> None:
    """The database a Hyperdrive binding reaches in local development, where a variable says so."""
    for prefix in ("CLOUDFLARE", "WRANGLER"):
        variable = f"{prefix}_HYPERDRIVE_LOCAL_CONNECTION_STRING_{name}"
        if os.environ.get(variable):
            detail["localConnectionString"] = masked("localConnectionString", os.environ[variable])
            detail["source"] = variable
            return
