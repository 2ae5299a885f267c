"""What a task's process says of itself while its virtual machine is not there yet."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any, cast

from tasks.java.running import JavaUnit
from tasks.messages import Heartbeat
from tasks.states import Call


class FakeControl:
    """Keeps what is sent."""

    generation = 1

    def __init__(self) -> None:
        self.call = (Call.IMPORT, 0.0)
        self.heartbeats: list[Heartbeat] = []
        self.has_beaten = threading.Event()
        self.on_heartbeat = lambda: None

    def enter(self, call: Call) -> None:
        self.call = (call, 0.0)

    def send(self, report: object) -> None:
        assert isinstance(report, Heartbeat)
        self.heartbeats.append(report)
        self.has_beaten.set()


def test_making_the_host_is_no_call_that_could_hang_and_is_told_of() -> None:
    control = FakeControl()

    def make_and_start() -> Any:
        assert control.call[0] is Call.NONE
        assert control.has_beaten.wait(30), "it gives a sign of life meanwhile"
        return SimpleNamespace(pid=os.getpid())

    JavaUnit(cast("Any", control), make_and_start)
    assert control.call[0] is Call.IMPORT
    first = control.heartbeats[0]
    assert first.call is Call.NONE and first.counters["process-resident-memory-bytes"] > 0
