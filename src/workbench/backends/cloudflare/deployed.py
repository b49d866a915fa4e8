"""A project's bindings as the deployed account has them: the ids of the config, not those of local development.

The config's `preview_id` and its like win in local development (project/shapes.py); a deployed Worker has the other.
"""

from workbench.model.bindings import Binding, Project

_IDS = {
    "kv": ("id", "preview_id"),
    "r2": ("bucket_name", "preview_bucket_name"),
    "d1": ("database_id", "preview_database_id"),
}


def deployed(project: Project) -> Project:
    """The same project, its KV, R2 and D1 bindings with the ids of the deployed ones (None where the config has none)."""
    workers = tuple(
        worker._replace(bindings=tuple(map(_deployed, worker.bindings))) for worker in project.workers
    )
    return project._replace(workers=workers)


def _deployed(binding: Binding) -> Binding:
    fields = _IDS.get(binding.kind)
    if fields is None or not binding.bound:
        return binding
    ids = [binding.detail.get(field) for field in fields]
    id = next((id for id in ids if isinstance(id, str)), None)
    return binding._replace(resource_id=id)


def bound(project: Project, kind: str) -> dict[str, Binding]:
    """The bindings of a kind by the id of what they bind, the first Worker's first."""
    found: dict[str, Binding] = {}
    for worker in project.workers:
        for binding in worker.bindings:
            if binding.kind == kind and binding.bound and binding.resource_id:
                found.setdefault(binding.resource_id, binding)
    return found
