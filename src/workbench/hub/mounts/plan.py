"""What brings a folder and a bucket together: each side compared with what both were when they last agreed.

Changed on one side: it goes to the other, deletions too. Changed on both: the bucket's version keeps the name, the folder's is kept
beside it as `NAME.conflict-TIME`, which stays in the folder and is not sent to the bucket. Deleted on one side and changed on the
other: the change wins. A copy that is read-only inside is put right where it was changed; files that the bucket never had are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["pull", "push", "delete_inside", "delete_object", "conflict", "forget"]
# A file inside as it is told apart from a changed one: size, time of change, kind.
Stamp = tuple[int, float]

_CONFLICT = re.compile(r"\.conflict-\d{8}T\d{6}(-\d+)?$")


class Agreed(NamedTuple):
    """A file on which both sides agreed: the object's etag, the file's stamp."""

    etag: str
    stamp: Stamp


class Step(NamedTuple):
    """One thing to do. path: below the folder; key: of the object."""

    kind: Kind
    path: str


def fits_a_file(path: str) -> bool:
    """Whether an object's key (without the prefix) can be a path below a folder."""
    parts = path.split("/")
    return "\0" not in path and all(
        part not in ("", ".", "..") and len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts
    )


def representable(paths: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(those that can be files beside each other, those that cannot): a file is no folder, so of `a` and `a/b` the second stays out."""
    kept: dict[str, str] = {}
    left: list[str] = []
    for path in sorted(paths):
        parents = {path[:at] for at, letter in enumerate(path) if letter == "/"}
        if fits_a_file(path) and parents.isdisjoint(kept):
            kept[path] = paths[path]
        else:
            left.append(path)
    return kept, left


def plan(
    agreed: Mapping[str, Agreed],
    inside: Mapping[str, Stamp],
    bucket: Mapping[str, str],
    *,
    read_only: bool,
) -> list[Step]:
    """The steps, in order of paths. inside: stamps by path; bucket: etags by path."""
    steps: list[Step] = []
    for path in sorted({*agreed, *inside, *bucket}):
        known, stamp, etag = agreed.get(path), inside.get(path), bucket.get(path)
        outside_changed = etag != (known.etag if known else None)
        inside_changed = stamp != (known.stamp if known else None)
        kind: Kind | None = None
        if _CONFLICT.search(path) and etag is None:
            continue
        if read_only:
            if etag is not None and (outside_changed or inside_changed):
                kind = "pull"
            elif etag is None and known is not None:
                kind = "delete_inside" if stamp is not None else "forget"
        elif outside_changed and inside_changed:
            if etag is None:
                kind = "push" if stamp is not None else "forget"
            else:
                kind = "conflict" if stamp is not None else "pull"
        elif outside_changed:
            kind = "pull" if etag is not None else "delete_inside"
        elif inside_changed:
            kind = "push" if stamp is not None else "delete_object"
        if kind is not None:
            steps.append(Step(kind, path))
    return steps
