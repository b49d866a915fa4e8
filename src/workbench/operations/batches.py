"""Batches: several queries as one transaction, each with parameters of its own, on a D1 database or on an object."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.sql import BatchResult
from workbench.model.tagged import to_sql

from . import DESTROYS, READS, WRITES, operation
from .executor import sql_database
from .files import read_text
from .parameters import Class, Database, Facets, Object, Param, ReadOnly
from .resolve import State

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase
    from workbench.model.sql import Params

Queries = Annotated[
    Any, Param("the queries: a JSON list of {sql, params}", "json", positional=True, metavar="JSON")
]
QueriesFile = Annotated[
    Any, Param("read the queries from a file (- for standard input)", "file", metavar="FILE")
]


async def _weigh_d1(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return await _weighed(await sql_database(state, "d1", database=arguments.get("database")), arguments)


async def _weigh_object(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    where = {name: arguments.get(name) for name in ("namespace", "object")}
    database = await sql_database(state, "do", facets=tuple(arguments.get("facet", ())), **where)
    return await _weighed(database, arguments)


async def _weighed(database: "SqlDatabase", arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the queries would do at worst, as the target would compile them; the arguments hold the queries that were read."""
    queries = _queries(arguments.get("queries"), arguments.get("file"))
    arguments = arguments | {"queries": queries, "file": None}
    if arguments.get("read_only"):
        return READS, arguments
    effects = {effect for row in queries for _, _, effect in await database.statements(_query(row)[0])}
    return next((one for one in (DESTROYS, WRITES) if one in effects), READS), arguments


@operation(
    "d1.batches.run",
    effect=WRITES,
    weigh=_weigh_d1,
    examples=[
        'cfwb d1 batches run \'[{"sql": "SELECT ?", "params": [1]}, {"sql": "SELECT 2"}]\' --database shop',
        "cfwb d1 batches run --file batch.json --database shop",
    ],
    capability="d1",
)
async def run_d1_batch(
    state: State,
    queries: Queries = None,
    database: Database = None,
    file: QueriesFile = None,
    read_only: ReadOnly = False,
) -> list[BatchResult]:
    """Run queries on a database as one transaction: a result a query.

    Each has its own parameters: `params` are typed JSON values. A query may hold several statements: its result is that of the
    last, which takes the parameters.
    """
    return await _run(state, await sql_database(state, "d1", database=database), queries, file, read_only)


@operation(
    "do.batches.run",
    effect=WRITES,
    weigh=_weigh_object,
    examples=[
        'cfwb do batches run \'[{"sql": "SELECT ?", "params": [1]}]\' --namespace AppRunner --object my-app --facet app',
    ],
    capability="durable_objects",
)
async def run_object_batch(
    state: State,
    object: Object,
    queries: Queries = None,
    namespace: Class = None,
    facet: Facets = (),
    file: QueriesFile = None,
    read_only: ReadOnly = False,
) -> list[BatchResult]:
    """Run queries on an object or a facet as one transaction: a result a query.

    Each has its own parameters: `params` are typed JSON values. A query may hold several statements: its result is that of the
    last, which takes the parameters.
    """
    database = await sql_database(state, "do", namespace=namespace, object=object, facets=facet)
    return await _run(state, database, queries, file, read_only)


async def _run(
    state: State, database: "SqlDatabase", queries: Any, file: Any, read_only: bool
) -> list[BatchResult]:
    given = [_query(row) for row in _queries(queries, file)]
    return await database.batch(given, read_only=read_only, cancel=state.cancel)


def _queries(queries: Any, file: Any) -> list[Any]:
    """The queries that were given, as JSON or in a file. Raises UsageError."""
    if (queries is None) == (file is None):
        raise UsageError("give either the queries or --file")
    given = queries
    if file is not None:
        try:
            given = json.loads(read_text(file))
        except (ValueError, RecursionError) as error:
            raise WorkbenchError("import.bad_json", f"not JSON: {error}") from None
    if not isinstance(given, list) or not given:
        raise UsageError("the queries are a JSON list of {sql, params}")
    return given


def _query(row: Any) -> "tuple[str, Params | None]":
    sql = row.get("sql") if isinstance(row, dict) else None
    params = row.get("params") if isinstance(row, dict) else None
    if not isinstance(sql, str) or not (params is None or isinstance(params, list)):
        raise UsageError("a query is {sql, params}: a text and a list")
    return sql, [to_sql(value) for value in params] if params else None
