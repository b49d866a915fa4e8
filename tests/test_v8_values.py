"""The codec of stored values by itself; what the runtime says of it is in test_local_do_values.py."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
import v8serialize
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tagged_values import user_key, values
from workbench.backends.local import v8
from workbench.backends.local.v8.dates import FURTHEST, from_iso, to_iso
from workbench.model.errors import WorkbenchError
from workbench.model.tagged import bytes_tag, dumps, number

HEADER = b"\xff\x0f"


@given(values)
@settings(max_examples=400, deadline=None)
def test_any_value_written_reads_back_the_same(value: Any) -> None:
    back = v8.decode(v8.encode(json.loads(dumps(value))))
    assert json.dumps(back, sort_keys=True) == json.dumps(value, sort_keys=True)


def read_or_refused(data: bytes) -> str:
    """The value as JSON, or why there is none; any other exception is a failure."""
    try:
        return dumps(v8.decode(data))
    except v8.Undecodable as error:
        return str(error)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: HEADER + data))
@settings(max_examples=500, deadline=None)
def test_whatever_the_bytes_are_the_reader_gives_a_value_or_says_why_not(data: bytes) -> None:
    assert read_or_refused(data)


@given(values, st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_damaged_value_never_breaks_the_reader(value: Any, at: int, byte: int) -> None:
    raw = bytearray(v8.encode(value))
    raw[at % len(raw)] = byte
    for damaged in (bytes(raw), bytes(raw[: at % len(raw)])):
        assert read_or_refused(damaged)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


def from_library(value: Any) -> Any:
    """What the package v8serialize reads, as plain Python values."""
    if isinstance(value, v8serialize.jstypes.JSArray):
        return [from_library(item) for item in value.array]
    if isinstance(value, v8serialize.jstypes.JSObject):
        return {str(key): from_library(item) for key, item in value.items()}
    return value


def escaped(value: Any) -> Any:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return {user_key(key): escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


@given(plain)
@settings(max_examples=200, deadline=None)
def test_another_program_for_the_format_reads_what_is_written(value: Any) -> None:
    assert from_library(v8serialize.loads(v8.encode(escaped(value)))) == value


def test_names_that_begin_with_a_dollar_are_the_users_own() -> None:
    raw = HEADER + b'o"\x02$aI\x02"\x01$I\x04{\x02'
    assert v8.decode(raw) == {"$$a": 1, "$$": 2}
    assert v8.encode({"$$a": 1, "$$": 2}) == raw


def test_minus_zero_keeps_its_sign_and_whole_doubles_read_as_integers() -> None:
    assert v8.decode(HEADER + b"N" + struct.pack("<d", -0.0)) == {"$number": "-0"}
    five = v8.decode(HEADER + b"N" + struct.pack("<d", 5.0))
    assert five == 5 and isinstance(five, int)
    assert v8.decode(HEADER + b"N" + struct.pack("<d", 2.0**60)) == 2.0**60


def test_cycles_and_shared_objects_are_pointers_into_the_value() -> None:
    cyclic = {
        "name": "self",
        "list": [{"$ref": ""}, {"up": {"$ref": "/list"}}],
        "a/b~": {},
        "x": {"$ref": "/a~1b~0"},
    }
    raw = v8.encode(cyclic)
    assert v8.decode(raw) == cyclic
    in_map = {"$map": [[{"k": 1}, {"$set": [{"$ref": "/$map/0/0"}]}]]}
    assert v8.decode(v8.encode(in_map)) == in_map


def test_an_object_inside_an_array_with_properties_is_found_again() -> None:
    value = [{"$array": {"length": 1, "items": {"0": {"n": 1}, "note": "x"}}}, {"$ref": "/0/$array/items/0"}]
    assert v8.decode(v8.encode(value)) == value


def test_views_that_share_a_buffer_still_share_it() -> None:
    whole_buffer = bytes_tag(bytes(range(8)), "ArrayBuffer")
    value = {
        "all": bytes_tag(bytes(range(8))) | {"offset": 0, "buffer": whole_buffer},
        "tail": bytes_tag(bytes(range(4, 8)), "Uint16Array")
        | {"offset": 4, "buffer": {"$ref": "/all/buffer"}},
    }
    assert v8.decode(v8.encode(value)) == value


def test_very_deep_values_are_refused_and_never_break_the_stack() -> None:
    levels = 200_000
    raw = HEADER + b"A\x01" * levels + b"0" + b"$\x00\x01" * levels
    with pytest.raises(v8.Undecodable, match="deeper"):
        v8.decode(raw)
    value: Any = 1
    for _ in range(levels):
        value = [value]
    assert len(v8.encode(value)) > levels
    value = 1
    for _ in range(490):
        value = [value]
    assert json.loads(dumps(v8.decode(v8.encode(value)))) == value
    while isinstance(value, list):
        value = value[0]


def test_a_bigint_of_a_million_digits_is_written_in_hexadecimal() -> None:
    big = {"$bigint": "0x" + "f" * 1_000_000}
    assert v8.decode(v8.encode(big)) == big


@pytest.mark.parametrize(
    ("at", "iso"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (FURTHEST, "+275760-09-13T00:00:00.000Z"),
        (-FURTHEST, "-271821-04-20T00:00:00.000Z"),
        (-62198755200000, "-000001-01-01T00:00:00.000Z"),
    ],
)
def test_dates_are_as_toisostring_says_them(at: int, iso: str) -> None:
    assert to_iso(at) == iso
    assert from_iso(iso) == at


@given(st.integers(-FURTHEST, FURTHEST))
def test_every_date_comes_back(at: int) -> None:
    assert from_iso(to_iso(at) or "") == at


def test_dates_are_taken_in_other_zones_and_refused_when_they_are_none() -> None:
    assert from_iso("1970-01-01T02:00:00+02:00") == 0
    assert from_iso("1970-01-02") == 86_400_000
    for text in (
        "1970-13-01",
        "1970-02-29T00:00:00Z",
        "1970-01-01T00:00:00",
        "yesterday",
        "1970-01-01T24:00:00Z",
    ):
        assert from_iso(text) is None
    assert to_iso(math.nan) is None


@pytest.mark.parametrize(
    "value",
    [
        {"$what": 1},
        {"$date": "soon"},
        {"$date": "2026-01-01T00:00:00Z", "more": 1},
        {"$bigint": "twelve"},
        {"$bigint": "--5"},
        {"$bigint": 5},
        {"$number": "five"},
        {"$bytes": "not base64!"},
        {"$bytes": "AAA=", "type": "Int16Arrow"},
        {"$bytes": "AAAA", "type": "Int16Array"},
        {"$bytes": "AAAA", "offset": 1, "buffer": bytes_tag(b"xy", "ArrayBuffer")},
        {"$regexp": {"source": "x", "flags": "uv"}},
        {"$regexp": "x"},
        {"$map": [[1]]},
        {"$set": {}},
        {"$hole": True},
        {"$ref": "/nowhere"},
        [{"$ref": "/1"}, {}],
        {"$array": {"length": 1, "items": {"1": "outside"}}},
        {"$boxed": None},
        {"$error": "boom"},
        2**53 + 1,
        10**400,
    ],
)
def test_a_tag_that_says_no_value_is_refused_with_a_reason(value: Any) -> None:
    with pytest.raises(WorkbenchError) as caught:
        v8.encode(value)
    assert caught.value.code == "json.bad_tag" and caught.value.hint


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (HEADER, "cut short"),
        (HEADER + b'"\x05ab', "cut short"),
        (b"\xff\x63I\x02", "version 99"),
        (HEADER + b"\\\x04", "Headers"),
        (HEADER + b"u\x00", "SharedArrayBuffer"),
        (HEADER + b"^\x00", "reference"),
        (HEADER + b'o"\x01aI\x02"\x01aI\x04{\x02', "count"),
    ],
)
def test_what_no_program_can_read_is_said_so(raw: bytes, reason: str) -> None:
    with pytest.raises(v8.Undecodable, match=reason):
        v8.decode(raw)
