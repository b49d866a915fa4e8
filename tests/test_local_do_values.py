"""Stored values, both ways: what the runtime wrote is shown right, and what is written here the runtime reads as meant."""

from __future__ import annotations

from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.oracle import Oracle, Room
from tests.support.tagged_values import described, values
from workbench.backends.local import LocalBackend
from workbench.backends.local.durable_objects import LocalDurableObjects
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.project import load

TENANT = "oracle-Tenant"
STACK = "TypeError: bad input\n    at place:1:2"
ERROR = {
    "name": "TypeError",
    "message": "bad input",
    "stack": STACK,
    "cause": {
        "$error": {"name": "Error", "message": "the cause", "stack": "Error: the cause\n    at place:3:4"}
    },
}
SHOWN: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "minus_zero": {"$number": "-0"},
    "three": 3,
    "minus_one": -1,
    "int30": 2**30,
    "int31": 2**31,
    "minus_int31": -(2**31),
    "uint32": 2**32 - 1,
    "max_safe": 2**53 - 1,
    "two_53": 2**53,
    "half": 0.5,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "nan": {"$number": "NaN"},
    "infinity": {"$number": "Infinity"},
    "minus_infinity": {"$number": "-Infinity"},
    "bigint_zero": {"$bigint": "0"},
    "bigint_small": {"$bigint": "12"},
    "bigint_minus": {"$bigint": "-12"},
    "bigint_64": {"$bigint": str(2**64)},
    "bigint_large": {"$bigint": "-123456789012345678901234567890"},
    "empty_string": "",
    "ascii": "hello",
    "latin1": "na\u00efve caf\u00e9",
    "two_byte": "\u65e5\u672c\u8a9e",
    "emoji": "\U0001f980 crab",
    "lone_surrogate": "a\ud800b",
    "control": "\x1b[31mred\x00",
    "long_string": "x" * 100_000,
    "date": {"$date": "2026-11-23T12:34:56.789Z"},
    "date_epoch": {"$date": "1970-01-01T00:00:00.000Z"},
    "date_before": {"$date": "1922-06-20T21:20:00.000Z"},
    "date_invalid": {"$date": None},
    "map": {"$map": [["k", {"$bigint": "1"}], [2, "two"], [None, {"$undefined": True}]]},
    "map_nested": {"$map": [[{"key": "object"}, {"$map": [["x", {"$set": [1]}]]}]]},
    "map_empty": {"$map": []},
    "set": {"$set": ["a", "b", 3]},
    "set_empty": {"$set": []},
    "array": [1, "two", None, {"$undefined": True}, True],
    "array_empty": [],
    "array_doubles": [1.5, 2.5, {"$number": "NaN"}],
    "array_holes": [1, {"$hole": True}, 3, {"$hole": True}, {"$hole": True}, {"$hole": True}],
    "array_sparse": {"$array": {"length": 100_001, "items": {"100000": "far"}}},
    "array_properties": {"$array": {"length": 2, "items": {"0": 1, "1": 2, "note": "extra"}}},
    "object": {"a": 1, "b": {"c": []}},
    "object_empty": {},
    "object_number_keys": {"1": "a", "2": "b", "x": "c"},
    "object_undefined": {"gone": {"$undefined": True}, "there": None},
    "object_odd_keys": {"": 0, "[bold]x[/]": 1, "\x1b[2J": 2, "\u65e5": 3, "__proto__x": 4},
    "uint8": {"$bytes": "AAH+/w=="},
    "uint8_empty": {"$bytes": ""},
    "uint8_clamped": {"$bytes": "Af8=", "type": "Uint8ClampedArray"},
    "int8": {"$bytes": "/wE=", "type": "Int8Array"},
    "int16": {"$bytes": "/v8CAA==", "type": "Int16Array"},
    "uint16": {"$bytes": "AQD//w==", "type": "Uint16Array"},
    "int32": {"$bytes": "/f///wMAAAA=", "type": "Int32Array"},
    "uint32_array": {"$bytes": "/////w==", "type": "Uint32Array"},
    "float32": {"$bytes": "AAAAPwAAAIA=", "type": "Float32Array"},
    "float64": {"$bytes": "mpmZmZmZuT8AAAAAAAD4fwAAAAAAAPB/", "type": "Float64Array"},
    "bigint64": {"$bytes": "AAAAAAAAAIA=", "type": "BigInt64Array"},
    "biguint64": {"$bytes": "//////////8=", "type": "BigUint64Array"},
    "array_buffer": {"$bytes": "CQgH", "type": "ArrayBuffer"},
    "data_view": {
        "$bytes": "AgM=",
        "type": "DataView",
        "offset": 1,
        "buffer": {"$bytes": "AQIDBA==", "type": "ArrayBuffer"},
    },
    "two_views": {
        "all": {
            "$bytes": "AQIDBAUGBwg=",
            "offset": 0,
            "buffer": {"$bytes": "AQIDBAUGBwg=", "type": "ArrayBuffer"},
        },
        "tail": {"$bytes": "BQYHCA==", "type": "Uint16Array", "offset": 4, "buffer": {"$ref": "/all/buffer"}},
    },
    "error": {"$error": ERROR},
    "range_error": {"$error": {"name": "RangeError", "message": "out", "stack": "RangeError: out"}},
    "regexp": {"$regexp": {"source": "a(b)?\\/c", "flags": "giu"}},
    "regexp_sticky": {"$regexp": {"source": "x", "flags": "y"}},
    "number_object": {"$boxed": 7},
    "string_object": {"$boxed": "boxed"},
    "boolean_object": {"$boxed": False},
    "bigint_object": {"$boxed": {"$bigint": "5"}},
    "cyclic": {"name": "self", "self": {"$ref": ""}, "list": [{"$ref": ""}, {"up": {"$ref": ""}}]},
    "shared": {"a": {"n": 1}, "b": {"$ref": "/a"}, "list": [{"$ref": "/a"}]},
    "state": {
        "n": 3,
        "when": {"$date": "1970-01-01T00:00:00.000Z"},
        "tags": {"$set": ["a", "b"]},
        "m": {"$map": [["k", {"$bigint": "1"}]]},
    },
}


