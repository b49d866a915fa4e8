"""What starts a Worker other than a request: a cron trigger, an e-mail. The dev server's own routes for them.

Newer servers take both by the Worker's name (`/local/scheduled`, `/local/email/routing/send`); older ones, and a message as it is, go
to the handlers' own paths, which reach the first Worker. (miniflare, local-explorer, core/scheduled, core/email)
"""

from typing import Any
from urllib.parse import urlencode

from workbench.backends.cloudflare.api import Api, ApiError
from workbench.backends.cloudflare.portal import Portal
from workbench.model.errors import UsageError, WorkbenchError
from workbench.model.progress import Cancel
from workbench.model.servers import Delivered, Fired

from .asking import ask

HANDLER = "/cdn-cgi/handler"


async def fire(
    api: Api, portal: Portal, url: str, worker: str, cron: str, at_ms: int | None, cancel: Cancel | None
) -> Fired:
    """Run the `scheduled` handler. at_ms: the time it is told, or now."""
    body: dict[str, Any] = {"cron": cron} | ({} if at_ms is None else {"scheduled_time": at_ms})
    try:
        answer = await api.send(
            "POST",
            "/local/scheduled",
            params={"worker": worker},
            json_body=body,
            doing=f"the cron trigger {cron}",
        )
        told = answer.result
    except ApiError as error:
        if error.status != 404 or any(error.numbers):
            raise
        query = {"cron": cron, "format": "json"} | ({} if at_ms is None else {"time": str(at_ms)})
        told = await _handled(portal, url, f"{HANDLER}/scheduled?{urlencode(query)}", b"", cancel)
    return Fired(worker, cron, str(told.get("outcome") or "unknown"), bool(told.get("noRetry")))


async def deliver(api: Api, worker: str, message: dict[str, Any]) -> Delivered:
    """Have the server make an e-mail of its parts (from, to, subject, text, html, headers) and hand it to the Worker."""
    answer = await api.send(
        "POST",
        "/local/email/routing/send",
        params={"worker": worker},
        json_body=message,
        doing="delivering the e-mail",
    )
    return _delivered(worker, answer.result)


async def deliver_raw(
    portal: Portal, url: str, worker: str, sender: str, to: str, raw: bytes, cancel: Cancel | None
) -> Delivered:
    """Hand the first Worker a message as it is, in the envelope of these addresses."""
    query = urlencode({"from": sender, "to": to, "format": "json"})
    told = await _handled(portal, url, f"{HANDLER}/email?{query}", raw, cancel)
    return _delivered(worker, told)


def _delivered(worker: str, told: Any) -> Delivered:
    id = told.get("messageId")
    return Delivered(worker, id, str(told.get("outcome") or "unknown"), told.get("rejectReason"))


async def _handled(portal: Portal, url: str, path: str, body: bytes, cancel: Cancel | None) -> Any:
    """What a handler's path says; it answers 500 where the handler threw."""
    import json

    answer = await ask(portal, url, "POST" if body else "GET", path, (), body, cancel)
    text = answer.body.decode("utf-8", "replace").strip()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict) and "outcome" in told:
        return told
    if answer.status == 400:
        raise UsageError(text[:500])
    if answer.status == 200 or (answer.status == 500 and text.isalpha()):
        return {"outcome": text if text.isalpha() else "ok"}
    raise WorkbenchError("servers.refused", f"the dev server answered {answer.status}: {text[:300]}")
