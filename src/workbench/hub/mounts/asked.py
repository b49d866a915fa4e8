"""What is asked for as a mount, read with care: the bridge's words, and ours for folders of the machine."""

from __future__ import annotations

from typing import Any

from workbench.model.places import HubPlaces
from workbench.sandbox.spec import Mount

from ..bodies import Fields
from ..problems import Problem, invalid
from .folders import inside_path, machine_folder


def read_mount(body: Fields, places: HubPlaces, *, isolated: bool) -> dict[str, Any]:
    """A mount as it is kept: `{path, read_only}` with `folder`, or with `bucket, prefix, of`."""
    if not isinstance(body.values.get("mountPath"), str) or not body.values["mountPath"]:
        raise invalid("mountPath must be a non-empty string")
    if not body.values["mountPath"].startswith("/"):
        raise invalid("mountPath must be an absolute path (start with /)")
    given = body.values.get("options", {} if "folder" in body else None)
    if not isinstance(given, dict):
        raise invalid("options must be an object")
    options = Fields(given)
    path = path_of(body.text("mountPath"))
    if "folder" in body:
        if not isolated:
            raise Problem(
                409, "mounts.refused", "without isolation every folder of the machine is there already"
            )
        # Read-only unless it is said otherwise: it is the machine's.
        mount: Mount = machine_folder(
            body.text("folder"), path, writable=not options.flag("readOnly", True), places=places
        )
        return {"path": path, "read_only": not mount.writable, "folder": mount.source}
    if not isolated and not path.startswith("/workspace/"):
        raise Problem(409, "mounts.refused", "without isolation a bucket can only lie below /workspace")
    return {
        "path": path,
        # Into the account only where that is said.
        "read_only": options.flag("readOnly", body.text("of") == "account"),
        "bucket": _bucket(body, options),
        "prefix": options.text("prefix").lstrip("/"),
        "of": "account" if body.text("of") == "account" else "local",
    }


def _bucket(body: Fields, options: Fields) -> str:
    """The bridge's way of saying it: a binding, or a name (with an endpoint of some other storage, which a hub does not have)."""
    if "bucket" in body.values and (not isinstance(body.values["bucket"], str) or not body.values["bucket"]):
        raise invalid("bucket must be a non-empty string")
    if "endpoint" in options:
        raise Problem(
            502,
            "mount_error",
            "mount failed: a hub mounts buckets of its state directory or of the account, no other storage",
        )
    name = body.text("binding") or body.text("bucket")
    if not name:
        raise invalid("binding must be a non-empty string for R2 binding mounts")
    return name


def path_of(path: str) -> str:
    if not path.startswith("/"):
        raise invalid("mountPath must be an absolute path (start with /)")
    return inside_path(path)


def overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def words(mount: dict[str, Any]) -> dict[str, Any]:
    """A mount as it is told."""
    return {
        name: mount[name]
        for name in ("path", "folder", "bucket", "prefix", "of", "read_only")
        if name in mount
    }


def sentence(mount: dict[str, Any]) -> str:
    """What it means for the machine or the bucket."""
    if "folder" in mount:
        how = "read" if mount["read_only"] else "read and change"
        return f"it can {how} this machine's folder {mount['folder']} (at {mount['path']})"
    whose = "the account's bucket" if mount["of"] == "account" else "the bucket"
    name = mount["bucket"] + (f" below {mount['prefix']}" if mount["prefix"] else "")
    how = "has a copy of" if mount["read_only"] else "has a copy of, and changes,"
    return f"it {how} {whose} {name} (at {mount['path']})"
