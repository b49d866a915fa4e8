"""The adapter: one protocol, a sub-interface a product, one error family. Imports model/ only.

`Backend` and what hangs off it are protocols; `local/` implements them on the emulator's state directory. Everything
is `async def`; a backend that says `suspends = False` never really waits, so a caller without an event loop drives
its coroutines to the end (`operations.executor.drive`) and the workbench runs them in a thread.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from workbench.model.bindings import Project
from workbench.model.durable_objects import Alarm, DoNamespace, DoObject, Facet, StorageEntry
from workbench.model.kv import KvKey, KvNamespace, KvValue
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.queues import Pulled, Queue, QueueMessage, QueueMetrics
from workbench.model.r2 import R2Body, R2Bucket, R2Object, R2Upload
from workbench.model.sql import BatchResult, D1Database, Effect, Params, Plan, Row, Schema, SqlResult
from workbench.model.state import Removal, StateEntry
from workbench.model.target import Capability, Target
from workbench.model.workers import DeployedBinding, Deployment, LogEvent, Script, ScriptVersion, SecretName
from workbench.model.workflows import Workflow, WorkflowInstance

from .sandbox_protocol import Sandboxes
from .server_protocol import Servers


class Kv(Protocol):
    """Namespaces are named by id."""

    async def namespaces(self) -> list[KvNamespace]: ...
    async def list(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]: ...
    async def folders(
        self, namespace: str, prefix: str = "", limit: int | None = None, cursor: str | None = None
    ) -> Page[KvKey]:
        """Like `list`, one level only: keys below another "/" are folded into `Page.prefixes`, without reading them all."""
        ...

    async def count(self, namespace: str, prefix: str = "") -> int: ...
    async def get(self, namespace: str, key: str) -> KvValue: ...
    async def value_of(self, namespace: str, key: KvKey) -> KvValue:
        """The value of a key that a list gave: what the list told of it is not asked for again."""
        ...

    async def put(
        self, namespace: str, key: str, value: bytes, expiration: int | None = None, metadata: Any = None
    ) -> None: ...
    async def put_many(
        self,
        namespace: str,
        entries: Iterable[KvValue],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int: ...
    async def delete(self, namespace: str, key: str) -> bool: ...
    async def delete_many(
        self,
        namespace: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int: ...
    async def delete_namespace(self, namespace: str, dry_run: bool = False) -> Removal: ...


class R2(Protocol):
    """Buckets are named by name. Bodies are read and written in pieces, never whole."""

    async def buckets(self) -> list[R2Bucket]: ...
    async def list(
        self,
        bucket: str,
        prefix: str = "",
        delimiter: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[R2Object]: ...
    async def count(self, bucket: str, prefix: str = "") -> int: ...
    async def head(self, bucket: str, key: str) -> R2Object: ...
    async def get(self, bucket: str, key: str, offset: int = 0, length: int | None = None) -> R2Body: ...
    async def put(
        self,
        bucket: str,
        key: str,
        chunks: Iterable[bytes],
        http_metadata: dict[str, Any] | None = None,
        custom_metadata: dict[str, str] | None = None,
        cancel: Cancel | None = None,
    ) -> R2Object: ...
    async def delete(self, bucket: str, key: str) -> bool: ...
    async def delete_many(
        self,
        bucket: str,
        keys: Iterable[str],
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> int: ...
    async def uploads(self, bucket: str) -> Page[R2Upload]: ...
    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None: ...
    async def delete_bucket(self, bucket: str, dry_run: bool = False) -> Removal: ...


class RowStream(Protocol):
    """A running statement whose rows are fetched as they are wanted. Fetch from one thread at a time."""

    columns: list[str]

    async def fetch(self, count: int) -> list[Row]:
        """The next rows; fewer than `count` means the end."""
        ...

    async def close(self) -> SqlResult | None:
        """End it; its figures (no rows) where it ran to the end, else None."""
        ...


class SqlSession(Protocol):
    """A connection kept over several statements, so that BEGIN ... COMMIT works. For the console."""

    @property
    def in_transaction(self) -> bool: ...
    async def stream(self, sql: str, params: Params | None = None, cancel: Cancel | None = None) -> RowStream:
        """Run exactly one statement."""
        ...

    async def close(self) -> None:
        """Close; an open transaction is rolled back."""
        ...


class SqlDatabase(Protocol):
    """One SQLite database under the rules of D1's or an object's SQL. The same for a D1 database, an object and a facet."""

    async def query(
        self,
        sql: str,
        params: Params | None = None,
        read_only: bool = False,
        limit: int | None = None,
        cancel: Cancel | None = None,
    ) -> list[SqlResult]:
        """Run every statement of `sql` as one transaction; a result a statement. limit: rows kept of each."""
        ...

    async def batch(
        self, queries: list[tuple[str, Params | None]], read_only: bool = False, cancel: Cancel | None = None
    ) -> list[BatchResult]:
        """Run several queries as one transaction, each with its own parameters; a result a query, of its last statement."""
        ...

    async def may_block(self, sql: str) -> str | None:
        """A sentence where a Worker that runs now may have to do without its own writes meanwhile, else None."""
        ...

    async def session(self, read_only: bool = False) -> SqlSession: ...
    async def statements(self, sql: str) -> list[tuple[int, int, Effect]]:
        """Where each statement begins and ends (character offsets) and what it does, without running any."""
        ...

    async def explain(self, sql: str, params: Params | None = None) -> list[Plan]: ...
    async def schema(self, counts: bool = False) -> Schema:
        """counts: also count the rows of each table (bounded in time; None where it would take long)."""
        ...

    async def import_sql(
        self, chunks: Iterable[str], progress: Progress | None = None, cancel: Cancel | None = None
    ) -> int:
        """Run a .sql file; the number of statements run."""
        ...

    async def export_sql(
        self, tables: list[str] | None = None, schema_only: bool = False
    ) -> Iterator[str]: ...


class D1(Protocol):
    """Databases are named by id."""

    async def databases(self) -> list[D1Database]: ...
    async def sql(self, database: str, create: bool = False) -> SqlDatabase: ...
    async def delete_database(self, database: str, dry_run: bool = False) -> Removal: ...


class DurableObjects(Protocol):
    """Namespaces are named by id (`script-Class`), objects by id (64 hex digits), facets by the path of names from the outermost in."""

    async def namespaces(self) -> list[DoNamespace]: ...
    async def object_id(self, namespace: str, name_or_id: str) -> str:
        """An id given as such, or the id that `idFromName` makes of a name."""
        ...

    async def objects(
        self, namespace: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[DoObject]: ...
    async def object(self, namespace: str, object: str) -> DoObject: ...
    async def object_ids(self, namespace: str) -> list[str]: ...
    async def facets(self, namespace: str, object: str) -> tuple[Facet, ...]: ...
    async def room(self, namespace: str, object: str) -> Facet:
        """The object's own database as a facet with number 0, no name and an empty path; its facets are inside."""
        ...

    async def alarms(self, namespace: str) -> list[Alarm]: ...
    async def set_alarm(self, namespace: str, object: str, scheduled_ms: int | None) -> str:
        """Set or (None) delete an alarm; the sentence that says when the emulator will notice."""
        ...

    async def sql(self, namespace: str, object: str, facets: tuple[str, ...] = ()) -> SqlDatabase: ...
    async def storage_list(
        self,
        namespace: str,
        object: str,
        facets: tuple[str, ...] = (),
        prefix: str = "",
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[StorageEntry]: ...
    async def storage_get(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> StorageEntry: ...
    async def storage_put(
        self, namespace: str, object: str, key: str, value: Any, facets: tuple[str, ...] = ()
    ) -> StorageEntry:
        """value: tagged JSON, encoded so that the runtime reads it back as it was meant."""
        ...

    async def storage_put_raw(
        self, namespace: str, object: str, key: str, raw: bytes, facets: tuple[str, ...] = ()
    ) -> StorageEntry: ...
    async def storage_delete(
        self, namespace: str, object: str, key: str, facets: tuple[str, ...] = ()
    ) -> bool: ...
    async def delete_object(self, namespace: str, object: str, dry_run: bool = False) -> Removal: ...
    async def delete_facet(
        self, namespace: str, object: str, facets: tuple[str, ...], dry_run: bool = False
    ) -> Removal: ...


class Workflows(Protocol):
    """Workflows are named by name."""

    async def list(self) -> list[Workflow]: ...
    async def instances(
        self, workflow: str, limit: int | None = None, cursor: str | None = None
    ) -> Page[WorkflowInstance]:
        """Newest first; without steps."""
        ...

    async def get(self, workflow: str, instance: str) -> WorkflowInstance: ...
    async def delete_instance(self, workflow: str, instance: str, dry_run: bool = False) -> Removal: ...


class WorkflowControl(Protocol):
    """Driving instances, which only a runtime does: a dev server's, or the account's."""

    async def create(self, workflow: str, id: str | None = None, params: Any = None) -> str:
        """Start an instance; its id."""
        ...

    async def change(self, workflow: str, instance: str, action: str) -> str:
        """action: pause, resume, restart or terminate. The status that is told."""
        ...

    async def send_event(self, workflow: str, instance: str, type: str, payload: Any = None) -> None: ...


class Queues(Protocol):
    """Queues are named by id."""

    async def queues(self) -> list[Queue]: ...
    async def metrics(self, queue: str) -> QueueMetrics: ...
    async def peek(self, queue: str, count: int) -> list[QueueMessage]:
        """The first messages, left as they are."""
        ...

    async def pull(self, queue: str, count: int, visibility_ms: int | None = None) -> Pulled:
        """Take messages: hidden from others until the lease ends, or they are acknowledged."""
        ...

    async def acknowledge(self, queue: str, leases: Iterable[str]) -> int: ...
    async def send(self, queue: str, body: Any, kind: str, delay_s: int | None = None) -> None:
        """kind: text, json or bytes."""
        ...

    async def purge(self, queue: str) -> None:
        """Delete every message."""
        ...


class Workers(Protocol):
    """Deployed Workers, by the name of their script."""

    async def scripts(self) -> list[Script]: ...
    async def versions(self, script: str) -> list[ScriptVersion]: ...
    async def deployments(self, script: str) -> list[Deployment]:
        """The newest first."""
        ...

    async def bindings(self, script: str, version: str | None = None) -> list[DeployedBinding]:
        """Of a version, or of what is deployed now."""
        ...

    async def secrets(self, script: str) -> list[SecretName]: ...
    async def logs(self, script: str, filters: dict[str, Any]) -> Iterator[LogEvent]:
        """The live log, an event as it comes; closing the iterator ends it on the other side too."""
        ...


class Traces(Protocol):
    """Traces and logs that a dev server keeps."""

    async def sql(self) -> SqlDatabase:
        """Their tables `spans` and `logs`, to read."""
        ...

    async def clear(self) -> None:
        """Delete them all."""
        ...


class StateStore(Protocol):
    """The state as a whole (local only)."""

    async def entries(self) -> list[StateEntry]: ...
    async def delete(self, dry_run: bool = False) -> Removal: ...


class Backend(Protocol):
    """Everything a target can do. A product that it lacks is None, and `capability` says why in a sentence."""

    suspends: bool

    @property
    def target(self) -> Target: ...
    @property
    def via(self) -> str:
        """The address of the dev server that answered, or that this call wrote through; "" where there was none."""
        ...

    @property
    def kv(self) -> Kv: ...
    @property
    def r2(self) -> R2: ...
    @property
    def d1(self) -> D1: ...
    @property
    def durable_objects(self) -> DurableObjects: ...
    @property
    def workflows(self) -> Workflows: ...
    @property
    def workflow_control(self) -> WorkflowControl: ...
    @property
    def queues(self) -> Queues: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def traces(self) -> Traces: ...
    @property
    def state(self) -> StateStore: ...
    @property
    def sandboxes(self) -> Sandboxes: ...
    @property
    def servers(self) -> Servers: ...
    def capability(self, name: str) -> Capability: ...
    def watched(self, cancel: Cancel | None, notice: Callable[[str], None] | None = None) -> "Backend":
        """The same backend for one call: `cancel` ends its waiting, `notice` is told of waits a person should know of."""
        ...

    def server_running(self) -> bool:
        """Whether an emulator has this state directory open now, as far as can be told cheaply."""
        ...

    def close(self) -> None: ...


__all__ = [
    "D1",
    "R2",
    "Backend",
    "DurableObjects",
    "Kv",
    "Project",
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
