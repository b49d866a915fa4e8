"""One environment of a configuration, by wrangler's rules of what `env.<name>` inherits from the top level.

Source: workers-sdk, packages/workers-utils/src/config (environment.ts, validation.ts), compared with wrangler 4.164.0.
"""

from typing import Any, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.project.document import Document
from workbench.project.jsonc import Path

_INHERITED_NAMES = """
    access account_id assets base_dir build cache compatibility_date compatibility_flags
    compliance_region exports find_additional_modules first_party_worker jsx_factory jsx_fragment
    keep_names limits logfwdr logpush main migrations minify name no_bundle observability placement
    preserve_file_names preview_urls previews python_modules route routes rules triggers tsconfig
    upload_source_maps workers_dev
"""
INHERITED = frozenset(_INHERITED_NAMES.split())
_NOT_INHERITED_NAMES = """
    agent_memory ai ai_search ai_search_namespaces analytics analytics_engine_datasets artifacts
    browser cloudchamber connect containers d1_databases define dispatch_namespaces durable_objects
    flagship hyperdrive images k2 kv_namespaces media mtls_certificates pipelines queues r2_buckets
    ratelimits secrets secrets_store_secrets send_email services stream streaming_tail_consumers
    tail_consumers unsafe unsafe_hello_world vars vectorize version_metadata vpc_networks
    vpc_services websearch worker_loaders workflows
"""
NOT_INHERITED = frozenset(_NOT_INHERITED_NAMES.split())
_TOP_LEVEL_ONLY_NAMES = """
    $schema addresses alias data_blobs dependencies_instrumentation dev env keep_vars legacy_env
    pages_build_output_dir send_metrics site text_blobs wasm_modules
"""
TOP_LEVEL_ONLY = frozenset(_TOP_LEVEL_ONLY_NAMES.split())
# What a build tool's generated configuration carries besides.
GENERATED = frozenset(
    ["configPath", "definedEnvironments", "targetEnvironment", "topLevelName", "userConfigPath"]
)


class Settings(NamedTuple):
    """The fields in force, with the path at which each stands in the file.

    name: the Worker's name, with the environment's suffix; None where the configuration gives none.
    environment: the environment in force, None for the top level.
    environments: all that the configuration defines.
    """

    fields: dict[str, Any]
    paths: dict[str, Path]
    name: str | None
    environment: str | None
    environments: tuple[str, ...]


def settings(
    document: Document, environment: str | None, *, required: bool, generated: bool = False
) -> Settings:
    """The fields in force in an environment (None or "" for the top level).

    required: an environment which the configuration lacks, though it defines others, is an error
        (`project.unknown_environment`); otherwise it is a problem of this document.
    generated: a build tool wrote the file, for one environment already.
    """
    top = document.fields
    environments = document.table(top.get("env"), "env")
    if generated:
        target = top.get("targetEnvironment")
        if environment and isinstance(target, str) and target != environment:
            document.problem(
                f"it was generated for the environment {target}, not {environment}: build it again"
            )
        defined = document.strings(top.get("definedEnvironments"), "definedEnvironments")
        current = target if isinstance(target, str) else environment or None
        return Settings(_present(top), _paths(top), _text(top.get("name")), current, tuple(defined))
    name = document.string(top, "name", ())
    if not environment:
        return Settings(_present(top), _paths(top), name, None, tuple(environments))
    overrides = environments.get(environment)
    if overrides is None and top.get("pages_build_output_dir") is not None:
        return Settings(_present(top), _paths(top), name, environment, tuple(environments))
    if overrides is None:
        _say_it_is_unknown(document, environment, tuple(environments), required)
        return Settings(
            _present(top), _paths(top), _suffixed(name, environment), environment, tuple(environments)
        )
    overrides = document.table(overrides, "env", environment)
    fields, paths = _merged(document, overrides, environment)
    own = document.string(overrides, "name", ("env", environment))
    return Settings(fields, paths, own or _suffixed(name, environment), environment, tuple(environments))


def _merged(
    document: Document, overrides: dict[str, Any], environment: str
) -> tuple[dict[str, Any], dict[str, Path]]:
    fields: dict[str, Any] = {}
    paths: dict[str, Path] = {}
    for key, value in document.fields.items():
        if value is None or (key in overrides and overrides[key] is not None):
            continue
        if key in NOT_INHERITED:
            document.problem(
                f'"{key}" is set at the top level only: environments do not inherit it, so {environment} has none',
                key,
            )
        elif key in INHERITED or key in TOP_LEVEL_ONLY:
            fields[key], paths[key] = value, (key,)
    for key, value in overrides.items():
        if value is not None:
            fields[key], paths[key] = value, ("env", environment, key)
    return fields, paths


def _say_it_is_unknown(
    document: Document, environment: str, defined: tuple[str, ...], required: bool
) -> None:
    message = f"no environment {environment} in this configuration"
    if defined and required:
        raise WorkbenchError(
            "project.unknown_environment",
            f"{document.path} has no environment {environment}",
            f"It has: {', '.join(defined)}.",
        )
    hint = f"; it has {', '.join(defined)}" if defined else ""
    document.problem(f"{message}{hint}: the top level is used, under the name's suffix", "env")


def _present(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _paths(table: dict[str, Any]) -> dict[str, Path]:
    return {key: (key,) for key in table}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _suffixed(name: str | None, environment: str) -> str | None:
    return f"{name}-{environment}" if name else None
