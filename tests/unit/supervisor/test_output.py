"""The standard error of children: lines become events, dumps stay together, floods are bounded."""

from __future__ import annotations

import contextlib
import faulthandler
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from supervisor.processes.output import Output
from tests.support.processes import until


class Pipe:
    """An Output with the end that a child would write to; `said` are its events."""

    def __init__(self, said: list[dict[str, Any]]) -> None:
        reading, self.writing = os.pipe()
        self.output = Output(reading)
        self.output.fields = {"connector": "c", "task": 0}
        self.said = said

    @property
    def messages(self) -> list[str]:
        return [event["event"] for event in self.said]

    def write(self, text: str) -> None:
        os.write(self.writing, text.encode())


@contextlib.contextmanager
def pipe() -> Iterator[Pipe]:
    with structlog.testing.capture_logs() as said:
        made = Pipe(said)
        yield made
        os.close(made.writing)


async def test_each_line_is_an_event_of_its_task() -> None:
    with pipe() as child:
        child.write("one\n\ntw")
        await until(lambda: child.said, "the first line is there")
        child.write("o\nthr")
        assert child.output.close() == "one\ntwo\nthr"
        assert child.said == [
            {"event": message, "log_level": "info", "connector": "c", "task": 0} for message in ("one", "two", "thr")
        ]


async def test_a_dump_is_one_event() -> None:
    with pipe() as child:
        child.write("before\n")
        faulthandler.dump_traceback(child.writing)
        await until(lambda: len(child.said) == 2, "the dump is complete")
        child.write("after\n")
        assert child.output.close() == "before\nafter"
        assert child.messages[0] == "before"
        assert child.messages[1].startswith("where the threads are:\n")
        assert "in test_a_dump_is_one_event" in child.messages[1]
        assert child.messages[2:] == ["after"]


async def test_a_crash_is_the_last_word() -> None:
    with pipe() as child:
        child.write("calling the library\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1f (most recent")
        child.write(' call first):\n  File "x.py", line 1 in poll\n\nExtension modules: a, b (total: 2)\n')
        crash = child.output.close()
        assert crash.splitlines()[0] == "Fatal Python error: Segmentation fault"
        assert '  File "x.py", line 1 in poll' in crash
        assert child.messages == ["calling the library"]


async def test_of_a_flood_some_lines_are_logged_and_the_rest_counted() -> None:
    with pipe() as child:
        child.write("".join(f"line {number}\n" for number in range(5000)))
        assert child.output.close() == "\n".join(f"line {number}" for number in range(4990, 5000))
        assert child.messages == [
            *(f"line {number}" for number in range(50)),
            "4950 more lines within a second were left out",
        ]


async def test_a_dump_is_found_in_a_flood() -> None:
    with pipe() as child:
        child.write(
            "x\n" * 5000 + 'Thread 0x1f (most recent call first):\n  File "x.py", line 1 in put\n' + "y\n" * 1000
        )
        child.output.close()
        (dump,) = [message for message in child.messages if message.startswith("where the threads are")]
        assert dump.splitlines()[1:] == ["Thread 0x1f (most recent call first):", '  File "x.py", line 1 in put']


async def test_who_floods_waits_and_nobody_else() -> None:
    with pipe() as child:
        os.set_blocking(child.writing, False)
        written = 0

        def fill() -> bool:
            nonlocal written
            with contextlib.suppress(BlockingIOError):
                while True:
                    written += os.write(child.writing, b"z" * 1024)
            return written > 600 * 1024

        with pytest.raises(AssertionError):  # the pipe fills up, for in this second no more is read
            await until(fill, "all is taken", timeout_s=0.5)
        await until(fill, "the next second takes more")
        child.output.close()
        assert len(child.messages) < 200
        assert max(map(len, child.messages)) <= 8192
