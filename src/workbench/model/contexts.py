"""Code contexts: a language's interpreter in a sandbox that keeps variables and imports from one run to the next."""

from typing import NamedTuple

LANGUAGES = ("python", "javascript", "typescript")


class CodeContext(NamedTuple):
    """language: one of LANGUAGES; version: of what runs it. created, last_used: ISO 8601. busy: whether something runs in it."""

    id: str
    language: str
    cwd: str
    created: str
    last_used: str
    version: str = ""
    busy: bool = False