@pytest.fixture
def local(oracle: Oracle) -> LocalDurableObjects:
    return LocalBackend(Project(str(oracle.project), (), str(oracle.state.parent))).durable_objects


@pytest.fixture
def room(oracle: Oracle, request: pytest.FixtureRequest) -> Room:
    """An object of the test's own, awake."""
    room = oracle.durable_object("Tenant", f"values/{request.node.name}")
    room.put("awake", True)
    return room


def id_of(room: Room) -> str:
    return str(room.identity()["id"])


async def test_every_value_of_the_catalogue_is_shown_right(
    oracle: Oracle, local: LocalDurableObjects, room: Room
) -> None:
    names = room.put_catalogue()
    shown = {entry.key: entry for entry in (await local.storage_list(TENANT, id_of(room))).items}
    assert set(SHOWN) == set(names) - {"deep"}
    for name, expected in SHOWN.items():
        entry = shown[name]
        assert (entry.value, entry.undecoded) == (expected, ""), name
        assert type(entry.value) is type(expected), name
    assert shown["deep"].value == (await local.storage_get(TENANT, id_of(room), "deep")).value


async def test_every_value_written_here_is_what_the_runtime_wrote(
    oracle: Oracle, local: LocalDurableObjects, room: Room
) -> None:
    names = room.put_catalogue()
    object_id = id_of(room)
    for name in names:
        entry = await local.storage_get(TENANT, object_id, name)
        written = await local.storage_put(TENANT, object_id, f"again/{name}", entry.value)
        if "error" not in name:
            assert written.raw == entry.raw, name
    read = room.list()
    for name in names:
        assert read[f"again/{name}"] == read[name], name


async def test_a_legacy_class_reads_and_writes_the_same(oracle: Oracle, local: LocalDurableObjects) -> None:
    legacy = oracle.durable_object("Legacy", "values")
    legacy.put_catalogue("state", "error", "map")
    object_id = id_of(legacy)
    shown = (await local.storage_get("oracle-Legacy", object_id, "state")).value
    assert shown == SHOWN["state"]
    await local.storage_put("oracle-Legacy", object_id, "state", {"n": 4})
    assert legacy.async_get("state") == described({"n": 4})
    configured = LocalBackend(load(str(oracle.project))).durable_objects
    with pytest.raises(WorkbenchError, match="131072 bytes"):
        await configured.storage_put("oracle-Legacy", object_id, "big", "x" * 200_000)


async def test_an_unchanged_value_keeps_its_bytes(local: LocalDurableObjects, room: Room) -> None:
    object_id = id_of(room)
    # A number as V8 may write it too, and as nobody here would.
    await local.storage_put_raw(TENANT, object_id, "n", b"\xff\x0fU\x03")
    await local.storage_put(TENANT, object_id, "n", 3)
    assert (await local.storage_get(TENANT, object_id, "n")).raw == b"\xff\x0fU\x03"
    await local.storage_put(TENANT, object_id, "n", 4)
    assert room.get("n") == {"type": "number", "value": 4}


@given(st.lists(values, min_size=20, max_size=40))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.explicit],
)
def test_any_value_written_here_the_runtime_reads_as_meant(oracle: Oracle, batch: list[Any]) -> None:
    local = LocalBackend(Project(str(oracle.project), (), str(oracle.state.parent))).durable_objects
    room = oracle.durable_object("Tenant", "values/any")
    room.put("awake", True)
    object_id = id_of(room)
    for number, value in enumerate(batch):
        done = local.storage_put(TENANT, object_id, f"v/{number:03}", value)
        with pytest.raises(StopIteration):
            done.send(None)
    read = room.list(prefix="v/")
    for number, value in enumerate(batch):
        assert _unordered(read[f"v/{number:03}"]) == _unordered(described(value))


