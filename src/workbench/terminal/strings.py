"""OSC and DCS: titles, links, colours, clipboard, working directory, prompt marks, and queries in strings.

Strings come bounded from the parser. What is kept of them is cut to a length and freed of control characters; none of it ever
goes back to the program.
"""

import binascii
import re

from .answers import Answers
from .events import ClipboardWrite, Event, Notification, PromptMark, WorkingDirectory
from .lines import COMMAND, FINISHED, OUTPUT, PROMPT
from .palette import BACKGROUND, CURSOR, FOREGROUND

TITLE_LENGTH = 1024
TITLES = 10  # on the stack of XTPUSHTITLE
PATH_LENGTH = 4096
EVENTS = 256  # that nobody has taken yet; older ones are lost
CLIPBOARD_BYTES = 1 << 20

_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]+")
_SPECIAL = {"10": FOREGROUND, "11": BACKGROUND, "12": CURSOR}
_MARKS = {"A": PROMPT, "B": COMMAND, "C": OUTPUT, "D": FINISHED}


def plain(text: str, length: int) -> str:
    """Text without control characters, cut to a length."""
    return _CONTROLS.sub("", text[: 4 * length])[:length]


class Strings(Answers):
    def initialise(self) -> None:
        super().initialise()
        self.titles: list[tuple[str, str]] = []

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        del self.events[:-EVENTS]

    # -- titles

    def set_title(self, param: str) -> None:
        """OSC 0 and 2."""
        self.title = plain(param, TITLE_LENGTH)

    def set_icon_name(self, param: str) -> None:
        """OSC 0 and 1."""
        self.icon_name = plain(param, TITLE_LENGTH)

    def window(self, what: int = 0, which: int = 0) -> None:
        """XTWINOPS: sizes in cells are told, titles are pushed and popped; nothing else, and a title is never told."""
        if what in (18, 19):
            self.answer(f"\x1b[{what - 10};{self.lines};{self.columns}t")
        elif what == 22:
            self.titles.append((self.title, self.icon_name))
            del self.titles[:-TITLES]
        elif what == 23 and self.titles:
            title, icon_name = self.titles.pop()
            self.title = title if which in (0, 2) else self.title
            self.icon_name = icon_name if which in (0, 1) else self.icon_name

    # -- OSC

    def operating_system_command(self, text: str) -> None:
        """A whole OSC, without its ends. Unknown ones are skipped."""
        number, _, rest = text.partition(";")
        if number in ("0", "1", "2"):
            if number != "1":
                self.set_title(rest)
            if number != "2":
                self.set_icon_name(rest)
        elif number == "8":
            self._link(rest)
        elif number == "4":
            self._colours(rest)
        elif number in _SPECIAL:
            self._special_colours(int(number), rest)
        elif number == "104":
            self._reset_colours(rest)
        elif number in ("110", "111", "112"):
            self.palette.reset(_SPECIAL[number[1:]])
            self.everything = True
        elif number == "52":
            self._clipboard(rest)
        elif number == "7":
            self._tell(WorkingDirectory(plain(rest, PATH_LENGTH)))
        elif number == "133":
            self._prompt(rest)
        elif number == "9":
            self._notify(rest)
        elif number == "777" and rest.startswith("notify;"):
            title, _, body = rest[7:].partition(";")
            self._tell(Notification(plain(title, TITLE_LENGTH), plain(body, TITLE_LENGTH)))
        elif number == "1337" and rest.startswith("CurrentDir="):
            self._tell(WorkingDirectory(plain(rest[11:], PATH_LENGTH)))

    def _link(self, rest: str) -> None:
        parameters, _, uri = rest.partition(";")
        named = next((field[3:] for field in parameters.split(":") if field.startswith("id=")), "")
        if _CONTROLS.search(uri):
            uri = ""
        self.pen = self.styles.linked(self.pen, uri, plain(named, 250))

    def _colours(self, rest: str) -> None:
        fields = rest.split(";")[:512]
        for index, spec in zip(fields[::2], fields[1::2]):
            if not (index.isdecimal() and len(index) <= 3 and int(index) < 256):
                continue
            if spec == "?":
                self.answer_colour(f"4;{int(index)}", self.palette.colour(int(index)))
            elif self.palette.set(int(index), spec):
                self.everything = True

    def _special_colours(self, number: int, rest: str) -> None:
        for spec in rest.split(";")[:3]:
            index = _SPECIAL.get(str(number))
            if index is None:
                return
            if spec == "?":
                self.answer_colour(str(number), self.palette.colour(index))
            elif self.palette.set(index, spec):
                self.everything = True
            number += 1

    def _reset_colours(self, rest: str) -> None:
        if not rest:
            self.palette.reset()
        for index in rest.split(";")[:256]:
            if index.isdecimal() and len(index) <= 3 and int(index) < 256:
                self.palette.reset(int(index))
        self.everything = True

    def _clipboard(self, rest: str) -> None:
        selection, _, data = rest.partition(";")
        if data == "?" or not set(selection) <= set("cpqs01234567"):
            return  # reading is not answered
        try:
            content = binascii.a2b_base64(data + "=" * (-len(data) % 4), strict_mode=True)
        except ValueError:
            return
        if len(content) <= CLIPBOARD_BYTES:
            self._tell(ClipboardWrite(selection[:16] or "s0", content))

    def _prompt(self, rest: str) -> None:
        kind = _MARKS.get(rest[:1])
        if kind is None or rest[1:2] not in ("", ";"):
            return
        status = rest[2:].partition(";")[0] if kind == FINISHED else ""
        if self.hidden_rows is None and kind != FINISHED:
            self.rows[self.cursor.y].mark = kind
        line = self.scrollback.dropped + len(self.scrollback) + self.cursor.y
        code = int(status) if status.isdecimal() and len(status) < 6 else None
        self._tell(PromptMark(kind, line, code))

    def _notify(self, rest: str) -> None:
        if rest.startswith("9;"):  # ConEmu's working directory
            self._tell(WorkingDirectory(plain(rest[2:], PATH_LENGTH)))
        elif rest and not (
            rest[0].isdecimal() and rest[1:2] in (";", "")
        ):  # other numbers: ConEmu's progress and the like
            self._tell(Notification("", plain(rest, TITLE_LENGTH)))

    # -- DCS

    def device_control(self, text: str) -> None:
        """A whole DCS: requests for settings (DECRQSS) and capabilities (XTGETTCAP) are answered; the rest is skipped."""
        if text.startswith("$q"):
            self.answer_setting(text[2:])
        elif text.startswith("+q"):
            self.answer(
                "\x1bP0+r\x1b\\"
            )  # none is told: the name that was asked for would have to be repeated
