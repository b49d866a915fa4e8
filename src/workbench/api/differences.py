"""Where the original, asked the same on the same state, answers otherwise: the whole list, each with its reason.

docs/serve.md shows it, and the differential run (tests/test_serve_differential.py) lets nothing else pass.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """key: what the tests call it. what: how our answer differs. why."""

    key: str
    what: str
    why: str


DIFFERENCES = (
    Difference(
        "token",
        "What writes is refused without the token, and a refusal of any kind comes in the envelope.",
        "Anything that runs on the machine reaches a local port, the pages of a browser included.",
    ),
    Difference(
        "unknown-things",
        "A namespace, bucket or database that neither the config nor the state knows is 404.",
        "The original makes an empty one when it is only looked at.",
    ),
    Difference(
        "new-objects",
        "SQL on an object that has never run is 404.",
        "Only the runtime makes an object: it runs the class's constructor.",
    ),
    Difference(
        "facets",
        "Facets are not listed as if they were objects; they have routes of their own.",
        "The original takes every database file for an object.",
    ),
    Difference(
        "unbound-things",
        "Lists also hold what lies in the state without a binding.",
        "That is what one looks for after a binding was renamed.",
    ),
    Difference(
        "exact-integers",
        "64-bit integers of SQL are JSON integers, exact. A client in JavaScript has to parse them as such.",
        "The original rounds them to 53 bits.",
    ),
    Difference(
        "sql-values",
        "Infinity and TEXT that is not UTF-8 are tagged (json.md; only RETURNING such TEXT fails), and a BLOB of an object is the "
        "list of its bytes, as it is from D1.",
        "The original gives null, replacement characters and {}.",
    ),
    Difference(
        "sql-parameters",
        "Parameters may be any JSON value and keep their types: whole numbers bind as integers, a list of numbers as a BLOB.",
        "The original takes texts only for D1, and binds an object's numbers as REAL and its truth values as text.",
    ),
    Difference(
        "sql-prepared",
        "A query of several statements always runs, its parameters being the last one's; of two mistakes in a query the one is said that "
        "SQLite finds first.",
        "The original keeps queries prepared: several statements then fail when they have parameters or come again, and parameters are "
        "counted before a query is compiled anew.",
    ),
    Difference(
        "sql-figures",
        "rows_read is null, rows_written counts rows without index entries, last_row_id is the row this query inserted (0 for none), and "
        "served_by and the durations are ours.",
        "SQLite itself counts neither rows read nor index entries, and there is no connection that stays open.",
    ),
    Difference(
        "sql-refusals",
        "SQL that the platform does not allow is refused in our words.",
        "They say which rule it is.",
    ),
    Difference(
        "r2-metadata",
        "Lists of objects carry HTTP and custom metadata.",
        "The original leaves them empty.",
    ),
    Difference(
        "r2-custom-metadata",
        "Custom metadata that is no object of strings is 400.",
        "The original ends in an internal error.",
    ),
    Difference(
        "kv-null-metadata",
        "Metadata that is null is no metadata.",
        "A Worker reads null for both.",
    ),
    Difference(
        "kv-form-bytes",
        "A form's value is kept byte for byte.",
        "The original reads a part without a file name as text, and replaces what is not UTF-8.",
    ),
    Difference(
        "kv-expiration",
        "The value's expiration is in the header `expiration`.",
        "The account API has it there.",
    ),
    Difference(
        "account-parameters",
        "What the account API takes and the original ignores is honoured: expiration and expiration_ttl of a written value, "
        "type and withMetadata of a bulk read, page and per_page of whole lists, start_after, result_info.cursors, and the "
        "Content-* and Cache-Control headers of an upload.",
        "So that its clients work unchanged.",
    ),
    Difference(
        "paths",
        "Slashes in a key may stand in the path as they are, and an unknown path answers in the envelope.",
        "The account API's clients write keys so.",
    ),
    Difference(
        "cursors",
        "A cursor that is none is refused.",
        "The original begins again from the start, and a client that pages never ends.",
    ),
    Difference(
        "workflows",
        "Instances are ordered by when they were created, and `queued` is that moment; one that is none is 404 and leaves "
        "nothing behind.",
        "The original goes by the files' dates, which a copy changes, and makes a file for every id it is asked for.",
    ),
    Difference(
        "needs-a-server",
        "What only a running server can do (starting and driving instances, cron triggers, e-mail, clearing traces, feature flags) is 501. "
        "Workers are listed without their cron triggers.",
        "This serves the state directory alone.",
    ),
)


def as_table() -> str:
    """The list as docs/serve.md has it."""
    rows = "\n".join(f"| {one.what} | {one.why} |" for one in DIFFERENCES)
    return f"| here | why |\n|---|---|\n{rows}\n"
