"""The operations of the account API that a dev server mirrors (a test compares this with the emulator's own OpenAPI document)."""

import re

MIRROR = "/cdn-cgi/explorer/api"
"""Where on a dev server."""
_ACCOUNT = "/accounts/{account_id}"
MIRRORED: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/storage/kv/namespaces"),
        ("GET", "/storage/kv/namespaces/{}/keys"),
        ("GET", "/storage/kv/namespaces/{}/values/{}"),
        ("PUT", "/storage/kv/namespaces/{}/values/{}"),
        ("DELETE", "/storage/kv/namespaces/{}/values/{}"),
        ("POST", "/storage/kv/namespaces/{}/bulk/get"),
        ("PUT", "/storage/kv/namespaces/{}/bulk"),
        ("POST", "/storage/kv/namespaces/{}/bulk/delete"),
        ("GET", "/d1/database"),
        ("POST", "/d1/database/{}/raw"),
        ("GET", "/workers/durable_objects/namespaces"),
        ("GET", "/workers/durable_objects/namespaces/{}/objects"),
        ("POST", "/workers/durable_objects/namespaces/{}/query"),
        ("GET", "/r2/buckets"),
        ("GET", "/r2/buckets/{}"),
        ("GET", "/r2/buckets/{}/objects"),
        ("DELETE", "/r2/buckets/{}/objects"),
        ("GET", "/r2/buckets/{}/objects/{}"),
        ("PUT", "/r2/buckets/{}/objects/{}"),
        ("DELETE", "/r2/buckets/{}/objects/{}"),
        ("GET", "/flagship/apps"),
        ("GET", "/flagship/apps/{}/evaluate"),
        ("POST", "/flagship/apps/{}/evaluate"),
        ("GET", "/flagship/apps/{}/flags"),
        ("POST", "/flagship/apps/{}/flags"),
        ("GET", "/flagship/apps/{}/flags/{}"),
        ("PUT", "/flagship/apps/{}/flags/{}"),
        ("PATCH", "/flagship/apps/{}/flags/{}"),
        ("DELETE", "/flagship/apps/{}/flags/{}"),
        ("GET", "/workflows"),
        ("GET", "/workflows/{}"),
        ("DELETE", "/workflows/{}"),
        ("GET", "/workflows/{}/instances"),
        ("POST", "/workflows/{}/instances"),
        ("POST", "/workflows/{}/instances/batch/delete"),
        ("GET", "/workflows/{}/instances/{}"),
        ("DELETE", "/workflows/{}/instances/{}"),
        ("PATCH", "/workflows/{}/instances/{}/status"),
        ("POST", "/workflows/{}/instances/{}/events/{}"),
    }
)


def is_mirrored(method: str, path: str) -> bool:
    """Whether a dev server answers it; path: the account API's, its parameters in braces."""
    if not path.startswith(_ACCOUNT):
        return False
    return (method, re.sub(r"\{[^}]*\}", "{}", path.removeprefix(_ACCOUNT))) in MIRRORED
