"""The tab of a code context: code above, what came of it below.

`showing` makes text of what a run gives (output, results of every kind, tracebacks), `transcript` prints it in a terminal of its own,
`pane` runs and interrupts.
"""

from .pane import CodePane

__all__ = ["CodePane"]
