"""What a program gets for keys, mouse, focus and pasted text: xterm's own bytes, and the kitty protocol's."""

import pytest

from workbench.terminal import Modes, Terminal, keys, mouse, paste
from workbench.terminal.mouse import MOVE, PRESS, RELEASE, MouseEvent

PLAIN = Modes()
LEGACY = {
    "a": b"a", "A": b"A", "shift+a": b"A", "é": "é".encode(), "alt+a": b"\x1ba", "alt+é": "\x1bé".encode(), "ctrl+a": b"\x01",
    "ctrl+A": b"\x01", "ctrl+alt+a": b"\x1b\x01", "ctrl+space": b"\0", "ctrl+@": b"\0", "ctrl+[": b"\x1b", "ctrl+\\": b"\x1c",
    "ctrl+]": b"\x1d", "ctrl+^": b"\x1e", "ctrl+_": b"\x1f", "ctrl+/": b"\x1f", "ctrl+?": b"\x7f", "ctrl++": b"+", "+": b"+",
    "ctrl+2": b"\0", "ctrl+3": b"\x1b", "ctrl+8": b"\x7f", "ctrl+9": b"9",
    "enter": b"\r", "alt+enter": b"\x1b\r", "shift+enter": b"\r", "tab": b"\t", "shift+tab": b"\x1b[Z", "space": b" ",
    "backspace": b"\x7f", "ctrl+backspace": b"\b", "alt+backspace": b"\x1b\x7f", "escape": b"\x1b", "alt+escape": b"\x1b\x1b",
    "up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D", "home": b"\x1b[H", "end": b"\x1b[F",
    "shift+up": b"\x1b[1;2A", "alt+up": b"\x1b[1;3A", "ctrl+right": b"\x1b[1;5C", "ctrl+shift+end": b"\x1b[1;6F",
    "ctrl+alt+shift+left": b"\x1b[1;8D", "insert": b"\x1b[2~", "delete": b"\x1b[3~", "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~",
    "ctrl+delete": b"\x1b[3;5~", "shift+pageup": b"\x1b[5;2~", "f1": b"\x1bOP", "f4": b"\x1bOS", "f5": b"\x1b[15~", "f6": b"\x1b[17~",
    "f10": b"\x1b[21~", "f11": b"\x1b[23~", "f12": b"\x1b[24~", "shift+f1": b"\x1b[1;2P", "ctrl+f5": b"\x1b[15;5~", "f13": b"\x1b[1;2P",
    "f17": b"\x1b[15;2~", "f25": b"\x1b[1;5P", "kp5": b"5", "kp_enter": b"\r", "nonsense": b"", "ctrl+nonsense": b"",
}  # fmt: skip


@pytest.mark.parametrize("key", LEGACY)
def test_a_key_is_what_xterm_sends(key: str) -> None:
    assert keys.encode(key, PLAIN) == LEGACY[key]


