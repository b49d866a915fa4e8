"""Workers and what they bind, as the config says. (miniflare, local-explorer, /local/workers)"""

from __future__ import annotations

from typing import Any

from workbench.model.bindings import Binding

from .call import Call
from .replies import Reply, envelope
from .routes import Routes

_KINDS = {"kv": "kv", "d1": "d1", "r2": "r2", "durable_object": "do", "workflow": "workflows"}

routes = Routes()


@routes.route(
    "GET", "/local/workers", "reads", "project.get", "bindings.list", name="local-explorer-list-workers"
)
def list_workers(call: Call) -> Reply:
    """The Workers of the project with their bindings."""
    bindings: list[Binding] = call.run("bindings.list")
    rows = []
    for worker in call.run("project.get").workers:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in _KINDS.values()}
        for binding in bindings:
            if (
                binding.worker == worker.name
                and binding.bound
                and binding.kind in _KINDS
                and binding.mode == "local"
            ):
                found[_KINDS[binding.kind]].append(_binding(binding))
        rows.append(
            {"isSelf": True, "name": worker.name, "bindings": found | {"sendEmail": [], "flagship": []}}
        )
    return envelope(rows)


def _binding(binding: Binding) -> dict[str, Any]:
    row: dict[str, Any] = {"id": binding.resource_id, "bindingName": binding.name}
    if binding.kind == "durable_object":
        class_name = binding.resource_name or binding.name
        row |= {
            "className": class_name,
            "scriptName": (binding.resource_id or "")[: -len(class_name) - 1],
            "useSqlite": binding.detail.get("sqlite") is not False,
        }
    elif binding.kind == "workflow":
        row |= {
            "className": binding.detail.get("class_name"),
            "scriptName": binding.detail.get("script_name") or binding.worker,
        }
    return row
