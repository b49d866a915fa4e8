"""Pipes between the loop and a child, with back-pressure both ways."""

from __future__ import annotations

import array
import fcntl
import os
import termios
from collections.abc import Callable

from .loop import READ, WRITE, Loop

CHUNK = 1 << 16
HIGH_WATER = 1 << 20


class Source:
    """The reading end of a child's output.

    take: gets each piece. `pause` and `resume` as the taker has room.
    """

    def __init__(self, loop: Loop, fd: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(fd, False)
        self._loop = loop
        self._fd = fd
        self._take = take
        self._taken = 0
        self._until: tuple[int, Callable[[], None]] | None = None
        self.open = True
        loop.watch(fd, READ, self._ready)

    def pause(self) -> None:
        if self.open:
            self._loop.forget(self._fd)

    def resume(self) -> None:
        if self.open:
            self._loop.watch(self._fd, READ, self._ready)

    def when_empty(self, call: Callable[[], None]) -> None:
        """Call once all that is in the pipe now has been taken: later writers (daemons) are not waited for."""
        self._until = (self._taken + (self._waiting() if self.open else 0), call)
        self._look()

    def _waiting(self) -> int:
        count = array.array("i", [0])
        try:
            fcntl.ioctl(self._fd, termios.FIONREAD, count)
        except OSError:
            return 0
        return count[0]

    def _look(self) -> None:
        if self._until is not None and (not self.open or self._taken >= self._until[0]):
            call = self._until[1]
            self._until = None
            call()

    def discard(self) -> None:
        """From now on what comes is thrown away: a daemon that outlives its starter must not die of a closed pipe."""
        self._take = lambda data: None
        self.resume()

    def close(self) -> None:
        if self.open:
            self.open = False
            self._loop.forget(self._fd)
            os.close(self._fd)
            self._look()

    def _ready(self, _events: int) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # a terminal whose other side is gone says EIO
            data = b""
        if data:
            self._taken += len(data)
            self._take(data)
            self._look()
        else:
            self.close()


class Sink:
    """The writing end of a child's input; `full` says when to stop, `drained` is called when there is room again."""

    def __init__(self, loop: Loop, fd: int, drained: Callable[[], None], *, owned: bool = True) -> None:
        os.set_blocking(fd, False)
        self._loop = loop
        self._fd = fd
        self._drained = drained
        self._owned = owned
        self._held = bytearray()
        self._ending = False
        self.open = True

    @property
    def full(self) -> bool:
        return len(self._held) >= HIGH_WATER

    def write(self, data: bytes) -> None:
        """Dropped where the reader is gone."""
        if self.open and not self._ending:
            self._held += data
            self._ready(WRITE)

    def end(self) -> None:
        """Close it once all is written."""
        self._ending = True
        if not self._held:
            self.close()

    def close(self) -> None:
        if self.open:
            self.open = False
            self._held.clear()
            if self._owned:
                self._loop.forget(self._fd)
                os.close(self._fd)

    def _ready(self, _events: int) -> None:
        was_full = self.full
        try:
            while self._held:
                sent = os.write(self._fd, self._held[: 4 * CHUNK])
                del self._held[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        if not self.open:
            self._drained()
            return
        if self._held:
            self._loop.watch(self._fd, WRITE, self._ready)
        else:
            self._loop.forget(self._fd)
            if self._ending:
                self.close()
        if was_full and not self.full:
            self._drained()
