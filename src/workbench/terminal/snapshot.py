"""A terminal's whole state as bytes, and back: for a pane that connects again, and for looking into a recording.

`magic, version (u16), length of what follows the checksum (u32), length of the head (u32), CRC-32 of all but the magic (u32), head
(zlib of JSON), pages`. The head says everything but the scrollback's pages, which are copied as they lie. What is read may come from
anywhere: every number, every text and every reference is checked.
"""

import json
import re
import struct
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from workbench.model.errors import WorkbenchError

from .characters import HALF, Clusters
from .grid import CHARSETS, MOST_COLUMNS, Saved
from .lines import FINISHED, Line
from .modes import KNOWN
from .palette import CURSOR
from .parser import LONGEST_SEQUENCE, LONGEST_STRING, Parser
from .screen import Screen
from .scrollback import PAGE, Page
from .strings import TITLE_LENGTH, TITLES
from .styles import RGB, Link, Style, Styles

VERSION = 1
_MAGIC = b"cfwb terminal\n"
_FRAME = struct.Struct(">HII")
_CHECKSUM = 4
_LARGEST_HEAD = 256 << 20
_HUGE = 1 << 53
_MOST_SCROLLBACK = 1_000_000
_FORBIDDEN = re.compile(f"[\x01-\x1f\x7f-\x9f\ud800-\udfff]|(?:^|[\0-\x7f]){HALF}")
_STAND_INS = re.compile("[\U00100000-\U0010ffff]")


class _Damaged(Exception):
    """Something in it is not as it was written."""


