"""What SQL may do, decided by SQLite's authorizer while it compiles: the rules of D1's and an object's SQL.

One `Rules` guards one connection, always: while a statement compiles it also keeps what the statement asks for, from
which `effect` tells whether it reads, writes or destroys. Source: workerd, src/workerd/util/sqlite.c++. Two differences:
the runtime's own tables (`_cf_*`) can be read here, since a person debugging wants to see them; and BEGIN ... COMMIT is
allowed where the caller says so (the console), which D1 never does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from workbench.model.sql import Effect

from .allowed import FUNCTIONS, MODULES, pragma_allowed, pragma_sets, pragma_writes, reserved

Action = tuple[int, str | None, str | None, str | None, str | None]

_TABLE_WRITES = frozenset([apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE])
_NAMED = frozenset(
    [
        apsw.SQLITE_CREATE_TABLE,
        apsw.SQLITE_CREATE_VIEW,
        apsw.SQLITE_DROP_TABLE,
        apsw.SQLITE_DROP_VIEW,
        apsw.SQLITE_REINDEX,
        apsw.SQLITE_CREATE_INDEX,
        apsw.SQLITE_DROP_INDEX,
        apsw.SQLITE_CREATE_TRIGGER,
        apsw.SQLITE_DROP_TRIGGER,
    ]
)
_TEMPORARY = frozenset(
    [
        apsw.SQLITE_CREATE_TEMP_TABLE,
        apsw.SQLITE_CREATE_TEMP_INDEX,
        apsw.SQLITE_CREATE_TEMP_TRIGGER,
        apsw.SQLITE_CREATE_TEMP_VIEW,
    ]
)
_DROPS = frozenset(
    [
        apsw.SQLITE_DROP_TABLE,
        apsw.SQLITE_DROP_VIEW,
        apsw.SQLITE_DROP_INDEX,
        apsw.SQLITE_DROP_TRIGGER,
        apsw.SQLITE_DROP_VTABLE,
    ]
)
# Statements that define something: compiled a second time under the emulator's own limits, since a table of 101
# columns would leave a database that the emulator cannot open any more.
_DEFINES = frozenset(
    [
        apsw.SQLITE_CREATE_TABLE,
        apsw.SQLITE_CREATE_VIEW,
        apsw.SQLITE_CREATE_TRIGGER,
        apsw.SQLITE_CREATE_INDEX,
        apsw.SQLITE_CREATE_VTABLE,
        apsw.SQLITE_ALTER_TABLE,
    ]
)
_CONNECTION_FUNCTIONS = frozenset(["changes", "total_changes", "last_insert_rowid"])


class Rules:
    """The authorizer of one connection. `actions` is what was asked since `begin`; `refused` why it was denied, or ""."""

    def __init__(self, connection: apsw.Connection, *, transactions: bool = False) -> None:
        self.transactions = transactions
        self.functions = FUNCTIONS
        self.actions: list[Action] = []
        self.refused = ""
        self._trusted = False
        connection.authorizer = self._authorize

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """Our own statements (BEGIN, schema pragmas), which no user wrote."""
        before, self._trusted = self._trusted, True
        try:
            yield
        finally:
            self._trusted = before

    def begin(self) -> None:
        """Forget what the statement before asked for."""
        self.actions = []
        self.refused = ""

    def _authorize(
        self, action: int, first: str | None, second: str | None, database: str | None, trigger: str | None
    ) -> int:
        if self._trusted:
            return apsw.SQLITE_OK
        self.actions.append((action, first, second, database, trigger))
        refused = self._refusal(action, first, second, database)
        if refused and not self.refused:
            self.refused = refused
        return apsw.SQLITE_DENY if refused else apsw.SQLITE_OK

    def _refusal(self, action: int, first: str | None, second: str | None, database: str | None) -> str:
        """Why this action is denied, as a sentence, or an empty string."""
        if action == apsw.SQLITE_FUNCTION:
            if second is not None and second.lower() in self.functions:
                return ""
            return f"the function {second}() is not one that D1 and Durable Objects have"
        if action == apsw.SQLITE_PRAGMA:
            return _pragma_refusal(first or "", second)
        if action == apsw.SQLITE_ATTACH:
            return (
                "ATTACH is not allowed: D1 and Durable Objects have one database each"
                if first
                else "VACUUM is not allowed: D1 and Durable Objects do not have it"
            )
        if action == apsw.SQLITE_DETACH:
            return "DETACH is not allowed: D1 and Durable Objects have one database each"
        if action in (apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT):
            if self.transactions:
                return ""
            said = "SAVEPOINT" if action == apsw.SQLITE_SAVEPOINT else first
            return f"{said} is not allowed here: all statements of one call are one transaction already"
        if action in _TEMPORARY:
            return "temporary tables, indexes, triggers and views are not allowed: D1 and Durable Objects do not have them"
        return _name_refusal(action, first or "", second or "", database)


def _pragma_refusal(name: str, argument: str | None) -> str:
    if not pragma_allowed(name, argument):
        said = name if argument is None else f"{name}={argument}"
        return f"PRAGMA {said} is not one that D1 and Durable Objects have"
    return ""


def _name_refusal(action: int, first: str, second: str, database: str | None) -> str:
    if action == apsw.SQLITE_ALTER_TABLE:
        names: tuple[str, ...] = (second,)
    elif action in (apsw.SQLITE_CREATE_VTABLE, apsw.SQLITE_DROP_VTABLE):
        if second.lower() not in MODULES and action == apsw.SQLITE_CREATE_VTABLE:
            return f"the virtual table module {second} is not one that D1 and Durable Objects have"
        names = (first,)
    elif action in _NAMED:
        names = (first, second)
    elif action in _TABLE_WRITES:
        names = (first,)
    else:
        return ""
    for name in names:
        if reserved(name):
            return f"{name} belongs to the runtime: it can be read, but not written or replaced"
    return ""


def effect(actions: list[Action], read_only: bool, explain: bool) -> Effect:
    """What a compiled statement does. read_only: sqlite3_stmt_readonly; explain: it is an EXPLAIN, which runs nothing."""
    if explain:
        return "reads"
    found: Effect = "reads" if read_only else "writes"
    for action, first, _, database, _ in actions:
        if action in _DROPS or (action == apsw.SQLITE_DELETE and not (first or "").startswith("sqlite_")):
            return "destroys"
        if action == apsw.SQLITE_ALTER_TABLE and database is not None:
            return "destroys"  # DROP COLUMN, the one ALTER that names a column
        if action == apsw.SQLITE_REINDEX or (action == apsw.SQLITE_PRAGMA and pragma_writes(first or "")):
            found = "writes"
    return found


def defines(actions: list[Action]) -> bool:
    """Whether the statement changes the schema, for the emulator's limits."""
    return any(action[0] in _DEFINES for action in actions)


def renames(actions: list[Action]) -> bool:
    """Whether it is an ALTER TABLE, whose new name no authorizer is told."""
    return any(action[0] == apsw.SQLITE_ALTER_TABLE for action in actions)


def controls_transaction(actions: list[Action]) -> bool:
    """Whether it is BEGIN, COMMIT, ROLLBACK, SAVEPOINT or RELEASE."""
    return any(action[0] in (apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT) for action in actions)


def asks_connection(actions: list[Action]) -> bool:
    """Whether it depends on, or sets, the state of the connection that wrote (changes(), a pragma that is set)."""
    for action, first, second, _, _ in actions:
        if action == apsw.SQLITE_FUNCTION and second in _CONNECTION_FUNCTIONS:
            return True
        if action == apsw.SQLITE_PRAGMA and pragma_sets(first or "", second):
            return True
    return False


def tables_read(actions: list[Action]) -> set[str]:
    """The tables whose columns the statement reads, views looked through."""
    return {action[1] for action in actions if action[0] == apsw.SQLITE_READ and action[1]}
