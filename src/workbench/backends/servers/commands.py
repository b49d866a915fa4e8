"""Which program is a project's dev server: the `dev` script where that is Vite's with Cloudflare's plugin, else the project's own
wrangler, else a global one."""

import json
import os
import shutil
from typing import Any, NamedTuple

from workbench.model.bindings import CONFIG_NAMES, STATE, Project, Worker
from workbench.model.errors import WorkbenchError

PLUGIN = "@cloudflare/vite-plugin"
_VITE = tuple(f"vite.config.{ending}" for ending in ("ts", "js", "mts", "mjs", "cts", "cjs"))
# What lies beside a package.json -> the program that runs its scripts.
_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}


class Plan(NamedTuple):
    """What to run. kind: wrangler, vite or script."""

    kind: str
    command: list[str]
    folder: str


def plan(
    project: Project, *, port: int | None = None, script: str | None = None, together: bool = False
) -> Plan:
    """script: of the project's package.json, whatever it runs. together: with the Workers that are bound, in one server.

    Raises `servers.no_program`, `servers.no_script`.
    """
    package = _package(project.folder)
    if script is not None:
        if script not in _scripts(package):
            known = ", ".join(sorted(_scripts(package)))
            raise WorkbenchError(
                "servers.no_script",
                f"the package.json in {project.folder} has no script {script!r}",
                f"it has: {known}" if known else "",
            )
        return Plan("script", _run(project.folder, script, port), project.folder)
    if _is_vite(project.folder, package):
        return Plan("vite", _run(project.folder, "dev", port), project.folder)
    return Plan("wrangler", _wrangler(project, port, together), project.folder)


def _is_vite(folder: str, package: dict[str, Any]) -> bool:
    """Whether Vite runs the Worker: the plugin is there, and a script that starts it."""
    depended = {**_named(package, "dependencies"), **_named(package, "devDependencies")}
    configured = any(os.path.exists(os.path.join(folder, name)) for name in _VITE)
    return PLUGIN in depended and configured and "dev" in _scripts(package)


def _run(folder: str, script: str, port: int | None) -> list[str]:
    """A script, by the program that the project's packages are managed with."""
    manager = _manager(folder)
    found = shutil.which(manager) or shutil.which("npm")
    if found is None:
        raise WorkbenchError(
            "servers.no_program", f"{manager} is not to be found, which runs the script {script!r}", _NODE
        )
    if port is None:
        return [found, "run", script]
    between = ["--"] if os.path.basename(found) == "npm" else []
    return [found, "run", script, *between, "--port", str(port)]


def _manager(folder: str) -> str:
    """npm, pnpm, yarn or bun: as the nearest package.json or lock file says."""
    for place in _upward(folder):
        said = str(_package(place).get("packageManager") or "").partition("@")[0]
        if said in _LOCKS.values():
            return said
        for name, manager in _LOCKS.items():
            if os.path.exists(os.path.join(place, name)):
                return manager
    return "npm"


_NODE = "Node has to be installed, and on the PATH"


def _wrangler(project: Project, port: int | None, together: bool) -> list[str]:
    own = (os.path.join(place, "node_modules", ".bin", "wrangler") for place in _upward(project.folder))
    found = next((path for path in own if os.access(path, os.X_OK)), None) or shutil.which("wrangler")
    if found is None:
        raise WorkbenchError(
            "servers.no_program",
            f"there is no wrangler: neither in {project.folder} (node_modules), nor on the PATH",
            "npm install --save-dev wrangler, in the project",
        )
    if shutil.which("node") is None:
        raise WorkbenchError(
            "servers.no_program", f"there is no node on the PATH, which {found} needs", _NODE
        )
    command = [found, "dev"]
    workers = _together(project) if together else list(project.workers[:1])
    configs = [worker.config_path for worker in workers]
    if len(configs) > 1 or not _is_found_anyway(configs, project.folder):
        for path in configs:
            command += ["--config", path]
    environment = next((worker.environment for worker in project.workers if worker.environment), None)
    if environment:
        command += ["--env", environment]
    if os.path.realpath(project.state_directory) != os.path.realpath(os.path.join(project.folder, STATE)):
        command += ["--persist-to", project.state_directory]
    if port is not None:
        command += ["--port", str(port)]
    return command


def _together(project: Project) -> list[Worker]:
    """The Worker in use, and those of the project that its bindings name, theirs included: one server runs them all."""
    found = list(project.workers[:1])
    for worker in found:
        named = {binding.detail.get("script_name") for binding in worker.bindings}
        named |= {binding.resource_id for binding in worker.bindings if binding.kind == "service"}
        found += [one for one in project.workers if one.name in named and one not in found]
    return found


def _is_found_anyway(configs: list[str], folder: str) -> bool:
    """Whether wrangler takes this config by itself, in this folder."""
    first = next((name for name in CONFIG_NAMES if os.path.exists(os.path.join(folder, name))), None)
    redirected = os.path.exists(os.path.join(folder, ".wrangler", "deploy", "config.json"))
    return redirected or not configs or (first is not None and configs[0] == os.path.join(folder, first))


_LARGEST_PACKAGE = 4 << 20


def _upward(folder: str) -> list[str]:
    places = [os.path.abspath(folder)]
    while (above := os.path.dirname(places[-1])) != places[-1]:
        places.append(above)
    return places


def _package(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
            found = json.loads(file.read(_LARGEST_PACKAGE))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(package: dict[str, Any], name: str) -> dict[str, Any]:
    found = package.get(name)
    return found if isinstance(found, dict) else {}


def _scripts(package: dict[str, Any]) -> dict[str, Any]:
    return _named(package, "scripts")
