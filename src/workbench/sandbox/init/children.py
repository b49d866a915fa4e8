"""Starting a program: a session of its own, its descriptors, its limits, and how a start that failed is told."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence

from .loop import READ, Loop

NOT_FOUND = 127
NOT_EXECUTABLE = 126


_SPARE_PROCESSES = 32
"""Children of the init beyond the limit of the sandbox: its own forked helpers must still be possible."""


class Limits:
    """What children get of rlimits; the init keeps a little more, so that it can still act when they are used up."""

    def __init__(self, processes: int | None = None, file_size: int | None = None) -> None:
        """processes: of all together. file_size: bytes that one file may grow to."""
        self.change(processes, file_size)

    def change(self, processes: int | None, file_size: int | None) -> None:
        """For what starts from now on."""
        self._processes = processes
        self._file_size = file_size
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        most = hard if processes is None else processes + _SPARE_PROCESSES
        if hard == resource.RLIM_INFINITY or most <= hard:
            resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))

    def apply(self) -> None:
        """In the child."""
        for limit, most in (
            (resource.RLIMIT_NPROC, self._processes),
            (resource.RLIMIT_FSIZE, self._file_size),
        ):
            if most is not None:
                _, hard = resource.getrlimit(limit)
                most = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.setrlimit(limit, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def fresh_signals() -> None:
    """A forked child forgets what the init does with signals."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def spawn(
    loop: Loop,
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    stdin: int,
    stdout: int,
    stderr: int,
    limits: Limits,
    terminal: bool = False,
    started: Callable[[OSError | None], None] = lambda problem: None,
) -> int:
    """Fork and execute in a session (and process group) of its own; the pid, which `loop.on_exit` can wait for.

    stdin, stdout, stderr: descriptors of the init, still the caller's to close. terminal: stdin is the controlling terminal.
    started: called once, with what kept the program from starting or None; then it ends with 127 or 126 as a shell's would.
    OSError where there can be no more processes.
    """
    told, teller = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(told)
        os.close(teller)
        raise
    if pid == 0:
        _become(argv, cwd, env, (stdin, stdout, stderr), teller, limits, terminal)
    os.close(teller)

    def hear(_events: int) -> None:
        said = os.read(told, 64)
        loop.forget(told)
        os.close(told)
        started(OSError(int(said), os.strerror(int(said))) if said else None)

    loop.watch(told, READ, hear)
    return pid


def _become(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
    teller: int,
    limits: Limits,
    terminal: bool,
) -> None:
    """In the child; never returns. Descriptors above 2 close on exec, as all of Python's do."""
    status = NOT_EXECUTABLE
    try:
        os.setsid()
        fresh_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        held = [os.dup(fd) for fd in streams]
        for number, fd in enumerate(held):
            os.dup2(fd, number)
        if terminal:
            _control(0)
        os.chdir(cwd)
        limits.apply()
        try:
            os.execvpe(argv[0], list(argv), dict(env))
        except OSError as problem:
            if problem.errno in (2, 20):
                status = NOT_FOUND
            raise
    except OSError as problem:
        os.write(teller, str(problem.errno).encode())
    except BaseException:
        os.write(teller, b"22")
    finally:
        os._exit(status)


def _control(fd: int) -> None:
    """Make the terminal on this descriptor the session's own."""
    import fcntl
    import termios

    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)


def signal_group(pid: int, number: int) -> None:
    """To the process group that a child leads; nothing where it is gone."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
