"""The background process of a state directory: it owns sandboxes, their terminals and what is known of them.

Started by a client when needed (`backends/sandboxes/launch.py`), one a state directory (a lock), on a Unix socket for its owner
alone. Sandboxes outlive it: a restarted hub finds them again. Nothing imports this package: clients start
`python -m workbench.hub` and speak HTTP to it.

`process` is the life of the process, `app` the HTTP application, `core` what features share, `features/` a module a feature with its
routes. May import sandbox/, terminal/, model/, and operations/, through which every write to a state goes.
"""
