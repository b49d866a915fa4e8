"""What a side answers, in a form that can be compared, and asking both."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx

from .requests import Request

COMPARED = ("content-type", "etag", "expiration")


class Answer(NamedTuple):
    """status; headers that matter; value: the JSON, or bytes where it is none."""

    status: int
    headers: dict[str, str]
    value: Any

    @property
    def message(self) -> str:
        """The first error's."""
        return str(self.value["errors"][0]["message"]) if self.failed else ""

    @property
    def failed(self) -> bool:
        return isinstance(self.value, dict) and self.value.get("success") is False

    def with_result(self, result: Any) -> Answer:
        return self._replace(value=self.value | {"result": result})

    @property
    def result(self) -> Any:
        """The result of a success, else None."""
        return self.value.get("result") if isinstance(self.value, dict) and not self.failed else None


class Side:
    """One server. base: the API's address."""

    def __init__(self, base: str, token: str = "") -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(timeout=60, trust_env=False, headers=headers)
        self._base = base

    def ask(self, request: Request) -> Answer:
        given = self._client.request(
            request.method, self._base + request.path, headers=request.headers, content=request.body
        )
        headers = {
            name: value
            for name, value in given.headers.items()
            if name in COMPARED or name.startswith("x-r2-custom-metadata-")
        }
        value: Any = given.content
        if request.kind not in ("kv.value", "r2.object") or given.status_code >= 400 or _is_head(request):
            value = json.loads(given.content) if given.content else None
        return Answer(given.status_code, headers, value)

    def close(self) -> None:
        self._client.close()


def _is_head(request: Request) -> bool:
    return request.headers.get("cf-metadata-only") == "true"
