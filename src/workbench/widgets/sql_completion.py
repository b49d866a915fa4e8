"""What could be typed next: tables, columns (after an alias those of its table), keywords, functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from workbench.backends.local.sql.values import quoted
from workbench.model.sql import Schema, Table

from .sql_words import FUNCTIONS, KEYWORDS, Token, tokens, unquoted

MOST = 50


class Candidate(NamedTuple):
    """insert: what is written instead of `word`. about: what it is, for the list."""

    name: str
    insert: str
    about: str


class Completion(NamedTuple):
    """start: where the word being typed begins (character offset)."""

    start: int
    candidates: list[Candidate]


_PLAIN = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_TABLE_WORDS = ("from", "join", "into", "update", "table", "references", "on")


def complete(text: str, cursor: int, schema: Schema | None) -> Completion:
    """Candidates for the word that ends at `cursor`; none inside a string or a comment."""
    statement_start, words = _statement(text, cursor)
    before = [token for token in words if token.end + statement_start <= cursor]
    within = next((t for t in words if t.start + statement_start < cursor < t.end + statement_start), None)
    if within is not None and within.kind in ("string", "comment", "blob"):
        return Completion(cursor, [])
    last = before[-1] if before else None
    touching = last is not None and last.end + statement_start == cursor
    if last is not None and touching and last.kind in ("string", "comment", "blob", "number", "variable"):
        return Completion(cursor, [])
    typed, start = "", cursor
    if within is not None and within.kind == "word":
        typed, start = text[within.start + statement_start : cursor], within.start + statement_start
        before = [token for token in before if token.end <= within.start]
    elif last is not None and touching and last.kind in ("word", "quoted"):
        typed, start = unquoted(last.text), last.start + statement_start
        before = before[:-1]
    tables = [table for table in schema.tables if table.kind != "shadow"] if schema else []
    return Completion(start, _ranked(typed, _possible(before, words, tables)))


def _statement(text: str, cursor: int) -> tuple[int, list[Token]]:
    """The tokens of the statement the cursor is in (offsets from its start)."""
    start = 0
    found: list[Token] = []
    for token in tokens(text):
        if token.kind == "mark" and token.text == ";":
            if token.end > cursor:
                break
            start, found = token.end, []
        else:
            found.append(token)
    return start, [token._replace(start=token.start - start, end=token.end - start) for token in found]


def _possible(before: list[Token], words: list[Token], tables: list[Table]) -> Iterable[Candidate]:
    if before and before[-1].text == "." and len(before) > 1:
        table = _behind(unquoted(before[-2].text), words, tables)
        return _columns(table) if table else []
    previous = before[-1].text.lower() if before else ""
    if previous in _TABLE_WORDS and previous != "on":
        return [_table(table) for table in tables]
    return _all(words, tables)


def _all(words: list[Token], tables: list[Table]) -> Iterable[Candidate]:
    named = [table for table in tables if table.name.lower() in {name for _, name in _aliases(words)}]
    for table in named:
        yield from _columns(table)
    for alias, name in _aliases(words):
        if alias != name:
            yield Candidate(alias, alias, f"alias of {name}")
    for table in tables:
        yield _table(table)
    for word in sorted(KEYWORDS):
        yield Candidate(word.upper(), word.upper(), "keyword")
    for function in FUNCTIONS:
        yield Candidate(function, f"{function}(", "function")


def _aliases(words: list[Token]) -> list[tuple[str, str]]:
    """(alias, table), lower case, of what stands behind FROM, JOIN, UPDATE, INTO and their commas."""
    found: list[tuple[str, str]] = []
    names = [token for token in words if token.kind in ("word", "quoted", "mark")]
    expecting = False
    for at, token in enumerate(names):
        word = token.text.lower()
        if token.kind == "word" and word in ("from", "join", "update", "into"):
            expecting = True
        elif expecting and token.kind != "mark" and (token.kind == "quoted" or word not in KEYWORDS):
            table = unquoted(token.text).lower()
            following = names[at + 1 : at + 3]
            if following and following[0].text.lower() == "as":
                following = following[1:]
            alias = table
            if following and following[0].kind != "mark" and following[0].text.lower() not in KEYWORDS:
                alias = unquoted(following[0].text).lower()
            found.append((alias, table))
            expecting = False
        elif token.text == "," and found and not _past_from(names[:at]):
            expecting = True
    return found


def _past_from(names: list[Token]) -> bool:
    """Whether the last clause before here is another one than FROM, so that a comma separates no tables."""
    for token in reversed(names):
        if token.kind == "word" and token.text.lower() in KEYWORDS - {
            "as",
            "left",
            "inner",
            "cross",
            "outer",
            "natural",
        }:
            return token.text.lower() not in ("from", "join")
    return True


def _behind(name: str, words: list[Token], tables: list[Table]) -> Table | None:
    wanted = dict(reversed(_aliases(words))).get(name.lower(), name.lower())
    return next((table for table in tables if table.name.lower() == wanted), None)


def _columns(table: Table) -> Iterable[Candidate]:
    for column in table.columns:
        about = " ".join(part for part in (table.name, column.type, "key" if column.key else "") if part)
        yield Candidate(column.name, name_in_sql(column.name), about)


def _table(table: Table) -> Candidate:
    return Candidate(table.name, name_in_sql(table.name), table.kind)


def name_in_sql(name: str) -> str:
    """A name as one would write it: quoted only where it must be."""
    return name if _PLAIN.match(name) and name.lower() not in KEYWORDS else quoted(name)


def _ranked(typed: str, possible: Iterable[Candidate]) -> list[Candidate]:
    """Those that begin with what was typed, then those that hold it; each once."""
    wanted = typed.lower()
    shout = typed[:1].isupper()
    first: dict[tuple[str, str], Candidate] = {}
    later: dict[tuple[str, str], Candidate] = {}
    for candidate in possible:
        one = candidate
        name = one.name.lower()
        if one.about == "keyword" and not shout:
            one = Candidate(name, name, "keyword")
        if name.startswith(wanted):
            first.setdefault((name, one.insert), one)
        elif len(wanted) > 1 and wanted in name and one.about not in ("keyword", "function"):
            later.setdefault((name, one.insert), one)
    return [*first.values(), *later.values()][:MOST]
