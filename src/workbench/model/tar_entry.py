"""A tar that comes from a sandbox or from elsewhere: headers read without the reader growing with what they say, folders entered without
following a link."""

from __future__ import annotations

import contextlib
import os
import tarfile
from collections.abc import Iterable
from typing import Any, NoReturn

LONGEST_HEADER = 1 << 20
"""Bytes of a long name or a PAX header: they are read into memory whole."""

_KNOWN = {*tarfile.SUPPORTED_TYPES, tarfile.XHDTYPE, tarfile.XGLTYPE} - {tarfile.GNUTYPE_SPARSE}


FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Opens a folder, and nothing that only leads to one."""


def folder_below(root: int, parts: Iterable[str], mode: int = 0o777) -> int:
    """A descriptor of a folder below another, missing ones made. OSError: of what is a link or no folder, ELOOP or ENOTDIR."""
    now = os.dup(root)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, mode, dir_fd=now)
            below = os.open(part, FOLDER, dir_fd=now)
            os.close(now)
            now = below
    except BaseException:
        os.close(now)
        raise
    return now


class HostileHeader(tarfile.TarError):
    """A header that nothing of ours writes."""


class BoundedEntry(tarfile.TarInfo):
    """For `tarfile.open(tarinfo=)`. Raises HostileHeader for kinds that are not known, headers without end, and sparse files: a map of
    these is kept in memory, and 40 kB of a compressed one were seen to take 2 GB."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in _KNOWN:
            raise HostileHeader("an entry of an unknown kind")
        if not self.isreg() and self.size > LONGEST_HEADER:
            raise HostileHeader("a header without end")
        if self.size < 0:
            raise HostileHeader("a size below zero")
        return super()._proc_member(tar)  # type: ignore[misc,no-any-return]

    def _apply_pax_info(self, headers: dict[str, str], encoding: str, errors: str) -> None:
        super()._apply_pax_info(headers, encoding, errors)  # type: ignore[misc]
        if self.size < 0:
            raise HostileHeader("a size below zero")

    def _refuse(self, *args: Any) -> NoReturn:
        raise HostileHeader("a sparse file")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse
