"""What the terminal answers when a program asks: only ever numbers in fixed forms, collected for the owner to write to the PTY.

An answer arrives as if it were typed. So none holds a text that a program chose, none ends a line, and they are bounded.
"""

from .editing import Editing
from .modes import DECOM
from .styles import BLINK, BOLD, CONCEAL, DIM, ITALIC, OVERLINE, PROTECTED, REVERSE, RGB, STRIKE, Style
from .switches import Switches

OUTBOX_BYTES = 4096
_ATTRIBUTES = (
    (BOLD, "1"),
    (DIM, "2"),
    (ITALIC, "3"),
    (BLINK, "5"),
    (REVERSE, "7"),
    (CONCEAL, "8"),
    (STRIKE, "9"),
)


class Answers(Editing, Switches):
    def answer(self, text: str) -> None:
        """Put an answer in the outbox; where nobody empties it, later ones are lost."""
        if len(self.outbox) + len(text) <= OUTBOX_BYTES:
            self.outbox += text

    def report_device_attributes(self, mode: int = 0) -> None:  # type: ignore[override]
        """DA1: a VT220 with selective erase and colour."""
        if mode == 0:
            self.answer("\x1b[?62;6;22c")

    def report_secondary_attributes(self, mode: int = 0) -> None:
        """DA2: as an xterm that has SGR mouse reports (277), which vim goes by."""
        if mode == 0:
            self.answer("\x1b[>0;277;0c")

    def report_tertiary_attributes(self, mode: int = 0) -> None:
        """DA3."""
        if mode == 0:
            self.answer("\x1bP!|00000000\x1b\\")

    def report_version(self, mode: int = 0) -> None:
        """XTVERSION."""
        if mode == 0:
            self.answer("\x1bP>|cfwb\x1b\\")

    def report_parameters(self, mode: int = 0) -> None:
        """DECREQTPARM."""
        if mode in (0, 1):
            self.answer(f"\x1b[{mode + 2};1;1;128;128;1;0x")

    def report_device_status(self, mode: int = 0) -> None:
        """DSR: 5 in order, 6 where the cursor is (CPR)."""
        if mode == 5:
            self.answer("\x1b[0n")
        elif mode == 6:
            self.answer(f"\x1b[{self._place()}R")

    def report_private_status(self, mode: int = 0) -> None:
        """DSR of DEC: 6 where the cursor is (DECXCPR)."""
        if mode == 6:
            self.answer(f"\x1b[?{self._place()};1R")

    def _place(self) -> str:
        top = self.top if DECOM in self.mode else 0
        return f"{self.cursor.y - top + 1};{self.column + 1}"

    def report_mode(self, mode: int = 0) -> None:
        """DECRQM of an ANSI mode."""
        self.answer(f"\x1b[{mode};{self.mode_state(mode)}$y")

    def report_private_mode(self, mode: int = 0) -> None:
        """DECRQM of a private mode."""
        self.answer(f"\x1b[?{mode};{self.mode_state(mode << 5)}$y")

    def report_keyboard(self) -> None:
        """The kitty protocol's flags."""
        self.answer(f"\x1b[?{self.keyboard}u")

    def report_key_modifiers(self, resource: int = 0) -> None:
        """XTQMODKEYS."""
        if resource == 4:
            self.answer(f"\x1b[>4;{self.modify_other_keys}m")

    def answer_colour(self, what: str, colour: int) -> None:
        """A colour, as OSC 4, 10, 11 and 12 ask for it; what: `4;7` or `11`."""
        parts = "/".join(f"{colour >> shift & 255:02x}" * 2 for shift in (16, 8, 0))
        self.answer(f"\x1b]{what};rgb:{parts}\x1b\\")

    def answer_setting(self, what: str) -> None:
        """DECRQSS: the style, the margins, the cursor's shape, protection; anything else is not known."""
        style = self.styles[self.pen]
        found = {
            "m": f"{_sgr(style)}m",
            "r": f"{self.top + 1};{self.bottom + 1}r",
            " q": f"{self.cursor_style} q",
            '"q': f'{1 if style.flags & PROTECTED else 0}"q',
            '"p': '62;1"p',
        }.get(what)
        self.answer(f"\x1bP1$r{found}\x1b\\" if found else "\x1bP0$r\x1b\\")


def _sgr(style: Style) -> str:
    """The parameters that make a style out of the default one."""
    fields = ["0", *(code for flag, code in _ATTRIBUTES if style.flags & flag)]
    if style.flags & OVERLINE:
        fields.append("53")
    if style.underline:
        fields.append("4" if style.underline == 1 else f"4:{style.underline}")
    for base, colour in ((30, style.foreground), (40, style.background), (50, style.underline_colour)):
        if colour >= RGB:
            fields.append(f"{base + 8}:2::{colour >> 16 & 255}:{colour >> 8 & 255}:{colour & 255}")
        elif colour >= 16 or (colour >= 0 and base == 50):
            fields.append(f"{base + 8}:5:{colour}")
        elif colour >= 8:
            fields.append(str(base + 52 + colour))
        elif colour >= 0:
            fields.append(str(base + colour))
    return ";".join(fields)
