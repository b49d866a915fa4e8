"""SQL on one SQLite file of the state directory: D1 databases, Durable Objects and facets, by the same code.

    splitter, statements   cutting and compiling; everything a user wrote runs through `statements.Engine`
    authorizer, allowed    what D1's and an object's SQL may do
    values, rows           exact types in and out
    database, session      the protocol's SqlDatabase, SqlSession and RowStream
    schema, editing, blocking, importing, exporting

May import model/ and local/database.py (connections). State files are opened with apsw alone.
"""

from .database import LocalSqlDatabase

__all__ = ["LocalSqlDatabase"]
