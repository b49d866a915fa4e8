"""A configuration file as it was read: its fields, and where each stands in the text."""

import os
from collections.abc import Iterator
from typing import Any

from workbench.model.bindings import Problem
from workbench.project.jsonc import Fault, Path, parse

LARGEST_CONFIG = 16 * 1024 * 1024
LARGEST_FOR_A_SECOND_LOOK = 2 * 1024 * 1024
_MOST_PROBLEMS = 100


class Document:
    """One wrangler configuration. Nothing in it raises: what is wrong is in `problems`, what could be read in `fields`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.text = ""
        self.fields: dict[str, Any] = {}
        self._places: dict[Path, int] | None = None
        text = read_text(path, self.problems)
        if text is None:
            return
        self.text = text
        value = self._parse_toml() if path.endswith(".toml") else self._parse_jsonc()
        if isinstance(value, dict):
            self.fields = value
        elif value is not None or not self.problems:
            self.problem("the configuration should be an object, with fields in it")

    def _parse_jsonc(self) -> Any:
        value, faults = (
            parse(self.text) if len(self.text) <= LARGEST_FOR_A_SECOND_LOOK else _parse_huge(self.text)
        )
        self._add_faults(faults)
        return value

    def _parse_toml(self) -> Any:
        from workbench.project.toml import parse as parse_toml

        value, faults = parse_toml(self.text)
        self._add_faults(faults)
        return value

    def _add_faults(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.problems.append(Problem(self.path, *position(self.text, fault.offset), fault.message))

    def problem(self, message: str, *at: str | int) -> None:
        """Note what is wrong with the field at this path (`"kv_namespaces", 0, "id"`)."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(self.path, *self._locate(at), message))

    def _locate(self, at: Path) -> tuple[int | None, int | None]:
        if not at or len(self.text) > LARGEST_FOR_A_SECOND_LOOK:
            return None, None
        if self._places is None:
            self._places = self._find_places()
        while at:
            if at in self._places:
                return position(self.text, self._places[at])
            at = at[:-1]
        return None, None

    def _find_places(self) -> dict[Path, int]:
        if self.path.endswith(".toml"):
            from workbench.project.toml import places

            return places(self.text)
        from workbench.project.recovery import Reader

        reader = Reader(self.text)
        reader.read()
        return reader.places

    def items(self, value: Any, *at: str | int) -> Iterator[tuple[dict[str, Any], Path]]:
        """The objects of a list and their paths; what is no list, and what in it is no object, becomes a problem."""
        if value is None:
            return
        if not isinstance(value, list):
            self.problem(f'"{at[-1]}" should be a list, not {a(value)}', *at)
            return
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield item, (*at, index)
            else:
                self.problem(f'an entry of "{at[-1]}" should be an object, not {a(item)}', *at, index)

    def table(self, value: Any, *at: str | int) -> dict[str, Any]:
        """An object; empty where it is missing, or (a problem) something else."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.problem(f'"{at[-1]}" should be an object, not {a(value)}', *at)
        return {}

    def string(self, table: dict[str, Any], key: str, at: Path) -> str | None:
        """A text field; None where it is missing, empty, or (a problem) something else."""
        value = table.get(key)
        if value is None or isinstance(value, str):
            return value or None
        self.problem(f'"{key}" should be text, not {a(value)}', *at, key)
        return None

    def strings(self, value: Any, *at: str | int) -> list[str]:
        """A list of texts; whatever in it is none is a problem."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(f'"{at[-1]}" should be a list, not {a(value)}', *at)
            return []
        kept = [item for item in value if isinstance(item, str)]
        if len(kept) != len(value):
            self.problem(f'"{at[-1]}" should hold text only', *at)
        return kept


def a(value: Any) -> str:
    """What a value is, in words: `a number`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1; a column counts characters."""
    before = text.rfind("\n", 0, offset)
    return text.count("\n", 0, offset) + 1, offset - before


def read_text(path: str, problems: list[Problem]) -> str | None:
    """A file's text without its byte order mark; None, and a problem, where it can't be read at all."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_CONFIG + 1)
    except OSError as error:
        problems.append(Problem(path, None, None, f"it can't be read: {error.strerror or error}"))
        return None
    if len(data) > LARGEST_CONFIG:
        problems.append(Problem(path, None, None, f"it is larger than {LARGEST_CONFIG >> 20} MiB"))
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        problems.append(Problem(path, 1, 1, "it is written in UTF-16; wrangler reads UTF-8 only"))
        return data.decode("utf-16", "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problems.append(Problem(path, line, column, "it is not UTF-8 from here on"))
        return data.decode("utf-8", "replace")


def is_file(path: str) -> bool:
    """Like `os.path.isfile`, and False for a name that no file can have."""
    try:
        return os.path.isfile(path)
    except ValueError:
        return False


def _parse_huge(text: str) -> tuple[Any, list[Fault]]:
    """Like `jsonc.parse`, without a second look at what is broken: that takes seconds on megabytes."""
    import json

    from workbench.project.jsonc import blank

    try:
        return json.loads(blank(text)), []
    except ValueError as error:
        return None, [Fault(getattr(error, "pos", 0), str(error).split(":")[0])]
    except RecursionError:
        return None, [Fault(0, "nested too deep")]
