"""A folder as a Project: the Worker in use, those that share its state, and what is wrong with their files."""

import os

from workbench.model.bindings import CONFIG_NAMES, STATE, Binding, Problem, Project, Worker
from workbench.model.errors import WorkbenchError
from workbench.project import find
from workbench.project.bindings import bindings
from workbench.project.document import Document
from workbench.project.environment import settings
from workbench.project.variables import variables


def load(
    folder: str = ".",
    *,
    worker: str | None = None,
    environment: str | None = None,
    persist_to: str | None = None,
) -> Project:
    """The project a folder belongs to.

    worker: a Worker's name or its configuration's path, where there are several; the first of `Project.workers` is it.
    environment: as wrangler's `--env`; without it `CLOUDFLARE_ENV` counts, and "" is the top level.
    persist_to: as wrangler's `--persist-to`: the folder that holds `v3`, relative to the current folder.
    Raises WorkbenchError: project.no_such_folder, project.not_found, project.unknown_worker,
    project.unknown_environment.
    """
    start = os.path.abspath(folder)
    if os.path.isfile(start) and start.endswith((".json", ".jsonc", ".toml")):
        worker, start = worker or start, os.path.dirname(start)
    if not os.path.isdir(start):
        raise WorkbenchError(
            "project.no_such_folder", f"{start} is not a folder", "Check --project, or the current folder."
        )
    if environment is None:
        environment = os.environ.get("CLOUDFLARE_ENV") or None
    problems: list[Problem] = []
    config = find.config_above(start)
    if config is None or worker is not None:
        return _choose(start, config, worker, environment, persist_to, problems)
    problems += find.shadowed(config, start)
    return _project(start, config, environment, persist_to, problems)


def _project(
    start: str,
    config: str,
    environment: str | None,
    persist_to: str | None,
    problems: list[Problem],
    among: tuple[str, ...] = (),
) -> Project:
    """The project around the user's configuration file."""
    home = os.path.dirname(config)
    redirect = find.redirect_for(start if _is_within(start, home) else home, config, problems)
    state = _state_directory(persist_to, home)
    used = redirect.config if redirect else config
    main = read_worker(used, environment, required=True, home=home if redirect else None)
    others = [*(redirect.auxiliary if redirect else ()), *find.beside(config)]
    workers = [main] + [read_worker(path, environment) for path in others if path != used]
    elsewhere = among or _companions(main, home, state)
    more, others_left = _sharing(elsewhere, {config, used, *others}, workers, environment, state)
    if persist_to is None and not os.path.isdir(state):
        problems += _kept_elsewhere(main, config)
    return Project(home, tuple(workers + more), state, tuple(problems), others_left)


def _is_within(folder: str, home: str) -> bool:
    return folder == home or folder.startswith(home.rstrip(os.sep) + os.sep)


def _state_directory(persist_to: str | None, home: str) -> str:
    if persist_to is None:
        return os.path.join(home, STATE)
    path = os.path.abspath(persist_to)
    if os.path.basename(path) == "v3" and os.path.isdir(path) and not os.path.isdir(os.path.join(path, "v3")):
        return os.path.dirname(path)
    return path


def _companions(main: Worker, home: str, state: str) -> tuple[str, ...]:
    """Other configurations of the workspace, looked for only where something hints at another Worker."""
    if not (_scripts_named(main) or _scripts_on_disk(main, state)):
        return ()
    return tuple(find.below(find.workspace(home)))


def _scripts_named(main: Worker) -> set[str]:
    """Other Workers that this one's bindings name."""
    named: set[str] = set()
    for binding in main.bindings:
        if binding.kind in ("service", "tail_consumer", "streaming_tail_consumer") and binding.resource_id:
            named.add(binding.resource_id)
        elif binding.kind in ("durable_object", "workflow"):
            script = binding.detail.get("script_name")
            if isinstance(script, str):
                named.add(script)
    return named - {main.name}


def _scripts_on_disk(main: Worker, state: str) -> set[str]:
    """Folders of Durable Objects that this Worker's bindings do not explain."""
    own = {binding.resource_id for binding in main.bindings if binding.kind == "durable_object"}
    return set(_object_folders(state)) - own


def _object_folders(state: str) -> list[str]:
    try:
        return os.listdir(os.path.join(state, "v3", "do"))
    except OSError:
        return []


def _sharing(
    elsewhere: tuple[str, ...],
    known: set[str],
    workers: list[Worker],
    environment: str | None,
    state: str,
) -> tuple[list[Worker], tuple[str, ...]]:
    """Those of the other Workers that keep their state here, and the paths of those that do not.

    `wrangler dev -c a -c b` and `--persist-to` leave no note of it, so the state itself tells: an object's folder
    bears its Worker's name. One that is only named by a binding shares where it has no state of its own.
    """
    named = {script for one in workers for script in _scripts_named(one)}
    folders = _object_folders(state)
    sharing: list[Worker] = []
    apart: list[str] = []
    for path in elsewhere:
        if path in known:
            continue
        other = read_worker(path, environment)
        has_own_state = os.path.isdir(os.path.join(os.path.dirname(path), STATE))
        left_traces = any(folder.startswith(f"{other.name}-") for folder in folders)
        if left_traces or (other.name in named and not has_own_state):
            sharing.append(other)
        else:
            apart.append(path)
    return sharing, tuple(apart)


