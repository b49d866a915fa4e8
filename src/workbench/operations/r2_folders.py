"""Folders of files into a bucket and out of it."""

import os
from typing import Annotated, NamedTuple

from workbench.model.errors import Cancelled, WorkbenchError, left_out
from workbench.model.text import visible

from . import READS, WRITES, operation
from .files import failed, pieces, write_pieces
from .parameters import Bucket, Param, Prefix
from .r2 import keys_under
from .resolve import State

Folder = Annotated[str, Param("the folder", "path", positional=True, metavar="DIR")]


class Copied(NamedTuple):
    """What went over. skipped: what could not, each with the reason."""

    objects: int
    size_bytes: int
    skipped: list[str]


@operation(
    "r2.objects.import",
    effect=WRITES,
    examples=["cfwb r2 objects import ./public --bucket files --prefix site/"],
    capability="r2",
)
async def import_folder(state: State, folder: Folder, bucket: Bucket = None, prefix: Prefix = "") -> Copied:
    """Upload every file below a folder.

    A file's path there, after --prefix, is its key; its ending tells the content type.
    Run again after it was stopped it goes over everything again; what is there is overwritten. Links are not followed.
    """
    from mimetypes import guess_type

    name = await state.bucket(bucket)
    files = _files(folder)
    total = sum(size for _, _, size in files)
    done = 0
    skipped = []
    for path, relative, size in files:
        if state.cancel:
            state.cancel.check()
        try:
            (prefix + relative).encode("utf-8")
        except UnicodeEncodeError:
            skipped.append(f"{relative!r}: its name is not UTF-8")
            continue
        media = guess_type(relative)[0]
        http = {"contentType": media} if media else {}
        await state.backend.r2.put(name, prefix + relative, pieces(path), http, {}, state.cancel)
        done += size
        if state.progress:
            state.progress(done, total)
    return Copied(len(files) - len(skipped), done, skipped)


def _files(folder: str) -> list[tuple[str, str, int]]:
    """(path, path below the folder with slashes, bytes) of every ordinary file, by name."""
    found = []

    def stop(error: OSError) -> None:
        raise failed(error, error.filename or folder)

    for place, folders, names in os.walk(folder, onerror=stop):
        folders.sort()
        for file in sorted(names):
            path = os.path.join(place, file)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append(
                    (path, os.path.relpath(path, folder).replace(os.sep, "/"), os.path.getsize(path))
                )
    return found


@operation(
    "r2.objects.export",
    effect=READS,
    examples=["cfwb r2 objects export ./backup --bucket files --prefix images/"],
    capability="r2",
)
async def export_folder(state: State, folder: Folder, bucket: Bucket = None, prefix: Prefix = "") -> Copied:
    """Download objects into a folder, a file each.

    A file's path is its key below the last slash of --prefix.
    A key that cannot be a path below the folder (`..`, an empty part, a file where a folder must be) is skipped and named.
    So is an object that can't be read; all others are written, and the exit status is 1.
    """
    name = await state.bucket(bucket)
    base = prefix[: prefix.rfind("/") + 1]
    keys = await keys_under(state, name, prefix)
    copied, size = 0, 0
    skipped: list[str] = []
    unread: list[str] = []
    for index, key in enumerate(keys):
        if state.cancel:
            state.cancel.check()
        reason = _unfit(key[len(base) :])
        if not reason:
            try:
                size += await _download(state, name, key, os.path.join(folder, *key[len(base) :].split("/")))
                copied += 1
            except Cancelled:
                raise
            except WorkbenchError as error:
                reason = error.message
                if not error.code.startswith("file."):
                    unread.append(f"{visible(key, limit=200)}: {reason}")
        if reason:
            skipped.append(f"{key}: {reason}")
        if state.progress:
            state.progress(index + 1, len(keys))
    done = Copied(copied, size, skipped)
    if unread:
        raise left_out(
            "r2.objects_not_read", f"objects of {name}", unread, f"{copied:,} others are written", done
        )
    return done


def _unfit(relative: str) -> str:
    """Why a key cannot be a path below a folder, or ""."""
    parts = relative.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "an empty part, . or .. cannot be a file's path"
    if "\0" in relative or (os.sep != "/" and os.sep in relative):
        return "it holds a character no file name can have"
    return ""


def _make_room(path: str) -> None:
    """Make the folders a file needs. Raises WorkbenchError where a file or a folder is in the way."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise failed(error, path) from error
    if os.path.isdir(path):
        raise WorkbenchError("file.is_a_folder", f"{path} is a folder")


async def _download(state: State, bucket: str, key: str, path: str) -> int:
    _make_room(path)
    body = await state.backend.r2.get(bucket, key)
    return write_pieces(path, body.chunks).size_bytes
