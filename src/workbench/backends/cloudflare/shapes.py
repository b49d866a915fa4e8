"""Small shapes that several products' answers share."""

from datetime import UTC, datetime
from typing import Any

from workbench.model.times import iso

HTTP_HEADERS = {
    "contentType": "Content-Type",
    "contentDisposition": "Content-Disposition",
    "contentEncoding": "Content-Encoding",
    "contentLanguage": "Content-Language",
    "cacheControl": "Cache-Control",
    "cacheExpiry": "Expires",
}
"""R2's names of an object's HTTP metadata, and the headers they are in a request."""


def moment(text: Any) -> str | None:
    """A time of the API's (ISO 8601 with any fraction and offset, or HTTP's) as ours, with milliseconds in UTC; None for none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            found = parsedate_to_datetime(text)
        except ValueError:
            return text
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return iso(found.timestamp() * 1000)


def whole(value: Any) -> int | None:
    """A number that JSON may have written as 3.0 or "3"; None for none."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return None


def present(fields: Any) -> dict[str, Any]:
    """The fields of an object that have a value."""
    return (
        {name: value for name, value in fields.items() if value is not None}
        if isinstance(fields, dict)
        else {}
    )
