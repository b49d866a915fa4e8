"""The process that holds one dev server that cfwb started: a program of its own, run by its path, standard library alone.

`python keeper.py FOLDER`. It starts the program of `start.json` in a session of its own, writes down what it prints (`log.jsonl`) and
how it stands (`server.json`), and ends it, with all that it started, when it is told to (SIGTERM), or when the process for whose
sake it runs has ended, unless a file `stay` lies in the folder. It holds `lock` as long as it lives. Whoever kills it kills the
program too (Linux: the kernel's parent-death signal).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from typing import IO, Any

READY = re.compile(r"(?:Ready on|Local:)\s+(https?://[^\s/]+)")
"""How wrangler and Vite say where they answer."""
COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
LONGEST_LINE = 64 << 10
LARGEST_LOG = 8 << 20
"""Bytes of the log, after which it begins anew; the one before is kept as `log.1.jsonl`."""
GRACE = 6.0
"""Seconds that the program has to end after SIGTERM."""
LOOK = 0.5
"""Seconds between two looks at what cannot be waited for."""


class Keeper:
    """One program, from its start to the end of all that it started."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(os.path.join(folder, "start.json"), encoding="utf-8") as file:
            self.start: dict[str, Any] = json.load(file)
        self.record: dict[str, Any] = {
            "keeper": os.getpid(),
            "pid": None,
            "born": None,
            "status": "starting",
            "url": None,
            "started": now(),
            "ended": None,
            "exit_status": None,
            "reason": "",
        }
        self.log = Log(folder)
        self.stopping = 0.0
        self.family: set[tuple[int, int | None]] = set()

    def run(self) -> int:
        """Start it, follow it to its end; the keeper's own exit status."""
        wakes, woken = os.pipe()
        for end in (wakes, woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(woken)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop("it was told to"))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            child = subprocess.Popen(
                self.start["command"],
                cwd=self.start["folder"],
                env=dict(os.environ),  # launch has taken Cloudflare's credentials out of it
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            self.tell(status="ended", ended=now(), reason=f"{error.strerror}: {error.filename}")
            return 1
        self.tell(pid=child.pid, born=born(child.pid))
        if self.stopping:
            self.signal(signal.SIGTERM)
        ears = selectors.DefaultSelector()
        ears.register(wakes, selectors.EVENT_READ)
        pieces: dict[str, bytes] = {}
        for stream, name in ((child.stdout, "stdout"), (child.stderr, "stderr")):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            ears.register(stream, selectors.EVENT_READ, name)
            pieces[name] = b""
        watched = self.watch(ears)
        while child.poll() is None:
            self.hear(ears, pieces, LOOK if self.stopping or watched is None else None)
            self.look(watched)
        until = time.monotonic() + 0.5
        while any(key.data in pieces for key in ears.get_map().values()) and time.monotonic() < until:
            self.hear(ears, pieces, 0.05)
        for name, rest in pieces.items():
            if rest:
                self.say(name, rest)
        self.end_the_rest()
        self.tell(status="ended", ended=now(), exit_status=child.returncode)
        return 0

    # What it prints

    def hear(self, ears: selectors.BaseSelector, pieces: dict[str, bytes], patience: float | None) -> None:
        """Take what came, or wait so long for something."""
        for key, _ in ears.select(patience):
            if key.data is None:
                with contextlib.suppress(OSError):
                    os.read(key.fd, 4096)
                continue
            if key.data == "gone":
                ears.unregister(key.fileobj)
                self.left()
                continue
            try:
                piece = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if not piece:
                ears.unregister(key.fileobj)
                continue
            *lines, rest = (pieces[key.data] + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines.append(rest)
                rest = b""
            pieces[key.data] = rest
            for line in lines:
                self.say(key.data, line)

    def say(self, stream: str, line: bytes) -> None:
        """A line of it."""
        text = COLOURS.sub("", line[:LONGEST_LINE].decode("utf-8", "replace").rstrip("\r"))
        self.log.write(stream, text)
        ready = READY.search(text) if self.record["url"] is None else None
        if ready:
            self.tell(url=ready.group(1), status="running")

    # For whose sake it runs

    def watch(self, ears: selectors.BaseSelector) -> int | None:
        """Wait for the end of that process: a descriptor of it, None where it has to be looked for, -1 where there is none."""
        until = self.start.get("until")
        if until is None:
            return -1
        if hasattr(os, "pidfd_open"):
            try:
                descriptor = os.pidfd_open(until)
            except OSError:
                self.left()
                return -1
            ears.register(descriptor, selectors.EVENT_READ, "gone")
            return descriptor
        return None

    def look(self, watched: int | None) -> None:
        """What no event tells: that the process has gone, that the program takes too long to end."""
        if watched is None and not self.stopping:
            try:
                os.kill(self.start["until"], 0)
            except OSError:
                self.left()
        if self.stopping and time.monotonic() > self.stopping:
            self.signal(signal.SIGKILL)

    def left(self) -> None:
        """It has gone."""
        if not os.path.exists(os.path.join(self.folder, "stay")):
            self.stop("what it was started for has ended")

    # Its end

    def stop(self, reason: str) -> None:
        """Ask the program to end; `look` sees to it."""
        if self.stopping:
            return
        self.stopping = time.monotonic() + GRACE
        self.record["reason"] = reason
        if self.record["pid"] is not None:
            self.family = descendants(self.record["pid"])
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """To the program's group; SIGKILL also to what has left it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.record["pid"], number)
        if number == signal.SIGKILL:
            for pid, since in self.family:
                if born(pid) == since:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)

    def end_the_rest(self) -> None:
        """The program has ended: what is left of its group goes too."""
        for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0)):
            self.signal(number)
            end = time.monotonic() + patience
            while group_lives(self.record["pid"]):
                if time.monotonic() > end:
                    break
                time.sleep(0.02)
            else:
                break
        self.signal(signal.SIGKILL)

    def tell(self, **changes: Any) -> None:
        """Write down how it stands; the file is replaced whole."""
        self.record.update(changes)
        path = os.path.join(self.folder, "server.json")
        with open(path + ".part", "w", encoding="utf-8", opener=private) as file:
            json.dump(self.record, file)
        os.replace(path + ".part", path)


class Log:
    """What it prints, a JSON object a line: `{"at": ms, "stream": "stdout", "text": ...}`."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "log.jsonl")
        self.before = os.path.join(folder, "log.1.jsonl")
        self.file = self.open()
        self.size = self.file.tell()

    def open(self) -> IO[bytes]:
        """The file that is written now."""
        return open(self.path, "ab", opener=private)

    def write(self, stream: str, text: str) -> None:
        """A line, at once."""
        line = (
            json.dumps({"at": time.time_ns() // 1_000_000, "stream": stream, "text": text}).encode() + b"\n"
        )
        if self.size + len(line) > LARGEST_LOG:
            self.file.close()
            os.replace(self.path, self.before)
            self.file, self.size = self.open(), 0
        self.file.write(line)
        self.file.flush()
        self.size += len(line)


def private(path: str, flags: int) -> int:
    """For its owner alone."""
    return os.open(path, flags, 0o600)


def now() -> str:
    """ISO 8601 UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def die_with_parent() -> None:
    """In the child, before it becomes the program."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def born(pid: int) -> int | None:
    """When a process began, as the kernel counts it; tells it from a later one with its number. None where that is not told."""
    return stat(pid, 19)


def parent(pid: int) -> int:
    """Who started it; 0 where that is not told."""
    return stat(pid, 1) or 0


def stat(pid: int, field: int) -> int | None:
    """A number of what Linux says of a process, counted after its name."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[field])
    except (OSError, ValueError, IndexError):
        return None


def descendants(pid: int) -> set[tuple[int, int | None]]:
    """All that a process started, each with its birth: some leave the group."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                children.setdefault(parent(int(name)), []).append(int(name))
    found: set[tuple[int, int | None]] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add((child, born(child)))
            waiting.append(child)
    return found


def group_lives(group: int) -> bool:
    """Whether anything of a process group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(folder: str) -> int:
    """Hold the server of a folder; 3 where another does."""
    lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 3
    return Keeper(folder).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