def write(screen: Screen, parser: Parser, scrollback: int | None = None) -> bytes:
    """The state of a terminal. scrollback: at most so many of its lines."""
    kept = screen.scrollback
    pages: Sequence[Page] = kept.pages
    newest: Sequence[Line] = kept.newest
    if scrollback is not None and scrollback < len(kept):
        lines = [kept[index] for index in range(len(kept) - scrollback, len(kept))]
        pages = [Page.of(lines[at : at + PAGE]) for at in range(0, len(lines) - PAGE, PAGE)]
        newest = lines[PAGE * len(pages) :]
    head = {
        "size": [screen.columns, screen.lines],
        "rows": [_line(row) for row in screen.rows],
        "hidden": [_line(row) for row in screen.hidden_rows] if screen.hidden_rows is not None else None,
        "mode": sorted(screen.mode),
        "cursor": [screen.cursor.x, screen.cursor.y],
        "pen": screen.pen,
        "margins": [screen.top, screen.bottom],
        "tabs": sorted(screen.tabstops),
        "charsets": [*screen.charsets, screen.shift],
        "last": screen.last,
        "saved": [[s.x, s.y, s.pen, s.shift, *s.charsets, s.origin] for s in screen.saved],
        "saved_modes": sorted(screen.saved_modes.items()),
        "keys": [screen.cursor_style, screen.modify_other_keys, *screen.keyboards],
        "titles": [[screen.title, screen.icon_name], *screen.titles],
        "palette": sorted(screen.palette.changed.items()),
        "bells": screen.bells,
        "styles": [[*style[:5], style.link and list(style.link)] for style in screen.styles.styles],
        "clusters": sorted(screen.clusters.table.items()),
        "limit": kept.limit,
        "dropped": kept.dropped + len(kept) - sum(page.count for page in pages) - len(newest),
        "newest": [_line(line) for line in newest],
        "pages": [
            [page.lengths.tolist(), page.flags.hex(), len(page.text), len(page.styles)] for page in pages
        ],
        "parser": [
            parser.utf8_decoder.getstate()[0].hex(),
            parser.held,
            parser.string,
            "".join(parser.parts),
            parser.length,
        ],
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
    packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
    body = b"".join([packed, *(part for page in pages for part in (page.text, page.styles))])
    frame = _FRAME.pack(VERSION, len(body), len(packed))
    return _MAGIC + frame + zlib.crc32(frame + body).to_bytes(4, "big") + body


def _line(line: Line) -> list[Any]:
    return [line.text, line.styles if line.styles.strip("\0") else "", int(line.wrapped), line.mark]


def read(data: bytes) -> tuple[Screen, Parser]:
    """The screen and the parser of a snapshot. Raises WorkbenchError."""
    frame = data[len(_MAGIC) : len(_MAGIC) + _FRAME.size]
    if not data.startswith(_MAGIC) or len(frame) < 2:
        raise WorkbenchError("terminal.snapshot_damaged", "this is no snapshot of a terminal")
    version = int.from_bytes(frame[:2], "big")
    if version > VERSION:
        raise WorkbenchError(
            "terminal.snapshot_newer",
            f"the snapshot is of version {version}, and this cfwb knows up to {VERSION}",
            "use the cfwb that wrote it, or a newer one",
        )
    try:
        return _read(data)
    except (_Damaged, ValueError, TypeError, LookupError, struct.error, zlib.error, RecursionError) as error:
        raise WorkbenchError(
            "terminal.snapshot_damaged", f"the snapshot is damaged ({error or 'cut'})"
        ) from None


def _read(data: bytes) -> tuple[Screen, Parser]:
    at = len(_MAGIC)
    version, length, head_length = _FRAME.unpack_from(data, at)
    frame = data[at : at + _FRAME.size]
    at += _FRAME.size
    checksum, body = int.from_bytes(data[at : at + _CHECKSUM], "big"), data[at + _CHECKSUM :]
    _check(version == VERSION and len(body) == length and zlib.crc32(frame + body) == checksum, "checksum")
    head = json.loads(_unpacked(body[:head_length], _LARGEST_HEAD).decode("utf-8", "surrogatepass"))
    columns, lines = head["size"]
    screen = Screen(
        _int(columns, 2, MOST_COLUMNS), _int(lines, 1, MOST_COLUMNS), _int(head["limit"], 0, _MOST_SCROLLBACK)
    )
    _read_tables(screen, head)
    _read_lines(screen, head, body[head_length:])
    _read_state(screen, head)
    parser = Parser(screen)
    _read_parser(parser, head["parser"])
    return screen, parser


def _check(true: bool, what: str) -> None:
    if not true:
        raise _Damaged(what)


def _int(value: Any, least: int, most: int) -> int:
    _check(type(value) is int and least <= value <= most, "a number")
    return int(value)


def _text(value: Any, longest: int) -> str:
    _check(isinstance(value, str) and len(value) <= longest, "a text")
    value.encode("utf-8")
    return str(value)


def _unpacked(data: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj()
    found = inflater.decompress(data, most)
    _check(inflater.eof and not inflater.unused_data, "compressed data")
    return found


def _read_tables(screen: Screen, head: dict[str, Any]) -> None:
    styles = []
    _check(1 <= len(head["styles"]) <= Styles.LIMIT, "styles")
    for foreground, background, flags, underline, colour, link in head["styles"]:
        for value in (foreground, background, colour):
            _int(value, -1, RGB | 0xFFFFFF)
        if link is not None:
            uri, name = link
            link = Link(_text(uri, Styles.LINK_LENGTH), _text(name, Styles.LINK_LENGTH))
        styles.append(Style(foreground, background, _int(flags, 0, 511), _int(underline, 0, 5), colour, link))
    _check(styles[0] == Style(), "styles")
    screen.styles.load(styles)
    table = {}
    for cell, cluster in head["clusters"]:
        _check(len(cell) == 1 and bool(_STAND_INS.match(cell)), "clusters")
        _check(len(_text(cluster, Clusters.LONGEST)) > 0 and not _FORBIDDEN.search(cluster), "clusters")
        table[cell] = cluster
    screen.clusters.load(table)


def _read_lines(screen: Screen, head: dict[str, Any], pages: bytes) -> None:
    checker = _LineChecker(screen)
    screen.rows = [checker.line(row, screen.columns) for row in head["rows"]]
    _check(len(screen.rows) == screen.lines, "rows")
    if head["hidden"] is not None:
        screen.hidden_rows = [checker.line(row, screen.columns) for row in head["hidden"]]
        _check(len(screen.hidden_rows) == screen.lines, "rows")
    packed = []
    at = 0
    for lengths, flags, text_size, style_size in head["pages"]:
        _check(
            0 < len(lengths) <= PAGE
            and all(type(size) is int and 0 <= size <= MOST_COLUMNS for size in lengths),
            "a page",
        )
        texts = pages[at : at + _int(text_size, 0, _HUGE)]
        at += text_size
        styles = pages[at : at + _int(style_size, 0, _HUGE)]
        at += style_size
        page = Page(array("H", lengths), bytes.fromhex(flags), texts, styles)
        checker.page(page)
        packed.append(page)
    _check(at == len(pages), "pages")
    newest = [checker.line(line, MOST_COLUMNS) for line in head["newest"]]
    screen.scrollback.load(_int(head["dropped"], 0, _HUGE), packed, newest)


class _LineChecker:
    """Makes lines, and checks that they hold what a line may hold, and refer to styles and clusters that there are."""

    def __init__(self, screen: Screen) -> None:
        self._styles = len(screen.styles.styles)
        self._clusters = set(screen.clusters.table)

    def line(self, fields: Any, columns: int) -> Line:
        text, styles, wrapped, mark = fields
        _check(type(text) is str and type(styles) is str, "a line")
        line = Line(text, styles or "\0" * len(text), bool(wrapped), mark)
        self.check(line, columns)
        return line

    def check(self, line: Line, columns: int) -> None:
        _check(type(line.mark) is int and 0 <= line.mark <= FINISHED, "a mark")
        _check(len(line.text) == len(line.styles) <= columns, "a line's length")
        self._cells(line.text, line.styles)

    def page(self, page: Page) -> None:
        """A page's lines all at once, for there may be many."""
        total = sum(page.lengths)
        _check(len(page.flags) == page.count and max(page.flags) >> 1 <= FINISHED, "a page")
        text, styles = (
            _unpacked(part, 4 * total + 1).decode("utf-8", "surrogatepass")
            for part in (page.text, page.styles)
        )
        _check(len(text) == len(styles) == total, "a page")
        self._cells(text, styles)
        if HALF in text:
            starts = accumulate(page.lengths[:-1], initial=0)
            _check(not any(text[start : start + 1] == HALF for start in starts), "a page")

    def _cells(self, text: str, styles: str) -> None:
        if text:
            plain = text.isascii() and text.isprintable()  # most are, and this is quick
            _check(plain or not _FORBIDDEN.search(text), "a line's text")
            _check(ord(max(styles)) < self._styles, "a line's styles")
            if not text.isascii():
                _check(self._clusters.issuperset(_STAND_INS.findall(text)), "a line's clusters")


def _read_state(screen: Screen, head: dict[str, Any]) -> None:
    columns, lines, styles = screen.columns, screen.lines, len(screen.styles.styles)
    screen.mode = set(head["mode"])
    _check(screen.mode <= KNOWN, "modes")
    x, y = head["cursor"]
    screen.cursor.x, screen.cursor.y = _int(x, 0, columns), _int(y, 0, lines - 1)
    screen.pen = _int(head["pen"], 0, styles - 1)
    top, bottom = head["margins"]
    screen.top, screen.bottom = _int(top, 0, lines - 1), _int(bottom, top, lines - 1)
    screen.tabstops = {_int(stop, 0, MOST_COLUMNS) for stop in head["tabs"]}
    *charsets, shift = head["charsets"]
    screen.charsets, screen.shift = _charsets(charsets), _int(shift, 0, 1)
    screen.last = _text(head["last"], 1)
    screen.saved = [_read_saved(fields, styles) for fields in head["saved"]]
    _check(len(screen.saved) == 2, "the saved cursors")
    screen.saved_modes = {_int(mode, 0, _HUGE): bool(on) for mode, on in head["saved_modes"]}
    _check(all(mode << 5 in KNOWN for mode in screen.saved_modes), "modes")
    style, modify, *stacks = head["keys"]
    screen.cursor_style, screen.modify_other_keys = _int(style, 0, 6), _int(modify, 0, 2)
    _check(len(stacks) == 2 and all(len(stack) <= 16 for stack in stacks), "keyboard")
    screen.keyboards = [[_int(flags, 0, 31) for flags in stack] for stack in stacks]
    titles = [(_text(title, TITLE_LENGTH), _text(icon, TITLE_LENGTH)) for title, icon in head["titles"]]
    _check(len(titles) <= TITLES + 1, "titles")
    (screen.title, screen.icon_name), *screen.titles = titles
    screen.palette.changed = {
        _int(index, 0, CURSOR): _int(colour, 0, 0xFFFFFF) for index, colour in head["palette"]
    }
    screen.bells = _int(head["bells"], 0, _HUGE)
    screen.modes_changed()
    screen.tabs_changed()


def _charsets(names: list[str]) -> list[str]:
    _check(len(names) == 2 and all(name in CHARSETS for name in names), "charsets")
    return names


def _read_saved(fields: list[Any], styles: int) -> Saved:
    saved = Saved()
    x, y, pen, shift, g0, g1, origin = fields
    saved.x, saved.y = _int(x, 0, MOST_COLUMNS), _int(y, 0, MOST_COLUMNS)
    saved.pen, saved.shift = _int(pen, 0, styles - 1), _int(shift, 0, 1)
    saved.charsets, saved.origin = _charsets([g0, g1]), bool(origin)
    return saved


def _read_parser(parser: Parser, fields: list[Any]) -> None:
    undecoded, held, string, part, length = fields
    rest = bytes.fromhex(undecoded)
    _check(len(rest) < 4 and parser.utf8_decoder.decode(rest) == "", "the decoder's rest")
    parser.held = _text(held, LONGEST_SEQUENCE + 2)
    _check(not held or held[0] == "\x1b", "the parser's rest")
    _check(string in ("", "[", "]", "P", "X", "^", "_", "k"), "the parser's string")
    parser.string = string
    parser.parts = [_text(part, max(LONGEST_STRING.values()))] if part else []
    parser.length = _int(length, 0, _HUGE)