def test_keys_follow_the_modes_that_a_program_sets() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b[?1h\x1b=")
    assert keys.encode("up", terminal.modes) == b"\x1bOA"
    assert keys.encode("home", terminal.modes) == b"\x1bOH"
    assert keys.encode("ctrl+up", terminal.modes) == b"\x1b[1;5A"
    assert keys.encode("kp5", terminal.modes) == b"\x1bOu"
    assert keys.encode("kp_enter", terminal.modes) == b"\x1bOM"
    terminal.feed(b"\x1b[?1l\x1b>\x1b[20h")
    assert keys.encode("up", terminal.modes) == b"\x1b[A"
    assert keys.encode("kp5", terminal.modes) == b"5"
    assert keys.encode("enter", terminal.modes) == b"\r\n"


MODIFY_OTHER = {
    1: {"ctrl+a": b"\x01", "alt+a": b"\x1ba", "ctrl+,": b"\x1b[27;5;44~", "ctrl+enter": b"\x1b[27;5;13~", "shift+enter": b"\x1b[27;2;13~",
        "ctrl+tab": b"\x1b[27;5;9~", "shift+tab": b"\x1b[Z", "ctrl+backspace": b"\b", "ctrl+shift+a": b"\x1b[27;6;65~", "a": b"a"},
    2: {"ctrl+a": b"\x1b[27;5;97~", "alt+a": b"\x1b[27;3;97~", "ctrl+i": b"\x1b[27;5;105~", "tab": b"\t", "shift+tab": b"\x1b[27;2;9~",
        "shift+a": b"A", "enter": b"\r", "shift+enter": b"\x1b[27;2;13~", "escape": b"\x1b", "up": b"\x1b[A"},
}  # fmt: skip


@pytest.mark.parametrize("level", MODIFY_OTHER)
def test_modified_keys_are_told_apart_where_a_program_asks(level: int) -> None:
    terminal = Terminal()
    terminal.feed(f"\x1b[>4;{level}m".encode())
    found = {key: keys.encode(key, terminal.modes) for key in MODIFY_OTHER[level]}
    assert found == MODIFY_OTHER[level]
    terminal.feed(b"\x1b[>4m")
    assert keys.encode("ctrl+i", terminal.modes) == b"\t"


KITTY = {
    1: {"escape": b"\x1b[27u", "ctrl+a": b"\x1b[97;5u", "ctrl+shift+a": b"\x1b[97;6u", "alt+a": b"\x1b[97;3u", "a": b"a", "A": b"A",
        "shift+a": b"A", "enter": b"\r", "shift+enter": b"\x1b[13;2u", "tab": b"\t", "shift+tab": b"\x1b[9;2u", "backspace": b"\x7f",
        "ctrl+backspace": b"\x1b[127;5u", "up": b"\x1b[A", "ctrl+up": b"\x1b[1;5A", "f1": b"\x1b[P", "f3": b"\x1b[13~",
        "f5": b"\x1b[15~", "ctrl+space": b"\x1b[32;5u", "super+a": b"\x1b[97;9u"},
    5: {"ctrl+shift+a": b"\x1b[97:65;6u", "ctrl+a": b"\x1b[97;5u"},
    9: {"a": b"\x1b[97u", "A": b"\x1b[97;2u", "enter": b"\x1b[13u", "tab": b"\x1b[9u", "backspace": b"\x1b[127u", "é": b"\x1b[233u"},
    25: {"a": b"\x1b[97;;97u", "A": b"\x1b[97;2;65u", "enter": b"\x1b[13u", "ctrl+a": b"\x1b[97;5u"},
}  # fmt: skip


@pytest.mark.parametrize("flags", KITTY)
def test_the_kitty_protocol_is_spoken_where_a_program_asks(flags: int) -> None:
    terminal = Terminal()
    terminal.feed(f"\x1b[>{flags}u\x1b[?1h\x1b[?u".encode())
    assert terminal.take_answers() == f"\x1b[?{flags}u".encode()
    found = {key: keys.encode(key, terminal.modes) for key in KITTY[flags]}
    assert found == KITTY[flags]
    terminal.feed(b"\x1b[<u\x1b[?u")
    assert terminal.take_answers() == b"\x1b[?0u"
    assert keys.encode("escape", terminal.modes) == b"\x1b"


def test_each_screen_has_its_own_keyboard_stack() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b[>1u\x1b[?1049h")
    assert terminal.modes.keyboard == 0
    terminal.feed(b"\x1b[=5u\x1b[=8;2u\x1b[=1;3u")
    assert terminal.modes.keyboard == 12
    terminal.feed(b"\x1b[?1049l")
    assert terminal.modes.keyboard == 1
    terminal.feed(b"\x1b[>2u")  # key releases cannot be told, so they are not promised
    assert terminal.modes.keyboard == 0


def test_typed_text_goes_as_it_is_without_control_characters() -> None:
    assert keys.typed("日本\x1b[A", PLAIN) == "日本[A".encode()
    assert keys.typed("é", Modes(keyboard=25)) == b"\x1b[0;;233u"


def test_the_mouse_speaks_every_encoding() -> None:
    press, release = MouseEvent(PRESS, "left", 4, 2), MouseEvent(RELEASE, "left", 4, 2)
    drag, move = MouseEvent(MOVE, "left", 5, 2), MouseEvent(MOVE, "none", 5, 2)
    wheel = MouseEvent(PRESS, "wheel_down", 4, 2, ctrl=True)

    def sent(setup: bytes) -> list[bytes]:
        terminal = Terminal()
        terminal.feed(setup)
        return [mouse.encode(event, terminal.modes) for event in (press, release, drag, move, wheel)]

    assert sent(b"") == [b""] * 5
    assert sent(b"\x1b[?9h") == [b"\x1b[M %#", b"", b"", b"", b"\x1b[Ma%#"]
    assert sent(b"\x1b[?1000h") == [b"\x1b[M %#", b"\x1b[M#%#", b"", b"", b"\x1b[Mq%#"]
    assert sent(b"\x1b[?1002h\x1b[?1006h") == [
        b"\x1b[<0;5;3M",
        b"\x1b[<0;5;3m",
        b"\x1b[<32;6;3M",
        b"",
        b"\x1b[<81;5;3M",
    ]
    assert sent(b"\x1b[?1003;1015h") == [
        b"\x1b[32;5;3M",
        b"\x1b[35;5;3M",
        b"\x1b[64;6;3M",
        b"\x1b[67;6;3M",
        b"\x1b[113;5;3M",
    ]
    assert sent(b"\x1b[?1000;1016h")[0] == b"\x1b[<0;36;40M"
    far = MouseEvent(PRESS, "right", 300, 2)
    assert mouse.encode(far, Modes(mouse=1000)) == b""
    assert mouse.encode(far, Modes(mouse=1000, mouse_encoding=1005)) == b'\x1b[M"' + chr(333).encode() + b"#"
    assert (
        mouse.encode(far._replace(pixels=(7, 9)), Modes(mouse=1000, mouse_encoding=1016)) == b"\x1b[<2;7;9M"
    )


def test_one_tracking_mode_takes_the_place_of_another() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b[?1000h\x1b[?1003h")
    assert terminal.modes.mouse == 1003
    terminal.feed(b"\x1b[?1000l")
    assert terminal.modes.mouse == 0


def test_the_wheel_is_cursor_keys_for_a_pager() -> None:
    assert mouse.wheel_keys(True, 2, Modes(application_cursor=True)) == b"\x1bOA\x1bOA"


def test_focus_is_told_where_it_is_asked_for() -> None:
    terminal = Terminal()
    assert mouse.focus(True, terminal.modes) == b""
    terminal.feed(b"\x1b[?1004h")
    assert (mouse.focus(True, terminal.modes), mouse.focus(False, terminal.modes)) == (b"\x1b[I", b"\x1b[O")


def test_pasted_text_cannot_end_its_own_paste() -> None:
    evil = "a\x1b[201~rm -rf\x1b[20\x1b[201~1~\nb\x9b201~c"
    data = paste.encode(evil, Modes(bracketed_paste=True))
    shown = "a␛[201~rm -rf\x1b[20␛[201~1~\rb␛201~c".encode()
    assert data == b"\x1b[200~" + shown + b"\x1b[201~"
    assert paste.encode("a\r\nb\nc", PLAIN) == b"a\rb\rc"


def test_a_paste_is_looked_at_before() -> None:
    found = paste.inspect("a\tb\n\x1b[201~\x03")
    assert (found.lines, found.controls, found.end_marks, found.suspicious) == (2, "\x03\x1b", 1, True)
    assert not paste.inspect("a\tb\r\nc").suspicious
    assert paste.without_controls("a\x1b[31mb\tc\n") == "a[31mb\tc\n"
