"""A project made to do harm: every name, key, value, row and line of text in it is one that a careless program obeys.

Written as the emulator lays its state out, with apsw alone, so that none of what is tested writes what it reads.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import apsw

from workbench.backends.local import facets, naming, v8

NASTY: dict[str, str] = {
    "colour": "\x1b[31mred\x1b[0m",
    "erase": "\x1b[2J\x1b[Hgone\r",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "device": "\x1bP$qm\x1b\\\x1b[6n\x1bc",
    "c1": "\x9b31m\x90q\x9c\x85\x84",
    "backspace": "safe\x08\x08\x08\x08evil\x7f",
    "bidi": "\u202eexe.gpj\u202c\u2066x\u2069\u200f\u061c",
    "invisible": "a\u200bb\u200dc\ufeffd\u2060e\u00adf\u180eg",
    "nul": "a\x00b",
    "lines": "one\r\ntwo\n\tthree\x0b\x0cfour\u2028five\u2029six",
    "markup": "[bold red]x[/] [@click=app.quit]y[/] [/nothing] [link=http://evil.example]z[/link] [",
    "emoji code": ":smile: $name {braces} %s %(a)s \\[bold]",
    "long": "L" * 100_000,
    "right to left": "שלום עולם مرحبا بالعالم",
    "wide": "日本語 ｆｕｌｌ 🏳️‍🌈 👨‍👩‍👧 e\u0301 n\u0303" + "o" + "\u0300" * 40,
    "tags": "\U000e0041\U000e0001x",
    "private": "\ue000\uffff\U0010ffff\ufffd",
    "quotes": "'\"`;--/*",
    "path": "../../../../etc/passwd",
    "blank": " ",
}
SURROGATE = "\ud800lone\udfff"
INVALID = b"\xff\xfe\xc3(\x80 \xed\xa0\x80"
"""Bytes that are no UTF-8, an encoded lone surrogate among them."""

TEXTS = tuple(NASTY.values())
ALL_BYTES = (*(text.encode() for text in TEXTS), INVALID)

# What may never reach a terminal from data: C0 but for newline, DEL, C1, bidi and invisible controls, halves of pairs.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Hostile(NamedTuple):
    """Where it is. folder: the project's. state: what `--persist-to` takes."""

    folder: Path
    state: Path

    def v3(self, *parts: str) -> Path:
        return self.state.joinpath("v3", *parts)


KV, BUCKET, DATABASE, WORKFLOW, SCRIPT, CLASS = (
    "hostile-kv",
    "hostile-files",
    "hostile-db",
    "flow",
    "w",
    "Room",
)
OBJECT = naming.id_from_name(f"{SCRIPT}-{CLASS}", "home")


def build(parent: Path) -> Hostile:
    """The whole project, in a folder below `parent` whose own name is hostile."""
    folder = parent / "shop\x1b[31m\u202e[bold]x[/]\n"
    folder.mkdir(parents=True)
    made = Hostile(folder, folder / ".wrangler" / "state")
    made.v3().mkdir(parents=True)
    _config(made)
    for id in (KV, "k\x1b[31m[b]\u202e"):
        _kv(made, id)
    _r2(made)
    _d1(made)
    _objects(made)
    for name in (WORKFLOW, "flow\x1b[2J[b]"):
        _workflow(made, name)
    _odd_files(made)
    return made


