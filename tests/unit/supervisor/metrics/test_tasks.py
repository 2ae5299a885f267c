"""What a task has done over all of its processes."""

from __future__ import annotations

import pytest

from supervisor.metrics.startups import Startups
from supervisor.metrics.tasks import TaskMetrics, UnitMetrics
from supervisor.units.lifecycle import Statuses, UnitId
from tasks.messages import Heartbeat
from tasks.sink.counters import SinkCounters
from tasks.source.counters import SourceCounters
from tasks.states import Call, State

TASK = UnitId("c", 0)


def beat(counters: dict[str, float], generation: int = 1) -> Heartbeat:
    return Heartbeat(generation=generation, call=Call.POLL, call_s=0.1, counters=counters)


def test_a_sources_numbers() -> None:
    counters, metrics = SourceCounters(), TaskMetrics(0.0)
    metrics.on_heartbeat(beat(counters.snapshot()), 0.0)
    for second in range(1, 13):
        counters.record_poll(100, 0.25)
        counters.written += 90
        counters.record_commit(0.5, failed=False)
        metrics.on_heartbeat(beat(counters.snapshot()), float(second))
    values = metrics.values(12.0)
    assert values["source-record-poll-total"] == 1200
    assert values["source-record-poll-rate"] == pytest.approx(100.0)
    assert values["source-record-write-rate"] == pytest.approx(90.0)
    assert values["poll-batch-avg-time-ms"] == values["poll-batch-max-time-ms"] == pytest.approx(250.0)
    assert values["offset-commit-avg-time-ms"] == pytest.approx(500.0)
    assert (values["batch-size-avg"], values["batch-size-max"]) == (pytest.approx(100.0), 100)


def test_a_sinks_numbers() -> None:
    counters, metrics = SinkCounters(), TaskMetrics(0.0)
    metrics.on_heartbeat(beat(counters.snapshot() | counters.puts_snapshot()), 0.0)
    for second in range(1, 13):
        counters.read += 60
        counters.record_put(50, 0.1)
        counters.record_commit(0.2, failed=second % 2 == 0)
        metrics.on_heartbeat(beat(counters.snapshot() | counters.puts_snapshot()), float(second))
    values = metrics.values(12.0)
    assert values["sink-record-read-rate"] == pytest.approx(60.0)
    assert values["sink-record-send-rate"] == pytest.approx(50.0)
    assert values["offset-commit-completion-rate"] == pytest.approx(0.5)
    assert values["put-batch-avg-time-ms"] == pytest.approx(100.0)


def test_totals_go_on_when_a_process_is_replaced_and_rates_do_not_jump() -> None:
    metrics = TaskMetrics(0.0)
    for second in range(13):
        metrics.on_heartbeat(beat({"sink-record-read-total": second * 10.0, "partition-count": 3}), float(second))
    metrics.on_heartbeat(beat({"sink-record-read-total": 0.0, "partition-count": 0}, generation=2), 13.0)
    values = metrics.values(13.0)
    assert values["sink-record-read-total"] == 120
    assert values["partition-count"] == 0
    assert values["sink-record-read-rate"] == pytest.approx(120 / 13)


def test_the_parts_of_its_life() -> None:
    metrics = TaskMetrics(0.0)
    metrics.on_state(State.UNASSIGNED, 0.0)
    metrics.on_state(State.RUNNING, 1.0)
    metrics.on_state(State.PAUSED, 7.0)
    values = metrics.values(10.0)
    assert (values["running-ratio"], values["pause-ratio"]) == (pytest.approx(0.6), pytest.approx(0.3))


def test_what_failed_is_kept_and_what_was_deleted_is_not() -> None:
    statuses, units = Statuses(), UnitMetrics()
    units.follow(statuses, lambda: 5.0)
    statuses.change(TASK, State.RUNNING, generation=1)
    units.on_heartbeat(TASK, beat({"source-record-poll-total": 7.0}))
    statuses.change(TASK, State.FAILED, generation=1, trace="why")
    assert [metrics.total("source-record-poll-total") for _, metrics in units.all()] == [7.0]
    statuses.change(TASK, State.DESTROYED)
    assert list(units.all()) == []


def test_starts_are_counted_once_a_process() -> None:
    statuses = Statuses()
    startups = Startups(statuses)
    statuses.change(TASK, State.UNASSIGNED)
    statuses.change(TASK, State.RUNNING, generation=1)
    statuses.change(TASK, State.PAUSED, generation=1)
    statuses.change(TASK, State.RESTARTING, generation=1, trace="it failed after its start")
    statuses.change(TASK, State.RESTARTING, generation=2, trace="it failed at once")
    statuses.change(TASK, State.FAILED, generation=3, trace="it failed at once")
    assert (startups.succeeded["task"], startups.failed["task"]) == (1, 2)
