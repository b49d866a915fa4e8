"""AWS Signature Version 4, as R2's S3 API takes it: region `auto`, service `s3`, the path signed as it is sent.

Source: docs.aws.amazon.com, "Create a signed AWS API request"; the deviations are R2's (developers.cloudflare.com/r2/api/s3).
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from workbench.model.secrets import Secret

REGION = "auto"
SERVICE = "s3"
UNSIGNED = "UNSIGNED-PAYLOAD"
"""For a body whose hash is not known before it is sent."""


def signed(
    method: str,
    url: str,
    params: dict[str, str],
    headers: dict[str, str],
    payload: bytes | None,
    access_key: Secret,
    secret_key: Secret,
    now: datetime | None = None,
) -> tuple[str, dict[str, str]]:
    """The URL with its parameters, and the headers with `Authorization`. payload: the body, or None where it is not signed."""
    place = urlsplit(url)
    moment = now or datetime.now(UTC)
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    digest = UNSIGNED if payload is None else hashlib.sha256(payload).hexdigest()
    sent = headers | {"Host": place.netloc, "x-amz-date": stamp, "x-amz-content-sha256": digest}
    lower = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    names = ";".join(sorted(lower))
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(params.items()))
    request = "\n".join(
        [method, place.path, query, *(f"{name}:{lower[name]}" for name in sorted(lower)), "", names, digest]
    )
    scope = f"{day}/{REGION}/{SERVICE}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret_key.reveal()}".encode()
    for part in (day, REGION, SERVICE, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    sent["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key.reveal()}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return f"{url}?{query}" if query else url, sent


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
