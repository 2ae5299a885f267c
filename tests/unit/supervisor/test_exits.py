"""How a child ended: the words, the causes, and the kernel's count of out-of-memory kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.processes.exits import Cause, Exit, OutOfMemoryKills


@pytest.mark.parametrize(
    ("exit", "cause", "words"),
    [
        (Exit(code=70), Cause.EXCEPTION, "exit code 70 (FAILED)"),
        (Exit(code=78), Cause.CONFIG, "exit code 78 (CONFIG)"),
        (Exit(code=0), Cause.EXIT, "exit code 0 (STOPPED)"),
        (Exit(code=3), Cause.EXIT, "exit code 3"),
        (Exit(signal=9), Cause.SIGNAL, "killed by SIGKILL"),
        (Exit(signal=11), Cause.SIGNAL, "killed by SIGSEGV"),
        (Exit(signal=36), Cause.SIGNAL, "killed by signal 36"),
        (Exit(signal=9, out_of_memory=True), Cause.OUT_OF_MEMORY, "killed by SIGKILL (out of memory)"),
        (
            Exit(signal=9, killed_for="hung in put for 301 s", killed_as=Cause.HUNG),
            Cause.HUNG,
            "killed by the supervisor: hung in put for 301 s",
        ),
        (Exit(), Cause.LOST, "lost: the forkserver died, and with it all of its children"),
    ],
)
def test_an_exit_explains_itself(exit: Exit, cause: Cause, words: str) -> None:
    assert exit.cause is cause
    assert str(exit) == words


@pytest.mark.parametrize(
    ("exit", "account"),
    [
        (Exit(signal=11, last_words="in poll"), "killed by SIGSEGV\nin poll"),
        (Exit(code=3), "exit code 3"),
        (
            Exit(signal=9, killed_for="it did not stop", last_words="x"),
            "killed by the supervisor: it did not stop",
        ),
    ],
)
def test_its_last_words_tell_more_unless_we_ended_it(exit: Exit, account: str) -> None:
    assert exit.account == account


def test_out_of_memory_kills_are_recent_for_a_while(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 4\noom_kill 2\noom_group_kill 0\n")
    kills = OutOfMemoryKills(events)
    assert not kills.recent
    events.write_text("low 0\noom 5\noom_kill 3\n")
    assert kills.recent
    kills.note()
    assert kills.recent
    for _ in range(3):
        kills.note()
    assert not kills.recent


def test_where_nothing_is_counted_nothing_is_recent(tmp_path: Path) -> None:
    assert not OutOfMemoryKills(tmp_path / "memory.events").recent
