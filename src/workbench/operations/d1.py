"""D1: databases and their SQL."""

from typing import Any

from workbench.model.sql import D1Database, Plan, Schema, SqlResult
from workbench.model.state import Removal

from . import DESTROYS, READS, WRITES, operation
from .executor import sql_database
from .outcomes import Done, Written
from .parameters import (
    Database,
    DryRun,
    ImportFile,
    IntoTable,
    Limit,
    Output,
    ReadOnly,
    Sql,
    SqlFile,
    SqlParams,
    TheDatabase,
)
from .resolve import State
from .results import Document, Rows
from .sql import Counts, Format, SchemaOnly, Tables, explain, export, run, statements, weighed


@operation("d1.databases.list", effect=READS, examples=["cfwb d1 databases list"], capability="d1")
async def list_databases(state: State) -> list[D1Database]:
    """D1 databases: those of the config, and those that only the state holds."""
    return await state.backend.d1.databases()


@operation(
    "d1.databases.delete",
    effect=DESTROYS,
    examples=["cfwb d1 databases delete shop --dry-run"],
    capability="d1",
)
async def delete_database(state: State, database: TheDatabase, dry_run: DryRun = False) -> Removal:
    """Start a database over: every table goes.

    While a dev server runs it is emptied in place; otherwise its file is removed.
    """
    return await state.backend.d1.delete_database(await state.database(database), dry_run=dry_run)


async def _weigh_query(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return await weighed(
        state, await sql_database(state, "d1", database=arguments.get("database")), arguments
    )


async def _weigh_import(state: State, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A script may do anything, and is not read twice to find out."""
    return DESTROYS if arguments.get("format", "sql") == "sql" else WRITES, arguments


@operation(
    "d1.query",
    effect=WRITES,
    weigh=_weigh_query,
    examples=[
        "cfwb d1 query 'SELECT * FROM customers WHERE name = ?' --database shop --param Ann",
        "cfwb d1 query --file seed.sql --database shop",
    ],
    capability="d1",
)
async def query(
    state: State,
    sql: Sql = None,
    database: Database = None,
    file: SqlFile = None,
    param: SqlParams = (),
    read_only: ReadOnly = False,
    limit: Limit = None,
) -> list[SqlResult] | Rows:
    """Run SQL on a database: a result a statement.

    All statements are one transaction.
    It runs as written; only on the account a statement that writes asks. --read-only refuses what writes.
    --limit keeps so many rows of each result.
    """
    text = statements(sql, file)
    return await run(state, await sql_database(state, "d1", database=database), text, param, read_only, limit)


@operation("d1.schema.get", effect=READS, examples=["cfwb d1 schema get --database shop"], capability="d1")
async def get_schema(state: State, database: Database = None, counts: Counts = False) -> Schema:
    """Tables, views and virtual tables with their columns, keys and indexes.

    Triggers and foreign keys too; reserved tables are marked, --counts adds each table's rows.
    """
    return await (await sql_database(state, "d1", database=database)).schema(counts)


@operation(
    "d1.plans.get",
    effect=READS,
    examples=["cfwb d1 plans get 'SELECT * FROM orders WHERE id = 1' --database shop"],
    capability="d1",
)
async def get_plan(
    state: State, sql: Sql = None, database: Database = None, file: SqlFile = None, param: SqlParams = ()
) -> list[Plan]:
    """How SQLite would run a statement (EXPLAIN QUERY PLAN), without running it."""
    text = statements(sql, file)
    return await explain(await sql_database(state, "d1", database=database), text, param)


@operation(
    "d1.import",
    effect=WRITES,
    weigh=_weigh_import,
    examples=[
        "cfwb d1 import --file dump.sql --database shop",
        "cfwb d1 import --file rows.csv --format csv --into customers --database shop",
    ],
    capability="d1",
)
async def import_file(
    state: State, file: ImportFile, database: Database = None, format: Format = "sql", into: IntoTable = None
) -> Done:
    """Run a .sql file, or insert the rows of a CSV or JSON file into a table.

    The answer is how many statements or rows.
    CSV names its columns in the first line; JSON is a list of objects. SQL makes the database where it is not there yet.
    """
    from .sql_rows import import_into

    found = await state.backend.d1.sql(await state.database(database), create=True)
    return Done(await import_into(state, found, file, format, into))


@operation(
    "d1.export",
    effect=READS,
    examples=[
        "cfwb d1 export --database shop > shop.sql",
        "cfwb d1 export --database shop --format csv --table orders --output orders.csv",
    ],
    capability="d1",
)
async def export_database(
    state: State,
    database: Database = None,
    table: Tables = (),
    format: Format = "sql",
    schema_only: SchemaOnly = False,
    output: Output = None,
) -> Document | Written:
    """A database as a .sql script, or one table's rows as CSV or JSON."""
    return await export(
        state, await sql_database(state, "d1", database=database), table, format, schema_only, output
    )
