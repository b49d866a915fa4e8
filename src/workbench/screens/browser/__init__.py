"""The browser of keys and values: KV namespaces and R2 buckets, in one manner.

`sources.py` says what differs between the two; `pane.py` is the pane one looks at, `transfers.py` and
`edits.py` what one does in it, `kinds.py` the two of them.
"""

from .kinds import KvBrowser, R2Browser

__all__ = ["KvBrowser", "R2Browser"]
