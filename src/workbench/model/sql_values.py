"""One value of a SQL result. Apart from `sql`, for every command imports it."""


class InvalidText(bytes):
    """TEXT in a SQLite database that is not UTF-8: its exact bytes."""

    __slots__ = ()


SqlValue = int | float | str | bytes | InvalidText | None
"""A value with SQLite's type, exact: INTEGER is int (64 bits), REAL float, TEXT str or InvalidText, BLOB bytes."""
