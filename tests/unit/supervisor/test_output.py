"""What children write: their own lines as they are, printed ones as events, dumps together, floods bounded."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog

from supervisor.processes.output import Output
from tasks.logs import MARK
from tests.support.processes import until


class Pipe:
    """An Output with the end that a child would write to; `said` are its events, `kept` those that only who asks gets."""

    def __init__(self, said: list[dict[str, Any]]) -> None:
        reading, self.writing = os.pipe()
        self.output = Output(reading, self)
        self.output.fields = {"connector": "c", "task": 0}
        self.output.lines_a_second = 50
        self.said = said
        self.kept: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        self.said.append(json.loads(line))

    def keep(self, lines: Sequence[bytes]) -> None:
        self.kept += map(json.loads, lines)

    @property
    def messages(self) -> list[str]:
        return [event.get("message") or event["event"] for event in self.said]

    def tell(self, text: str) -> None:
        os.write(self.writing, text.encode())


@pytest.fixture(autouse=True)
def level() -> Iterator[logging.Logger]:
    logger = logging.getLogger("output")
    logger.setLevel("INFO")
    yield logger
    logger.setLevel("NOTSET")


@contextlib.contextmanager
def pipe() -> Iterator[Pipe]:
    with structlog.testing.capture_logs() as said:
        made = Pipe(said)
        yield made
        os.close(made.writing)


async def test_each_line_is_an_event_of_its_task() -> None:
    with pipe() as child:
        child.tell("one\n\ntw")
        await until(lambda: child.said, "the first line is there")
        child.tell("o\nthr")
        assert child.output.close() == "one\ntwo\nthr"
        assert [(each["message"], each["level"], each["logger"]) for each in child.said] == [
            (message, "info", "output") for message in ("one", "two", "thr")
        ]
        assert {(each["connector"], each["task"]) for each in child.said} == {("c", 0)}


async def test_lines_of_its_own_log_are_taken_as_they_are_also_behind_an_unfinished_one() -> None:
    with pipe() as child:
        long = "x" * 100_000
        child.tell(f'{MARK.decode()}{{"message": "own"}}\nhalf{MARK.decode()}{{"message": "own too"}}\n')
        os.set_blocking(child.writing, False)
        rest = f'{MARK.decode()}{{"message": "{long}"}}\n'.encode()

        def written() -> bool:
            nonlocal rest
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(child.writing, rest) :]
            return not rest

        await until(written, "the long line is taken")
        child.tell(f"{MARK.decode()} no line of ours\n")
        assert child.output.close() == "half\n\x1e no line of ours"
        assert child.messages == ["own", "half", "own too", long, "no line of ours"]


async def test_what_is_printed_is_logged_as_far_as_its_logger_is_to(level: logging.Logger) -> None:
    level.setLevel("WARNING")
    with pipe() as child:
        child.tell(f'printed\n{MARK.decode()}{{"message": "own"}}\n')
        assert child.output.close() == "printed"
        assert child.messages == ["own"]


async def test_a_dump_is_one_event() -> None:
    with pipe() as child:
        child.tell("before\n")
        faulthandler.dump_traceback(child.writing)
        await until(lambda: len(child.said) == 2, "the dump is complete")
        child.tell("after\n")
        assert child.output.close() == "before\nafter"
        assert child.messages[0] == "before"
        assert child.messages[1].startswith("where the threads are:\n")
        assert "in test_a_dump_is_one_event" in child.messages[1]
        assert child.messages[2:] == ["after"]


async def test_a_crash_is_the_last_word() -> None:
    with pipe() as child:
        child.tell("calling the library\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1f (most recent")
        child.tell(' call first):\n  File "x.py", line 1 in poll\n\nExtension modules: a, b (total: 2)\n')
        crash = child.output.close()
        assert crash.splitlines()[0] == "Fatal Python error: Segmentation fault"
        assert '  File "x.py", line 1 in poll' in crash
        assert child.messages == ["calling the library"]


async def test_of_a_flood_some_lines_are_logged_and_the_rest_counted() -> None:
    with pipe() as child:
        child.tell("".join(f"line {number}\n" for number in range(5000)))
        assert child.output.close() == "\n".join(f"line {number}" for number in range(4990, 5000))
        assert child.messages == [
            *(f"line {number}" for number in range(50)),
            "4950 more lines within a second were left out (task.log.lines.per.second.max)",
        ]
        # Of what somebody asks for after the crash, the very last lines are the most wanted.
        assert [each["message"] for each in child.kept[-200:]] == [f"line {number}" for number in range(4800, 5000)]


@pytest.mark.parametrize("at_once", [1, 2, 200])
async def test_no_line_of_a_flood_is_lost_to_who_asks_however_they_are_read(at_once: int) -> None:
    """A supervisor that keeps up reads line by line."""
    with pipe() as child:
        lines = [f"line {number}" for number in range(400)]

        def seen() -> set[str]:
            return {*child.messages, *(each["message"] for each in child.kept)}

        for first in range(0, len(lines), at_once):
            some = lines[first : first + at_once]
            child.tell("".join(f"{line}\n" for line in some))
            await until(lambda: seen().issuperset(some), "they are there")  # noqa: B023 (called at once)
        child.output.close()
        assert child.kept


async def test_a_flood_of_its_own_log_is_no_exception() -> None:
    with pipe() as child:
        child.tell("".join(f'{MARK.decode()}{{"message": "{number}"}}\n' for number in range(500)))
        assert child.output.close() == ""
        assert child.messages[:50] == [str(number) for number in range(50)]
        assert child.messages[50].startswith("450 more lines")
        assert child.kept[-1] == {"message": "499"}


async def test_a_dump_is_found_in_a_flood() -> None:
    with pipe() as child:
        child.tell(
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
            return written > 1600 * 1024

        with pytest.raises(AssertionError):  # the pipe fills up, for in this second no more is read
            await until(fill, "all is taken", timeout_s=0.5)
        await until(fill, "the next second takes more")
        child.output.close()
        assert len(child.messages) < 400
        assert max(map(len, child.messages)) <= 8192
