"""Bytes to calls on the screen: UTF-8, then text, controls, escape sequences and strings (ECMA-48, and xterm's ctlseqs).

Whole lines of text and SGR, which is what large outputs are, take a way of their own (`bulk`). All else goes token by token. An
unfinished sequence is held until the rest comes; a sequence that is malformed, unknown or too long is skipped. Where input is cut
makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyte

from .bulk import Bulk
from .screen import Screen

LONGEST_SEQUENCE = 512
LONGEST_STRING = {"]": 2 << 20, "P": 1 << 12}  # of the other strings nothing is kept
MOST_PARAMETERS = 32
LARGEST_PARAMETER = 65535
_PIECE = 1 << 16

_TEXT = r"[^\x00-\x1f\x7f-\x9f]"
_TOKEN = re.compile(
    rf"({_TEXT}++)"  # 1 text
    r"|\x1b\[([<-?]?)([0-9;:]*+)([ -/]*+)([@-~])"  # 2 to 5 CSI
    r"|([\x00-\x1a\x1c-\x1f])"  # 6 control
    r"|\x1b(?:([ -/]++)([0-~])|([0-OQ-WYZ\\`-jl-~]))"  # 7, 8 and 9 ESC
    r"|\x1b([\]PX^_k])"  # 10 the beginning of a string
    r"|[\x7f-\x9f]++"
)
_TEXT_TOKEN, _CSI, _CONTROL, _ESCAPE, _SHORT_ESCAPE, _STRING = 1, 5, 6, 8, 9, 10
_UNFINISHED = re.compile(r"\x1b(?:\[[\x00-\x17\x19\x1c-\x3f\x7f-\x9f]*+|[\x00-\x17\x19\x1c-\x2f\x7f-\x9f]*+)")
_INSIDE = re.compile(r"[\x00-\x17\x19\x1c-\x1f\x7f-\x9f]")
_END_OF_STRING = re.compile(r"[\x07\x18\x1a\x1b]")
_END_OF_SEQUENCE = re.compile(r"[@-~\x18\x1a\x1b\xa0-\U0010ffff]")

Handler = Callable[..., None]


class Parser(pyte.ByteStream):
    """Feeds a screen. Its state between two feeds: the decoder's, `held`, and a string (or an overlong sequence) that is being read."""

    csi = {
        **pyte.Stream.csi,
        "I": "tabs_forward",
        "Z": "tabs_back",
        "S": "scroll_text_up",
        "T": "scroll_text_down",
        "b": "repeat",
        "`": "cursor_to_column",
        "j": "cursor_back",
        "k": "cursor_up",
        "s": "save_cursor",
        "u": "restore_cursor",
        "t": "window",
        "x": "report_parameters",
        "?J": "selective_erase_in_display",
        "?K": "selective_erase_in_line",
        "?h": "set_private_mode",
        "?l": "reset_private_mode",
        "?s": "save_modes",
        "?r": "restore_modes",
        "?n": "report_private_status",
        "?u": "report_keyboard",
        "?m": "report_key_modifiers",
        ">c": "report_secondary_attributes",
        "=c": "report_tertiary_attributes",
        ">q": "report_version",
        ">u": "push_keyboard",
        "<u": "pop_keyboard",
        "=u": "set_keyboard",
        ">m": "set_key_modifiers",
        ">n": "reset_key_modifiers",
        " q": "set_cursor_style",
        '"q': "protect",
        "!p": "soft_reset",
        "$p": "report_mode",
        "?$p": "report_private_mode",
    }
    escape = {
        **pyte.Stream.escape,
        "E": "next_line",
        "=": "application_keypad",
        ">": "numeric_keypad",
        "#8": "alignment_display",
    }

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.held = ""
        self.string = ""  # the kind of string that is being read, "[" for an overlong sequence, or ""
        self.parts: list[str] = []
        self.length = 0
        self._bulk = Bulk(screen)
        super().__init__(screen)
        self._csi = {key: _limited(getattr(screen, name)) for key, name in self.csi.items() if key != "m"}
        self._escape: dict[str, Handler] = {key: getattr(screen, name) for key, name in self.escape.items()}
        self._basic: dict[str, Handler] = {key: getattr(screen, name) for key, name in self.basic.items()}
        self._understood: dict[str, tuple[Handler | None, Any]] = {}  # control sequences seen before

    def restart(self) -> None:
        """Out of any unfinished character, sequence or string."""
        self.utf8_decoder.reset()
        self.held = self.string = ""
        self.parts, self.length = [], 0

    def _initialize_parser(self) -> None:
        """pyte's own state machine is not used."""

    def feed(self, data: bytes) -> None:  # type: ignore[override]
        """Take some output, cut anywhere."""
        text = self.utf8_decoder.decode(data)
        for start in range(0, len(text), _PIECE):
            self._feed(self.held + text[start : start + _PIECE])

    def _feed(self, data: str) -> None:
        self.held = ""
        screen = self.screen
        match_token, end, understood = _TOKEN.match, len(data), self._understood
        position = 0
        fresh = True  # at the beginning of a line, as far as is known
        while position < end:
            if self.string:
                position = self._read_string(data, position)
                continue
            if fresh:
                fresh = False
                if end_of_lines := self._bulk.take(data, position):
                    position = end_of_lines
                    continue
            token = match_token(data, position)
            if token is None:
                data, position = self._irregular(data, position)
                end = len(data)
                continue
            position = token.end()
            kind = token.lastindex
            if kind == _TEXT_TOKEN:
                screen.draw(token[1])
                continue
            if kind == _CSI:
                handler, parameters = understood.get(token[0]) or self._understand(token)
                if handler is None:
                    screen.pen = screen.styles.rendered(screen.pen, parameters)
                else:
                    handler(*parameters)
            elif kind == _CONTROL:
                control = token[6]
                if control in self._basic:
                    self._basic[control]()
                    fresh = control == "\n"
            elif kind == _SHORT_ESCAPE:
                self._escape.get(token[9], screen.debug)()
            elif kind == _ESCAPE:
                self._designate(token[7], token[8])
            elif kind == _STRING:
                self.string, self.parts, self.length = token[10], [], 0
            screen.last = ""
        if screen.crowded:
            screen.tidy()

    # -- sequences

    def _understand(self, token: re.Match[str]) -> tuple[Handler | None, Any]:
        """What a control sequence does: a handler with its parameters, or SGR (no handler, but its fields)."""
        prefix, fields, between, final = token.group(2, 3, 4, 5)
        key = prefix + between + final
        found = self._csi.get(key)
        action: tuple[Handler | None, Any]
        if token.end() - token.start() > LONGEST_SEQUENCE:
            return self.screen.debug, ()
        if key == "m":
            action = None, fields
        elif found is None:
            action = self.screen.debug, ()
        else:
            handler, most = found
            action = handler, _parameters(fields)[:most]
        if len(self._understood) > 4096:
            self._understood.clear()
        self._understood[token[0]] = action
        return action

    def _designate(self, between: str, final: str) -> None:
        if between in ("(", ")"):
            self.screen.define_charset(final, between)
        elif between + final in self._escape:
            self._escape[between + final]()

    def _irregular(self, data: str, position: int) -> tuple[str, int]:
        """At an ESC that begins no whole sequence: it is unfinished, has controls inside, was cut off, or is malformed."""
        found = _UNFINISHED.match(data, position)
        assert found is not None
        inside = _INSIDE.findall(found[0])
        if inside:  # they act at once, and the sequence goes on around them
            for control in inside:
                if control in self._basic:
                    self._basic[control]()
            cleaned = _INSIDE.sub("", found[0])
            return cleaned + data[found.end() :], 0
        if found.end() == len(data):
            if len(found[0]) <= LONGEST_SEQUENCE:
                self.held = found[0]
            else:
                self.string = "["
            return data, len(data)
        if found.end() - position > LONGEST_SEQUENCE:
            self.string = "["
            return data, found.end()
        after = data[found.end()]
        if after in "\x18\x1a" or "@" <= after <= "~":
            return data, found.end() + 1
        return data, found.end()

    # -- strings

    def _read_string(self, data: str, position: int) -> int:
        """Go on reading a string; where it ends, act on it."""
        kind = self.string
        if kind == "[":
            found = _END_OF_SEQUENCE.search(data, position)
            if found is None:
                return len(data)
            self.string = ""
            return found.start() if found[0] == "\x1b" or found[0] >= "\xa0" else found.end()
        found = _END_OF_STRING.search(data, position)
        if found is None:
            self._keep(data[position:])
            return len(data)
        end = found[0]
        self._keep(data[position : found.start()])
        if end == "\x07" and kind != "]":
            self._keep(end)
            return found.end()
        if end == "\x1b":
            after = data[found.end() : found.end() + 1]
            if not after:
                self.held = end
                return len(data)
            if after != "\\":  # another sequence begins: this one was cut off
                self._end_string()
                return found.start()
        complete = end in "\x07\x1b" and self.length <= LONGEST_STRING.get(kind, 0)
        whole = self._end_string()
        if complete and kind == "]":
            self.screen.operating_system_command(whole)
        elif complete and kind == "P":
            self.screen.device_control(whole)
        return found.end() + (end == "\x1b")

    def _keep(self, part: str) -> None:
        """Remember a part of the string; nothing of one that is too long, whose length then counts as one more than allowed."""
        most = LONGEST_STRING.get(self.string, 0)
        if not most:
            return
        self.length = min(self.length + len(part), most + 1)
        if self.length <= most:
            self.parts.append(part)
        else:
            self.parts = []

    def _end_string(self) -> str:
        """Out of the string; what was kept of it."""
        whole = "".join(self.parts)
        self.string, self.parts, self.length = "", [], 0
        return whole


def _parameters(fields: str) -> list[int]:
    """Numbers of `1;2;3`; what is left out is 0, of `4:3` only the first counts."""
    if not fields:
        return []
    found = []
    for field in fields.split(";")[:MOST_PARAMETERS]:
        digits = field.partition(":")[0]
        found.append(min(int(digits), LARGEST_PARAMETER) if digits else 0)
    return found


def _limited(handler: Any) -> tuple[Handler, int]:
    """A handler, and how many parameters it takes."""
    code = handler.__func__.__code__
    return handler, MOST_PARAMETERS if code.co_flags & 0x04 else code.co_argcount - 1
