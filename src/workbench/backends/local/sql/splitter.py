"""Where one SQL statement ends and the next begins, in one pass and for any size.

The rules are those of sqlite3_complete: a semicolon ends a statement unless it is in a string, a quoted name, a comment
or a trigger's body (which ends with `; END ;`). A property test holds the two together. It is a first cut: SQLite itself,
compiling what was cut, has the last word (statements.py).
"""

import re
from collections.abc import Iterator

# In a statement whose kind is settled only these can matter; the rest is skipped in one go.
_NEXT = re.compile(r"[;'\"`\[]|--|/\*")
_HEAD = re.compile(r"[ \t\n\f\r]+|[;'\"`\[]|--|/\*|[A-Za-z0-9_$\x80-\U0010ffff]+|.", re.DOTALL)
_CLOSING = {"'": "'", '"': '"', "`": "`", "[": "]", "--": "\n", "/*": "*/"}
_SPACE = " \t\n\f\r"


class Splitter:
    """Takes SQL in pieces, gives whole statements (with the semicolon, and what stood before them)."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0  # where to go on looking
        self._open = ""  # what a string or comment that is still open ends with
        self._new_statement()

    def _new_statement(self) -> None:
        self._kind = "start"  # start, explain, create, plain, trigger
        self._ending = "body"  # in a trigger: body, semicolon, end
        self._blank = True  # nothing but spaces and comments so far

    def feed(self, piece: str) -> Iterator[str]:
        """The statements that are complete now."""
        self._text += piece
        yield from self._scan(final=False)

    def rest(self) -> Iterator[str]:
        """What is left at the end: statements whose last words were still in doubt, then text without its semicolon."""
        yield from self._scan(final=True)
        text, self._text, self._at = self._text, "", 0
        blank, self._open = self._blank, ""
        self._new_statement()
        if text and not blank:
            yield text

    def _scan(self, final: bool) -> Iterator[str]:
        begin = 0
        while self._at < len(self._text):
            if self._open:
                if not self._close():
                    break
                continue
            cut = self._step(final)
            if cut < 0:
                break
            if cut:
                yield self._text[begin:cut]
                begin = cut
        self._text = self._text[begin:]
        self._at -= begin

    def _close(self) -> bool:
        """Skip to the end of the open string or comment; False when it is not here yet."""
        found = self._text.find(self._open, self._at)
        if found < 0:
            self._at = max(self._at, len(self._text) - len(self._open) + 1)
            return False
        self._at = found + len(self._open)
        self._open = ""
        return True

    def _step(self, final: bool) -> int:
        """One token on. The position after a statement's semicolon, 0 to go on, -1 when the text here says too little."""
        text = self._text
        if self._kind == "plain":
            match = _NEXT.search(text, self._at)
            if match is None:
                # A lone "-" or "/" at the edge may be the first half of a comment's mark.
                self._at = len(text) if final or text[-1:] not in ("-", "/") else len(text) - 1
                return -1
        else:
            match = _HEAD.match(text, self._at)
            if match is None:
                return -1
            doubtful = match.end() == len(text) and match.group()[0] not in ";'\"`[" + _SPACE
            if doubtful and not final and match.group() not in ("--", "/*"):
                return -1
        token = match.group()
        self._at = match.end()
        if token == ";":
            return self._at if self._semicolon() else 0
        if token in _CLOSING:
            self._open = _CLOSING[token]
            if token not in ("--", "/*"):
                self._word("")
        elif token[0] not in _SPACE:
            self._word(token.lower())
        return 0

    def _semicolon(self) -> bool:
        """Whether it ends the statement."""
        if self._kind == "trigger" and self._ending != "end":
            self._ending = "semicolon"
            return False
        self._new_statement()
        return True

    def _word(self, word: str) -> None:
        """A word (or "" for something quoted) settles what kind of statement this is."""
        self._blank = False
        if self._kind == "trigger":
            self._ending = "end" if word == "end" and self._ending == "semicolon" else "body"
        elif self._kind == "create":
            if word == "trigger":
                self._kind = "trigger"
            elif word not in ("temp", "temporary"):
                self._kind = "plain"
        elif word == "create" and self._kind in ("start", "explain"):
            self._kind = "create"
        elif word == "explain" and self._kind == "start":
            self._kind = "explain"
        elif self._kind == "start" or word in ("explain", "temp", "temporary", "trigger", "end"):
            self._kind = "plain"


def cut(text: str) -> list[tuple[int, int]]:
    """Where each statement of `text` begins and ends (its semicolon included), as character offsets."""
    splitter = Splitter()
    places = []
    at = 0
    for part in [*splitter.feed(text), *splitter.rest()]:
        places.append((at, at + len(part)))
        at += len(part)
    return places
