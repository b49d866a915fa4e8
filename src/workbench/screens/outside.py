"""A text in the user's own editor, in a file only its owner can read. What was typed there is not lost by an error."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from typing import Any

from textual.app import SuspendNotSupported

from workbench.model.errors import WorkbenchError
from workbench.model.secrets import for_children


def edit_outside(app: Any, text: str, ending: str = "") -> str:
    """Suspend the application and run $VISUAL or $EDITOR on the text. Raises WorkbenchError.

    ending: of the file's name, for the editor's colours; `.txt` where it is no usual one.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    path = _written(text, ending)
    keep = False
    try:
        with app.suspend():
            done = subprocess.run([*shlex.split(command), path], check=False, env=for_children(os.environ))
            status = done.returncode
        if status != 0:
            raise WorkbenchError(
                "editor.failed", f"{command} ended with status {status}: nothing was taken over"
            )
        with open(path, encoding="utf-8", newline="", errors="surrogatepass") as file:
            edited = file.read()
        # Most editors end a file with a line end; a text that had none keeps none.
        return edited if text.endswith("\n") else edited.removesuffix("\n")
    except SuspendNotSupported:
        raise WorkbenchError(
            "editor.no_terminal", "this terminal can't be handed to another program: edit the text here"
        ) from None
    except UnicodeDecodeError as error:
        keep = True
        raise WorkbenchError(
            "editor.not_text", f"{command} left bytes that are not UTF-8", f"they are in {path}"
        ) from error
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            "editor.failed", f"{command}: {error}", "set EDITOR to the editor you use"
        ) from error
    finally:
        if not keep and os.path.exists(path):
            os.unlink(path)


def keep_outside(text: str, ending: str = "") -> str:
    """Keep what was typed outside and could not be written; the file's path, or "" where not even that goes."""
    try:
        return _written(text, ending)
    except WorkbenchError:
        return ""


def _written(text: str, ending: str) -> str:
    """A new file that holds the text."""
    ending = ending if re.fullmatch(r"\.[A-Za-z0-9]{1,10}", ending) else ".txt"
    try:
        handle, path = tempfile.mkstemp(suffix=ending, prefix="cfwb-")
        with open(handle, "w", encoding="utf-8", newline="", errors="surrogatepass") as file:
            file.write(text)
    except OSError as error:
        raise WorkbenchError("file.failed", f"no file for the editor: {error.strerror or error}") from error
    return path