def _unordered(node: Any) -> Any:
    """Map keys and set members that are the same value fall together in the runtime; compare those by what is left."""
    if isinstance(node, dict):
        kept = {key: _unordered(item) for key, item in node.items() if key != "id"}
        if node.get("type") == "Map":
            last = {repr(key): [key, item] for key, item in kept["entries"] if not _is_object(key)}
            objects = [pair for pair in kept["entries"] if _is_object(pair[0])]
            kept["entries"] = [sorted(last.items()), objects]
        if node.get("type") == "Set":
            first = {repr(item) for item in kept["values"] if not _is_object(item)}
            kept["values"] = [sorted(first), [item for item in kept["values"] if _is_object(item)]]
        if node.get("type") == "number":
            # The runtime prints 2**60 with other digits than Python does.
            return {"type": "number", "value": repr(float(node["value"]) + 0.0)}
        return kept
    return [_unordered(item) for item in node] if isinstance(node, list) else node


def _is_object(node: Any) -> bool:
    return node["type"] not in ("null", "undefined", "boolean", "number", "string", "bigint")


async def test_a_value_nobody_can_decode_is_kept_and_said_so(local: LocalDurableObjects, room: Room) -> None:
    object_id = id_of(room)
    garbage = b"\xff\x0f\\\x04headers?"
    await local.storage_put_raw(TENANT, object_id, "odd", garbage)
    entry = await local.storage_get(TENANT, object_id, "odd")
    assert entry.value is None and entry.raw == garbage
    assert "Headers" in entry.undecoded
    listed = (await local.storage_list(TENANT, object_id)).items
    assert {one.key: one.undecoded for one in listed}["odd"] == entry.undecoded
    await local.storage_delete(TENANT, object_id, "odd")


async def test_keys_of_any_unicode_come_in_the_runtimes_order_and_page(
    local: LocalDurableObjects, room: Room
) -> None:
    keys = [
        "",
        "a",
        "a/b",
        "a/\x1b[2J",
        "a\x00b",
        "Z",
        "é",
        "日本",
        "🦀",
        "\uffff",
        "[bold]",
        "a\ud800b",
        "ÿ",
    ]
    for key in keys:
        room.put(key, key)
    object_id = id_of(room)
    every = (await local.storage_list(TENANT, object_id)).items
    # The runtime shows the three bytes of a lone surrogate as three replacement characters.
    shown = [one.key.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for one in every]
    assert shown == list(room.list())
    paged: list[str] = []
    cursor = None
    while True:
        page = await local.storage_list(TENANT, object_id, limit=3, cursor=cursor)
        paged += [one.key for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert paged == [one.key for one in every]
    below_a = (await local.storage_list(TENANT, object_id, prefix="a/")).items
    assert [one.key for one in below_a] == ["a/\x1b[2J", "a/b"]
    for one in every:
        assert (await local.storage_get(TENANT, object_id, one.key)).value == one.value
        assert await local.storage_delete(TENANT, object_id, one.key)
    assert room.list() == {}
    assert not await local.storage_delete(TENANT, object_id, "a")


async def test_a_written_value_drops_what_the_old_one_referred_to(
    oracle: Oracle, local: LocalDurableObjects, room: Room
) -> None:
    object_id = id_of(room)
    path = oracle.state / "do" / TENANT / f"{object_id}.sqlite"
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE _cf_EXTERNALS (key TEXT, idx INTEGER, token BLOB, PRIMARY KEY (key, idx)) WITHOUT ROWID;"
        "INSERT INTO _cf_EXTERNALS VALUES ('awake', 0, x'00'), ('other', 0, x'00')"
    )
    await local.storage_put(TENANT, object_id, "awake", False)
    assert connection.execute("SELECT key FROM _cf_EXTERNALS").fetchall() == [("other",)]
    connection.close()


async def test_a_mistyped_key_is_answered_with_those_near_it(local: LocalDurableObjects, room: Room) -> None:
    room.put("counter", 1)
    with pytest.raises(WorkbenchError) as caught:
        await local.storage_get(TENANT, id_of(room), "countr")
    assert caught.value.code == "do.key_not_found" and "counter" in caught.value.hint


async def test_what_the_platform_would_refuse_is_refused(local: LocalDurableObjects, room: Room) -> None:
    object_id = id_of(room)
    for code, key, raw in (
        ("do.key_too_long", "k" * 2049, b"\xff\x0f0"),
        ("do.value_too_large", "k", b"\xff\x0f\x22" + b"x" * (2 * 1024 * 1024)),
        ("do.empty_value", "k", b""),
    ):
        with pytest.raises(WorkbenchError) as caught:
            await local.storage_put_raw(TENANT, object_id, key, raw)
        assert caught.value.code == code
