"""Where the log is written to: without waiting, in the form that suits, and into systemd's journal with fields."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from supervisor.logs.formats import is_journal, log_format, write_lines
from supervisor.logs.journal import Journal
from supervisor.logs.lines import make_line
from supervisor.logs.writer import Writer
from tests.support.processes import wait_until

# --- the thread -------------------------------------------------------------------------------------------------------


class Reader:
    """Takes lines, but waits before the first ones until it is let go."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.go = threading.Event()

    def __call__(self, lines: Sequence[bytes]) -> None:
        assert self.go.wait(60)
        self.lines += lines


def test_nobody_waits_for_who_does_not_read_and_it_is_told_how_many_lines_that_cost() -> None:
    reader = Reader()
    writer = Writer(reader, max_waiting_bytes=1000)
    for number in range(100):
        writer.put(b"%099d" % number)  # would wait for ever, if it did
    reader.go.set()
    wait_until(lambda: len(reader.lines) > 10, "it is told")
    assert reader.lines[:10] == [b"%099d" % number for number in range(10)]
    assert json.loads(reader.lines[10])["message"].startswith("90 lines of the log were left out")
    writer.put(b"again")
    writer.close(60)
    assert reader.lines[11:] == [b"again"]


def test_the_end_does_not_wait_for_ever() -> None:
    reader = Reader()
    writer = Writer(reader)
    writer.put(b"x")
    writer.close(0.01)
    assert reader.lines == []
    reader.go.set()


def test_what_cannot_be_written_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = Writer(write_lines("json", writing))
    for _ in range(3):
        writer.put(b"nobody is there")
    writer.close(60)
    os.close(writing)


# --- formats ----------------------------------------------------------------------------------------------------------


def test_the_format_is_what_the_environment_says_or_what_suits(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        assert log_format(file.fileno(), {}) == "json"
        for wanted in ("json", "console", "journal"):
            assert log_format(file.fileno(), {"CONNECTD_LOG_FORMAT": wanted}) == wanted
        with pytest.raises(ValueError, match="CONNECTD_LOG_FORMAT=xml: expected json, console or journal"):
            log_format(file.fileno(), {"CONNECTD_LOG_FORMAT": "xml"})
        about = os.fstat(file.fileno())
        assert not is_journal(file.fileno(), f"{about.st_dev}:{about.st_ino}")  # a file is no stream of the journal


def test_the_stream_that_systemd_names_is_the_journal() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        about = os.fstat(ours.fileno())
        stream = {"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"}
        assert log_format(ours.fileno(), stream) == "journal"
        assert log_format(theirs.fileno(), stream) == "json"  # whoever was started with its output somewhere else


def test_lines_for_people() -> None:
    reading, writing = os.pipe()
    line = make_line("warning", "x", "what\nhappened", connector="c", worker="w:1", exception="Traceback: HALF")
    write_lines("console", writing)([line.replace(b"HALF", b"\\ud800")])
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        text = file.read()
    assert "[warning" in text and "what\nhappened" in text and "connector=c" in text and "Traceback: " in text
    assert "w:1" not in text and "timestamp" not in text


# --- the journal ------------------------------------------------------------------------------------------------------


class FakeJournald:
    """Reads entries as systemd's native protocol describes them."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(30)

    def entry(self) -> dict[str, str]:
        """The next one; where it was too large for a datagram, from the file that was sent instead."""
        data, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 20, 1)
        for descriptor in descriptors:
            with open(descriptor, "rb") as file:
                file.seek(0)
                data = file.read()
        return fields(data)

    def close(self) -> None:
        self._socket.close()
        Path(self.path).unlink()


def fields(data: bytes) -> dict[str, str]:
    found = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + length], rest[8 + length + 1 :]
        found[name.decode()] = value.decode()
        data = rest
    return found


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[FakeJournald]:
    found = FakeJournald(tmp_path / "socket")
    yield found
    with contextlib.suppress(FileNotFoundError):
        found.close()


def test_an_entry_has_connector_and_task_as_fields(journald: FakeJournald) -> None:
    Journal(2, journald.path)(
        [make_line("error", "tasks.sink", "refused", connector="c", task=0, pid=7, worker="w:1", retry_in_s=0.5)]
    )
    assert journald.entry() == {
        "MESSAGE": "[c-0] refused retry_in_s=0.5",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "connectd",
        "SYSLOG_PID": "7",
        "CONNECTD_CONNECTOR": "c",
        "CONNECTD_TASK": "0",
        "CONNECTD_LOGGER": "tasks.sink",
        "CONNECTD_WORKER": "w:1",
        "CONNECTD_RETRY_IN_S": "0.5",
    }


def test_entries_may_have_several_lines_and_be_large(journald: FakeJournald) -> None:
    trace = "Traceback:\n" + "  File\n" * 100_000  # larger than what a datagram takes
    journal = Journal(2, journald.path)
    journal([make_line("info", "x", "one\ntwo"), make_line("critical", "x", "failed", exception=trace)])
    assert journald.entry()["MESSAGE"] == "one\ntwo"
    large = journald.entry()
    assert (large["MESSAGE"], large["PRIORITY"]) == (f"failed\n{trace}", "2")


def test_names_are_those_that_the_journal_takes(journald: FakeJournald) -> None:
    Journal(2, journald.path)([make_line("info", "x", "m", **{"dead.letter-queue": [1, "\u00e4"], "x" * 100: True})])
    entry = journald.entry()
    assert entry["CONNECTD_DEAD_LETTER_QUEUE"] == '[1, "\u00e4"]'
    assert max(map(len, entry)) <= 64


def test_without_journald_lines_go_where_they_would_have_gone(journald: FakeJournald, tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("wb+") as file:
        journal = Journal(file.fileno(), journald.path)
        journal([make_line("info", "x", "one")])
        assert journald.entry()["MESSAGE"] == "one"
        journald.close()
        journal([make_line("warning", "x", "two")])
        file.seek(0)
        assert file.read().startswith(b'<4>{"timestamp"')
        again = FakeJournald(Path(journald.path))  # it is started again
        journal([make_line("info", "x", "three")])
        assert again.entry()["MESSAGE"] == "three"
        again.close()
