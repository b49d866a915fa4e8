"""The rows a grid holds: those fetched so far, up to a limit that keeps memory bounded."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.sql import Row

MOST_ROWS = 200_000
MOST_BYTES = 64 * 1024 * 1024
BATCH_BYTES = 2 * 1024 * 1024
BATCH_ROWS = 1_000


class HeldRows:
    """Rows from the first on. `ended`: the source has no more. `full`: it may have, but no more are kept."""

    def __init__(self, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> None:
        self.rows: list[Row] = []
        self.ended = False
        self.bytes = 0
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._step = (most_rows, most_bytes)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def full(self) -> bool:
        return not self.ended and (len(self.rows) >= self._most_rows or self.bytes >= self._most_bytes)

    def extend(self, rows: Sequence[Row], ended: bool) -> None:
        self.rows.extend(rows)
        self.ended = ended
        self.bytes += sum(map(weight, rows))

    def raise_limit(self) -> None:
        """Keep as many rows again."""
        self._most_rows += self._step[0]
        self._most_bytes += self._step[1]

    def batch(self) -> int:
        """How many rows to ask for next: as many as weigh little, one where rows weigh megabytes."""
        if not self.rows:
            return 200
        average = max(1, self.bytes // len(self.rows))
        return max(1, min(BATCH_ROWS, BATCH_BYTES // average, self._most_rows - len(self.rows)))


def weight(row: Row) -> int:
    """About the bytes a row takes in memory."""
    return 64 + sum(len(value) + 50 if isinstance(value, str | bytes) else 32 for value in row)
