"""Records of the storage topics: ours are Java's, and whatever there is in a topic, we make of it what Java does."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from typing import Any

from supervisor.storage import config_records as records
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.config_state import ConfigState
from supervisor.storage.offset_state import OffsetState
from supervisor.storage.status_records import TopicStatus, WorkStatus, status_key, status_value, topic_key, topic_value
from supervisor.storage.status_state import StatusState
from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState
from tests.peer.storage_peer import config_dump, encoded, fed, status_dump
from tests.support.storage import Heard

CASES = 300
RECORDS = 40
NAMES = ["a", "b", "a-1", "Ä / ü", "task", "b-"]
CONFIG = {"connector.class": "X", "name": 'ünïcode " \\ / \n\t\x7f \U0001f600', "": ""}

Entry = tuple[str, bytes | None]


def as_told(entries: list[Entry]) -> list[list[str | None]]:
    return [[key, encoded(value)] for key, value in entries]


# --- writing ----------------------------------------------------------------------------------------------------------


def test_our_configuration_records_are_javas() -> None:
    one = {"connector.class": "X"}
    request = RestartRequest("a", only_failed=True, include_tasks=False)
    key = SessionKey(b"\x00\xffsecret", "HmacSHA256", 1_700_000_000_123)
    pairs: list[tuple[list[Any], list[Entry]]] = [
        (["connector", "Ä / ü", one, None], [records.connector_record("Ä / ü", one)]),
        (["remove", "a"], [records.connector_record("a", None), records.target_state_record("a", None)]),
        (["tasks", "a-1", [one, {}]], [
            records.task_record(UnitId("a-1", 0), one),
            records.task_record(UnitId("a-1", 1), {}),
            records.commit_record("a-1", 2),
        ]),
        (["tasks", "a", []], [records.commit_record("a", 0)]),
        (["task-count", "a", 7], [records.task_count_record("a", 7)]),
        (["session-key", encoded(key.key), key.algorithm, key.creation_timestamp_ms], [records.session_key_record(key)]),
        (["restart", "a", True, False], [records.restart_record(request)]),
        (["logger", "org.apache", "DEBUG"], [records.logger_record("org.apache", "DEBUG")]),
    ]  # fmt: skip
    pairs += [
        (
            ["connector", "a", one, state],
            [records.target_state_record("a", state), records.connector_record("a", one)],
        )
        for state in TargetState
    ]
    pairs += [(["target-state", "a", state], [records.target_state_record("a", state)]) for state in TargetState]
    javas = fed(command for command, _ in pairs)
    assert javas == [as_told(entries) for _, entries in pairs]


def test_configurations_of_any_text_arrive() -> None:
    """Which order the fields have is not told by a map, so here they are compared as JSON."""
    [[[key, value]]] = fed([["connector", "a", CONFIG, None]])
    ours = records.connector_record("a", CONFIG)[1]
    assert key == "connector-a" and ours is not None
    state = ConfigState()
    state.apply(0, key.encode(), base64.b64decode(value))
    assert state.snapshot().connector_config("a") == CONFIG == json.loads(ours)["properties"]


def test_our_status_records_are_javas() -> None:
    running = WorkStatus(state=State.RUNNING, worker_id="1.2.3.4:8083", generation=3, version="1.0")
    failed = WorkStatus(state=State.FAILED, worker_id="w", generation=2**31 - 1, trace='Ünhappy "\n\tat x')
    gone = WorkStatus(state=State.DESTROYED, worker_id="w", generation=0)
    topic = TopicStatus("t.1_2-3", "Ä / ü", 4, 1_700_000_000_123)
    commands: list[list[Any]] = []
    ours: list[list[Entry]] = []
    for unit in (UnitId("a"), UnitId("a-1", 5), UnitId("Ä / ü", 0)):
        for status in (running, failed, gone):
            shown = [status.state, status.worker_id, status.generation, status.trace, status.version]
            commands.append(["status", unit.connector, unit.task, *shown, False])
            ours.append([(status_key(unit), status_value(status))])
    commands += [["topic", topic.topic, topic.connector, 4, topic.discover_timestamp_ms], ["no-topic", "t", "a"]]
    ours += [[(topic_key(topic.connector, topic.topic), topic_value(topic))], [(topic_key("a", "t"), None)]]
    assert fed(commands) == [as_told(entries) for entries in ours]


# --- reading ----------------------------------------------------------------------------------------------------------

SENSELESS = [
    b"{",
    b"nonsense",
    b"null",
    b"1",
    b"1.5",
    b'"text"',
    b"[]",
    b"{}",
    b"true",
    b"\xff\xfe",
    b'{"properties":3}',
]


def any_of(dice: random.Random, sensible: Any) -> bytes | None:
    """Mostly the value, sometimes a tombstone or nonsense."""
    roll = dice.random()
    if roll < 0.08:
        return None
    return dice.choice(SENSELESS) if roll < 0.16 else json.dumps(sensible).encode()


def config_entry(dice: random.Random) -> Entry:
    name, number = dice.choice(NAMES), dice.randrange(3)
    config = {"k": str(dice.randrange(5))}
    state = dice.choice([*TargetState, "DESTROYED", 7])
    kinds: list[tuple[int, Entry]] = [
        (6, (f"connector-{name}", any_of(dice, {"properties": config}))),
        (9, (f"task-{name}-{number}", any_of(dice, {"properties": config}))),
        (6, (f"commit-{name}", any_of(dice, {"tasks": dice.choice([0, 1, 2, 3, 1.5, "2", -1])}))),
        (3, (f"target-state-{name}", any_of(dice, {"state": state}))),
        (3, (f"target-state-{name}", any_of(dice, {"state": state, "state.v2": dice.choice([*TargetState, 7, None])}))),
        (2, (f"tasks-fencing-{name}", any_of(dice, {"task-count": dice.choice([1, 2, "x"])}))),
        (1, ("session-key", any_of(dice, _session_key(dice)))),
        (1, (f"restart-connector-{name}", any_of(dice, _restart(dice)))),
        (1, (f"logger-cluster-{name}", any_of(dice, {"level": dice.choice(["INFO", 3])}))),
        (1, (dice.choice(["", "x", "task-", "task-a", "task-a-x", "task--1", "task-a-0-", "task-9999999999"]), b"{}")),
        (1, (dice.choice(["session-key-", "commit-", "connector-"]), any_of(dice, {"properties": {}, "tasks": 0}))),
    ]
    return dice.choices([entry for _, entry in kinds], [weight for weight, _ in kinds])[0]


def _session_key(dice: random.Random) -> Mapping[str, Any]:
    when = dice.choice([5, 6, "7", 1.5])
    return {
        "key": dice.choice(["YWI=", "a", "", 3]),
        "algorithm": dice.choice(["HmacSHA256", 3]),
        "creation-timestamp": when,
    }


def _restart(dice: random.Random) -> Mapping[str, Any]:
    return {"only-failed": dice.choice([True, False, 1, None]), "include-tasks": dice.choice([True, False, "x"])}


def test_whatever_is_in_the_config_topic_we_make_of_it_what_java_does() -> None:
    dice = random.Random(20)
    commands: list[list[Any]] = []
    ours: list[Any] = []
    for _ in range(CASES):
        state, heard = ConfigState(), Heard()
        entries = [config_entry(dice) for _ in range(RECORDS)]
        for started, part in enumerate((entries[: RECORDS // 2], entries[RECORDS // 2 :])):
            first = started * RECORDS // 2
            told = [[first + number, encoded(key.encode()), encoded(value)] for number, (key, value) in enumerate(part)]
            commands += [["started"]] if started else [["reset"]]
            commands += [["read", "configs", told], ["configs"], ["events"]]
            for number, (key, value) in enumerate(part):
                notify = state.apply(first + number, key.encode(), value)
                if started:
                    notify(heard)
            ours += [True, True, config_dump(state.snapshot()), list(heard.events)]
    compare(commands, ours)


def status_entry(dice: random.Random) -> Entry:
    name, number = dice.choice(NAMES), dice.randrange(3)
    status: dict[str, Any] = {
        "state": dice.choice([*State, "UNASSIGNED", "RUNNING", "RUNNING", "NONE", 3]),
        "trace": dice.choice([None, None, "trace", 3]),
        "worker_id": dice.choice(["w1", "w2"]),
        "generation": dice.choice([1, 2, 3, 4, "5"]),
        "version": dice.choice([None, "1.0"]),
    }
    if dice.random() < 0.2:
        del status["version"]
    topic = {"name": "t", "connector": name, "task": dice.choice([1, "x"]), "discoverTimestamp": 5}
    foreign = [
        "status-task-a",
        "status-task-a-x",
        "status-task--1",
        "status-connector-",
        "x",
        "status-topic-:connector-a",
    ]
    kinds: list[tuple[int, Entry]] = [
        (5, (f"status-connector-{name}", any_of(dice, status))),
        (9, (f"status-task-{name}-{number}", any_of(dice, status))),
        (3, (f"status-topic-t{number}:connector-{name}", any_of(dice, dice.choice([{"topic": topic}, {"topic": 3}])))),
        (1, (dice.choice([*foreign, "status-topic-t", "status-topic-t:con", "status-topic-t:"]), any_of(dice, status))),
    ]
    return dice.choices([entry for _, entry in kinds], [weight for weight, _ in kinds])[0]


def test_whatever_is_in_the_status_topic_we_make_of_it_what_java_does() -> None:
    dice = random.Random(21)
    commands: list[list[Any]] = []
    ours: list[Any] = []
    for _ in range(CASES):
        state = StatusState()
        entries = [status_entry(dice) for _ in range(RECORDS)]
        told = [[number, encoded(key.encode()), encoded(value)] for number, (key, value) in enumerate(entries)]
        commands += [["reset"], ["read", "statuses", told], ["statuses", NAMES, 0]]
        for key, value in entries:
            state.apply(key.encode(), value)
        ours += [True, True, status_dump(state, NAMES)]
    compare(commands, ours)


def test_whatever_is_in_the_offset_topic_we_make_of_it_what_java_does() -> None:
    dice = random.Random(22)
    foreign = ['["a"]', "[3,{}]", '["a",3]', '["a",null]', '"a"', "{", "", '["a",{},{}]']
    partitions = [f'{{{{"file":"{name}"}}}}' for name in NAMES] + ["{}", '{"a":1,"b":2}', '{"n":1.5}', '{"n":null}']
    commands: list[list[Any]] = []
    ours: list[Any] = []
    for _ in range(CASES):
        state = OffsetState()
        told: list[list[Any]] = []
        for number in range(RECORDS):
            name = json.dumps(dice.choice(NAMES), ensure_ascii=False)
            key = dice.choice([f"[{name},{dice.choice(partitions)}]", *foreign[: dice.randrange(3)]]).encode()
            value = dice.choice([None, b'{"position":%d}' % dice.randrange(100)])
            told.append([number, encoded(key), encoded(value)])
            state.apply(key, value, 0)
        commands += [["reset"], ["read", "offsets", told], *(["offsets", name] for name in NAMES)]
        ours += [
            True,
            True,
            *({key.decode(): value.decode() for key, value in state.entries_of(name)} for name in NAMES),
        ]
    compare(commands, ours)


def compare(commands: list[list[Any]], ours: list[Any]) -> None:
    read: list[Any] = []
    for command, our, java in zip(commands, ours, fed(commands), strict=True):
        read = [] if command[0] == "reset" else read + command[2:] if command[0] == "read" else read
        assert our == java, f"{command} after {read}"
