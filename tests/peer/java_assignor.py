"""Kafka's own assignor in a JVM, as a leader for simulated groups."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from supervisor.group.assignment import Configured, WorkerState
from supervisor.group.leader import units_of
from supervisor.units.lifecycle import UnitId
from tests.peer.jvm import compile_java, java_command
from tests.support.group_world import MAX_DELAY_MS, Decided

PEER = "org.apache.kafka.connect.runtime.distributed.AssignorPeer"
QUICK = ("-XX:+UseSerialGC", "-Xshare:auto", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off")


class JavaAssignors:
    """The JVM; a context manager."""

    def __init__(self) -> None:
        classes = compile_java(Path(__file__).with_name("AssignorPeer.java"))
        command = java_command(PEER, classes=[classes], jvm=QUICK)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._numbers = itertools.count()

    def __enter__(self) -> JavaAssignors:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def new_leader(self) -> JavaLeader:
        """The assignor of one more process."""
        return JavaLeader(self, next(self._numbers))

    def ask(self, round_: Mapping[str, object]) -> dict[str, object]:
        """One round."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(round_) + "\n")
        self._process.stdin.flush()
        answer: dict[str, object] = json.loads(self._process.stdout.readline())
        return answer


class JavaLeader:
    """A `LeaderUnderTest`."""

    def __init__(self, jvm: JavaAssignors, number: int) -> None:
        self._jvm = jvm
        self._number = number

    def decide(
        self, states: Mapping[str, WorkerState], configured: Configured, last: int, generation: int, now_ms: int
    ) -> Decided:
        answer = self._jvm.ask(
            {
                "assignor": self._number,
                "max_delay": MAX_DELAY_MS,
                "now": now_ms,
                "last": last,
                "generation": generation,
                "configured": {connector: len(tasks) for connector, tasks in configured.tasks.items()},
                "members": {
                    member: [_name(unit) for unit in units_of(state.assignment.connectors, state.assignment.tasks)]
                    for member, state in states.items()
                },
            }
        )
        started, revoked, delay = answer["started"], answer["revoked"], answer["delay"]
        assert isinstance(started, dict)
        assert isinstance(revoked, dict)
        assert isinstance(delay, int)
        return Decided(
            {member: [_unit(name) for name in names] for member, names in started.items()},
            {member: [_unit(name) for name in names] for member, names in revoked.items()},
            delay,
        )

    def resume(self, generation: int, states: Sequence[WorkerState]) -> None:
        raise AssertionError("Kafka has no static workers")


def _name(unit: UnitId) -> str:
    return unit.connector if unit.task is None else f"{unit.connector}/{unit.task}"


def _unit(name: str) -> UnitId:
    connector, _, number = name.partition("/")
    return UnitId(connector, int(number) if number else None)
