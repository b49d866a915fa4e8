"""`cfwb`, `cfwb demo`, `cfwb serve`: what is opened instead of done."""

import os
import sys

from workbench.model.errors import UsageError

from .arguments import Line


def launch(line: Line) -> int:
    """Open the workbench, on the project here or on the demo."""
    options = line.options
    if line.words == ("serve",):
        from .serving import serve

        return serve(line)
    if "--json" in options or "--raw" in options:
        raise UsageError("--json and --raw go with a command", "cfwb --help lists the commands")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the workbench needs a terminal", "cfwb --help lists the commands for a shell")
    if os.environ.get("TERM") == "dumb":
        raise UsageError("this terminal only prints lines (TERM=dumb)", "the commands work here: cfwb --help")
    if "--remote" in options:
        raise UsageError("the workbench opens on the local state", "--remote goes with a command")
    from workbench.app import run

    if line.words:
        from workbench.demo import unpack

        from .people import note

        folder = unpack()
        status = int(run(folder=folder, label="demo") or 0)
        note(f"the sample stays in {folder}")
        return status
    return int(
        run(
            folder=options.get("--project", "."),
            worker=options.get("--worker"),
            environment=options.get("--env"),
            persist_to=options.get("--persist-to"),
        )
        or 0
    )
