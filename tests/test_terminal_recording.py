"""Recordings: written while it happens, read back, and played at any time."""

from __future__ import annotations

import io
import json
import random

import pytest

from tests.support.terminal import random_output, state
from workbench.model.errors import WorkbenchError
from workbench.terminal import Terminal, cast
from workbench.terminal.cast import Event, Header, Recorder
from workbench.terminal.player import Player


def recorded(pieces: list[tuple[float, bytes]], limit: int = cast.LARGEST) -> bytes:
    file = io.StringIO()
    recorder = Recorder(
        file.write, Header(20, 6, "a title", 1_700_000_000, {"TERM": "xterm-256color"}), limit
    )
    for time, data in pieces:
        recorder.output(time, data)
    recorder.close(pieces[-1][0])
    return file.getvalue().encode()


def lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def test_a_recording_is_written_and_read_back() -> None:
    file = io.StringIO()
    recorder = Recorder(file.write, Header(20, 6, "title", 1_700_000_000, {"SHELL": "/bin/sh"}))
    recorder.output(0.5, b"caf\xc3")
    recorder.output(0.75, b"\xa9\x1b[31m")
    recorder.resize(1, 40, 10)
    recorder.mark(1.5, "here")
    recorder.input(1.25, b"ls\r")
    recorder.output(2, b"\xe4")
    recorder.close(3)
    head, *events = file.getvalue().splitlines()
    assert json.loads(head) == {
        "version": 2,
        "width": 20,
        "height": 6,
        "timestamp": 1_700_000_000,
        "title": "title",
        "env": {"SHELL": "/bin/sh"},
    }
    assert [json.loads(event) for event in events] == [
        [0.5, "o", "caf"], [0.75, "o", "é\x1b[31m"], [1, "r", "40x10"], [1.5, "m", "here"], [1.5, "i", "ls\r"], [3, "o", "\ufffd"],
    ]  # fmt: skip
    header, found = cast.read(lines(file.getvalue().encode()))
    assert header == Header(20, 6, "title", 1_700_000_000, {"SHELL": "/bin/sh"})
    assert list(found)[1:3] == [Event(0.75, "o", "é\x1b[31m"), Event(1.0, "r", "40x10")]


def test_a_recording_that_becomes_too_long_says_so_and_ends() -> None:
    data = recorded([(number, b"x" * 100) for number in range(100)], limit=1000)
    assert len(data) < 2000
    assert json.loads(lines(data)[-1])[1] == "m"


def test_what_is_damaged_in_a_recording_is_skipped() -> None:
    data = b'{"version": 2, "width": 20, "height": 6}\n'
    data += b'[1, "o", "a"]\n[0.5, "o", "b"]\nnonsense\n[1, "x", "c"]\n["2", "o", "d"]\n[-1, "o", "e"]\n{}\n'
    data += b'[NaN, "o", "f"]\n[2, "r", "9x"]\n\xff\xfe\n[3, "o", "g'
    _, events = cast.read(lines(data))
    assert list(events) == [Event(1, "o", "a"), Event(1, "o", "b"), Event(2, "r", "9x")]
    assert Event(2, "r", "9x").size is None
    assert Event(2, "r", "99999x0").size == (2000, 1)


@pytest.mark.parametrize("data", [b"", b"\x1b[31mraw\n", b'{"version": 1}\n', b"[]\n", b"[" * 100_000])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(WorkbenchError) as caught:
        cast.read(lines(data))
    assert caught.value.code == "terminal.not_a_recording"


def test_any_time_of_a_recording_is_shown_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.terminal.player._BETWEEN", 500)
    pieces = [
        (float(index), random_output(index, 12).decode("utf-8", "replace").encode()) for index in range(60)
    ]
    header, events = cast.read(lines(recorded(pieces)))
    player = Player(header, events)
    assert player.duration == pieces[-1][0]
    chance = random.Random(3)
    for _ in range(25):
        time = chance.uniform(0, 61)
        expected = Terminal(20, 6, scrollback=2000)
        for at, data in pieces:
            if at <= time:
                expected.feed(data)
        assert state(player.seek(time)) == state(expected)
    assert len(player._states) > 5


def test_long_pauses_can_be_cut_short() -> None:
    events = [Event(1, "o", "a"), Event(100, "m", "here"), Event(101, "o", "b")]
    player = Player(Header(10, 2), events, longest_pause=2)
    assert player.markers == [(3.0, "here")]
    assert player.duration == 4
    assert player.terminal.text(player.seek(3.5).rows[0]) == "a"
    assert player.next_time == 4
    assert player.terminal.text(player.seek(4).rows[0]) == "ab"
    assert player.next_time is None


def test_the_size_follows_a_recording() -> None:
    player = Player(Header(10, 2), [Event(1, "o", "a"), Event(2, "r", "30x5"), Event(3, "r", "0x0")])
    assert (player.seek(2).columns, player.terminal.lines) == (30, 5)
    assert (player.seek(1).columns, player.terminal.lines) == (10, 2)
    assert (player.seek(9).columns, player.terminal.lines) == (2, 1)