def _kept_elsewhere(main: Worker, config: str) -> list[Problem]:
    """Where a Worker without state has left objects in another's: `wrangler dev -c a -c b` keeps all in the first's."""
    for path in find.below(find.workspace(os.path.dirname(config))):
        state = os.path.join(os.path.dirname(path), STATE)
        if path != config and any(name.startswith(f"{main.name}-") for name in _object_folders(state)):
            message = f"it has no state here, but objects in {state}: open that with --worker or --persist-to"
            return [Problem(config, None, None, message)]
    return []


def _choose(
    start: str,
    config: str | None,
    worker: str | None,
    environment: str | None,
    persist_to: str | None,
    problems: list[Problem],
) -> Project:
    """A project where the search upward does not decide: a Worker asked for by name, or no configuration above."""
    candidates = find.below(find.workspace(os.path.dirname(config)) if config else start)
    if config is not None and config not in candidates:
        candidates.insert(0, config)
    if worker is not None:
        chosen = _by_name(worker, candidates, config, environment, start)
        return _project(os.path.dirname(chosen), chosen, environment, persist_to, problems, tuple(candidates))
    state = os.path.abspath(persist_to) if persist_to else find.state_above(start)
    redirect = find.redirect_for(start, None, problems)
    if redirect is not None:
        return _generated_only(start, redirect, environment, persist_to, problems)
    if state is not None:
        return _state_only(start, state, candidates, environment, problems)
    if not candidates:
        raise _not_found(start)
    with_state = [path for path in candidates if os.path.isdir(os.path.join(os.path.dirname(path), STATE))]
    chosen = (with_state or candidates)[0]
    project = _project(os.path.dirname(chosen), chosen, environment, persist_to, problems, tuple(candidates))
    if len(candidates) > 1:
        notice = (
            f"{project.workers[0].name} is one of {len(candidates)} Workers here; choose with --worker NAME"
        )
        return project._replace(notice=notice)
    return project


def _generated_only(
    start: str,
    redirect: find.Redirect,
    environment: str | None,
    persist_to: str | None,
    problems: list[Problem],
) -> Project:
    """A build tool's output without a configuration of the user's own."""
    workers = [read_worker(redirect.config, environment, required=True, home=start)]
    workers += [read_worker(path, environment) for path in redirect.auxiliary]
    return Project(start, tuple(workers), _state_directory(persist_to, start), tuple(problems))


def _state_only(
    start: str, state: str, candidates: list[str], environment: str | None, problems: list[Problem]
) -> Project:
    """State and no configuration above it; the Workers in folders below that have no state of their own use it."""
    workers, others = [], []
    for path in candidates:
        if os.path.isdir(os.path.join(os.path.dirname(path), STATE)):
            others.append(path)
        else:
            workers.append(read_worker(path, environment))
    home = os.path.dirname(os.path.dirname(state)) if state.endswith(STATE) else start
    return Project(home, tuple(workers), _state_directory(state, home), tuple(problems), tuple(others))


def _by_name(
    worker: str, candidates: list[str], config: str | None, environment: str | None, start: str
) -> str:
    path = os.path.abspath(os.path.join(start, worker))
    if os.path.isfile(path):
        return path
    order = [config] if config else []
    order += [path for path in candidates if path != config]
    names: list[str] = []
    for path in order:
        top = read_worker(path, "").name
        if worker in (top, read_worker(path, environment).name):
            return path
        names.append(top)
    hint = f"Workers here: {', '.join(names)}." if names else "There is no wrangler configuration here."
    raise WorkbenchError("project.unknown_worker", f"no Worker named {worker} in {start}", hint)


def _not_found(start: str) -> WorkbenchError:
    typescript = [name for name in ("cloudflare.config.ts", "wrangler.config.ts") if _exists(start, name)]
    extra = f" ({typescript[0]} is code, which is not run.)" if typescript else ""
    return WorkbenchError(
        "project.not_found",
        f"there is no Worker's project in {start}: no {', '.join(CONFIG_NAMES)} in it, above it or in its "
        f"subfolders, and no {STATE}{extra}",
        "Go to a Worker's folder, or name it with --project; `cfwb demo` opens a sample project.",
    )


def _exists(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))


def read_worker(
    path: str, environment: str | None, *, required: bool = False, home: str | None = None
) -> Worker:
    """One configuration as a Worker.

    required: an unknown environment is an error. home: the folder of the user's own configuration where a build tool
    generated this one; secrets lie there.
    """
    document = Document(path)
    generated = home is not None
    chosen = settings(document, environment, required=required, generated=generated)
    found: list[Binding] = bindings(document, chosen)
    taken = {binding.name for binding in found if binding.bound}
    found += variables(document, chosen, home or os.path.dirname(path), taken)
    if chosen.name is None and any(b.kind == "durable_object" and b.resource_id is None for b in found):
        document.problem(
            'it has no "name": wrangler dev makes up another one at each start, and with it loses its objects'
        )
    main = chosen.fields.get("main")
    account = chosen.fields.get("account_id")
    return Worker(
        name=chosen.name or os.path.basename(os.path.dirname(path)),
        config_path=path,
        environment=chosen.environment,
        environments=chosen.environments,
        bindings=tuple(found),
        problems=tuple(document.problems),
        main=os.path.normpath(os.path.join(os.path.dirname(path), main)) if isinstance(main, str) else None,
        account_id=account if isinstance(account, str) and account else None,
    )
