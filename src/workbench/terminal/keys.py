"""Keys to the bytes xterm sends for them, in the modes the program has set: legacy, modifyOtherKeys, or the kitty protocol.

A key is named `up`, `f5`, `enter`, `x`, `ctrl+alt+x`, `shift+tab`, `ctrl++`: modifiers (of `MODIFIERS`), then one of `NAMES` or one
character. Sources: xterm's ctlseqs and modified-keys pages; https://sw.kovidgoyal.net/kitty/keyboard-protocol/.
"""

from .modes import Modes

MODIFIERS = {"shift": 1, "alt": 2, "ctrl": 4, "super": 8, "hyper": 16, "meta": 32}
_SHIFT, _ALT, _CTRL = 1, 2, 4

_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "begin": "E", "end": "F", "home": "H"}
_TILDES = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "menu": 29}
_SS3 = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_TILDES |= {f"f{5 + index}": code for index, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24))}
_CHARACTERS = {"enter": "\r", "tab": "\t", "backspace": "\x7f", "escape": "\x1b", "space": " "}
_KEYPAD = {f"kp{digit}": (str(digit), chr(ord("p") + digit)) for digit in range(10)}
_KEYPAD |= {
    "kp_enter": ("\r", "M"),
    "kp_add": ("+", "k"),
    "kp_subtract": ("-", "m"),
    "kp_multiply": ("*", "j"),
}
_KEYPAD |= {
    "kp_divide": ("/", "o"),
    "kp_decimal": (".", "n"),
    "kp_separator": (",", "l"),
    "kp_equal": ("=", "X"),
}
# F13 to F36 as terminfo's xterm has them: F1 to F12 with shift, then with ctrl.
_FUNCTIONS = {
    f"f{number}": (f"f{(number - 1) % 12 + 1}", (0, _SHIFT, _CTRL)[(number - 1) // 12])
    for number in range(13, 37)
}

NAMES = frozenset([*_LETTERS, *_TILDES, *_SS3, *_CHARACTERS, *_KEYPAD, *_FUNCTIONS])

# Ctrl with a character that is no letter, on a US keyboard (xterm, after the VT220).
_CONTROLS = {
    " ": 0,
    "@": 0,
    "2": 0,
    "[": 27,
    "3": 27,
    "\\": 28,
    "4": 28,
    "]": 29,
    "5": 29,
    "^": 30,
    "6": 30,
    "~": 30,
}
_CONTROLS |= {"_": 31, "7": 31, "/": 31, "?": 127, "8": 127}


def split(key: str) -> tuple[int, str]:
    """A key's modifiers as bits (of `MODIFIERS`), and its name."""
    modifiers = 0
    while True:
        head, plus, rest = key.partition("+")
        if not plus or not rest or head not in MODIFIERS:
            return modifiers, key
        modifiers |= MODIFIERS[head]
        key = rest


def encode(key: str, modes: Modes) -> bytes:
    """What the program gets for a key; b"" for one that is not known."""
    modifiers, name = split(key)
    if name in _FUNCTIONS:
        name, more = _FUNCTIONS[name]
        modifiers |= more
    if name not in NAMES and len(name) != 1:
        return b""
    if name in _LETTERS or name in _TILDES or name in _SS3:
        return _function(name, modifiers, modes).encode()
    if name in _KEYPAD:
        plain, application = _KEYPAD[name]
        if modes.application_keypad and not modifiers and not modes.keyboard:
            return f"\x1bO{application}".encode()
        name = plain
    character = _CHARACTERS.get(name, name)
    if modes.keyboard:
        return _kitty(character, modifiers, modes.keyboard).encode()
    if modes.modify_other_keys and _is_other(character, modifiers, modes.modify_other_keys):
        if modifiers & _SHIFT:
            character = character.upper()
        return f"\x1b[27;{1 + modifiers};{ord(character)}~".encode()
    return _legacy(character, modifiers, modes).encode("utf-8", "replace")


def typed(text: str, modes: Modes) -> bytes:
    """What the program gets for text that comes from no single key (an input method, say); control characters are left out."""
    text = "".join(character for character in text if character.isprintable())
    if modes.keyboard & 8:
        if not modes.keyboard & 16:
            return "".join(f"\x1b[{ord(character)}u" for character in text).encode()
        return f"\x1b[0;;{':'.join(str(ord(character)) for character in text)}u".encode() if text else b""
    return text.encode("utf-8", "replace")


def _function(name: str, modifiers: int, modes: Modes) -> str:
    """Cursor, editing and function keys: one form, with the modifiers as a parameter."""
    if name == "f3" and modes.keyboard:
        return f"\x1b[13;{1 + modifiers}~" if modifiers else "\x1b[13~"  # CSI R would be a cursor report
    if name in _TILDES:
        return f"\x1b[{_TILDES[name]};{1 + modifiers}~" if modifiers else f"\x1b[{_TILDES[name]}~"
    letter = _LETTERS.get(name) or _SS3[name]
    if modifiers:
        return f"\x1b[1;{1 + modifiers}{letter}"
    single = (name in _SS3 or modes.application_cursor) and not modes.keyboard
    return ("\x1bO" if single else "\x1b[") + letter


def _legacy(character: str, modifiers: int, modes: Modes) -> str:
    """Control codes for ctrl, an ESC before it for alt; other modifiers are lost."""
    if character == "\t" and modifiers & _SHIFT:
        found = "\x1b[Z"
    elif character == "\r":
        found = "\r\n" if modes.newline else "\r"
    elif character == "\x7f" and modifiers & _CTRL:
        found = "\b"
    elif modifiers & _CTRL and "a" <= character.lower() <= "z":
        found = chr(ord(character.lower()) & 31)
    elif modifiers & _CTRL and character in _CONTROLS:
        found = chr(_CONTROLS[character])
    else:
        found = character.upper() if modifiers & _SHIFT and len(character.upper()) == 1 else character
    return "\x1b" + found if modifiers & (_ALT | 32) else found


def _is_other(character: str, modifiers: int, level: int) -> bool:
    """Whether modifyOtherKeys gives this key a sequence of its own.

    Level 2 does so for every key with modifiers, but for shift with a character it makes another of; level 1 leaves those alone
    that have a well-known code.
    """
    special = character in "\r\t\x7f\x1b"
    if not modifiers or (modifiers == _SHIFT and not special):
        return False
    if level == 2:
        return True
    if special:
        return character in "\r\t" and not (character == "\t" and modifiers == _SHIFT) and modifiers != _ALT
    well_known = modifiers == _CTRL and ("a" <= character <= "z" or character in _CONTROLS)
    return not well_known and modifiers != _ALT


def _kitty(character: str, modifiers: int, flags: int) -> str:
    """`CSI code:shifted ; modifiers ; text u`, as much of it as the flags ask for and the key needs."""
    base = character.lower() if len(character.lower()) == 1 else character
    if base != character:
        modifiers |= _SHIFT
    shifted = base.upper() if modifiers & _SHIFT and len(base.upper()) == 1 else base
    special = character in "\r\t\x7f\x1b"
    if not flags & 8:
        if not modifiers & ~_SHIFT and not special:
            return shifted
        if not modifiers and character != "\x1b":
            return character
    code = str(ord(base))
    if flags & 4 and shifted != base:
        code += f":{ord(shifted)}"
    text = ""
    if flags & 8 and flags & 16 and not special and not modifiers & ~_SHIFT:
        text = str(ord(shifted))
    if text:
        return f"\x1b[{code};{1 + modifiers if modifiers else ''};{text}u"
    return f"\x1b[{code};{1 + modifiers}u" if modifiers else f"\x1b[{code}u"
