"""The offset topic: what its records amount to, however their keys are written."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from supervisor.storage.offset_state import OffsetState

KEY = b'["c",{"a":1,"b":2}]'
SAME_KEY = b'["c",{"b":2,"a":1}]'


def test_entries_are_found_by_connector_and_key() -> None:
    state = OffsetState()
    state.apply(KEY, b"1", 0)
    state.apply(b'["d",{}]', b"2", 0)
    state.apply(b"foreign", b"3", 0)
    state.apply(None, b"4", 0)
    assert state.get(KEY) == b"1" and state.get(b'["d", { } ]') == b"2" and state.get(b"foreign") == b"3"
    assert state.get(b'["c",{"a":1}]') is None
    assert state.entries_of("c") == [(KEY, b"1")]
    assert state.entries_of("nobody") == []


def test_a_tombstone_removes_a_key_however_it_is_written() -> None:
    state = OffsetState()
    state.apply(KEY, b"1", 5)
    state.apply(SAME_KEY, None, 6)
    assert state.get(KEY) is None and state.entries_of("c") == []
    state.apply(b'["d",{}]', None, 0)
    assert state.get(b'["d",{}]') is None


def test_a_key_stays_as_it_is_in_the_topic() -> None:
    state = OffsetState()
    assert state.key_in_topic(KEY) == KEY
    state.apply(SAME_KEY, b"1", 0)
    assert state.key_in_topic(KEY) == SAME_KEY and state.get(KEY) == b"1"
    assert state.entries_of("c") == [(SAME_KEY, b"1")]


def test_of_two_ways_to_write_a_key_the_one_that_was_written_later_counts() -> None:
    """They may be in two partitions of the topic, which are read in any order."""
    for first, second in (((KEY, b"old", 1), (SAME_KEY, b"new", 2)), ((SAME_KEY, b"new", 2), (KEY, b"old", 1))):
        state = OffsetState()
        state.apply(*first)
        state.apply(*second)
        assert state.get(KEY) == b"new" and state.key_in_topic(KEY) == SAME_KEY


def test_a_removed_key_does_not_come_back_in_another_way_to_write_it() -> None:
    state = OffsetState()
    state.apply(KEY, None, 2)
    state.apply(SAME_KEY, b"old", 1)
    assert state.get(KEY) is None


def test_within_a_partition_the_order_counts_whatever_the_clocks_of_workers_say() -> None:
    state = OffsetState()
    state.apply(KEY, b"1", 1000)
    state.apply(KEY, b"2", 10)
    assert state.get(SAME_KEY) == b"2"


PARTITIONS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.sampled_from(["x", "ü", None]), max_size=3)


def written(connector: str, partition: dict[str, Any], turned: bool) -> bytes:
    fields = dict(reversed(partition.items())) if turned else partition
    return json.dumps([connector, fields], ensure_ascii=turned, separators=(",", ":" if turned else ": ")).encode()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["c", "d"]), PARTITIONS, st.booleans(), st.none() | st.integers(0, 9)), max_size=30
    )
)
def test_records_in_the_order_of_time_are_a_map(writes: list[tuple[str, dict[str, Any], bool, int | None]]) -> None:
    state, model = OffsetState(), dict[tuple[str, str], bytes]()
    for moment, (connector, partition, turned, value) in enumerate(writes):
        same = connector, json.dumps(partition, sort_keys=True)
        content = None if value is None else str(value).encode()
        state.apply(written(connector, partition, turned), content, moment)
        if content is None:
            model.pop(same, None)
        else:
            model[same] = content
    for connector, partition, turned, _ in writes:
        found = state.get(written(connector, partition, not turned))
        assert found == model.get((connector, json.dumps(partition, sort_keys=True)))
    assert len(state.entries_of("c")) == sum(connector == "c" for connector, _ in model)
