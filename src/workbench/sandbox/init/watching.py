"""`file.watch`: inotify through ctypes, in a forked child; the kernel's own queue is the bound."""

from __future__ import annotations

import ctypes
import fnmatch
import os
import select
import struct
from collections.abc import Sequence

from . import wire
from .blocking import Peer

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _DONT_FOLLOW, _EXCL_UNLINK, _ISDIR = 0x4000, 0x8000, 0x2000000, 0x4000000, 0x40000000
_MASK = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_EVENT = struct.Struct("iIII")
_BATCH = 500
MOST_FOLDERS = 50_000


class Watch:
    """Changes below a path, as JSON frames `{"events": [{event, path, directory, to}, ...]}`.

    event: "create", "modify" (content or attributes, one a batch), "delete", "move" (path and to), or "overflow": more happened
    than the kernel keeps, look again. include, exclude: patterns as of the shell, on the path below the root or on any name in it;
    an excluded folder is not entered.
    """

    def __init__(
        self, peer: Peer, path: str, recursive: bool, include: Sequence[str], exclude: Sequence[str]
    ) -> None:
        self._peer = peer
        self._root = path
        self._recursive = recursive and os.path.isdir(path)
        self._include = include
        self._exclude = exclude
        self._paths: dict[int, str] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._add(path, follow=True)
        if self._recursive:
            self._add_below(path)

    def run(self) -> None:
        """Until the hub goes away or what is watched does."""
        self._peer.send(wire.message({"ready": True, "folders": len(self._paths)}))
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._peer.sock, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd != self._fd:
                    return
            events = self._read()
            for at in range(0, len(events), _BATCH):
                self._peer.send(wire.message({"events": events[at : at + _BATCH]}))
            if not self._paths:
                self._peer.send(wire.message({"gone": True}))
                return

    def _add(self, path: str, follow: bool = False) -> bool:
        if len(self._paths) >= MOST_FOLDERS:
            return False
        flags = _MASK | _EXCL_UNLINK | (0 if follow else _DONT_FOLLOW)
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(path), ctypes.c_uint32(flags))
        if number >= 0:
            self._paths[number] = path
        elif follow:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        return bool(number >= 0)

    def _add_below(self, path: str) -> list[tuple[str, bool]]:
        """Watch the folders below; what is found on the way, (path, is a folder), since it may have come before the watch."""
        found: list[tuple[str, bool]] = []
        pending = [path]
        while pending:
            try:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        folder = entry.is_dir(follow_symlinks=False)
                        found.append((entry.path, folder))
                        if folder and not self._matches(entry.path, self._exclude) and self._add(entry.path):
                            pending.append(entry.path)
            except OSError:
                continue
        return found

    def _read(self) -> list[dict[str, object]]:
        try:
            data = os.read(self._fd, 1 << 18)
        except BlockingIOError:
            return []
        events: list[dict[str, object]] = []
        moving: dict[int, tuple[str, bool]] = {}
        modified: set[str] = set()
        at = 0
        while at < len(data):
            number, mask, cookie, length = _EVENT.unpack_from(data, at)
            name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
            at += _EVENT.size + length
            if mask & _OVERFLOW:
                events.append({"event": "overflow", "path": self._root, "directory": True, "to": None})
                if self._recursive:
                    self._add_below(self._root)
                continue
            base = self._paths.get(number)
            if mask & _IGNORED:
                self._paths.pop(number, None)
            if base is None or mask & _IGNORED:
                continue
            path = os.path.join(base, os.fsdecode(name)) if name else base
            folder = bool(mask & _ISDIR)
            if mask & _MOVED_FROM:
                moving[cookie] = (path, folder)
            elif mask & _MOVED_TO:
                came = moving.pop(cookie, None)
                self._moved(came[0] if came else None, path, folder, events)
            elif mask & _CREATE:
                self._created(path, folder, events)
            elif mask & _DELETE or (mask & _DELETE_SELF and base == self._root):
                self._event(events, "delete", path, folder)
            elif mask & (_MODIFY | _ATTRIB) and path not in modified:
                modified.add(path)
                self._event(events, "modify", path, folder)
        for path, folder in moving.values():
            self._event(events, "delete", path, folder)
        return events

    def _created(self, path: str, folder: bool, events: list[dict[str, object]]) -> None:
        self._event(events, "create", path, folder)
        if folder and self._recursive and not self._matches(path, self._exclude) and self._add(path):
            for below, is_folder in self._add_below(path):
                self._event(events, "create", below, is_folder)

    def _moved(self, came: str | None, path: str, folder: bool, events: list[dict[str, object]]) -> None:
        if came is None:
            self._created(path, folder, events)
            return
        if folder:  # the kernel's watches follow the folder; only their names are new
            for number, known in list(self._paths.items()):
                if known == came or known.startswith(came + "/"):
                    self._paths[number] = path + known[len(came) :]
        self._event(events, "move", came, folder, path)

    def _event(
        self, events: list[dict[str, object]], event: str, path: str, folder: bool, to: str | None = None
    ) -> None:
        shown = [each for each in (path, to) if each is not None]
        if all(self._matches(each, self._exclude) for each in shown):
            return
        if self._include and not any(self._matches(each, self._include) for each in shown):
            return
        events.append({"event": event, "path": path, "directory": folder, "to": to})

    def _matches(self, path: str, patterns: Sequence[str]) -> bool:
        if not patterns:
            return False
        relative = os.path.relpath(path, self._root)
        names = relative.split("/")
        return any(
            fnmatch.fnmatch(relative, each) or any(fnmatch.fnmatch(name, each) for name in names)
            for each in patterns
        )