def open_database(path: Path) -> apsw.Connection:
    """A database as the emulator makes one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    return connection


def _config(made: Hostile) -> None:
    usable = [text for text in TEXTS if len(text) < 1000]
    config = {
        "name": SCRIPT,
        "vars": {text: text for text in usable} | {"LONG": "v" * 100_000, SURROGATE: SURROGATE},
        "kv_namespaces": [{"binding": "KV", "id": KV}]
        + [{"binding": f"K{text}", "id": f"k{text}"} for text in usable]
        + [{"binding": "SURROGATE", "id": SURROGATE}, {"binding": "BAD", "id": "k\x1b[31m[b]\u202e"}],
        "r2_buckets": [
            {"binding": "FILES", "bucket_name": BUCKET},
            *({"binding": f"R{text}", "bucket_name": f"r{text}"} for text in (*usable, SURROGATE)),
        ],
        "d1_databases": [
            {"binding": "DB", "database_name": NASTY["markup"], "database_id": DATABASE},
            *(
                {"binding": f"D{text}", "database_name": text, "database_id": f"d{text}"}
                for text in (*usable, SURROGATE)
            ),
        ],
        "durable_objects": {
            "bindings": [
                {"name": "ROOM", "class_name": CLASS},
                *({"name": f"O{text}", "class_name": f"C{text}"} for text in (*usable, SURROGATE)),
            ]
        },
        "migrations": [{"tag": "v1", "new_sqlite_classes": [CLASS]}],
        "workflows": [
            {"binding": "FLOW", "name": WORKFLOW, "class_name": "Flow"},
            *(
                {"binding": f"W{text}", "name": f"w{text}", "class_name": text}
                for text in (*usable, SURROGATE)
            ),
        ],
        "services": [{"binding": text, "service": text} for text in usable],
        "queues": {"producers": [{"binding": text, "queue": text} for text in usable]},
        NASTY["colour"]: "an unknown field",
        NASTY["markup"]: [NASTY["title"]],
    }
    text = (
        f"// {NASTY['clipboard']} {NASTY['bidi']} [bold]\n".replace("\n", " ")
        + "\n"
        + json.dumps(config, indent=1)
    )
    (made.folder / "wrangler.jsonc").write_text(text)
    broken = made.folder / "other"
    broken.mkdir()
    (broken / "wrangler.toml").write_text(
        f'name = "other\\u001b[31m[b]"\n[vars]\nA = "\\u202e[@click=app.quit]x[/]"\n{NASTY["colour"]}[b] = = 1\n'
    )
    with open(made.folder / ".dev.vars", "wb") as file:
        file.write(f'SECRET="{NASTY["title"]}[bold]"\n'.encode() + b"BAD=" + INVALID + b"\n\x1b[31m=x\n")


def _kv(made: Hostile, id: str) -> None:
    blobs = Path(naming.blobs_folder(str(made.state), "kv", id))
    blobs.mkdir(parents=True)
    with open_database(Path(naming.database_path(str(made.state), "kv", naming.KV, id))) as connection:
        connection.execute(
            "CREATE TABLE _mf_entries (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, expiration INTEGER, metadata TEXT);"
            "CREATE INDEX _mf_entries_expiration_idx ON _mf_entries(expiration)"
        )
        metadata = [json.dumps(text) for text in TEXTS]
        metadata += [json.dumps({text: [text] for text in TEXTS[:5]}), "{not json \x1b[31m", "", '"\\ud800"']
        for number, value in enumerate((*ALL_BYTES, b"{" + ALL_BYTES[0], json.dumps(NASTY).encode())):
            blob = f"{number:080x}"
            (blobs / blob).write_bytes(value)
            key = value if number < len(ALL_BYTES) else b"folder/\x1b[31m/" + str(number).encode()
            connection.execute(
                "INSERT INTO _mf_entries VALUES (CAST(? AS TEXT), ?, NULL, CAST(? AS TEXT))",
                (key, blob, metadata[number % len(metadata)].encode()),
            )
        rows: list[tuple[object, object, object, object]] = [
            ("missing blob", "f" * 80, None, None),
            ("bad blob\x1b[31m", "../\x1b[31mx", None, None),
            ("bad metadata", f"{0:080x}", None, INVALID),
            ("far future", f"{0:080x}", 2**62, None),
            ("odd expiration", f"{0:080x}", "\x1b[31msoon", 7),
        ]
        connection.executemany("INSERT INTO _mf_entries VALUES (?, ?, ?, ?)", rows)
    connection.close()


def _r2(made: Hostile) -> None:
    blobs = Path(naming.blobs_folder(str(made.state), "r2", BUCKET))
    blobs.mkdir(parents=True)
    with open_database(Path(naming.database_path(str(made.state), "r2", naming.R2, BUCKET))) as connection:
        connection.execute(
            "CREATE TABLE _mf_objects (key TEXT PRIMARY KEY, blob_id TEXT, version TEXT NOT NULL, size INTEGER NOT NULL,"
            " etag TEXT NOT NULL, uploaded INTEGER NOT NULL, checksums TEXT NOT NULL, http_metadata TEXT NOT NULL,"
            " custom_metadata TEXT NOT NULL);"
            "CREATE TABLE _mf_multipart_uploads (upload_id TEXT PRIMARY KEY, key TEXT NOT NULL, http_metadata TEXT NOT NULL,"
            " custom_metadata TEXT NOT NULL, state TINYINT DEFAULT 0 NOT NULL);"
            "CREATE TABLE _mf_multipart_parts (upload_id TEXT NOT NULL REFERENCES _mf_multipart_uploads(upload_id),"
            " part_number INTEGER NOT NULL, blob_id TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,"
            " checksum_md5 TEXT NOT NULL, object_key TEXT REFERENCES _mf_objects(key) DEFERRABLE INITIALLY DEFERRED,"
            " PRIMARY KEY (upload_id, part_number))"
        )
        for number, value in enumerate(ALL_BYTES):
            text = TEXTS[number % len(TEXTS)]
            blob = f"{number:080x}"
            (blobs / blob).write_bytes(value)
            connection.execute(
                "INSERT INTO _mf_objects VALUES (CAST(?1 AS TEXT), ?2, ?3, ?4, ?3, ?5, '{}', ?6, ?7)",
                (
                    value,
                    blob,
                    text,
                    len(value),
                    1_700_000_000_000,
                    json.dumps({"contentType": text, "contentDisposition": text}),
                    json.dumps({text: text}),
                ),
            )
            connection.execute(
                "INSERT INTO _mf_multipart_uploads VALUES (?1, CAST(?2 AS TEXT), '{}', ?3, 0)",
                (f"{text}{number}", value, json.dumps({text: text})),
            )
        odd = [
            ("no blob", "f" * 80, "v", 5, "e", 1, "{}", "{}", "{}"),
            ("bad json", f"{0:080x}", "v", 5, "e", 1, "{\x1b", "{\x1b[31m", "[]"),
            ("bad time", f"{0:080x}", "v", 5, "e", 2**62, "{}", "{}", "{}"),
            ("bad size", f"{0:080x}", "v", "\x1b[31m", "e", "never\x1b[2J", "{}", "{}", "{}"),
            ("no parts", None, "v", 5, "e", 1, "{}", "{}", "{}"),
        ]
        connection.executemany("INSERT INTO _mf_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", odd)
    connection.close()


def quoted(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def fill_tables(connection: apsw.Connection) -> None:
    """Tables whose names, columns, defaults, triggers and rows are hostile."""
    names = [text for text in TEXTS if "\x00" not in text and len(text) < 1000]
    for number, name in enumerate(names):
        column = names[(number + 1) % len(names)]
        connection.execute(
            f"CREATE TABLE {quoted(name)} (id INTEGER PRIMARY KEY, {quoted(column)} TEXT DEFAULT '[bold]', v BLOB)"
        )
        connection.execute(f"CREATE INDEX {quoted('i' + name)} ON {quoted(name)} ({quoted(column)})")
        connection.execute(f"CREATE VIEW {quoted('v' + name)} AS SELECT * FROM {quoted(name)}")
        connection.execute(
            f"CREATE TRIGGER {quoted('t' + name)} AFTER DELETE ON {quoted(name)} BEGIN SELECT 1; END"
        )
    connection.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, t TEXT, b BLOB, n, UNIQUE (t))")
    for value in ALL_BYTES:
        connection.execute(
            "INSERT INTO texts (t, b, n) VALUES (CAST(?1 AS TEXT), ?1, ?2)",
            (value, float("inf") if len(value) % 2 else 2**63 - 1),
        )


def _d1(made: Hostile) -> None:
    with open_database(Path(naming.database_path(str(made.state), "d1", naming.D1, DATABASE))) as connection:
        fill_tables(connection)
    connection.close()


def stored_values() -> dict[str, bytes]:
    """Values in V8's format: all the texts as strings, keys, errors, dates; and bytes that are none."""
    values: dict[str, object] = {f"text {name}": text for name, text in NASTY.items()}
    values |= {
        "surrogate": SURROGATE,
        "object": {text: text for text in TEXTS[:-1]} | {SURROGATE: SURROGATE},
        "map": {"$map": [[text, {"$set": [text]}] for text in TEXTS]},
        "error": {
            "$error": {
                "name": "TypeError",
                "message": NASTY["erase"],
                "stack": NASTY["markup"] + "\n" + NASTY["c1"],
            }
        },
        "regexp": {"$regexp": {"source": NASTY["colour"], "flags": "g"}},
        "bytes": {"$bytes": "G1sybQ=="},
        "bad date": {"$date": None},
        "holes": {"$array": {"length": 4_000_000_000, "items": {"7": NASTY["colour"], "\x1b[31m": 1}}},
        "numbers": [{"$number": "NaN"}, {"$number": "-0"}, {"$bigint": "9" * 3000}],
    }
    encoded = {name: v8.encode(value) for name, value in values.items()}
    deep = b"\xff\x0f" + b"A\x01" * 50_000 + b"I\x02" + b"$\x00\x01" * 50_000
    return encoded | {
        "garbage": b"\x1b[31m\x9b2J",
        "empty": b"",
        "cut": encoded["object"][:40],
        "newer": b"\xff\x7fI\x06",
        "deep": deep,
        "huge count": b"\xff\x0f" + b"A\xff\xff\xff\xff\x0f",
        "huge string": b'\xff\x0f"\xff\xff\xff\xff\x0f' + b"x",
    }


