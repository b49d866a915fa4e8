"""What the account API and a dev server's mirror of it offer, and where their answers differ: one table.

`ACCOUNT` and `MIRROR` say of a thing why it cannot be done there; what is in neither can be done on both. A name covers what begins
with it (`queues` covers `queues.metrics`). `DIFFERENCES` is for people: docs/targets.md is made from all three.
"""

from workbench.model.errors import WorkbenchError
from workbench.model.target import Capability

ACCOUNT: dict[str, str] = {
    "sandboxes": "sandboxes are this machine's, or behind a bridge of your own: leave --remote out",
    "state": "an account is no state directory: cfwb bindings list shows what it holds",
    "servers": "dev servers run on this machine: leave --remote out",
    "traces": "traces are kept by a dev server: leave --remote out",
    "do.names": "the account API does not make an object's id of its name: name the object by its id",
    "do.objects.get": "the account API tells of an object only that it has stored data",
    "do.objects.delete": "the account API cannot delete an object: its Worker can, with storage.deleteAll()",
    "do.facets": "the account API knows nothing of facets",
    "do.storage": "the account API gives no access to an object's storage",
    "do.sql": "the account API gives no access to an object's SQL database",
    "do.alarms": "the account API knows nothing of alarms",
    "r2.custom_metadata": "the account API takes no custom metadata: R2 keys (R2_ACCESS_KEY_ID) let the S3 API write it",
    "r2.uploads": "the account API does not list unfinished uploads: R2 keys (R2_ACCESS_KEY_ID) let the S3 API do it",
    "d1.sessions": "the API runs each request as a transaction of its own: there is no BEGIN that lasts",
    "workflows.instances.delete": "the account API has no deletion of an instance: terminate it, and it goes after its retention",
}
MIRROR: dict[str, str] = {
    "sandboxes": "a dev server runs no sandboxes: leave --server out",
    "state": "the dev server's API does not show the state directory: leave --server out",
    "kv.namespaces.delete": "the dev server's API cannot empty a namespace: leave --server out",
    "r2.buckets.delete": "the dev server's API cannot empty a bucket: leave --server out",
    "r2.http_metadata": "the dev server's API keeps no HTTP metadata but the content type: leave --server out to write it",
    "r2.uploads": "the dev server's API does not list unfinished uploads: leave --server out",
    "d1.databases.delete": "the dev server's API cannot delete a database: leave --server out",
    "d1.transfer": "the dev server's API has no import and export of its own",
    "d1.sessions": "the API runs each request as a transaction of its own: there is no BEGIN that lasts",
    "d1.exact": "the dev server's API rounds integers beyond 2^53 and gives blobs as lists: leave --server out to see them",
    "do.objects.delete": "the dev server's API cannot delete an object: leave --server out",
    "do.facets": "the dev server's API knows nothing of facets: leave --server out",
    "do.storage": "the dev server's API gives stored values as raw bytes: leave --server out to see them decoded",
    "do.alarms": "the dev server's API knows nothing of alarms: leave --server out",
    "queues": "the dev server's API knows nothing of queues",
    "servers.start": "by its address a dev server is asked, not started or ended: leave --server out",
    "workers.versions": "a dev server has no versions of a Worker",
    "workers.deployments": "a dev server has no deployments",
    "workers.secrets": "the dev server's API does not name secrets: cfwb bindings list shows those of the config",
    "workers.logs": "the dev server's logs are on its own terminal",
}
DIFFERENCES: tuple[tuple[str, str, str], ...] = (
    ("lists of keys", "eventually consistent: a key just written may be missing", "at once"),
    ("bulk writes and deletions", "10,000 keys a request", "the same; an older server takes a request a key"),
    (
        "expiration of a KV write",
        "kept",
        "kept by the bulk write, so that is used; an older server drops it, and it is refused",
    ),
    (
        "R2 HTTP metadata of a write",
        "all of it, over the account API or S3",
        "the content type only; the rest is refused here",
    ),
    ("R2 objects above 300 MB", "over S3, with R2 keys", "one request, which the server holds in memory"),
    ("R2 range reads", "exact", "the whole object is sent and cut here"),
    ("R2 lists", "with HTTP metadata", "without it: the bindings' list does not include it"),
    (
        "D1 results",
        "integers beyond 2^53 are rounded by the API's JSON, and a REAL without a fraction comes as an integer",
        "the same",
    ),
    ("D1 column names of an empty result", "told", "missing"),
    ("D1 statements of one call", "one transaction", "one after the other: what ran before an error stays"),
    (
        "D1 export and import",
        "the API's own dump and bulk load; the database answers nobody meanwhile",
        "none: an import runs as one call of all its statements, an export is refused",
    ),
    (
        "Durable Objects",
        "namespaces and ids",
        "namespaces, ids, names, SQL; facets are listed as if they were objects, and left out here",
    ),
    ("a namespace's id", "32 hex digits", "`<script>-<Class>`"),
    ("Workflow instances", "newest first, with steps", "newest first by file time"),
    ("rate", "1,200 requests in five minutes", "as fast as it answers"),
)


def _why_not(table: dict[str, str], name: str) -> str:
    parts = name.split(".")
    return next(
        (table[key] for end in range(len(parts), 0, -1) if (key := ".".join(parts[:end])) in table), ""
    )


def capability(name: str, *, live: bool) -> Capability:
    """Whether a side can do it; where it can't, the sentence."""
    why_not = _why_not(MIRROR if live else ACCOUNT, name)
    return Capability(not why_not, why_not)


def lacks(name: str, *, live: bool = True) -> WorkbenchError:
    """The error for what a side cannot do."""
    return WorkbenchError("target.not_capable", _why_not(MIRROR if live else ACCOUNT, name))
