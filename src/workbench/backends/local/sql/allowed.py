"""The names D1's and an object's SQL may use: functions, pragmas and modules off workerd's own lists.

Source: workerd, src/workerd/util/sqlite.c++ (the function list, the pragma list, the virtual table modules), tried on
the emulator. What is not here is refused there too, so SQL that runs here runs on the platform.
"""

_FUNCTIONS = (
    # Core; sqlite_version() and its like are left out there on purpose.
    "abs changes char coalesce concat concat_ws format glob hex ifnull iif instr last_insert_rowid length like "
    "likelihood likely lower ltrim max_scalar min_scalar nullif octet_length printf quote random randomblob replace "
    "round rtrim sign soundex substr substring total_changes trim typeof unhex unicode unlikely upper zeroblob "
    # Dates.
    "date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp "
    # Aggregates and windows.
    "avg count group_concat max min string_agg sum total row_number rank dense_rank percent_rank cume_dist ntile "
    "lag lead first_value last_value nth_value "
    # Mathematics.
    "acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln log log2 mod pi pow radians sin sinh "
    "sqrt tan tanh trunc "
    # JSON.
    "json jsonb json_array jsonb_array json_array_length json_extract jsonb_extract -> ->> json_insert jsonb_insert "
    "json_object jsonb_object json_patch jsonb_patch json_remove jsonb_remove json_replace jsonb_replace json_set "
    "jsonb_set json_type json_valid json_quote json_group_array jsonb_group_array json_group_object "
    "jsonb_group_object json_each json_tree "
    # Full text and R*Tree.
    "match highlight bm25 snippet rtreecheck "
    # What ALTER TABLE calls by itself.
    "sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_drop_column sqlite_rename_quotefix"
)
FUNCTIONS = frozenset(_FUNCTIONS.split())

MODULES = frozenset(["fts5", "fts5vocab", "rtree", "rtree_i32"])

# What may follow the name of a pragma: nothing, a boolean, a name, a number (each may be left out but a name).
_BOOLEAN = frozenset(["true", "false", "yes", "no", "on", "off", "1", "0"])
_PRAGMAS = {
    "data_version": "nothing",
    "page_size": "nothing",
    "table_list": "name?",
    "case_sensitive_like": "boolean",
    "foreign_keys": "boolean",
    "defer_foreign_keys": "boolean",
    "ignore_check_constraints": "boolean",
    "legacy_alter_table": "boolean",
    "recursive_triggers": "boolean",
    "reverse_unordered_selects": "boolean",
    "foreign_key_check": "name?",
    "foreign_key_list": "name",
    "index_info": "name",
    "index_list": "name",
    "index_xinfo": "name",
    "table_info": "name",
    "table_xinfo": "name",
    "quick_check": "number or name",
    "optimize": "number",
}


def pragma_allowed(name: str, argument: str | None) -> bool:
    """Whether D1 and objects take this pragma with this argument (None: without one)."""
    form = _PRAGMAS.get(name.lower())
    if form is None:
        return False
    if argument is None:
        return form != "name"
    if form == "boolean":
        return argument.strip("'\"").lower() in _BOOLEAN
    if form == "number":
        digits = argument.lstrip("+-")
        return digits.isdecimal() or digits[:2].lower() == "0x"
    return form != "nothing"


def pragma_sets(name: str, argument: str | None) -> bool:
    """Whether the pragma changes how the connection behaves from now on."""
    return argument is not None and _PRAGMAS.get(name.lower()) == "boolean"


def pragma_writes(name: str) -> bool:
    """Whether the pragma writes to the database."""
    return name.lower() == "optimize"


def reserved(name: str) -> bool:
    """Whether a table or index belongs to the runtime or the emulator: read here, never written."""
    return name.lower().startswith(("_cf_", "__miniflare_"))