def fill_entries(connection: apsw.Connection) -> None:
    """Key-value entries of an object, with hostile keys and values."""
    connection.execute("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    plain = v8.encode(NASTY["colour"])
    for key in ALL_BYTES:
        connection.execute("INSERT INTO _cf_KV VALUES (CAST(? AS TEXT), ?)", (key, plain))
    for name, raw in stored_values().items():
        connection.execute("INSERT INTO _cf_KV VALUES (?, ?)", (name, raw))
    connection.execute(
        "INSERT INTO _cf_KV VALUES ('null', NULL), ('text', 'no \x1b[31m blob'), ('number', 7)"
    )


def _objects(made: Hostile) -> None:
    folder = made.v3("do", f"{SCRIPT}-{CLASS}")
    names: list[tuple[int, str]] = [(0, text) for text in TEXTS if len(text) < 1000]
    names += [
        (1, "inner\x1b[31m"),
        (len(names) + 1, "[bold]deeper[/]"),
        (0, INVALID.decode("utf-8", "surrogateescape")),
    ]
    folder.mkdir(parents=True)
    (folder / f"{OBJECT}.facets").write_bytes(facets.serialize(names))
    for number in range(len(names) + 1):
        if number in (3, 5):
            continue  # deleted facets
        with open_database(
            folder / (f"{OBJECT}.{number}.sqlite" if number else f"{OBJECT}.sqlite")
        ) as connection:
            if number < 3:
                fill_tables(connection)
                fill_entries(connection)
            else:
                connection.execute("CREATE TABLE t (x)")
        connection.close()
    alarms: list[tuple[object, object, object]] = [(OBJECT, 2**62, "home")]
    for text in (*TEXTS, INVALID.decode("latin-1")):
        id = naming.id_from_name(f"{SCRIPT}-{CLASS}", text)
        alarms.append((id, 1_800_000_000_000_000_000, text))
        with open_database(folder / f"{id}.sqlite") as connection:
            connection.execute("CREATE TABLE __miniflare_do_name (id INTEGER PRIMARY KEY, name TEXT)")
            connection.execute(
                "INSERT INTO __miniflare_do_name VALUES (1, CAST(? AS TEXT))", (text.encode(),)
            )
        connection.close()
    alarms += [
        ("no id \x1b[31m[b]", 5, None),
        ("a" * 64, "soon\x1b[31m", None),
        ("b" * 64, -1, 5),
        ("c" * 64, -(2**63), None),
    ]
    with open_database(folder / "metadata.sqlite") as connection:
        connection.execute(
            "CREATE TABLE _cf_ALARM (actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT) WITHOUT ROWID"
        )
        connection.executemany("INSERT INTO _cf_ALARM VALUES (?, ?, ?)", alarms)
    connection.close()
    with open_database(folder / f"{'d' * 64}.sqlite") as connection:
        connection.execute("CREATE TABLE __miniflare_do_name (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO __miniflare_do_name VALUES (1, CAST(? AS TEXT))", (INVALID,))
    connection.close()
    unbound = made.v3("do", "w\x1b[31m-Cl\u202e[bold]ass\n")
    with open_database(unbound / f"{'e' * 64}.sqlite") as connection:
        fill_tables(connection)
    connection.close()


def _workflow(made: Hostile, name: str) -> None:
    folder = made.v3("workflows", naming.WORKFLOWS_PREFIX + name)
    for number, text in enumerate((*TEXTS, SURROGATE)):
        file = naming.id_from_name(naming.WORKFLOWS_PREFIX + name, text)
        with open_database(folder / f"{file}.sqlite") as connection:
            connection.execute(
                "CREATE TABLE states (id INTEGER PRIMARY KEY NOT NULL, timestamp TIMESTAMP, groupKey TEXT, target TEXT,"
                " metadata TEXT, event INTEGER NOT NULL);"
                "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID"
            )
            at: object = "2026-11-23 23:28:17.681" if number % 3 else text.encode()
            head = {
                "instance": {
                    "id": text,
                    "created_on": text if number % 4 == 1 else "2026-11-23T23:28:17.679Z",
                },
                "event": {"payload": {text: text}},
            }
            error = {"name": text, "message": text, "stack": text}
            entries: dict[str, object] = {
                "INSTANCE_METADATA": head if number % 7 else {"instance": [text], "event": text},
                "ENGINE_STATUS": text if number % 5 == 0 else number % 9,
                "g1-value": {"value": {text: text}},
            }
            for key, value in entries.items():
                connection.execute("INSERT INTO _cf_KV VALUES (?, ?)", (key, v8.encode(value)))
            log = [
                (None, None, {}, 1),
                ("g1", text, {"config": {text: text}}, 5),
                ("g1", text, {"attempt": 1}, 10),
                ("g1", text, {"error": error, "retryDelayMs": text}, 12),
                ("g1", text, {"result": text}, 6),
                (text, text, {}, 8),
                (text + "2", text, {"config": [text]}, 14),
                (text + "3", text, {"config": text}, 5),
                (text + "3", text, {"error": text}, 7),
                (
                    None,
                    None,
                    {"error": text if number % 2 else error, "result": text},
                    3 if number % 2 else 2,
                ),
            ]
            connection.executemany(
                "INSERT INTO states (timestamp, groupKey, target, metadata, event) VALUES"
                " (CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)",
                [
                    (at, _stored(group), _stored(target), json.dumps(said), event)
                    for group, target, said, event in log
                ],
            )
            connection.execute(
                "INSERT INTO states (timestamp, groupKey, target, metadata, event) VALUES (?, ?, ?, ?, ?)",
                (INVALID, INVALID, INVALID, "{not json \x1b[31m", 5),
            )
        connection.close()


def _stored(text: str | None) -> bytes | None:
    """Text as the runtime stores it: a lone surrogate as it stands."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _odd_files(made: Hostile) -> None:
    """Files and folders in the state that nobody knows, with names no terminal should be given."""
    for name in ("evil\x1b[31m", "[bold]x[b]", "a\nb", "\u202eexe", "x" * 200):
        made.v3(name).mkdir()
        made.v3(name, "file").write_text("x")
        made.v3("kv", name).mkdir()
        made.v3("do", name + ".txt").write_text("x")
    for folder in (made.v3(), made.v3("do"), made.v3("kv"), made.v3("workflows"), made.v3("r2")):
        with open(os.fsencode(folder) + b"/bytes\xff\xfe\x1b[31m", "wb") as file:
            file.write(b"x")
        os.makedirs(os.fsencode(folder) + b"/folder\xff\x9b31m")
