"""Plain typed values that cross boundaries, and nothing that does anything.

Imports only the standard library's cheap half: these modules are on the start-up path of every command, so values
are `typing.NamedTuple` (a dataclass costs the import of `inspect`).
"""
