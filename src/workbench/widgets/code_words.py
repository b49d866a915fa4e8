"""Colours of Python, JavaScript and TypeScript, by Pygments."""

from __future__ import annotations

from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers.javascript import JavascriptLexer, TypeScriptLexer
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, _TokenType

LARGEST = 50_000
"""Characters up to which a text is coloured: all of it is looked at after every change."""

_LEXERS: dict[str, type[Lexer]] = {
    "python": PythonLexer,
    "javascript": JavascriptLexer,
    "typescript": TypeScriptLexer,
}
_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "comment"),
    (String, "string"),
    (Number, "number"),
    (Literal, "string"),
    (Keyword.Constant, "constant"),
    (Keyword, "keyword"),
    (Operator.Word, "keyword"),
    (Name.Builtin, "function"),
    (Name.Function, "function"),
    (Name.Class, "type"),
    (Name.Decorator, "variable"),
)


class CodeColours:
    """Implements `code_editor.Colours` for one of the languages that contexts have."""

    def __init__(self, language: str) -> None:
        self._lexer: Lexer = _LEXERS[language](stripnl=False, ensurenl=False)
        self._spans: list[list[tuple[int, int, str]]] | None = None

    def changed(self, first: int) -> None:
        self._spans = None

    def of(self, lines: list[str], line: int) -> list[tuple[int, int, str]]:
        if self._spans is None:
            text = "\n".join(lines)
            self._spans = list(self._coloured(text)) if len(text) <= LARGEST else []
        return self._spans[line] if line < len(self._spans) else []

    def _coloured(self, text: str) -> Iterator[list[tuple[int, int, str]]]:
        """The spans of each line."""
        spans: list[tuple[int, int, str]] = []
        column = 0
        for token, piece in self._lexer.get_tokens(text):
            kind = next((kind for known, kind in _KINDS if token in known), "")
            for number, part in enumerate(piece.split("\n")):
                if number:
                    yield spans
                    spans, column = [], 0
                if kind and part:
                    spans.append((column, column + len(part), kind))
                column += len(part)
        yield spans
