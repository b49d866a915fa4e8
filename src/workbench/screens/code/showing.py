"""What a run in a code context gives, as text for a terminal. All of it comes from inside: it is only ever fed to a terminal of ours."""

from __future__ import annotations

import base64
import binascii
import json
from html.parser import HTMLParser
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size

from workbench.widgets.image_header import describe
from workbench.widgets.image_view import decode

ROWS = 30
"""Rows of a table that are printed; `o` shows all that came."""
WIDEST = 40
"""Cells of a table's column."""
LONGEST = 200_000
"""Characters of a text that are printed."""
ERROR, MUTED, PLAIN = "\x1b[91m", "\x1b[2m", "\x1b[0m"


class Whole(NamedTuple):
    """A result to look at by itself. value: text, or the bytes of a picture."""

    title: str
    value: str | bytes


def echo(number: int, language: str, code: str) -> str:
    """The code that is run."""
    sign = {"python": ">>>", "javascript": "js>", "typescript": "ts>"}[language]
    lines = code.strip("\n").split("\n")
    more = f"\n{MUTED}    … {len(lines) - 1:,} more lines{PLAIN}" if len(lines) > 1 else ""
    return f"\x1b[1m[{number}] {sign}\x1b[22m {lines[0][:LONGEST]}{more}\n"


def event(name: str, fields: dict[str, Any], columns: int) -> str:
    """What an event prints, in so many columns."""
    text = str(fields.get("text", ""))
    if name == "stdout":
        return text
    if name == "stderr":
        return f"{ERROR}{text}{PLAIN}" if text else ""
    if name == "result":
        return _line(result(fields, columns))
    if name == "exception":
        said = (
            "".join(map(str, fields.get("traceback") or ()))
            or f"{fields.get('name')}: {fields.get('message')}"
        )
        return f"{ERROR}{said.rstrip()}{PLAIN}\n"
    if name == "died":
        return f"{ERROR}the context's process has ended, and its variables are gone{PLAIN}\n"
    if name == "restarted":
        return f"{MUTED}a fresh process: earlier variables are gone{PLAIN}\n"
    return ""


def _line(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"


def result(fields: dict[str, Any], columns: int) -> str:
    """The value of the last expression, or what was displayed: as a picture, a table or text, whichever says most."""
    text = str(fields.get("text", ""))[:LONGEST]
    picture = picture_of(fields)
    if picture is not None:
        return _picture(picture, columns)
    table = fields.get("table")
    if isinstance(table, dict):
        return _table(table)
    if text and not _is_address(text):
        return text
    if "json" in fields:
        return json.dumps(fields["json"], indent=2, ensure_ascii=False)[:LONGEST]
    for name in ("markdown", "latex"):
        if name in fields:
            return str(fields[name])[:LONGEST]
    if "html" in fields:
        return as_text(str(fields["html"]))[:LONGEST]
    others = ", ".join(sorted(set(fields) - {"text"}))
    return text or f"({others})"


def whole(fields: dict[str, Any], number: int) -> Whole:
    """All of a result, to be looked at by itself."""
    title = f"result of [{number}]"
    picture = picture_of(fields)
    if picture is not None:
        return Whole(title, picture)
    for name in ("table", "json"):
        if name in fields:
            return Whole(f"{title}, {name}", json.dumps(fields[name], ensure_ascii=False))
    for name in ("html", "svg", "markdown", "latex", "text"):
        if name in fields and not (name == "text" and _is_address(str(fields[name]))):
            return Whole(f"{title}, {name}", str(fields[name]))
    return Whole(title, str(fields.get("text", "")))


def picture_of(fields: dict[str, Any]) -> bytes | None:
    """The bytes of a PNG or JPEG."""
    for name in ("png", "jpeg"):
        try:
            if name in fields:
                return base64.b64decode(str(fields[name]), validate=False)
        except (binascii.Error, ValueError):
            continue
    return None


def _is_address(text: str) -> bool:
    """`<Figure size 640x480>`, `<pandas... object at 0x7f>`: a text that says less than any other form of the value."""
    return text.startswith("<") and text.endswith(">") and "\n" not in text


def _picture(data: bytes, columns: int) -> str:
    """In half blocks, two pixels a cell."""
    found = decode(data, columns, 2 * 24, (0, 0, 0))
    if isinstance(found, str):
        return found
    width, height, pixels = found
    rows = [describe(data)]
    for top in range(0, height, 2):
        cells = []
        for x in range(width):
            red, green, blue = pixels[top * width + x]
            under = pixels[(top + 1) * width + x] if top + 1 < height else (0, 0, 0)
            cells.append(f"\x1b[38;2;{red};{green};{blue};48;2;{under[0]};{under[1]};{under[2]}m▀")
        rows.append("".join(cells) + PLAIN)
    return "\n".join(rows)


def _table(table: dict[str, Any]) -> str:
    """Columns in line, numbers to the right, under their names."""
    names = [str(name) for name in table.get("columns") or ()]
    rows = [row for row in (table.get("rows") or ())[:ROWS] if isinstance(row, list)]
    texts = [[_cell(cell) for cell in row[: len(names)]] for row in rows]
    widths = [
        min(WIDEST, max([cell_len(name), *(cell_len(row[at]) for row in texts if at < len(row))]))
        for at, name in enumerate(names)
    ]
    lines = [
        "  ".join(
            f"\x1b[1m{set_cell_size(name, width)}{PLAIN}" for name, width in zip(names, widths, strict=True)
        )
    ]
    for row, cells in zip(rows, texts, strict=True):
        shown = []
        for at, text in enumerate(cells):
            fitted = set_cell_size(text, widths[at])
            number = isinstance(row[at], int | float) and not isinstance(row[at], bool)
            shown.append(fitted.strip().rjust(widths[at]) if number else fitted)
        lines.append("  ".join(shown).rstrip())
    total = table.get("total")
    if isinstance(total, int) and total > len(rows):
        lines.append(f"{MUTED}… {total - len(rows):,} more rows; o shows what came{PLAIN}")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    return " ".join(str(value).split()) if isinstance(value, str) else str(value)


class _Text(HTMLParser):
    """The words of a page, a block a line, a table's cells with bars between."""

    BLOCKS = frozenset(
        (
            *("p", "div", "br", "hr", "pre", "section", "article", "table", "tr", "ul", "ol", "li"),
            *("h1", "h2", "h3", "h4", "h5", "h6"),
        )
    )
    LEFT_OUT = frozenset(("script", "style", "head"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._left_out = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self.LEFT_OUT:
            self._left_out += 1
        elif tag in self.BLOCKS:
            self.found.append("\n• " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.found.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.LEFT_OUT:
            self._left_out = max(0, self._left_out - 1)
        elif tag in self.BLOCKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.found.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def as_text(html: str) -> str:
    """HTML as the words in it."""
    parser = _Text()
    parser.feed(html[: 4 * LONGEST])
    lines = (line.strip().removeprefix("| ") for line in "".join(parser.found).split("\n"))
    return "\n".join(line for line in lines if line)
