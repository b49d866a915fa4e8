"""SQL cut into tokens for colour and completion, forgiving of text that is half written, and the words SQLite knows."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

KEYWORDS = frozenset(
    # a paragraph is easier to read than a list
    """abort action add after all alter always analyze and as asc autoincrement before begin between by cascade case cast
    check collate column commit conflict constraint create cross current current_date current_time current_timestamp
    database default deferrable deferred delete desc distinct do drop each else end escape except exclude exclusive exists
    explain fail filter first following for foreign from full generated glob group groups having if ignore immediate in index
    indexed initially inner insert instead intersect into is isnull join key last left like limit match materialized natural
    no not nothing notnull null nulls of offset on or order others outer over partition plan pragma preceding primary query
    raise range recursive references regexp reindex release rename replace restrict returning right rollback row rows
    savepoint select set stored strict table temp temporary then ties to transaction trigger unbounded union unique update
    using vacuum values view virtual when where window with without""".split()  # noqa: SIM905
)
FUNCTIONS = tuple(
    """abs avg changes char coalesce concat concat_ws count cume_dist date datetime dense_rank first_value format glob
    group_concat hex ifnull iif instr json json_array json_array_length json_each json_extract json_group_array
    json_group_object json_insert json_object json_patch json_quote json_remove json_replace json_set json_tree json_type
    json_valid julianday lag last_insert_rowid last_value lead length like lower ltrim max min nth_value ntile nullif
    octet_length percent_rank printf quote random randomblob rank replace round row_number rtrim sign strftime string_agg
    substr substring sum time total trim typeof unhex unicode unixepoch upper zeroblob""".split()  # noqa: SIM905
)
_FUNCTIONS = frozenset(FUNCTIONS)

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*(?:.*?\*/|.*\Z))
    |(?P<blob>[xX]'[^']*'?)
    |(?P<string>'(?:[^']|'')*(?:'|\Z))
    |(?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<variable>[?@:$]\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
_ENDS = {"/*": "*/", "'": "'", '"': '"', "`": "`", "[": "]"}


class Token(NamedTuple):
    """kind: comment, blob, string, quoted, number, variable, word or mark. start, end: character offsets."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """Every token of a text; what is open at the end reaches to it."""
    for found in _TOKEN.finditer(text):
        yield Token(found.lastgroup or "", found[0], found.start(), found.end())


def unquoted(text: str) -> str:
    """The name a token stands for."""
    if len(text) > 1 and text[0] in '"`[':
        closing = _ENDS[text[0]]
        inner = text[1:-1] if text.endswith(closing) else text[1:]
        return inner if closing == "]" else inner.replace(closing * 2, closing)
    return text


class Colours:
    """Which spans of a line have which colour. Remembers what is open at the beginning of each line, so that a change
    costs the lines from it to the last one looked at."""

    def __init__(self) -> None:
        self._open: list[str] = [""]

    def changed(self, line: int = 0) -> None:
        """Lines from this one on may be different."""
        del self._open[max(1, line + 1) :]

    def of(self, lines: list[str], index: int) -> list[tuple[int, int, str]]:
        """(start, end, kind) of a line; kinds as in widgets/palette.py."""
        while len(self._open) <= index:
            self._open.append(_left_open(lines[len(self._open) - 1], self._open[-1]))
        line, opened = lines[index], self._open[index]
        start, spans = 0, []
        if opened:
            end = line.find(_ENDS[opened])
            start = len(line) if end < 0 else end + len(_ENDS[opened])
            spans.append((0, start, "comment" if opened == "/*" else "string" if opened == "'" else "name"))
        for token in tokens(line[start:]):
            kind = _colour(token)
            if kind:
                spans.append((token.start + start, token.end + start, kind))
        return spans


def _left_open(line: str, opened: str) -> str:
    """What a line leaves open for the next: the beginning of a comment, a string or a quoted name, or nothing."""
    start = 0
    if opened:
        end = line.find(_ENDS[opened])
        if end < 0:
            return opened
        start = end + len(_ENDS[opened])
    last = next(iter(deque(tokens(line[start:]), maxlen=1)), None)
    if last is None or last.end + start < len(line.rstrip()):
        return ""
    if last.kind == "comment":
        return "/*" if last.text.startswith("/*") and not last.text.endswith("*/") else ""
    if last.kind in ("string", "quoted"):
        quote = last.text[0]
        closed = len(last.text) > 1 and last.text.endswith(_ENDS[quote])
        if closed and quote != "[":
            closed = last.text.count(quote) % 2 == 0
        return "" if closed else quote
    return ""


def _colour(token: Token) -> str:
    if token.kind == "word":
        word = token.text.lower()
        if word in KEYWORDS:
            return "keyword"
        return "function" if word in _FUNCTIONS else ""
    return {
        "comment": "comment",
        "blob": "blob",
        "string": "string",
        "number": "number",
        "variable": "variable",
    }.get(token.kind, "")
