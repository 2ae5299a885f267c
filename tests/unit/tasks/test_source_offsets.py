"""Source offsets: what may be committed, in which form, and that a failed commit is made again."""

from __future__ import annotations

import json
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectd.errors import ConnectException, DataException
from tasks.control import OffsetStoreError
from tasks.source.offsets import OffsetTracker, SourceOffsets, StoredOffsets, encode_key, encode_value


class Store:
    """Stands where the supervisor would answer."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes | None] = {}
        self.broken = False

    def commit_offsets(self, entries: list[tuple[bytes, bytes | None]], timeout_s: float) -> None:
        if self.broken:
            raise OffsetStoreError("disk full")
        self.stored.update(entries)

    def read_offsets(self, keys: list[bytes], timeout_s: float) -> list[bytes | None]:
        if self.broken:
            raise OffsetStoreError("disk full")
        return [self.stored.get(key) for key in keys]


def tracker() -> OffsetTracker:
    tracker = OffsetTracker("orders")
    tracker.on_failure = lambda error, message, chunk: None
    return tracker


def test_the_stored_form_is_kafka_connects_own() -> None:
    assert encode_key("orders", {"filename": "/tmp/a"}) == b'["orders",{"filename":"/tmp/a"}]'
    assert encode_value({"position": 12}) == b'{"position":12}'
    assert encode_value({"raw": b"\x00\xff"}) == b'{"raw":"AP8="}'
    assert encode_value(None) is None


@pytest.mark.parametrize("wrong", [{"nested": {"a": 1}}, {"list": [1]}, {3: "x"}])
def test_offsets_must_be_flat_maps(wrong: dict[Any, Any]) -> None:
    with pytest.raises(DataException, match="Source offset"):
        encode_value(wrong)


def test_a_gap_holds_back_what_was_acknowledged_beyond_it() -> None:
    offsets = tracker()
    first = offsets.submit({"file": "a"}, 2, lambda: {"position": 2})
    second = offsets.submit({"file": "a"}, 1, lambda: {"position": 3})
    second.acknowledge(None, None)
    first.acknowledge(None, None)
    assert offsets.take_committable() == {}
    assert offsets.unacknowledged == 1
    first.acknowledge(None, None)
    assert offsets.take_committable() == {encode_key("orders", {"file": "a"}): b'{"position":3}'}
    assert offsets.take_committable() == {}


def test_a_failed_record_is_never_committed_nor_anything_behind_it() -> None:
    failures: list[Any] = []
    offsets = OffsetTracker("orders")
    offsets.on_failure = lambda error, message, chunk: failures.append((error, message, chunk.place))
    failed = offsets.submit({"file": "a"}, 1, lambda: {"position": 1})
    offsets.submit({"file": "a"}, 1, lambda: {"position": 2}).acknowledge(None, None)
    failed.acknowledge("broken", None)  # type: ignore[arg-type]
    assert failures == [("broken", None, ', one of those up to source offset {"position":1}')]
    assert offsets.take_committable() == {}


@settings(deadline=None)
@given(
    chunks=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=30),
    data=st.data(),
)
def test_whatever_the_order_of_acknowledgements_commits_only_grow_and_never_pass_a_gap(
    chunks: list[tuple[int, int]], data: st.DataObject
) -> None:
    offsets = tracker()
    # Equal but distinct maps, as most sources make them: a partition is recognised by its content.
    submitted = [
        (partition, index, offsets.submit({"p": partition}, count, lambda index=index: {"i": index}))
        for index, (partition, count) in enumerate(chunks)
    ]
    open_acknowledgements = [
        chunk for (_, _, chunk), (_, count) in zip(submitted, chunks, strict=True) for _ in range(count)
    ]
    committed: dict[int, int] = {}
    while open_acknowledgements:
        open_acknowledgements.pop(data.draw(st.integers(0, len(open_acknowledgements) - 1))).acknowledge(None, None)
        for key, value in offsets.take_committable().items():
            partition, index = json.loads(key)[1]["p"], json.loads(value or b"")["i"]
            assert index > committed.get(partition, -1)
            committed[partition] = index
            assert all(chunk.remaining == 0 for p, i, chunk in submitted if p == partition and i <= index)
    assert committed == {partition: index for partition, index, _ in submitted}
    assert offsets.unacknowledged == 0


def test_a_commit_that_failed_is_made_again_with_what_came_since() -> None:
    store, offsets = Store(), tracker()
    commits = SourceOffsets(offsets, store, 1.0)  # type: ignore[arg-type]
    offsets.submit({"file": "a"}, 1, lambda: {"position": 1}).acknowledge(None, None)
    store.broken = True
    with pytest.raises(OffsetStoreError, match="disk full"):
        commits.commit()
    store.broken = False
    offsets.submit({"file": "b"}, 1, lambda: {"position": 5}).acknowledge(None, None)
    assert commits.commit() is True
    assert commits.commit() is False
    reader = StoredOffsets("orders", store, 1.0)  # type: ignore[arg-type]
    assert reader.offsets([{"file": "b"}, {"file": "none"}, {"file": "a"}]) == [{"position": 5}, None, {"position": 1}]


def test_reading_reports_a_store_that_fails_or_holds_rubbish() -> None:
    store = Store()
    reader = StoredOffsets("orders", store, 1.0)  # type: ignore[arg-type]
    store.stored[encode_key("orders", {"f": 1})] = b"not json"
    with pytest.raises(DataException, match="not JSON"):
        reader.offset({"f": 1})
    store.broken = True
    with pytest.raises(ConnectException, match="disk full"):
        reader.offset({"f": 1})


def test_acknowledged_records_are_not_kept_until_the_next_commit() -> None:
    class Records:
        """Stands for a batch that the offset is taken from."""

        def last_offset(self) -> dict[str, int]:
            return {"position": 1}

    offsets, alive = tracker(), []
    partition = {"file": "a"}
    for _ in range(100):
        records = Records()
        alive.append(weakref.ref(records))
        offsets.submit(partition, 1, records.last_offset).acknowledge(None, None)
        del records
    assert sum(each() is not None for each in alive) <= 2
    assert offsets.take_committable() == {encode_key("orders", partition): b'{"position":1}'}
