"""What each control sequence does to a screen, as vttest would look at it: written by hand, after ECMA-48 and xterm's ctlseqs."""

import pytest

from workbench.terminal import Terminal


def shown(output: bytes | str, columns: int = 10, lines: int = 4) -> tuple[list[str], tuple[int, int]]:
    """The rows without trailing blanks, and where the cursor is, after some output."""
    terminal = fed(output, columns, lines)
    return [terminal.text(row) for row in terminal.rows], (terminal.cursor.x, terminal.cursor.y)


def fed(output: bytes | str, columns: int = 10, lines: int = 4) -> Terminal:
    terminal = Terminal(columns, lines)
    terminal.feed(output.encode() if isinstance(output, str) else output)
    return terminal


FULL = "aaaaaaaaaa\r\nbbbbbbbbbb\r\ncccccccccc\r\ndddddddddd"

SCREENS: dict[str, tuple[str, list[str], tuple[int, int]]] = {
    # -- text, lines, wrapping
    "text and lines": ("ab\r\ncd", ["ab", "cd", "", ""], (2, 1)),
    "a line feed keeps the column": ("ab\ncd", ["ab", "  cd", "", ""], (4, 1)),
    "the last column waits with the wrap": ("0123456789", ["0123456789", "", "", ""], (10, 0)),
    "and then wraps": ("0123456789x", ["0123456789", "x", "", ""], (1, 1)),
    "without autowrap the last column is written again": ("\x1b[?7l0123456789xyz", ["012345678z", "", "", ""], (9, 0)),
    "backspace from a pending wrap": ("0123456789\bx", ["01234567x9", "", "", ""], (9, 0)),
    "a move ends a pending wrap": ("0123456789\x1b[Cx", ["012345678x", "", "", ""], (10, 0)),
    "a tab leaves it pending": ("0123456789\tx", ["0123456789", "x", "", ""], (1, 1)),
    "scrolling": ("a\r\nb\r\nc\r\nd\r\ne", ["b", "c", "d", "e"], (1, 3)),
    "reverse index at the top": ("a\r\nb\x1b[H\x1bMx", ["x", "a", "b", ""], (1, 0)),
    "next line": ("ab\x1bEc", ["ab", "c", "", ""], (1, 1)),
    "newline mode": ("\x1b[20hab\nc", ["ab", "c", "", ""], (1, 1)),
    "insert mode": ("abc\r\x1b[4hX\x1b[4l", ["Xabc", "", "", ""], (1, 0)),
    "insert mode at the edge": ("0123456789\r\x1b[4hX", ["X012345678", "", "", ""], (1, 0)),
    # -- movement
    "cursor position": ("\x1b[2;3Hx", ["", "  x", "", ""], (3, 1)),
    "beyond the screen is at its edge": ("\x1b[99;99Hx", ["", "", "", "         x"], (10, 3)),
    "up, down, forward, back": ("\x1b[3B\x1b[4C\x1b[A\x1b[2Dx", ["", "", "  x", ""], (3, 2)),
    "zero counts as one": ("\x1b[0B\x1b[0Cx", ["", " x", "", ""], (2, 1)),
    "next and previous line": ("abc\x1b[2Ed\x1b[Fe", ["abc", "e", "d", ""], (1, 1)),
    "column and line": ("\x1b[5Ga\x1b[3db\x1b[2`c", ["    a", "", " c   b", ""], (2, 2)),
    "relative": ("a\x1b[2ab\x1b[ec", ["a  b", "    c", "", ""], (5, 1)),
    "tabs": ("\ta\x1b[Zb", ["        b", "", "", ""], (9, 0)),
    "tab stops": ("\x1b[3g\x1b[4G\x1bH\ra\tb\x1b[4G\x1b[0g\r\tc", ["a  b     c", "", "", ""], (10, 0)),
    "tabs forward": ("\x1b[3g\x1b[3G\x1bH\x1b[6G\x1bH\r\x1b[2Ia", ["     a", "", "", ""], (6, 0)),
    "save and restore": ("ab\x1b7\x1b[3;3H\x1b8c", ["abc", "", "", ""], (3, 0)),
    "save and restore as SCO": ("ab\x1b[s\x1b[3;3H\x1b[uc", ["abc", "", "", ""], (3, 0)),
    "a pending wrap is saved too": ("0123456789\x1b7\x1b[H\x1b8x", ["0123456789", "x", "", ""], (1, 1)),
    "restore without save is home": ("\x1b[3;3H\x1b8x", ["x", "", "", ""], (1, 0)),
    # -- margins
    "a region scrolls alone": ("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\ne", ["a", "c", "e", "d"], (1, 2)),
    "a region of one line is none": ("\x1b[2;2r\x1b[4;1H\nx", ["", "", "", "x"], (1, 3)),
    "below the region nothing scrolls": ("a\x1b[1;2r\x1b[4;1Hb\nc", ["a", "", "", "bc"], (2, 3)),
    "origin mode": ("\x1b[2;3r\x1b[?6hx\x1b[9;1Hy\x1b[?6l", ["", "x", "y", ""], (0, 0)),
    "up stops at the margin": ("\x1b[2;3r\x1b[3;1H\x1b[9Ax", ["", "x", "", ""], (1, 1)),
    "down stops at the margin": ("\x1b[2;3r\x1b[2;1H\x1b[9Bx", ["", "", "x", ""], (1, 2)),
    # -- editing
    "erase to the end of the line": ("0123456789\x1b[4G\x1b[K", ["012", "", "", ""], (3, 0)),
    "erase to the beginning": ("0123456789\x1b[4G\x1b[1K", ["    456789", "", "", ""], (3, 0)),
    "erase the line": ("0123456789\x1b[4G\x1b[2K", ["", "", "", ""], (3, 0)),
    "erase while a wrap is pending": ("0123456789\x1b[Kx", ["012345678x", "", "", ""], (10, 0)),
    "erase below": (FULL + "\x1b[2;3H\x1b[J", ["a" * 10, "bb", "", ""], (2, 1)),
    "erase above": (FULL + "\x1b[2;3H\x1b[1J", ["", "   bbbbbbb", "c" * 10, "d" * 10], (2, 1)),
    "erase all": (FULL + "\x1b[2J", ["", "", "", ""], (9, 3)),
    "erasing the scrollback leaves the screen": ("a\x1b[3J", ["a", "", "", ""], (1, 0)),
    "erase characters": ("0123456789\x1b[3G\x1b[2X", ["01  456789", "", "", ""], (2, 0)),
    "insert characters": ("0123456789\x1b[3G\x1b[2@", ["01  234567", "", "", ""], (2, 0)),
    "delete characters": ("0123456789\x1b[3G\x1b[2P", ["01456789", "", "", ""], (2, 0)),
    "insert lines": (FULL + "\x1b[2;5H\x1b[L", ["a" * 10, "", "b" * 10, "c" * 10], (4, 1)),
    "delete lines": (FULL + "\x1b[2;5H\x1b[2M", ["a" * 10, "d" * 10, "", ""], (4, 1)),
    "lines outside the margins stay": (FULL + "\x1b[1;2r\x1b[4;1H\x1b[L", ["a" * 10, "b" * 10, "c" * 10, "d" * 10], (0, 3)),
    "scroll up": (FULL + "\x1b[2S", ["c" * 10, "d" * 10, "", ""], (10, 3)),
    "scroll down": (FULL + "\x1b[2T", ["", "", "a" * 10, "b" * 10], (10, 3)),
    "repeat": ("ab\x1b[3b", ["abbbb", "", "", ""], (5, 0)),
    "repeat goes on in the next line": ("a\x1b[11b", ["a" * 10, "aa", "", ""], (2, 1)),
    "nothing to repeat after a move": ("ab\x1b[H\x1b[3b", ["ab", "", "", ""], (0, 0)),
    "alignment": ("\x1b#8", ["E" * 10] * 4, (0, 0)),
    "selective erase": ('\x1b[1"qab\x1b[0"qcd\x1b[?2Ke', ["ab  e", "", "", ""], (5, 0)),
    # -- characters
    "line drawing": ("\x1b(0lqk\x1b(B q", ["┌─┐ q", "", "", ""], (5, 0)),
    "line drawing by shifts": ("\x1b)0q\x0eq\x0fq", ["q─q", "", "", ""], (3, 0)),
    "wide characters": ("中文", ["中文", "", "", ""], (4, 0)),
    "a wide one does not fit in the last column": ("012345678中", ["012345678", "中", "", ""], (2, 1)),
    "half of a wide one overwritten": ("a中b\x1b[3Gx", ["a xb", "", "", ""], (3, 0)),
    "its other half": ("a中b\x1b[2Gx", ["ax b", "", "", ""], (2, 0)),
    "half of one deleted": ("中文\x1b[2G\x1b[P", [" 文", "", "", ""], (1, 0)),
    "a wide one pushed over the edge": ("01234567中\r\x1b[@", [" 01234567", "", "", ""], (0, 0)),
    "combining": ("e\u0301x", ["e\u0301x", "", "", ""], (2, 0)),
    "combining in the last column": ("012345678e\u0301x", ["012345678e\u0301", "x", "", ""], (1, 1)),
    "combining at the left edge is dropped": ("\u0301x", ["x", "", "", ""], (1, 0)),
    "joined emoji take two columns": ("👩‍👧x", ["👩‍👧x", "", "", ""], (3, 0)),
    "a flag takes two columns": ("🇩🇪x", ["🇩🇪x", "", "", ""], (3, 0)),
    "a variation selector keeps the width": ("❤️x", ["❤️x", "", "", ""], (2, 0)),
    "a spacing mark has its own column": ("का", ["का", "", "", ""], (2, 0)),
    "characters of plane 16": ("\U00100000\U0010fffdx", ["\U00100000\U0010fffdx", "", "", ""], (3, 0)),
    # -- screens and resets
    "the alternate screen and back": ("ab\x1b[?1049hxy\x1b[?1049lc", ["abc", "", "", ""], (3, 0)),
    "the alternate screen is blank": ("ab\x1b[?1049hxy", ["  xy", "", "", ""], (4, 0)),
    "and blank again": ("\x1b[?47habc\x1b[?47l\x1b[?47h", ["", "", "", ""], (3, 0)),
    "reset": ("ab\x1b[?6h\x1b(0\x1bcq", ["q", "", "", ""], (1, 0)),
    "soft reset": ("ab\x1b[4h\x1b[2;3r\x1b(0\x1b[!pq\x1b[1Gr", ["rb", "", "", ""], (1, 0)),
    "column mode clears": ("ab\x1b[?3hc", ["c", "", "", ""], (1, 0)),
    # -- what is malformed or not known
    "controls inside a sequence act at once": ("ab\x1b[2\r;3Hx", ["ab", "  x", "", ""], (3, 1)),
    "CAN and SUB end a sequence": ("\x1b[31\x18a\x1b[31\x1ab", ["ab", "", "", ""], (2, 0)),
    "ESC begins another": ("\x1b[31\x1b[2Cx", ["  x", "", "", ""], (3, 0)),
    "unknown sequences": ("a\x1b[99y\x1b[?4m\x1b[>99~\x1b[1 z\x1bq\x1b%Gb", ["ab", "", "", ""], (2, 0)),
    "parameters out of order": ("a\x1b[1?2Hb", ["ab", "", "", ""], (2, 0)),
    "huge numbers": ("\x1b[99999999999999999999;1Hx", ["", "", "", "x"], (1, 3)),
    "strings are not shown": ("a\x1b]2;t\x07\x1bPq#0\x1b\\\x1b_G\x1b\\\x1b^p\x1b\\\x1bXs\x1b\\\x1bkn\x1b\\b", ["ab", "", "", ""], (2, 0)),
    "a string that was cut off": ("a\x1b]2;t\x1b[2Cb", ["a  b", "", "", ""], (4, 0)),
    "C1 controls of two bytes, NUL and DEL": ("a\x9b3\x85\0\x7fb", ["a3b", "", "", ""], (3, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", SCREENS)
def test_a_sequence_leaves_the_screen_that_it_should(name: str) -> None:
    output, rows, cursor = SCREENS[name]
    assert shown(output) == (rows, cursor)


@pytest.mark.parametrize("name", SCREENS)
def test_where_the_output_is_cut_makes_no_difference(name: str) -> None:
    output, rows, cursor = SCREENS[name]
    terminal = Terminal(10, 4)
    for byte in output.encode():
        terminal.feed(bytes([byte]))
    assert [terminal.text(row) for row in terminal.rows] == rows
    assert (terminal.cursor.x, terminal.cursor.y) == cursor


def test_invalid_bytes_are_replacement_characters() -> None:
    assert shown(b"a\xff\xc3(\xe4\xb8x")[0][0] == "a\ufffd\ufffd(\ufffdx"
