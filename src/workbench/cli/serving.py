"""`cfwb serve`: what is said at its start. The token goes to standard error, which is a person's, and never to standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.tagged import dumps
from workbench.model.text import visible
from workbench.operations.envelopes import head

from .log import unexpected

if TYPE_CHECKING:
    from workbench.api.server import Serving

    from .arguments import Line


def serve(line: Line) -> int:
    """Serve until stopped; the exit status."""
    options = line.options
    if "--raw" in options:
        raise UsageError("--raw goes with a command that gives a value")
    if "--remote" in options:
        raise WorkbenchError(
            "target.not_available", "cfwb serve answers for the local state only", "leave --remote out"
        )
    from workbench.api.server import serve as run

    opening = {
        "folder": options.get("--project", "."),
        "worker": options.get("--worker"),
        "environment": options.get("--env"),
        "persist_to": options.get("--persist-to"),
    }
    as_json = "--json" in options or not sys.stdout.isatty()

    def ready(serving: Serving) -> None:
        _tell(serving)
        if as_json:
            _envelope(serving)

    run(opening, line.arguments.get("port"), ready, unexpected)
    return 0


def _tell(serving: Serving) -> None:
    base = serving.url.partition("/cdn-cgi")[0]
    lines = [
        f"serving {serving.target.kind}:{visible(serving.target.source)}",
        f"  API         {serving.url}",
        f"  operations  {base}/cdn-cgi/cfwb/api/OPERATION",
        f"  token       {serving.token}",
        f"  also in     {serving.token_file}",
        "Writing needs the token; reading by a process of your own does not.",
        "It listens on this machine alone. Ctrl+C stops it.",
    ]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _envelope(serving: Serving) -> None:
    """One line for a program that starts us: where it is, and where the token lies."""
    result = {"url": serving.url, "port": serving.port, "token_file": serving.token_file}
    print(f'{head(serving.target, "serve")}, "result": {dumps(result)}}}', flush=True)
