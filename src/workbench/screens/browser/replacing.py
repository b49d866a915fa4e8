"""The question before something is written over."""

from __future__ import annotations

from .pane import Browsing

LOOKED_AT = 200
"""Names that are looked for; more would take longer than the answer is worth."""


async def may_replace(pane: Browsing, keys: list[str]) -> bool:
    """Asks where keys of these names are there; a few are looked at, many are not."""
    from workbench.screens.dialogs import Confirm

    taken = []
    for key in keys[:LOOKED_AT]:
        entries, _ = await pane.source.page(key, None, True)
        if entries and entries[0].key == key:
            taken.append(key)
    if not taken:
        return True
    return await pane.app.push_screen_wait(
        Confirm(
            f"Overwrite {len(taken):,}",
            target=pane.session.target,
            question="There is something under these names already.",
            lines=taken,
            action="Overwrite",
        )
    )
