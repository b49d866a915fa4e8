"""R2 over S3, on the real emulator's own S3 endpoint, which checks every signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.account import StandIn
from tests.support.emulator import Emulator
from tests.support.local import run
from workbench.backends.cloudflare import r2_s3
from workbench.backends.cloudflare.api import Api, Line
from workbench.backends.cloudflare.r2 import CloudR2
from workbench.backends.cloudflare.r2_s3 import PART, S3, Keys
from workbench.backends.cloudflare.signing import signed
from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.model.secrets import Secret

ACCESS, SECRET = "local-access-key", "local-secret-key"


@pytest.fixture(scope="module")
def server(emulator_install: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    project = tmp_path_factory.mktemp("s3")
    (project / "index.js").write_text("export default { fetch() { return new Response('ok'); } };")
    keys = {"accessKeyId": ACCESS, "secretAccessKey": SECRET}
    bucket = {"binding": "FILES", "bucket_name": "files", "local_dev": {"experimental_s3_credentials": keys}}
    config = {"name": "s3", "main": "index.js", "compatibility_date": "2026-11-01", "r2_buckets": [bucket]}
    (project / "wrangler.json").write_text(json.dumps(config))
    with Emulator.start(project) as running:
        yield running


def bucket(server: Emulator, keys: Keys) -> Iterator[CloudR2]:
    line = Line(server.url + "/cdn-cgi/explorer/api")
    api = Api(line)
    s3 = S3(api, server.url + "/cdn-cgi/local/r2/s3", keys)
    try:
        yield CloudR2(api, Project(".", (), "."), live=False, s3=s3)
    finally:
        line.close()


@pytest.fixture
def r2(server: Emulator) -> Iterator[CloudR2]:
    yield from bucket(server, Keys(ACCESS, SECRET))


@pytest.fixture
def stranger(server: Emulator) -> Iterator[CloudR2]:
    yield from bucket(server, Keys(ACCESS, "another-secret-key"))


@pytest.mark.parametrize("key", ["a", "dir/a b+c.txt", "é/日本~*'()!", "q?x=1&y#z%2F", "trailing/", "a//b"])
def test_any_key_and_its_metadata_go_and_come(r2: CloudR2, key: str) -> None:
    http = {"contentType": "image/png", "cacheControl": "no-store", "contentLanguage": "de"}
    written = run(r2.put("files", key, [b"da", b"ta"], http, {"who": "Ann"}))
    assert (written.key, written.size, written.custom_metadata) == (key, 4, {"who": "Ann"})
    body = run(r2.get("files", key))
    assert b"".join(body.chunks) == b"data"
    assert {name: body.object.http_metadata[name] for name in http} == http
    assert b"".join(run(r2.get("files", key, 1, 2)).chunks) == b"at"
    assert run(r2.delete("files", key)) is True
    assert run(r2.delete("files", key)) is False


def test_a_long_body_goes_in_parts_with_one_of_them_in_memory(r2: CloudR2) -> None:
    piece = bytes(range(256)) * 4096
    size = 2 * PART + 5
    pieces = (piece[: max(0, min(len(piece), size - at))] for at in range(0, size, len(piece)))
    written = run(r2.put("files", "long", pieces))
    assert written.size == size and written.etag.endswith("-3")
    at = PART - 10
    assert b"".join(run(r2.get("files", "long", at, 20)).chunks) == (piece * 2)[at % len(piece) :][:20]
    assert sum(map(len, run(r2.get("files", "long")).chunks)) == size
    run(r2.delete_many("files", ["long", "not there"]))


def test_an_upload_that_fails_is_given_up_whole(r2: CloudR2) -> None:
    def breaking() -> Iterator[bytes]:
        yield bytes(PART)
        yield bytes(PART)
        raise WorkbenchError("file.failed", "the disk is gone")

    with pytest.raises(WorkbenchError) as caught:
        run(r2.put("files", "broken", breaking()))
    assert caught.value.code == "file.failed"
    with pytest.raises(WorkbenchError) as missing:
        run(r2.head("files", "broken"))
    assert missing.value.code == "r2.object_not_found"


def test_a_wrong_key_is_refused_and_not_quoted(stranger: CloudR2) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(stranger.put("files", "x", [b"data"]))
    assert caught.value.code == "remote.not_allowed"
    assert "another-secret-key" not in str(caught.value) and ACCESS not in caught.value.message


def test_metadata_that_a_header_cannot_carry_is_refused(r2: CloudR2) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(r2.put("files", "x", [b"data"], None, {"name": "é"}))
    assert caught.value.code == "r2.bad_metadata"


def test_unfinished_uploads_are_listed_with_their_parts() -> None:
    """On the stand-in: the emulator's endpoint has no such list."""
    with StandIn() as stand_in:
        line = Line(stand_in.url)
        s3 = S3(Api(line), stand_in.origin + "/s3", Keys(ACCESS, SECRET))
        found = run(CloudR2(Api(line), Project(".", (), "."), live=False, s3=s3).uploads("files")).items
        line.close()
    assert [(one.key, one.upload_id, one.parts, one.size) for one in found] == [
        ("big-1", "upload-1", 2, 5242887),
        ("big-2", "upload-2", 2, 5242887),
    ]
    assert found[0].initiated == "2026-11-23T10:00:01.000Z"


def test_keys_are_taken_from_the_environment_where_both_are_there() -> None:
    assert r2_s3.configured({}) is None
    assert r2_s3.configured({"R2_ACCESS_KEY_ID": "a"}) is None
    found = r2_s3.configured({"R2_ACCESS_KEY_ID": "a", "R2_SECRET_ACCESS_KEY": "b"})
    assert found is not None and found.secret_key.reveal() == "b"


def test_what_is_signed_is_what_is_sent() -> None:
    """The shape of Amazon's example (GET Object) in our region; that it is right, the emulator's endpoint has said above."""
    moment = datetime(2013, 5, 24, tzinfo=UTC)
    url, headers = signed(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {"prefix": "J", "max-keys": "2"},
        {"Range": "bytes=0-9"},
        b"",
        Secret("AKIAIOSFODNN7EXAMPLE"),
        Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        moment,
    )
    assert url.endswith("/test.txt?max-keys=2&prefix=J")
    assert headers["x-amz-date"] == "20130524T000000Z"
    assert (
        headers["x-amz-content-sha256"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    names = "host;range;x-amz-content-sha256;x-amz-date"
    start = f"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/auto/s3/aws4_request, SignedHeaders={names}, Signature="
    assert headers["Authorization"].startswith(start)
