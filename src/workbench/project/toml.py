"""wrangler.toml through `tomllib`, and as much as possible of a broken one. Imported for a .toml file only."""

import re
import tomllib
from datetime import date, time
from typing import Any

from workbench.project.jsonc import Fault, Path

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_STATEMENT = re.compile(r"^[ \t]*(?:\[|[\w\"'-][^=\n]*=)", re.MULTILINE)
_HEADER = re.compile(r"^[ \t]*(\[\[?)[ \t]*([^\]\n#]+?)[ \t]*\]\]?", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*([\w\"'. -]+?)[ \t]*=", re.MULTILINE)
# A key of so many parts takes tomllib memory by the square of them: 200 kB of one would be 40 GB.
_LONG_KEY = re.compile(r"""(?<![\w.-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")
_TRIES = 20


def parse(text: str) -> tuple[Any, list[Fault]]:
    """The value of a TOML text and what is wrong with it.

    A line that TOML refuses is left out and the rest read again; where that does not help (an unclosed string or
    list), the statement it belongs to is.
    """
    faults: list[Fault] = []
    text = text.replace("\r\n", " \n")  # same length, and a lone return is what TOML refuses
    for _ in range(_TRIES):
        if long := _LONG_KEY.search(text):
            faults.append(Fault(long.start(), "a key of more than 100 parts"))
            start = text.rfind("\n", 0, long.start()) + 1
            line = text[start:].partition("\n")[0]
            text = text[:start] + " " * len(line) + text[start + len(line) :]
            continue
        try:
            return _plain(tomllib.loads(text)), faults
        except tomllib.TOMLDecodeError as error:
            offset, message = _where(text, str(error))
            if not faults or not _is_next_line(text, faults[-1].offset, offset):
                faults.append(Fault(offset, message))
            text = _without_line(text, offset)
        except RecursionError:
            return {}, [*faults, Fault(0, "nested too deep")]
    return {}, faults


def _where(text: str, message: str) -> tuple[int, str]:
    found = _AT.search(message)
    said = message[: found.start()] if found else message
    if found is None or found[1] is None:
        return len(text.rstrip()), said[:1].lower() + said[1:]
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
    return min(offset, len(text)), said[:1].lower() + said[1:]


def _is_next_line(text: str, last: int, offset: int) -> bool:
    """Whether an error merely follows from the line left out before it: no statement begins between them."""
    return last <= offset and _STATEMENT.search(text, last, offset) is None


def _without_line(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    if not text[start:end].strip() or end == len(text.rstrip()):
        begins = [found.start() for found in _STATEMENT.finditer(text, 0, max(start, 1))]
        if offset >= len(text.rstrip()) and _STATEMENT.match(text, start) and text[start:end].strip():
            begins.append(start)
        start = begins[-1] if begins else 0
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _plain(value: Any) -> Any:
    """TOML's dates and special numbers as text: what comes after this speaks JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def places(text: str) -> dict[Path, int]:
    """Where each table and key stands, as far as a look at the lines can tell."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    base: Path = ()
    marks = sorted(
        [(match.start(2), match) for match in _HEADER.finditer(text)]
        + [(match.start(1), match) for match in _KEY.finditer(text)],
        key=lambda mark: mark[0],
    )
    for offset, match in marks:
        if match.re is _KEY:
            path = (*base, *_parts(match[1]))
        else:
            path = base = _resolve(_parts(match[2]), counts, match[1] == "[[")
        for length in range(len(base) if match.re is _KEY else 1, len(path) + 1):
            found.setdefault(path[:length], offset)
    return found


def _parts(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(parts: Path, counts: dict[Path, int], is_array: bool) -> Path:
    """A header's path with the numbers of the arrays it goes through: the second `[[kv_namespaces]]` is number 1."""
    path: Path = ()
    for index, part in enumerate(parts):
        path = (*path, part)
        if is_array and index == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
