"""How much memory a process and its descendants use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.processes.memory import used_bytes

MIB = 1 << 20


def test_what_any_thread_has_started_counts() -> None:
    hold = f"held = b'x' * {50 * MIB}; print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    alone = used_bytes(os.getpid(), 0)
    started: list[subprocess.Popen[bytes]] = []
    goes_on = threading.Event()

    def start() -> None:
        # The kernel lists a child with the thread that started it, and with another one when that has ended.
        started.append(subprocess.Popen([sys.executable, "-c", hold], **pipes))  # type: ignore[call-overload]
        goes_on.wait()

    thread = threading.Thread(target=start)
    thread.start()
    try:
        while not started:
            thread.join(0.01)
        assert started[0].stdout is not None
        started[0].stdout.readline()
        assert used_bytes(os.getpid(), 0) >= alone + 40 * MIB
    finally:
        goes_on.set()
        thread.join()
        for process in started:
            process.communicate(b"\n")


def test_a_process_that_ends_while_it_is_looked_at_uses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    iterdir, looked_at = Path.iterdir, []

    def ends(folder: Path) -> Iterator[Path]:
        looked_at.append(folder)
        process.communicate(b"\n")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", ends)
    assert used_bytes(process.pid, 0) == 0
    assert looked_at == [Path(f"/proc/{process.pid}/task")]
