"""What is wrong with a broken JSONC text, and what can be kept of it. Imported only where `json` has given up."""

import json
import re
from typing import Any

from workbench.project.jsonc import COMMENT, Fault, Path, without_comment

_BLANK = re.compile(r"[ \t\r\n]*")
_DEEPEST = 100
_MOST_FAULTS = 20


class Reader:
    """A JSONC parser that goes on after an error.

    `faults` is what it met, at most 20; `places` the offset of each key and item it kept, by path.
    """

    _TOKEN = re.compile(
        r"""(?P<string>"(?:[^"\\\r\n]|\\.)*") | (?P<open_string>"(?:[^"\\\r\n]|\\[^\r\n])*)
        | (?P<single>'(?:[^'\\\r\n]|\\[^\r\n])*'?) | (?P<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
        | (?P<word>[\w$+.-]+) | (?P<mark>[{}\[\]:,]) | (?P<other>.)""",
        re.VERBOSE | re.DOTALL,
    )
    _WORDS = {"true": True, "false": False, "null": None}

    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.places: dict[Path, int] = {}
        unclosed = [found.start() for found in COMMENT.finditer(text) if _is_unclosed(found[0])]
        self._bare = COMMENT.sub(without_comment, text)
        self._at = 0
        self._kind = ""
        self._token = ""
        if unclosed:
            self._fault("this comment is never closed", unclosed[0])
        self._next()

    def read(self) -> Any:
        """The value; what follows it is a fault. None for an empty text."""
        if not self._kind:
            self._fault("the file is empty")
            return None
        value = self._value((), 0)
        if self._kind:
            self._fault("there is more after the end of the value")
        self.faults.sort()
        return value

    def _fault(self, message: str, at: int | None = None) -> None:
        at = self._at if at is None else at
        follows = any(fault.offset == at for fault in self.faults)
        if len(self.faults) < _MOST_FAULTS and not follows:
            self.faults.append(Fault(at, message))

    def _next(self) -> None:
        start = self._at + len(self._token)
        blank_end = _BLANK.match(self._bare, start)
        self._at = blank_end.end() if blank_end else start
        found = self._TOKEN.match(self._bare, self._at)
        self._kind = found.lastgroup or "" if found else ""
        self._token = found[0] if found else ""
        if self._kind == "open_string":  # what closes a line belongs to the structure, not to the text
            self._token = self._token.rstrip(" \t,}]")

    def _value(self, path: Path, depth: int) -> Any:
        kind, token, at = self._kind, self._token, self._at
        self.places[path] = self.places.get(path, at)
        if token in ("{", "[") and kind == "mark":
            if depth >= _DEEPEST:
                self._fault(f"nested deeper than {_DEEPEST} levels")
                self._skip_block()
                return None
            self._next()
            return self._members(path, depth, at) if token == "{" else self._items(path, depth, at)
        self._next()
        return self._scalar(kind, token, at)

    def _scalar(self, kind: str, token: str, at: int) -> Any:
        if kind == "number":
            return _number(token)
        if kind == "word" and token in self._WORDS:
            return self._WORDS[token]
        if kind in ("string", "open_string", "single"):
            return self._string(kind, token, at)
        self._fault(f"a value was expected here, not {_shown(token)}", at)
        return token if kind == "word" else None

    def _string(self, kind: str, token: str, at: int) -> str:
        if kind == "open_string":
            self._fault("this text has no closing quote", at)
            token += '"'
        elif kind == "single":
            self._fault("text needs double quotes", at)
            token = json.dumps(token.strip("'"))
        try:
            return str(json.loads(token, strict=True))
        except ValueError:
            self._fault("a control character or an unknown escape in this text", at)
        try:
            return str(json.loads(re.sub(r"\\(?![\"\\/bfnrtu])", r"\\\\", token), strict=False))
        except ValueError:
            return token.strip('"')

    def _members(self, path: Path, depth: int, opened: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        while True:
            if self._ends("}", "]", opened):
                return made
            if self._token == "," and self._kind == "mark":
                self._fault("a comma too many")
                self._next()
                continue
            key, at = self._key(), self._at
            if key is None:
                continue
            if key in made:
                self._fault(f"{_shown(key)} is here a second time; the last one counts", at)
            self._next()
            if not self._colon(at):
                continue
            self.places[(*path, key)] = at
            made[key] = self._value((*path, key), depth + 1)
            self._separator("}")

    def _items(self, path: Path, depth: int, opened: int) -> list[Any]:
        made: list[Any] = []
        while True:
            if self._ends("]", "}", opened):
                return made
            if self._token in (",", ":") and self._kind == "mark":
                self._fault(f"{_shown(self._token)} does not belong here")
                self._next()
                continue
            if self._is_a_key():
                self._fault('"]" is missing before this')
                return made
            made.append(self._value((*path, len(made)), depth + 1))
            self._separator("]")

    def _is_a_key(self) -> bool:
        after = _BLANK.match(self._bare, self._at + len(self._token))
        return (
            self._kind == "string" and after is not None and self._bare[after.end() : after.end() + 1] == ":"
        )

    def _ends(self, mark: str, wrong: str, opened: int) -> bool:
        """Whether the block is over: by its own mark, by the other kind's, or by the end of the text."""
        if not self._kind:
            line = self.text.count("\n", 0, opened) + 1
            self._fault(f"{_shown(mark)} is missing for what was opened on line {line}")
            return True
        if self._kind == "mark" and self._token == mark:
            self._next()
            return True
        if self._kind == "mark" and self._token == wrong:
            self._fault(f"{_shown(mark)} was expected here, not {_shown(wrong)}")
            return True
        return False

    def _key(self) -> str | None:
        """The key at the cursor, or None where there is none: then what stands there has been passed over."""
        if self._kind in ("string", "single", "open_string"):
            return self._string(self._kind, self._token, self._at)
        if self._kind == "word" or self._kind == "number":
            self._fault("a key needs double quotes")
            return self._token
        self._fault(f"a key was expected here, not {_shown(self._token)}")
        if self._token in ("{", "["):
            self._skip_block()
        else:
            self._next()
        return None

    def _colon(self, at: int) -> bool:
        if self._token == ":" and self._kind == "mark":
            self._next()
            if self._token in ("}", "]", ",") and self._kind == "mark":
                self._fault("this key has no value", at)
                return False
            return bool(self._kind) or self._missing(at)
        if self._token == "=":
            self._fault('":" was expected here, not "="')
            self._next()
            return True
        self._fault('":" and a value are missing after this key', at)
        return False

    def _missing(self, at: int) -> bool:
        self._fault("this key has no value", at)
        return False

    def _separator(self, mark: str) -> None:
        if self._token == "," and self._kind == "mark":
            self._next()
        elif self._kind and not (self._kind == "mark" and self._token in "}]"):
            self._fault(f'"," or {_shown(mark)} is missing before this')
            if self._kind == "other" or self._token == ":":
                self._next()

    def _skip_block(self) -> None:
        depth = 0
        while self._kind:
            if self._kind == "mark" and self._token in "{[":
                depth += 1
            elif self._kind == "mark" and self._token in "}]":
                depth -= 1
            self._next()
            if depth <= 0:
                return


def _is_unclosed(comment: str) -> bool:
    return comment.startswith("/*") and not (comment.endswith("*/") and len(comment) >= 4)


def _number(token: str) -> int | float:
    if token.lstrip("-").isdigit() and len(token) < 4000:
        return int(token)
    return float(token)


def _shown(token: str) -> str:
    return f'"{token[:40]}…"' if len(token) > 40 else f'"{token}"'
