"""Dev servers of a project: found, written through, started, asked.

`finding` knows which run (`processes` looks, `registry` reads wrangler's folder), `route` writes through one, `served` is the local
target beside whatever runs; `commands`, `launch`, `keeper` and `records` start one and hold it, `log` reads what it prints; `asking`,
`triggers` and `history` send it requests. May import model/ and the other backends. Imported where one is asked for.
"""
