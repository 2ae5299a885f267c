"""The bytes that workers exchange are those of Kafka's `ConnectProtocol` and `IncrementalCooperativeConnectProtocol`."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from supervisor.group.assignment import Assignment, WorkerState
from supervisor.group.wire import decode_assignment, decode_state, encode_assignment, encode_state
from supervisor.units.lifecycle import UnitId
from tests.peer.jvm import compile_java, run_java

PEER = "org.apache.kafka.connect.runtime.distributed.GroupWirePeer"
NAMES = ("a", "b", "orders-sink", "größe/\u4e2d\u6587", "x" * 300, " ")


def random_units(random: Random) -> tuple[tuple[str, ...], tuple[UnitId, ...]]:
    connectors = random.sample(NAMES, random.randrange(4))
    tasks = [
        UnitId(name, number)
        for name in random.sample(NAMES, random.randrange(4))
        for number in range(random.randrange(1, 5))
    ]
    return tuple(connectors), tuple(tasks)


def random_state(random: Random, version: int) -> WorkerState:
    connectors, tasks = random_units(random)
    revoked_connectors, revoked_tasks = random_units(random)
    assignment = Assignment(
        version=version,
        error=random.choice((0, 0, 1)),
        leader=random.choice(("connect-1-3d1f", "")),
        leader_url=random.choice(("http://host:8083/", "https://[::1]:1")),
        offset=random.choice((-1, 0, 7, 2**40)),
        connectors=connectors,
        tasks=tasks,
        revoked_connectors=revoked_connectors if version else (),
        revoked_tasks=revoked_tasks if version else (),
        delay_ms=random.choice((0, 300_000)) if version else 0,
    )
    nothing = random.randrange(5) == 0
    return WorkerState(
        url="http://worker:8083/",
        offset=random.choice((-1, 0, 2**33)),
        assignment=Assignment() if nothing else assignment,
    )


def as_json(assignment: Assignment) -> dict[str, Any] | None:
    if assignment == Assignment():
        return None
    found: dict[str, Any] = msgspec.to_builtins(assignment)
    del found["topics"]  # Java does not know them
    for key in ("tasks", "revoked_tasks"):
        found[key] = [[task.connector, task.task] for task in getattr(assignment, key)]
    for key in ("connectors", "revoked_connectors"):
        found[key] = list(found[key])
    return found


def test_java_writes_what_we_write_and_each_reads_the_other() -> None:
    random = Random(5)
    cases = [(version, random_state(random, version)) for version in (0, 1, 2) for _ in range(150)]
    for (version, state), answer in zip(cases, java_answers(cases), strict=True):
        check(version, state, answer)


def java_answers(cases: list[tuple[int, WorkerState]]) -> list[dict[str, Any]]:
    """What Java makes of each state, in a protocol of this version."""
    lines = []
    for version, state in cases:
        written = None if state.assignment == Assignment() else encode_assignment(state.assignment, version).hex()
        lines.append(
            json.dumps(
                {
                    "version": version,
                    "url": state.url,
                    "offset": state.offset,
                    "assignment": as_json(state.assignment),
                    "assignment_bytes": written,
                    "state_bytes": encode_state(state, version).hex(),
                }
            )
        )
    classes = compile_java(Path(__file__).with_name("GroupWirePeer.java"))
    answers = run_java(PEER, stdin="\n".join(lines).encode(), classes=[classes]).decode().splitlines()
    assert len(answers) == len(cases)
    return [json.loads(line) for line in answers]


def test_java_reads_what_it_knows_and_leaves_our_additions_alone() -> None:
    random = Random(6)
    topics = ("configs", "offsets", "statuses")
    states = [random_state(random, 2) for _ in range(50)]
    added = [
        msgspec.structs.replace(
            state,
            topics=topics,
            assignment=state.assignment
            if state.assignment == Assignment()
            else msgspec.structs.replace(state.assignment, topics=topics),
        )
        for state in states
    ]
    answers = java_answers([(2, state) for state in added])
    for state, answer in zip(states, answers, strict=True):
        assert (answer["url"], answer["offset"]) == (state.url, state.offset)
        if state.assignment != Assignment():
            assert json_in_order(answer["read"]) == json_in_order(as_json(state.assignment))
            assert json_in_order(answer["claims"]) == json_in_order(as_json(state.assignment))


def check(version: int, state: WorkerState, answer: dict[str, Any]) -> None:
    java_state = bytes.fromhex(answer["state"])
    read = decode_state(java_state)
    assert (read.url, read.offset, answer["url"], answer["offset"]) == (
        state.url,
        state.offset,
        state.url,
        state.offset,
    )
    # Java writes the connectors that are given in the order of a hash table; nobody reads anything into the order.
    assert encode_state(read, version) == java_state
    if version:
        assert in_order(read.assignment) == in_order(state.assignment)
    if state.assignment == Assignment():
        return
    java_assignment = bytes.fromhex(answer["assignment"])
    ours = without_what_version_0_lacks(state.assignment) if version == 0 else state.assignment
    assert in_order(decode_assignment(java_assignment)) == in_order(ours)
    assert encode_assignment(decode_assignment(java_assignment), version) == java_assignment
    if len(ours.connectors) <= 1:
        assert encode_assignment(ours, version) == java_assignment
        assert version == 0 or encode_state(state, version) == java_state
    assert json_in_order(answer["read"]) == json_in_order(as_json(ours))
    if version:
        assert json_in_order(answer["claims"]) == json_in_order(as_json(ours))


def without_what_version_0_lacks(assignment: Assignment) -> Assignment:
    return msgspec.structs.replace(assignment, revoked_connectors=(), revoked_tasks=(), delay_ms=0)


def in_order(assignment: Assignment) -> Assignment:
    return msgspec.structs.replace(
        assignment,
        connectors=tuple(sorted(assignment.connectors)),
        tasks=tuple(sorted(assignment.tasks)),
        revoked_tasks=tuple(sorted(assignment.revoked_tasks)),
    )


def json_in_order(assignment: dict[str, Any] | None) -> dict[str, Any]:
    assert assignment is not None
    return {key: sorted(value) if isinstance(value, list) else value for key, value in assignment.items()}
