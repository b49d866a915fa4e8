"""The Explorer's routes that only a running dev server can answer: each says so, in the envelope."""

from __future__ import annotations

from .call import Call
from .errors import GENERAL, ApiError
from .replies import Reply
from .routes import Routes

routes = Routes()

# What needs a server, and the routes that it takes: method, path, operationId.
NEEDS_A_SERVER: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Starting and driving Workflow instances": (
        ("POST", "/workflows/{workflow_name}/instances", "workflows-create-instance"),
        (
            "PATCH",
            "/workflows/{workflow_name}/instances/{instance_id}/status",
            "wor-change-status-workflow-instance",
        ),
        (
            "POST",
            "/workflows/{workflow_name}/instances/{instance_id}/events/{event_type}",
            "workflows-send-instance-event",
        ),
    ),
    "Firing a cron trigger": (("POST", "/local/scheduled", "local-explorer-dispatch-scheduled"),),
    "E-mail": (
        ("GET", "/local/email/routing", "email-list-routing"),
        ("POST", "/local/email/routing/resend", "email-resend-routing"),
        ("GET", "/local/email/routing/resend/draft", "email-resend-draft-routing"),
        ("POST", "/local/email/routing/send", "email-send-routing"),
        ("GET", "/local/email/sending", "email-list-sending"),
    ),
    "Forgetting traces and logs": (("POST", "/local/observability/clear", "observability-clear"),),
    "Feature flags": (
        ("GET", "/flagship/apps", "flagship-list-apps"),
        ("GET", "/flagship/apps/{app_id}/flags", "flagship_list_flags"),
        ("POST", "/flagship/apps/{app_id}/flags", "flagship_create_flag"),
        ("GET", "/flagship/apps/{app_id}/flags/{flag_key}", "flagship_get_flag"),
        ("PUT", "/flagship/apps/{app_id}/flags/{flag_key}", "flagship_update_flag"),
        ("PATCH", "/flagship/apps/{app_id}/flags/{flag_key}", "flagship_patch_flag"),
        ("DELETE", "/flagship/apps/{app_id}/flags/{flag_key}", "flagship_delete_flag"),
        ("GET", "/flagship/apps/{app_id}/evaluate", "flagship_evaluate_flag"),
        ("POST", "/flagship/apps/{app_id}/evaluate", "flagship_evaluate_flag_post"),
    ),
}


def _declare(what: str, method: str, path: str, name: str) -> None:
    def refuse(call: Call) -> Reply:
        raise ApiError(
            501,
            GENERAL,
            f"{what} needs a running dev server: ask its own /cdn-cgi/explorer/api. This serves the state directory alone.",
            name="serve.needs_a_server",
        )

    refuse.__doc__ = f"{what}: only a running dev server can do it (501)."
    routes.route(method, path, "reads" if method == "GET" else "writes", name=name)(refuse)


for _what, _routes in NEEDS_A_SERVER.items():
    for _method, _path, _name in _routes:
        _declare(_what, _method, _path, _name)
