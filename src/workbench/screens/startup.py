"""From the first paint to a filled window, and back out: open the project, watch its files, keep the tabs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from workbench.model.errors import WorkbenchError

from . import log
from .workbench import layout

if TYPE_CHECKING:
    from workbench.app import WorkbenchApp

    from .session import Session

MOST_MISHAPS = 20
PREFERENCES = "preferences.json"


async def open_project(app: WorkbenchApp) -> None:
    """Open the project and fill the window; without one, say what was looked for and offer the sample."""
    import asyncio

    from workbench.operations.executor import open_state

    from .session import Session, unexpected

    def opened() -> Session:
        return Session(open_state(**app.open_with))

    try:
        session = await asyncio.to_thread(opened)
    except WorkbenchError as error:
        await _no_project(app, error)
        return
    except Exception as error:
        await _no_project(app, unexpected(error))
        return
    app.session = session
    path = layout.kept_path(session.state.project.state_directory)
    await app.workbench.open_session(session, layout.read_kept(path), app.label)
    app.run_worker(watch_files(app, session), group="watch", exclusive=True)


async def _no_project(app: WorkbenchApp, error: WorkbenchError) -> None:
    from .first_start import FirstStart

    await app.push_screen(FirstStart(error, str(app.open_with.get("folder", "."))), callback=lambda _: None)


async def open_demo(app: WorkbenchApp) -> None:
    """Unpack the sample into a fresh temporary folder and open it in this window."""
    import asyncio

    from workbench.demo import unpack

    await another_project(app, await asyncio.to_thread(unpack), "demo")


async def another_project(app: WorkbenchApp, folder: str, label: str = "", worker: str | None = None) -> None:
    """Open another project in this window, or another Worker of this one (worker: the path of its configuration).

    What is open is closed as if the window were: a tab never outlives its project.
    """
    from .dialogs import Confirm

    session = app.session
    questions = app.workbench.tabs.open_questions()
    if questions:
        target = session.target if session else None
        ask = Confirm("Open another project", target=target, question="\n".join(questions), action="Open")
        if not await app.push_screen_wait(ask):
            return
    if session is not None:
        _keep(app, session)
        await app.workbench.close_session()
        session.close()
        await app.targets.close()
        app.session = None
    app.open_with, app.label = {"folder": folder, "worker": worker}, label
    await open_project(app)


async def watch_files(app: WorkbenchApp, session: Any) -> None:
    """Tell the window what changed on disk, as often as the eye can follow."""
    from .watch import changes

    project = session.state.project
    async for change in changes(project):
        if change.config:
            from workbench.operations.executor import open_state

            try:
                fresh = await session.blocking(lambda: open_state(**app.open_with))
            except WorkbenchError as error:
                app.notify(error.message, severity="warning", markup=False)
                continue
            session.state = fresh
            await app.workbench.project_changed()
        if change.paths:
            await app.workbench.files_changed(change.paths)


async def leave(app: WorkbenchApp) -> None:
    """Close the window: ask where something would be lost, keep the tabs, end what runs."""
    questions = app.workbench.tabs.open_questions()
    if questions:
        from .dialogs import Confirm

        target = app.session.target if app.session else None
        ask = Confirm("Leave the workbench", target=target, question="\n".join(questions), action="Leave")

        def answered(yes: bool | None) -> None:
            if yes:
                app.run_worker(_leave(app))

        await app.push_screen(ask, callback=answered)
        return
    await _leave(app)


async def _leave(app: WorkbenchApp) -> None:
    session = app.session
    if session is not None:
        _keep(app, session)
        await app.workbench.tabs.close_all()
        session.close()
        await app.targets.close()
    app.exit(0)


def _keep(app: WorkbenchApp, session: Session) -> None:
    """Keep what is open, for the next time this project is."""
    layout.write_kept(layout.kept_path(session.state.project.state_directory), app.workbench.kept())


def taken_down(app: WorkbenchApp, error: Exception) -> bool:
    """Whether it is only that a worker looked for a widget while the window closes, which took it down before the worker."""
    from textual.css.query import NoMatches

    return not app.is_running and isinstance(getattr(error, "error", error), NoMatches)


def survives(app: WorkbenchApp, error: Exception) -> bool:
    """Write an unexpected error down and say so; False where the window can't go on."""
    app.mishaps += 1
    hint = log.record(error)
    if app.mishaps > MOST_MISHAPS or not app.is_running:
        return False
    app.notify(f"Something went wrong in cfwb: {error!r}"[:300] + f"\n{hint}", severity="error", markup=False)
    return True


# Themes


def themes(app: WorkbenchApp) -> None:
    """Register our themes and put on the one chosen last."""
    try:
        from workbench.themes import THEMES
    except ImportError:
        return
    for theme in THEMES:
        app.register_theme(theme)
    names = [theme.name for theme in THEMES]
    chosen = str(_preferences().get("theme"))
    app.theme = chosen if chosen in names else names[0]


def switch_theme(app: WorkbenchApp) -> None:
    """From dark to light and back; kept for the next start."""
    names = [name for name in app.available_themes if name.startswith("cfwb")] or [
        "textual-dark",
        "textual-light",
    ]
    app.theme = names[(names.index(app.theme) + 1) % len(names) if app.theme in names else 0]
    path = os.path.join(log.state_home(), PREFERENCES)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**_preferences(), "theme": app.theme}, file)
    except OSError:
        pass


def _preferences() -> dict[str, Any]:
    try:
        with open(os.path.join(log.state_home(), PREFERENCES), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
