"""What we make of a configuration is what wrangler makes of it: the same files and environments, read by both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import emulator as emulators
from workbench.model.bindings import Binding, Worker
from workbench.project import load

# Reads each case with the functions wrangler itself and its Vite plugin use, and prints what the emulator would get.
READ_BY_WRANGLER = """
const wrangler = require(process.argv[1]);
const print = console.log;
console.log = console.warn = console.info = console.debug = () => {};
const answers = JSON.parse(process.argv[2]).map(({ folder, environment }) => {
  process.chdir(folder);
  const asked = { env: environment ?? undefined };
  try {
    const config = wrangler.unstable_readConfig(asked, { hideWarnings: true, useRedirectIfAvailable: true });
    const options = wrangler.unstable_getMiniflareWorkerOptions(config, environment ?? undefined, {}).workerOptions;
    return { name: config.name, main: config.main, file: config.configPath, environments: config.definedEnvironments, options };
  } catch (error) {
    return { error: String(error.message) };
  }
});
print(JSON.stringify(answers));
"""

EVERYTHING = """
{
  // every kind of binding
  "name": "shop", "main": "src/index.js", "compatibility_date": "2026-11-01",
  "vars": { "PLAIN": "x", "JSON": { "deep": [1, 2.5, null] }, "NUMBER": 5, "OVERRIDDEN": "config" },
  "kv_namespaces": [
    { "binding": "KV_ID", "id": "id1" }, { "binding": "KV_NONE" }, { "binding": "KV_PREVIEW", "id": "i3", "preview_id": "p3" },
  ],
  "r2_buckets": [
    { "binding": "R2_NAME", "bucket_name": "bucket-one" },
    { "binding": "R2_PREVIEW", "bucket_name": "bucket-two", "preview_bucket_name": "bucket-two-preview" },
    { "binding": "R2_NONE" },
  ],
  "d1_databases": [
    { "binding": "D1_ID", "database_name": "n1", "database_id": "d1" }, { "binding": "D1_NONE", "database_name": "n2" },
    { "binding": "D1_PREVIEW", "database_name": "n3", "database_id": "d3", "preview_database_id": "p3" },
  ],
  "durable_objects": { "bindings": [
    { "name": "TENANT", "class_name": "Tenant" }, { "name": "OTHER", "class_name": "Other", "script_name": "other" },
    { "name": "RENAMED", "class_name": "New" },
  ] },
  "migrations": [
    { "tag": "v1", "new_sqlite_classes": ["Tenant", "Hidden"], "new_classes": ["Legacy", "Old", "Gone"] },
    { "tag": "v2", "renamed_classes": [{ "from": "Old", "to": "New" }], "deleted_classes": ["Gone"] },
  ],
  "workflows": [
    { "binding": "FLOW", "name": "flow", "class_name": "Flow" },
    { "binding": "FAR_FLOW", "name": "far", "class_name": "Far", "script_name": "other" },
  ],
  "queues": {
    "producers": [{ "binding": "QUEUE", "queue": "jobs", "delivery_delay": 5 }, { "binding": "QUEUE_NONE" }],
    "consumers": [{ "queue": "jobs", "max_batch_size": 7 }],
  },
  "services": [{ "binding": "API", "service": "api" }, { "binding": "RPC", "service": "api", "entrypoint": "Rpc" }],
  "worker_loaders": [{ "binding": "LOADER" }],
  "ai": { "binding": "AI" }, "browser": { "binding": "BROWSER" }, "images": { "binding": "IMAGES" },
  "vectorize": [{ "binding": "VECTORS", "index_name": "index" }],
  "hyperdrive": [{ "binding": "HYPER", "id": "hid", "localConnectionString": "postgres://u:p@localhost/db" }],
  "analytics_engine_datasets": [{ "binding": "EVENTS", "dataset": "events" }],
  "send_email": [{ "name": "MAIL", "destination_address": "a@example.com" }],
  "ratelimits": [{ "name": "LIMIT", "namespace_id": "1", "simple": { "limit": 1, "period": 10 } }],
  "version_metadata": { "binding": "VERSION" },
  "secrets_store_secrets": [{ "binding": "STORED", "store_id": "store", "secret_name": "secret" }],
  "mtls_certificates": [{ "binding": "CERT", "certificate_id": "cert" }],
  "dispatch_namespaces": [{ "binding": "DISPATCH", "namespace": "tenants" }],
  "pipelines": [{ "binding": "PIPE", "stream": "stream" }],
  "assets": { "directory": "./public", "binding": "ASSETS" },
  "env": {
    "staging": {
      "kv_namespaces": [{ "binding": "KV_STAGING", "id": "stage" }],
      "vars": { "PLAIN": "staged" },
      "durable_objects": { "bindings": [{ "name": "TENANT", "class_name": "Tenant" }] },
      "main": "src/staging.js",
    },
    "renamed": { "name": "another-name" },
    "fresh": { "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Fresh"] }] },
    "empty": {},
  },
}
"""
TOML = """
name = "shop"
main = "src/index.js"
compatibility_date = "2026-11-01"
kv_namespaces = [ { binding = "A", id = "1" } ]
[[d1_databases]]
binding = "DB"
database_name = "shop"
database_id = "db"
[vars]
LIST = [1, 2]
[env.production]
kv_namespaces = [ { binding = "A", id = "prod" } ]
"""
EXPORTS = {
    "name": "exporter",
    "main": "src/index.js",
    "compatibility_date": "2026-11-01",
    "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
    "exports": {
        "Room": {"type": "durable-object", "storage": "sqlite"},
        "Old": {"type": "durable-object", "storage": "legacy-kv"},
        "Dead": {"type": "durable-object", "state": "deleted"},
        "Coming": {
            "type": "durable-object",
            "state": "expecting-transfer",
            "storage": "sqlite",
            "transfer_from": "x",
        },
        "Flow": {"type": "workflow", "name": "exported-flow"},
    },
}
SMALL = {
    "name": "small",
    "main": "src/index.js",
    "compatibility_date": "2026-11-01",
    "vars": {"SHARED": "config"},
}
DEV_VARS = """\
# a comment
PLAIN_SECRET=plain # not this
QUOTED="two\\nlines # kept"
SINGLE='as is \\n $PLAIN_SECRET'
BACK=`tick "quoted"`
export EXPORTED = spaced
EMPTY=
COLON: yes
OVERRIDDEN=local
SHARED=local
KV_ID=not-a-namespace
MULTI="line one
line two"
broken line
"""
DOT_ENV = """\
BASE=base
REFERS=${BASE}/path
BARE=$BASE-bare
FALLBACK=${NOWHERE:-default}
ESCAPED=\\$BASE
FROM_PROCESS=file
HOMELESS=$HOME/x
CHAIN=${REFERS}/end
NESTED=${NOWHERE:-${BASE}}
SINGLE='$BASE'
LATER=$COMES_LATER
COMES_LATER=later
"""
CASES: dict[str, tuple[dict[str, str], str | None]] = {
    "everything": ({"wrangler.jsonc": EVERYTHING, ".dev.vars": DEV_VARS}, None),
    "everything-staging": ({"wrangler.jsonc": EVERYTHING, ".dev.vars": DEV_VARS}, "staging"),
    "everything-renamed": ({"wrangler.jsonc": EVERYTHING}, "renamed"),
    "everything-fresh": ({"wrangler.jsonc": EVERYTHING}, "fresh"),
    "everything-empty": ({"wrangler.jsonc": EVERYTHING}, "empty"),
    "toml": ({"wrangler.toml": TOML}, None),
    "toml-production": ({"wrangler.toml": TOML}, "production"),
    "exports": ({"wrangler.json": json.dumps(EXPORTS)}, None),
    "environment-of-none": ({"wrangler.json": json.dumps(SMALL)}, "nosuch"),
    "precedence": (
        {"wrangler.json": json.dumps(SMALL), "wrangler.jsonc": EVERYTHING, "wrangler.toml": TOML},
        None,
    ),
    "dev-vars-of-environment": (
        {"wrangler.jsonc": EVERYTHING, ".dev.vars": "A=1\n", ".dev.vars.staging": "B=2\n", ".env": "C=3\n"},
        "staging",
    ),
    "dot-env": ({"wrangler.json": json.dumps(SMALL), ".env": DOT_ENV, ".env.local": "BASE=over\n"}, None),
    "dot-env-of-environment": (
        {
            "wrangler.jsonc": EVERYTHING,
            ".env": "A=1\nB=1\nC=1\nD=1\n",
            ".env.local": "B=2\nC=2\nD=2\n",
            ".env.staging": "C=3\nD=3\n",
            ".env.staging.local": "D=4\n",
        },
        "staging",
    ),
    "dev-vars-before-dot-env": (
        {"wrangler.json": json.dumps(SMALL), ".env": DOT_ENV, ".dev.vars": "ONLY=this\n"},
        None,
    ),
    "required-secrets": (
        {
            "wrangler.json": json.dumps({**SMALL, "secrets": {"required": ["WANTED", "MISSING"]}}),
            ".dev.vars": "WANTED=yes\nUNWANTED=no\nSHARED=local\n",
        },
        None,
    ),
    "required-secrets-of-the-process": (
        {
            "wrangler.json": json.dumps(
                {**SMALL, "secrets": {"required": ["FROM_PROCESS", "BASE", "REFERS", "MISSING"]}}
            ),
            ".env": DOT_ENV,
        },
        None,
    ),
    "required-secrets-in-dev-vars-only": (
        {
            "wrangler.json": json.dumps({**SMALL, "secrets": {"required": ["FROM_PROCESS"]}}),
            ".dev.vars": "OTHER=1\n",
        },
        None,
    ),
    "redirected": (
        {
            "wrangler.json": json.dumps(SMALL),
            ".dev.vars": "LOCAL=secret\n",
            ".wrangler/deploy/config.json": '{"configPath": "../../dist/wrangler.json", "auxiliaryWorkers": []}',
            "dist/wrangler.json": json.dumps(
                {
                    **SMALL,
                    "name": "small-staging",
                    "main": "index.js",
                    "topLevelName": "small",
                    "targetEnvironment": "staging",
                    "definedEnvironments": ["staging"],
                    "kv_namespaces": [{"binding": "BUILT", "id": "built"}],
                }
            ),
            "dist/index.js": "export default {}",
        },
        None,
    ),
    "nameless": ({"wrangler.json": '{"main": "src/index.js", "compatibility_date": "2026-11-01"}'}, None),
}
LISTED_BY_ID = {
    "kvNamespaces": ("kv", "id"),
    "r2Buckets": ("r2", "id"),
    "d1Databases": ("d1", "id"),
    "queueProducers": ("queue_producer", "queueName"),
    "workflows": ("workflow", "name"),
    "serviceBindings": ("service", "name"),
    "vectorize": ("vectorize", "index_name"),
    "analyticsEngineDatasets": ("analytics_engine", "dataset"),
    "secretsStoreSecrets": ("secrets_store_secret", "store_id"),
    "ratelimits": ("ratelimit", "namespace_id"),
    "mtlsCertificates": ("mtls_certificate", "certificate_id"),
    "dispatchNamespaces": ("dispatch_namespace", "namespace"),
    "pipelines": ("pipeline", "stream"),
}
LISTED_BY_NAME = {
    "workerLoaders": "worker_loader",
    "hyperdrives": "hyperdrive",
    "queueConsumers": "queue_consumer",
}
SINGLE = {"ai": "ai", "browserRendering": "browser", "images": "images", "assets": "assets"}


@pytest.fixture(scope="module")
def both(
    emulator_install: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Worker, dict[str, Any]]]:
    """Every case as we read it and as wrangler does."""
    base = tmp_path_factory.mktemp("configs")
    asked = []
    for case, (files, environment) in CASES.items():
        for name, text in {"src/index.js": "export default {}", "public/a.txt": "a", **files}.items():
            path = base / case / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        asked.append({"folder": str(base / case), "environment": environment})
    answers = _read_by_wrangler(emulator_install, base, asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FROM_PROCESS", "process")
        ours = [load(one["folder"] or "", environment=one["environment"]).workers[0] for one in asked]
    return {case: (worker, answer) for case, worker, answer in zip(CASES, ours, answers, strict=True)}


def _read_by_wrangler(
    install: Path, private: Path, asked: list[dict[str, str | None]]
) -> list[dict[str, Any]]:
    done = subprocess.run(
        [
            str(emulators.node_path()),
            "-e",
            READ_BY_WRANGLER,
            str(install / "node_modules" / "wrangler"),
            json.dumps(asked),
        ],
        env=emulators.environment_of_emulator(private, {"FROM_PROCESS": "process"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _of_kind(worker: Worker, kind: str) -> dict[str, Binding]:
    return {one.name: one for one in worker.bindings if one.kind == kind and one.bound}


@pytest.mark.parametrize("case", CASES)
def test_the_worker_has_the_name_entry_point_and_environments_wrangler_gives_it(
    both: dict[str, tuple[Worker, dict[str, Any]]], case: str
) -> None:
    worker, wrangler = both[case]
    assert "error" not in wrangler, wrangler
    if wrangler.get("name") is not None:
        assert worker.name == wrangler["name"]
    assert worker.main == wrangler["main"]
    assert worker.config_path == wrangler["file"]
    assert list(worker.environments) == wrangler["environments"]


@pytest.mark.parametrize("case", CASES)
def test_every_binding_has_the_id_the_emulator_files_its_state_under(
    both: dict[str, tuple[Worker, dict[str, Any]]], case: str
) -> None:
    worker, wrangler = both[case]
    options = wrangler["options"]
    for field, (kind, identity) in LISTED_BY_ID.items():
        theirs = {name: entry.get(identity) for name, entry in options.get(field, {}).items()}
        assert {name: one.resource_id for name, one in _of_kind(worker, kind).items()} == theirs, field
    for field, kind in LISTED_BY_NAME.items():
        assert set(_of_kind(worker, kind)) == set(options.get(field, {})), field
    for field, kind in SINGLE.items():
        name = (options.get(field) or {}).get("binding")
        assert set(_of_kind(worker, kind)) == ({name} if name else set()), field
    assert {one["name"] for one in options["email"]["send_email"]} == set(_of_kind(worker, "send_email"))


@pytest.mark.parametrize("case", CASES)
def test_the_classes_of_objects_are_those_of_the_emulator(
    both: dict[str, tuple[Worker, dict[str, Any]]], case: str
) -> None:
    worker, wrangler = both[case]
    options = wrangler["options"]
    ours = {
        name: (one.detail["class_name"], one.detail["script_name"], one.detail["sqlite"])
        for name, one in _of_kind(worker, "durable_object").items()
    }
    theirs = {
        name: (entry["className"], entry.get("scriptName", wrangler["name"]), entry.get("useSQLite"))
        for name, entry in options["durableObjects"].items()
    }
    assert ours == theirs
    unbound = {
        one.name: one.detail["sqlite"]
        for one in worker.bindings
        if one.kind == "durable_object" and not one.bound
    }
    assert unbound == {
        entry["className"]: entry["useSQLite"] for entry in options["additionalUnboundDurableObjects"]
    }
    exported = {one.name for one in worker.bindings if one.kind == "workflow" and not one.bound}
    assert exported == {entry["name"] for entry in options["workflowExports"].values()}


@pytest.mark.parametrize("case", CASES)
def test_vars_and_secrets_have_the_values_the_worker_gets(
    both: dict[str, tuple[Worker, dict[str, Any]]], case: str
) -> None:
    worker, wrangler = both[case]
    theirs = dict(wrangler["options"]["bindings"])
    ours = {
        one.name: one.detail["value"]
        for one in worker.bindings
        if one.kind in ("var", "secret") and not one.detail.get("missing")
    }
    assert ours == theirs
