"""What the tests of SQL share: coroutines driven without an event loop, databases at hand."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from workbench.backends.local.sql import LocalSqlDatabase
from workbench.model.bindings import Binding, Project, Worker
from workbench.model.sql import Params as SqlParams
from workbench.model.sql import Row, SqlResult

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to its end what never waits (a local backend)."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("a local backend must not suspend")


class Sql:
    """A database as a person types to it: `sql("SELECT 1")` is the rows of the last statement."""

    def __init__(self, database: LocalSqlDatabase) -> None:
        self.database = database

    def __call__(self, sql: str, params: SqlParams | None = None, **options: Any) -> list[Row]:
        return self.results(sql, params, **options)[-1].rows

    def results(self, sql: str, params: SqlParams | None = None, **options: Any) -> list[SqlResult]:
        return drive(self.database.query(sql, params, **options))


def new_sql(folder: Path, name: str = "new") -> Sql:
    """A database that is made by its first write."""
    return Sql(LocalSqlDatabase(str(folder / f"{name}.sqlite"), create=True))


def project_on(state_directory: Path, *, bound: str | None = None) -> Project:
    """A project whose state lies there; bound: the id of a D1 database its one Worker binds as DB, named `shop`."""
    workers: tuple[Worker, ...] = ()
    if bound is not None:
        binding = Binding("DB", "d1", bound, "shop", "oracle")
        workers = (Worker("oracle", str(state_directory / "wrangler.jsonc"), None, (), (binding,)),)
    return Project(str(state_directory), workers, str(state_directory))
