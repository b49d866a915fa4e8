"""The modes a program can switch, as numbers in one set (private ones shifted by 5 bits, as pyte does), and their state by name."""

from typing import NamedTuple


def private(number: int) -> int:
    """How a mode of `CSI ? number h` is kept in the set."""
    return number << 5


IRM = 4
LNM = 20
DECCKM = private(1)
DECCOLM = private(3)
DECSCNM = private(5)
DECOM = private(6)
DECAWM = private(7)
BLINKING = private(12)
DECTCEM = private(25)
DECNKM = private(66)
FOCUS_EVENTS = private(1004)
ALTERNATE_SCROLL = private(1007)
BRACKETED_PASTE = private(2004)
SYNCHRONIZED = private(2026)

ALTERNATE_SCREENS = (private(47), private(1047), private(1049))
SAVE_CURSOR = private(1048)
MOUSE_TRACKING = (9, 1000, 1002, 1003)
MOUSE_ENCODINGS = (1005, 1006, 1015, 1016)

SIMPLE = {DECCKM, DECSCNM, DECOM, DECAWM, BLINKING, DECTCEM, DECNKM, FOCUS_EVENTS, ALTERNATE_SCROLL}
SIMPLE |= {BRACKETED_PASTE, SYNCHRONIZED}
KNOWN = {IRM, LNM} | SIMPLE | {private(number) for number in MOUSE_TRACKING + MOUSE_ENCODINGS}


class Modes(NamedTuple):
    """What keys, mouse and paste are encoded by, and what a pane shows.

    mouse: 0 or the tracking mode (9 press, 1000 press and release, 1002 also drags, 1003 also moves). mouse_encoding: 0 (X10
    bytes), 1005, 1006, 1015 or 1016 (as 1006, in pixels). keyboard: the kitty protocol's flags in force. modify_other_keys: 0, 1 or 2.
    """

    application_cursor: bool = False
    application_keypad: bool = False
    bracketed_paste: bool = False
    mouse: int = 0
    mouse_encoding: int = 0
    focus_events: bool = False
    alternate: bool = False
    alternate_scroll: bool = False
    synchronized: bool = False
    reverse_video: bool = False
    origin: bool = False
    autowrap: bool = True
    insert: bool = False
    newline: bool = False
    keyboard: int = 0
    modify_other_keys: int = 0


def named(mode: set[int], *, alternate: bool = False, keyboard: int = 0, modify_other_keys: int = 0) -> Modes:
    """The modes in the set by name."""
    return Modes(
        application_cursor=DECCKM in mode,
        application_keypad=DECNKM in mode,
        bracketed_paste=BRACKETED_PASTE in mode,
        mouse=next((number for number in MOUSE_TRACKING if private(number) in mode), 0),
        mouse_encoding=next((number for number in MOUSE_ENCODINGS if private(number) in mode), 0),
        focus_events=FOCUS_EVENTS in mode,
        alternate=alternate,
        alternate_scroll=ALTERNATE_SCROLL in mode,
        synchronized=SYNCHRONIZED in mode,
        reverse_video=DECSCNM in mode,
        origin=DECOM in mode,
        autowrap=DECAWM in mode,
        insert=IRM in mode,
        newline=LNM in mode,
        keyboard=keyboard,
        modify_other_keys=modify_other_keys,
    )
