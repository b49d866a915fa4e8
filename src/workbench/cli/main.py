"""`cfwb`: from a command line to an exit status (0 done, 1 it failed, 2 wrong usage)."""

import errno
import gc
import os
import stat
import sys
from collections.abc import Iterator
from typing import Any

from workbench.model.errors import Cancelled, LeftOut, UsageError, WorkbenchError
from workbench.model.page import Page
from workbench.model.progress import Cancel, Progress
from workbench.model.target import Target

from .arguments import Line, options_in, parse

PAGE = 1000  # items of a streamed list in memory at a time
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)


class Command:
    """One line being done: what is known of it so far, for whatever has to be said about it."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.json = options_in(argv)["--json"] or not sys.stdout.isatty()
        self.target = Target("local", os.path.realpath("."))
        self.operation: str | None = None

    def run(self) -> int:
        """Do it; the exit status. Every error ends here, in words."""
        try:
            return self._run()
        except WorkbenchError as error:
            return self._fail(error)
        except KeyboardInterrupt:
            return self._fail(Cancelled())
        except BrokenPipeError:
            return _quiet()
        except OSError as error:
            if error.filename is None and error.errno in _OUTPUT_ERRORS:
                return _unwritable(error)
            from .log import unexpected

            return self._fail(unexpected(error))
        except Exception as error:
            from .log import unexpected

            return self._fail(unexpected(error))

    def _run(self) -> int:
        line = parse(self.argv)
        options = line.options
        if "--help" in options:
            from .help import show

            show(line)
            return 0
        if "--version" in options:
            from workbench import __version__

            print(f"cfwb {__version__}")
            return 0
        if line.operation is None:
            from .launching import launch

            return launch(line)
        self.operation = line.operation.name
        if "--json" not in options and (
            "--raw" in options
            or (
                line.operation.document
                and "output" not in line.arguments
                and line.operation.text_with in ("", *line.arguments)
            )
        ):
            self.json = False  # standard output is for a text or a value's bytes; errors go beside it
        if "--raw" in options and "--json" in options:
            raise UsageError("give only one of --json, --raw")
        if "--local" in options and "--remote" in options:
            raise UsageError("give only one of --local, --remote")
        if "--server" in options and "--remote" in options:
            raise UsageError(
                "give only one of --server, --remote", "a dev server is a route to the local target"
            )
        if "--bridge" in options and {"--remote", "--server"} & set(options):
            raise UsageError(
                "--bridge goes with neither --remote nor --server", "a bridge is a target of its own"
            )
        return self._operation(line)

    def _operation(self, line: Line) -> int:
        from workbench.operations.executor import Driver, execute, open_state, problems_of, suspends

        operation = line.operation
        assert operation is not None
        options = line.options
        raw = "--raw" in options
        arguments = _with_standard_input(line)
        state = None
        if not operation.stateless:
            remote = "--remote" in options or operation.always_remote
            folder = "" if remote else os.path.realpath(options.get("--project", "."))
            self.target = Target("remote" if remote else "local", folder)
            state = open_state(
                options.get("--project", "."),
                options.get("--worker"),
                options.get("--env"),
                options.get("--persist-to"),
                remote,
                alone=operation.alone,
                account=operation.account,
                server=options.get("--server"),
                bridge=options.get("--bridge"),
            )
            self.target = state.target
            state = state.watched(Cancel()) if self.json else state.watched(Cancel(), _progress(), _note)
            problems, notice = problems_of(state.project), state.project.notice
            if problems or notice:
                from .people import warn

                warn(problems, notice)
            state.in_pieces = self.json
        driver = Driver(suspends(state, operation))

        def run(changes: dict[str, Any] | None = None) -> Any:
            confirm = None if self.json or not sys.stdin.isatty() else _confirm
            work = execute(state, operation.name, arguments | (changes or {}), confirm=confirm)
            try:
                result = driver.run(work)
            finally:
                if state is not None:
                    self.target = state.answered
            if hasattr(result, "drive_by"):
                result.drive_by(driver.iterate)
            return result

        try:
            if self.json:
                return self._json(line, run)
            from .people import show_result

            status = show_result(state, operation, arguments, run, raw=raw)
            if self.target.via and "--server" not in options:
                _note(f"written through the dev server at {self.target.via}")
            return status
        finally:
            driver.close()
            if state is not None:
                state.backend.close()

    def _json(self, line: Line, run: Any) -> int:
        from . import output

        operation = line.operation
        assert operation is not None
        status = 0
        if operation.pages and "limit" not in line.arguments:
            failed = output.stream(self.target, operation, _pages(run, line.arguments.get("cursor")))
        else:
            try:
                result = run()
                failed = output.envelope(self.target, operation, result)
                status = getattr(result, "exit_code", 0) if operation.document else 0
            except LeftOut as error:
                if error.result is None:
                    raise
                output.left_out_envelope(self.target, operation, error)
                failed = error
        sys.stdout.flush()
        return 1 if failed else status

    def _fail(self, error: WorkbenchError) -> int:
        status = 2 if isinstance(error, UsageError) else 1
        try:
            if self.json:
                from . import output

                if self.operation is None and status == 2:
                    from .arguments import named

                    operation = named(self.argv)
                    self.operation = operation.name if operation else None
                output.error_envelope(self.target, self.operation, error)
                sys.stdout.flush()
            else:
                from .people import show_error

                sys.stdout.flush()
                show_error(error)
        except BrokenPipeError:
            return _quiet()
        except OSError as error:
            return _unwritable(error)
        return status


def _pages(run: Any, cursor: str | None) -> Iterator[Page[Any]]:
    while True:
        page = run({"limit": PAGE, "cursor": cursor})
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def _with_standard_input(line: Line) -> dict[str, Any]:
    """The arguments, with `-` for a file replaced by standard input itself."""
    assert line.operation is not None
    arguments = dict(line.arguments)
    for parameter in line.operation.parameters:
        if parameter.type == "file" and arguments.get(parameter.name) == "-":
            arguments[parameter.name] = sys.stdin.buffer
        elif parameter.asked and not {parameter.name, "from_env"} & set(arguments) and sys.stdin.isatty():
            from getpass import getpass

            arguments[parameter.name] = [getpass(f"{parameter.asked}: ").encode("utf-8", "surrogateescape")]
        elif parameter.name == "stdin" and "stdin" not in arguments and _piped():
            arguments["stdin"] = sys.stdin.buffer
    return arguments


def _piped() -> bool:
    """Whether something is given on standard input: a pipe, a file or a socket, neither a terminal nor nothing."""
    if sys.stdin is None:
        return False
    try:
        return not stat.S_ISCHR(os.fstat(sys.stdin.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _progress() -> Progress | None:
    """How far long work is, shown to a person who waits at a terminal."""
    if not sys.stderr.isatty():
        return None
    from .people import Meter

    return Meter()


def _note(text: str) -> None:
    from .people import note

    note(text)


def _confirm(question: Any) -> bool:
    from .people import ask

    return ask(question)


def _quiet() -> int:
    """The reader of our output has gone: end without a word (what is still buffered goes nowhere)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def _unwritable(error: OSError) -> int:
    """Our output cannot be written, so that is said beside it."""
    os.write(2, f"error: the output could not be written: {error.strerror}\n".encode())
    return _quiet()


def main() -> None:
    """The console script. Leaves without taking the interpreter apart, which costs more than most commands do."""
    gc.set_threshold(50_000, 20, 50)
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started us
            setattr(sys, stream, open(os.open(os.devnull, os.O_RDWR), "w"))  # noqa: SIM115
    status = Command(sys.argv[1:]).run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = status or 1
    except OSError as error:
        status = _unwritable(error)
    os._exit(status)


if __name__ == "__main__":
    main()
