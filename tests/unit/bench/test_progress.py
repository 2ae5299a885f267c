"""Progress on a terminal and without one."""

from __future__ import annotations

import io

import pytest

from bench import progress
from bench.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    shown = Progress(stream)
    shown.update("10 %")
    shown.update("10 %")
    shown.update("20 %")
    shown.line("done")
    assert stream.getvalue() == "\r10 %\x1b[K\r20 %\x1b[K\r\x1b[Kdone\n"


def test_a_line_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "10")
    stream = Terminal()
    Progress(stream).update("a" * 30)
    assert stream.getvalue() == f"\r{'a' * 9}\x1b[K"


def test_without_a_terminal_there_is_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    stream = io.StringIO()
    shown = Progress(stream)
    for second in range(8):
        now = float(second)
        shown.update(f"{second} s")
    shown.line("done")
    assert stream.getvalue() == "3 s\n6 s\ndone\n"
