"""Switching modes, screens, charsets, the cursor's shape and the keyboard protocols; resets."""

from .grid import CHARSETS
from .modes import (
    ALTERNATE_SCREENS,
    DECAWM,
    DECCOLM,
    DECNKM,
    DECOM,
    DECSCNM,
    DECTCEM,
    IRM,
    KNOWN,
    MOUSE_ENCODINGS,
    MOUSE_TRACKING,
    SAVE_CURSOR,
    private,
)
from .movement import Movement
from .styles import PROTECTED

_TRACKING = {private(number) for number in MOUSE_TRACKING}
_ENCODINGS = {private(number) for number in MOUSE_ENCODINGS}
_1049 = private(1049)

# The kitty keyboard flags that `keys` can send: disambiguate, alternate keys, all keys as sequences, their text.
KEYBOARD_FLAGS = 1 | 4 | 8 | 16
_KEYBOARD_DEPTH = 16


class Switches(Movement):
    def initialise(self) -> None:
        super().initialise()
        self.saved_modes: dict[int, bool] = {}
        self.cursor_style = 0  # DECSCUSR
        self.keyboards: list[list[int]] = [
            [],
            [],
        ]  # the kitty protocol's stacks, of the main and of the alternate screen
        self.modify_other_keys = 0

    # -- modes

    def set_mode(self, *modes: int, private: bool = False) -> None:  # type: ignore[override]
        """SM, or DECSET."""
        for mode in modes:
            self._switch(mode << 5 if private else mode, True)

    def reset_mode(self, *modes: int, private: bool = False) -> None:  # type: ignore[override]
        """RM, or DECRST."""
        for mode in modes:
            self._switch(mode << 5 if private else mode, False)

    def set_private_mode(self, *modes: int) -> None:
        """DECSET."""
        self.set_mode(*modes, private=True)

    def reset_private_mode(self, *modes: int) -> None:
        """DECRST."""
        self.reset_mode(*modes, private=True)

    def _switch(self, mode: int, on: bool) -> None:
        if mode in ALTERNATE_SCREENS:
            self._show_alternate(mode, on)
        elif mode == SAVE_CURSOR:
            if on:
                self.save_cursor()
            else:
                self.restore_cursor()
        elif mode == DECCOLM:  # the size is the owner's; what it does besides is done
            self.top, self.bottom = 0, self.lines - 1
            self.rows[:] = [self.blank_line() for _ in self.rows]
            self.cursor.x = self.cursor.y = 0
            self.everything = True
        elif mode in KNOWN:
            if mode in _TRACKING:
                self.mode -= _TRACKING
            elif mode in _ENCODINGS and on:
                self.mode -= _ENCODINGS
            if on:
                self.mode.add(mode)
            else:
                self.mode.discard(mode)
            if mode == DECOM:
                self.cursor_position()
            elif mode == DECSCNM:
                self.everything = True
            self.modes_changed()

    def save_modes(self, *modes: int) -> None:
        """XTSAVE."""
        for mode in modes:
            if mode << 5 in KNOWN:
                self.saved_modes[mode] = mode << 5 in self.mode

    def restore_modes(self, *modes: int) -> None:
        """XTRESTORE."""
        for mode in modes:
            if mode in self.saved_modes:
                self._switch(mode << 5, self.saved_modes[mode])

    def mode_state(self, mode: int) -> int:
        """What DECRQM answers: 0 unknown, 1 set, 2 reset."""
        if mode in ALTERNATE_SCREENS:
            return 1 if self.hidden_rows is not None else 2
        if mode not in KNOWN:
            return 0
        return 1 if mode in self.mode else 2

    # -- screens

    def _show_alternate(self, mode: int, on: bool) -> None:
        """47, 1047 and 1049. The alternate screen is blank whenever it is entered (as in tmux); 1049 also keeps the cursor."""
        if on and self.hidden_rows is None:
            if mode == _1049:
                self.save_cursor()
            self.hidden_rows = self.rows
            self.rows = [self.blank_line() for _ in range(self.lines)]
        elif not on and self.hidden_rows is not None:
            self.rows = self.hidden_rows
            self.hidden_rows = None
            if mode == _1049:
                self.restore_cursor()
        self.everything = True

    # -- charsets

    def define_charset(self, code: str, mode: str) -> None:
        """SCS: `mode` "(" is G0 and ")" is G1; a set that is not known is ASCII."""
        self.charsets[mode == ")"] = code if code in CHARSETS else "B"

    def shift_in(self) -> None:
        """SI: G0."""
        self.shift = 0

    def shift_out(self) -> None:
        """SO: G1."""
        self.shift = 1

    # -- keys and cursor

    def application_keypad(self) -> None:
        """DECKPAM."""
        self._switch(DECNKM, True)

    def numeric_keypad(self) -> None:
        """DECKPNM."""
        self._switch(DECNKM, False)

    def set_cursor_style(self, style: int = 0) -> None:
        """DECSCUSR: 0 default, 1 and 2 block, 3 and 4 underline, 5 and 6 bar; odd ones blink."""
        if style <= 6:
            self.cursor_style = style

    def protect(self, how: int = 0) -> None:
        """DECSCA: 1 what is drawn from now on is safe from selective erasing, 0 and 2 it is not."""
        if how in (0, 1, 2):
            self.pen = self.styles.flagged(self.pen, PROTECTED, how == 1)

    @property
    def keyboard(self) -> int:
        """The kitty keyboard flags in force."""
        stack = self.keyboards[self.hidden_rows is not None]
        return stack[-1] if stack else 0

    def push_keyboard(self, flags: int = 0) -> None:
        """`CSI > flags u`; the oldest entry goes when there are too many."""
        stack = self.keyboards[self.hidden_rows is not None]
        stack.append(flags & KEYBOARD_FLAGS)
        del stack[:-_KEYBOARD_DEPTH]

    def pop_keyboard(self, count: int = 1) -> None:
        """`CSI < count u`."""
        stack = self.keyboards[self.hidden_rows is not None]
        del stack[max(0, len(stack) - (count or 1)) :]

    def set_keyboard(self, flags: int = 0, how: int = 1) -> None:
        """`CSI = flags ; how u`: 1 exactly these, 2 these too, 3 without these."""
        flags &= KEYBOARD_FLAGS
        stack = self.keyboards[self.hidden_rows is not None]
        now = self.keyboard
        new = {0: flags, 1: flags, 2: now | flags, 3: now & ~flags}.get(how, now)
        stack[-1:] = [new]

    def set_key_modifiers(self, resource: int = 0, value: int = 0) -> None:
        """XTMODKEYS; of its resources only modifyOtherKeys (4) is kept."""
        if resource == 4 and value <= 2:
            self.modify_other_keys = value

    def reset_key_modifiers(self, resource: int = 0) -> None:
        """`CSI > Ps n`: modifyOtherKeys off."""
        if resource == 4:
            self.modify_other_keys = 0

    # -- resets

    def soft_reset(self) -> None:
        """DECSTR: modes, margins, style, charsets and the saved cursor; the text and the cursor's place stay."""
        self.mode -= {IRM, DECOM, DECNKM, private(1)}
        self.mode |= {DECTCEM, DECAWM}
        self.top, self.bottom = 0, self.lines - 1
        self.pen = 0
        self.charsets = ["B", "B"]
        self.shift = 0
        self.saved[self.hidden_rows is not None].__init__()  # type: ignore[misc]
        self.cursor_style = 0
        self.keyboards[self.hidden_rows is not None].clear()
        self.modify_other_keys = 0
        self.modes_changed()
