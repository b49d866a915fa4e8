"""The SQL side of Durable Objects and of their facets: the same operations as D1's."""

from typing import TYPE_CHECKING, Any

from workbench.model.sql import Plan, Schema, SqlResult

from . import READS, WRITES, operation
from .executor import sql_database
from .outcomes import Done, Written
from .parameters import (
    Class,
    Facets,
    ImportFile,
    IntoTable,
    Limit,
    Object,
    Output,
    ReadOnly,
    Sql,
    SqlFile,
    SqlParams,
)
from .resolve import State
from .results import Document, Rows
from .sql import Counts, Format, SchemaOnly, Tables, explain, export, run, statements, weighed

if TYPE_CHECKING:
    from workbench.backends import SqlDatabase


async def _database(
    state: State, namespace: str | None, object: str, facet: tuple[str, ...]
) -> "SqlDatabase":
    return await sql_database(state, "do", namespace=namespace, object=object, facets=facet)


async def _weigh(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    where = {name: arguments.get(name) for name in ("namespace", "object")}
    database = await sql_database(state, "do", facets=tuple(arguments.get("facet", ())), **where)
    return await weighed(state, database, arguments)


@operation(
    "do.query",
    effect=WRITES,
    weigh=_weigh,
    examples=["cfwb do query 'SELECT * FROM entries' --namespace AppRunner --object my-app --facet app"],
    capability="durable_objects",
)
async def query(
    state: State,
    object: Object,
    sql: Sql = None,
    namespace: Class = None,
    facet: Facets = (),
    file: SqlFile = None,
    param: SqlParams = (),
    read_only: ReadOnly = False,
    limit: Limit = None,
) -> list[SqlResult] | Rows:
    """Run SQL on the tables of an object or a facet: a result a statement.

    All statements are one transaction.
    It runs as written; only on the account a statement that writes asks. --read-only refuses what writes.
    --limit keeps so many rows of each result.
    """
    text = statements(sql, file)
    return await run(state, await _database(state, namespace, object, facet), text, param, read_only, limit)


@operation(
    "do.schema.get",
    effect=READS,
    examples=["cfwb do schema get --namespace Tenant --object acme"],
    capability="durable_objects",
)
async def get_schema(
    state: State, object: Object, namespace: Class = None, facet: Facets = (), counts: Counts = False
) -> Schema:
    """Tables of an object or a facet with their columns, keys and indexes.

    Triggers and foreign keys too; reserved tables are marked, --counts adds each table's rows.
    """
    return await (await _database(state, namespace, object, facet)).schema(counts)


@operation(
    "do.plans.get",
    effect=READS,
    examples=["cfwb do plans get 'SELECT * FROM entries' --namespace AppRunner --object my-app --facet app"],
    capability="durable_objects",
)
async def get_plan(
    state: State,
    object: Object,
    sql: Sql = None,
    namespace: Class = None,
    facet: Facets = (),
    file: SqlFile = None,
    param: SqlParams = (),
) -> list[Plan]:
    """How SQLite would run a statement (EXPLAIN QUERY PLAN), without running it."""
    text = statements(sql, file)
    return await explain(await _database(state, namespace, object, facet), text, param)


@operation(
    "do.import",
    effect=WRITES,
    examples=["cfwb do import --file rows.csv --format csv --into entries --namespace Tenant --object acme"],
    capability="durable_objects",
)
async def import_file(
    state: State,
    file: ImportFile,
    object: Object,
    namespace: Class = None,
    facet: Facets = (),
    format: Format = "sql",
    into: IntoTable = None,
) -> Done:
    """Run a .sql file, or insert the rows of a CSV or JSON file into a table.

    The answer is how many statements or rows.
    """
    from .sql_rows import import_into

    return Done(
        await import_into(state, await _database(state, namespace, object, facet), file, format, into)
    )


@operation(
    "do.export",
    effect=READS,
    examples=["cfwb do export --namespace Tenant --object acme > acme.sql"],
    capability="durable_objects",
)
async def export_object(
    state: State,
    object: Object,
    namespace: Class = None,
    facet: Facets = (),
    table: Tables = (),
    format: Format = "sql",
    schema_only: SchemaOnly = False,
    output: Output = None,
) -> Document | Written:
    """Tables of an object or a facet as a .sql script, or rows as CSV or JSON."""
    database = await _database(state, namespace, object, facet)
    return await export(state, database, table, format, schema_only, output)
