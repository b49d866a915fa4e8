"""What `cfwb serve` reads from a request: paths, query parameters, bodies, forms. The words for what is wrong are the emulator's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api.checks import Check, Choice, Either, Fields, Flag, ListOf, Moment, Number, Text
from workbench.api.errors import ApiError, api_error
from workbench.api.forms import read_form
from workbench.api.inputs import check_body, check_query, js_number
from workbench.api.replies import listed
from workbench.api.routes import Found, Routes, Table, decoded
from workbench.backends.local.sql.errors import SqlError
from workbench.model.errors import WorkbenchError

routes = Routes()


@routes.route("GET", "/things/{thing}/batch", "reads")
def batch(call: Any) -> Any:
    """A literal."""


@routes.route("GET", "/things/{thing}/{name}", "reads")
def one(call: Any) -> Any:
    """A name."""


@routes.route("PUT", "/things/{thing}/files/{path*}", "writes")
def rest(call: Any) -> Any:
    """The rest."""


TABLE = Table(routes.all)


def found(method: str, path: str) -> tuple[str, dict[str, str]]:
    match = TABLE.find(method, path)
    assert isinstance(match, Found), match
    return match.route.handler.__name__, match.names


def test_a_literal_goes_before_a_name() -> None:
    assert found("GET", "/things/a/batch") == ("batch", {"thing": "a"})
    assert found("GET", "/things/a/b%2Fc") == ("one", {"thing": "a", "name": "b/c"})
    assert found("HEAD", "/things/a/b") == ("one", {"thing": "a", "name": "b"})


def test_the_rest_of_a_path_keeps_its_slashes() -> None:
    assert found("PUT", "/things/a/files/b/c%2Fd//e") == ("rest", {"thing": "a", "path": "b/c/d//e"})
    assert TABLE.find("PUT", "/things/a/files/") == ()
    assert TABLE.find("DELETE", "/things/a/files/b") == ("PUT",)
    assert TABLE.find("GET", "/nothing") == ()


@given(st.text(min_size=1))
def test_any_name_survives_the_path(name: str) -> None:
    encoded = quote(name, safe="", errors="surrogatepass")
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    assert decoded(encoded) == name


def test_an_escape_that_is_no_utf8_stays() -> None:
    assert decoded("%FF") == "%FF"
    assert decoded("%FF-%C3%A4-%") == "%FF-ä-%"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0), (" 12 ", 12), ("0x10", 16), ("1e2", 100), (".5", 0.5), ("5.", 5), ("+3", 3), ("-0x1", None),
        ("abc", None), ("1 2", None), ("1_000", None), ("Infinity", float("inf")), ("inf", None), ("0b11", 3),
        ("9007199254740993", 9007199254740992),
    ],
)  # fmt: skip
def test_numbers_are_read_as_javascript_does(text: str, number: float | None) -> None:
    assert js_number(text) == number


QUERY = {
    "limit": Number(10, 1000, default=1000),
    "whole": Number(whole=True, optional=True),
    "order": Choice("id", "title", optional=True),
    "flag": Flag(optional=True),
    "at": Moment(optional=True),
}


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ({"limit": ["5"]}, ["limit: Too small: expected number to be >=10"]),
        ({"limit": ["1001"]}, ["limit: Too big: expected number to be <=1000"]),
        ({"limit": ["x"]}, ['limit: Expected query param to be number but received "x"']),
        ({"limit": ["10", "20"]}, ["limit: Invalid input: expected number, received array"]),
        ({"whole": ["1.5"]}, ["whole: Invalid input: expected int, received number"]),
        ({"flag": ["yes"]}, ["flag: Expected query param to be 'true' or 'false' but received \"yes\""]),
        ({"at": ["zz"]}, ["at: Invalid ISO datetime"]),
        (
            {"limit": ["5"], "order": ["x"]},
            [
                "limit: Too small: expected number to be >=10",
                'order: Invalid option: expected one of "id"|"title"',
            ],
        ),
    ],
)
def test_wrong_parameters_are_said_in_the_emulator_s_words(
    given: dict[str, list[str]], messages: list[str]
) -> None:
    with pytest.raises(ApiError) as caught:
        check_query(QUERY, given)
    assert [caught.value.message, *caught.value.others] == messages
    assert (caught.value.status, caught.value.code) == (400, 10001)


def test_parameters_get_their_types_and_others_are_left_out() -> None:
    given = {"whole": ["7"], "flag": ["true"], "odd": ["x"], "at": ["2026-01-01T00:00:00.5Z"]}
    assert check_query(QUERY, given) == {
        "limit": 1000,
        "whole": 7,
        "flag": True,
        "at": "2026-01-01T00:00:00.5Z",
    }


BODY = Either(
    Fields({"sql": Text(least=1), "params": ListOf(Check(), optional=True)}),
    Fields({"batch": ListOf(Fields({"sql": Text()}), least=1, most=2)}),
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{bad", "Invalid JSON request body"),
        (b"{}", "Invalid input"),
        (b"[]", "Invalid input"),
        (b'{"sql": ""}', "sql: Too small: expected string to have >=1 characters"),
        (b'{"batch": []}', "batch: Too small: expected array to have >=1 items"),
        (b'{"batch": [{"sql": 1}]}', "Invalid input"),
    ],
)
def test_wrong_bodies_are_said_in_the_emulator_s_words(body: bytes, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_body(BODY, "application/json; charset=utf-8", body)
    assert caught.value.message == message


def test_a_body_of_another_type_counts_as_empty() -> None:
    with pytest.raises(ApiError, match="Invalid input"):
        check_body(BODY, "text/plain", b'{"sql": "SELECT 1"}')
    assert check_body(BODY, "application/vnd.x+json", b'{"sql": "SELECT 1", "odd": 1}') == {"sql": "SELECT 1"}


@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.booleans())
def test_any_value_survives_a_form(value: bytes, metadata: str, file: bool) -> None:
    files: dict[str, Any] = {
        "value": ("blob", value) if file else (None, value),
        "metadata": (None, metadata.encode()),
    }
    request = httpx.Request("PUT", "http://x/", files=files)
    request.read()
    form = read_form(request.headers["content-type"], request.content)
    assert form["value"] == (value, file)
    assert form["metadata"].text == metadata


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: text/plain\r\n\r\nb\r\n--x--"),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError):
        read_form(content_type, body)


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (WorkbenchError("kv.key_not_found", "there is no key", "hint"), 404, 10009, "Not Found"),
        (
            WorkbenchError("do.object_not_found", "no object", "there is one"),
            404,
            10001,
            "no object. there is one",
        ),
        (WorkbenchError("state.damaged", "the file is damaged"), 500, 10001, "the file is damaged"),
        (WorkbenchError("json.bad_tag", "not a tag"), 400, 10001, "not a tag"),
        (
            SqlError("near x (line 1)", platform_message="near x at offset 0"),
            500,
            10001,
            "near x at offset 0",
        ),
    ],
)
def test_an_error_of_ours_is_one_of_the_api_s(
    error: WorkbenchError, status: int, code: int, message: str
) -> None:
    said = api_error(error)
    assert (said.status, said.code, said.message, said.name) == (status, code, message, error.code)


def test_pages_of_a_list_are_counted() -> None:
    import json

    items = list(range(5))
    assert json.loads(listed(items, {}, None, None).body)["result_info"] == {"count": 5}  # type: ignore[arg-type]
    last = json.loads(listed(items, {}, 3, 2).body)  # type: ignore[arg-type]
    assert last["result"] == [4]
    assert last["result_info"] == {"count": 1, "page": 3, "per_page": 2, "total_count": 5, "total_pages": 3}
    assert json.loads(listed(items, {}, 2, None).body)["result"] == []  # type: ignore[arg-type]
