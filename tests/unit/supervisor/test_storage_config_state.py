"""The config topic: what its records amount to, whole, compacted, half-written and full of nonsense."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import given, settings

from supervisor.storage import config_records as records
from supervisor.storage.config_records import Entry, RestartRequest, SessionKey
from supervisor.storage.config_state import ConfigState
from supervisor.storage.snapshot import EMPTY, ClusterConfig
from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState

A0, A1, A2 = (UnitId("a", number) for number in range(3))
Config = dict[str, str]


def state_of(entries: Sequence[tuple[int, Entry]]) -> ConfigState:
    state = ConfigState()
    for offset, (key, value) in entries:
        state.apply(offset, key.encode(), value)
    return state


def read(*entries: Entry) -> ClusterConfig:
    return state_of(list(enumerate(entries))).snapshot()


def connector(name: str = "a", **config: str) -> Entry:
    return records.connector_record(name, config)


def tasks(name: str, *configs: Config) -> list[Entry]:
    return [records.task_record(UnitId(name, number), config) for number, config in enumerate(configs)]


@pytest.fixture(autouse=True)
def nonsense_is_not_printed() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


# --- one after another ------------------------------------------------------------------------------------------------


def test_nothing_is_read_yet() -> None:
    assert ConfigState().snapshot() == EMPTY
    assert EMPTY.offset == -1
    assert not EMPTY.contains("a") and EMPTY.tasks("a") == [] and EMPTY.task_count("a") == 0


def test_a_connector_is_started_unless_it_is_said_otherwise() -> None:
    assert read(connector(k="v")).target_state("a") is TargetState.STARTED
    paused = read(records.target_state_record("a", TargetState.PAUSED), connector(k="v"))
    assert paused.target_state("a") is TargetState.PAUSED
    assert paused.connector_config("a") == {"k": "v"} and list(paused.connectors()) == ["a"]
    assert paused.offset == 2


def test_the_newer_field_of_a_target_state_counts() -> None:
    written = records.target_state_record("a", TargetState.STOPPED)
    assert json.loads(written[1] or b"") == {"state": "PAUSED", "state.v2": "STOPPED"}
    assert read(connector(), written).target_state("a") is TargetState.STOPPED
    old = ("target-state-a", b'{"state":"PAUSED"}')
    assert read(connector(), old).target_state("a") is TargetState.PAUSED
    senseless = ("target-state-a", b'{"state":"PAUSED","state.v2":3}')
    assert read(connector(), senseless).target_state("a") is TargetState.PAUSED


def test_a_removed_connector_is_gone_with_its_tasks() -> None:
    snapshot = read(
        connector(),
        *tasks("a", {"t": "0"}),
        records.commit_record("a", 1),
        records.connector_record("a", None),
        records.target_state_record("a", None),
    )
    assert not snapshot.contains("a") and snapshot.all_tasks() == []
    assert snapshot.task_config(A0) is None and snapshot.target_state("a") is None
    assert snapshot.applied_connector_config("a") is None


def test_a_target_state_that_is_removed_is_the_default_again() -> None:
    snapshot = read(
        connector(),
        records.target_state_record("a", TargetState.PAUSED),
        records.target_state_record("a", None),
    )
    assert snapshot.target_state("a") is TargetState.STARTED


def test_tasks_are_there_once_they_are_committed() -> None:
    written = [connector(v="1"), *tasks("a", {"t": "0"}, {"t": "1"})]
    assert read(*written).tasks("a") == [] and read(*written).task_config(A0) is None
    committed = read(*written, records.commit_record("a", 2), connector(v="2"))
    assert committed.tasks("a") == [A0, A1] and committed.task_count("a") == 2
    assert committed.task_config(A1) == {"t": "1"}
    assert committed.applied_connector_config("a") == {"v": "1"}
    assert committed.connector_config("a") == {"v": "2"}


def test_fewer_tasks_leave_the_others_behind_unseen() -> None:
    before = [connector(), *tasks("a", {"t": "0"}, {"t": "1"}), records.commit_record("a", 2)]
    snapshot = read(*before, *tasks("a", {"t": "new"}), records.commit_record("a", 1))
    assert snapshot.tasks("a") == [A0] and snapshot.task_config(A0) == {"t": "new"}
    assert snapshot.task_config_generation("a") == 1
    assert read(*before, records.commit_record("a", 0)).tasks("a") == []


def test_a_set_that_is_not_complete_makes_the_connector_inconsistent_until_a_complete_one_comes() -> None:
    half = [connector(), tasks("a", {}, {"t": "1"})[1], records.commit_record("a", 2)]
    snapshot = read(*half)
    assert snapshot.inconsistent == {"a"} and snapshot.tasks("a") == [] and snapshot.task_count("a") == 2
    again = read(*half, *tasks("a", {"t": "0"}), records.commit_record("a", 2))
    assert again.inconsistent == {"a"}, "what was not complete is of no use for the next commit"
    whole = read(*half, *tasks("a", {"t": "0"}, {"t": "1"}), records.commit_record("a", 2))
    assert whole.inconsistent == frozenset() and whole.tasks("a") == [A0, A1]


def test_tasks_of_a_connector_that_compaction_has_swallowed_are_ignored() -> None:
    snapshot = read(*tasks("a", {}), records.commit_record("a", 1))
    assert snapshot.task_count("a") == 0 and snapshot.task_configs == {} and not snapshot.pending_fencing("a")


def test_fencing_is_due_when_tasks_are_newer_than_the_task_count_record() -> None:
    written = [connector(), *tasks("a", {}), records.commit_record("a", 1)]
    assert read(*written).pending_fencing("a")
    fenced = read(*written, records.task_count_record("a", 1))
    assert not fenced.pending_fencing("a") and fenced.task_count_record("a") == 1
    assert read(*written, records.task_count_record("a", 1), records.commit_record("a", 0)).pending_fencing("a")


def test_a_session_key_is_hidden_when_it_is_printed() -> None:
    key = SessionKey(b"top-secret", "HmacSHA256", 5)
    snapshot = read(records.session_key_record(key), connector(password="pw-1234"))
    assert snapshot.session_key == key
    assert "secret" not in repr(key) and "pw-1234" not in repr(snapshot)


def test_properties_of_null_are_not_set_and_numbers_are_their_text() -> None:
    snapshot = read(("connector-a", b'{"properties":{"a":null,"b":1,"c":true,"d":"x"}}'))
    assert snapshot.connector_config("a") == {"b": "1", "c": "true", "d": "x"}


def test_snapshots_do_not_change() -> None:
    state = state_of([(0, connector(v="1"))])
    before = state.snapshot()
    assert state.snapshot() is before
    state.apply(1, b"connector-a", None)
    assert before.connector_config("a") == {"v": "1"} and not state.snapshot().contains("a")


def test_values_that_are_no_json_do_not_even_move_the_offset() -> None:
    assert read(connector(), ("connector-b", b"{")).offset == 1
    assert read(connector(), ("foreign", b"{}")).offset == 2


def test_of_restarts_for_one_connector_the_one_with_the_greatest_impact_counts() -> None:
    requests = [RestartRequest("a", only, tasks) for only in (True, False) for tasks in (False, True)]
    assert [request.impact for request in requests] == [0, 1, 2, 3]
    only_failed = RestartRequest("a", only_failed=True, include_tasks=True)
    assert only_failed.concerns_task(State.FAILED) and not only_failed.concerns_task(State.RUNNING)
    assert not only_failed.concerns_connector(State.RUNNING)
    assert RestartRequest("a").forces_connector_only and not RestartRequest("a").concerns_task(State.FAILED)


# --- random histories -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "a-1"])
CONFIGS = st.dictionaries(st.sampled_from(["x", "y"]), st.text(max_size=2), max_size=2)
WRITES = st.one_of(
    st.tuples(st.just("put"), NAMES, CONFIGS),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("tasks"), NAMES, st.lists(CONFIGS, max_size=4)),
    st.tuples(st.just("target"), NAMES, st.sampled_from(TargetState)),
)


class Model:
    """What connectors, tasks and target states there are after writes that were all completed."""

    def __init__(self) -> None:
        self.connectors: dict[str, Config] = {}
        self.targets: dict[str, TargetState] = {}
        self.tasks: dict[str, list[Config]] = {}
        self.renewed: set[str] = set()  # connectors that were changed after their tasks were written

    def write(self, what: str, name: str, value: Any = None) -> list[Entry]:
        """The records of a write."""
        match what:
            case "put":
                self.connectors[name] = value
                self.renewed.add(name)
                self.targets.setdefault(name, TargetState.STARTED)
                return [records.connector_record(name, value)]
            case "remove":
                for each in (self.connectors, self.targets, self.tasks):
                    each.pop(name, None)  # type: ignore[attr-defined]
                return [records.connector_record(name, None), records.target_state_record(name, None)]
            case "tasks":
                if name in self.connectors:
                    self.tasks[name] = value
                    self.renewed.discard(name)
                return [*tasks(name, *value), records.commit_record(name, len(value))]
            case _:
                self.targets[name] = value
                return [records.target_state_record(name, value)]

    def check(self, snapshot: ClusterConfig, *, compacted: bool = False) -> None:
        """A reader of these records came to the same.

        As in Java, tasks are taken for those of a deleted connector where compaction has removed the connector's configuration
        before them, in favour of one after them. The connector will write them again.
        """
        assert snapshot.connector_configs == self.connectors
        assert snapshot.target_states == self.targets
        for name in self.connectors:
            configs = [snapshot.task_config(task) for task in snapshot.tasks(name)]
            forgotten = compacted and name in self.renewed and configs == []
            assert forgotten or configs == self.tasks.get(name, [])
        assert snapshot.inconsistent & self.connectors.keys() == frozenset()


def compacted(entries: list[tuple[int, Entry]], end: int, keep: Sequence[bool]) -> list[tuple[int, Entry]]:
    """The same after compaction has been at work before `end`: it removes any record that has a newer one of the same key, and
    `keep` says of which it has not."""
    last = {key: offset for offset, (key, _) in entries[:end]}
    return [
        (offset, entry)
        for offset, entry in entries
        if offset >= end or last[entry[0]] == offset or keep[offset % len(keep)]
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITES, max_size=25), st.data())
def test_whatever_compaction_removes_completed_writes_are_read_whole(writes: list[Any], data: st.DataObject) -> None:
    model = Model()
    entries = list(enumerate(entry for write in writes for entry in model.write(*write)))
    model.check(state_of(entries).snapshot())
    end = data.draw(st.integers(0, len(entries)))
    keep = data.draw(st.lists(st.booleans(), min_size=1, max_size=8))
    model.check(state_of(compacted(entries, end, keep)).snapshot(), compacted=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITES, max_size=20), st.lists(CONFIGS, min_size=1, max_size=4), st.data())
def test_of_a_half_written_set_of_tasks_nobody_sees_a_part(
    writes: list[Any], lost: list[Config], data: st.DataObject
) -> None:
    model = Model()
    model.write("put", "a", {})
    entries = [connector(), *(entry for write in writes for entry in model.write(*write))]
    half = tasks("a", *lost)[: data.draw(st.integers(1, len(lost)))]
    numbered = list(enumerate([*entries, *half]))
    model.check(state_of(numbered).snapshot())
    end = data.draw(st.integers(0, len(numbered)))
    snapshot = state_of(compacted(numbered, end, [False])).snapshot()
    configs = [snapshot.task_config(task) for task in snapshot.tasks("a")]
    assert configs in ([], model.tasks.get("a", []))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["connector-b", "task-b-0", "commit-b", "target-state-b", "task-x", "session-key", "zzz"])
            | st.text(max_size=12).map(lambda text: f"x{text}"),
            st.none() | st.binary(max_size=12) | st.sampled_from([b"{}", b"[]", b"null", b'{"tasks":1}']),
        ),
        max_size=30,
    )
)
def test_no_record_keeps_others_from_being_read(noise: list[Entry]) -> None:
    mine = [connector(v="1"), *tasks("a", {"t": "0"}), records.commit_record("a", 1)]
    entries = [entry for pair in zip(mine * 10, [*noise, *mine][: len(mine) * 10], strict=False) for entry in pair]
    snapshot = read(*entries, *mine)
    assert snapshot.connector_config("a") == {"v": "1"}
    assert snapshot.tasks("a") == [A0] and snapshot.task_config(A0) == {"t": "0"}
