"""Tasks with limits of records and bytes per second: nothing is moved faster, and all of it is moved."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connectd.transforms import Transformation
from tasks.chain import Step
from tasks.throttle import Throttle
from tests.support.kafka import TestKafka
from tests.support.loops import run_sink, run_source, strings, until
from tests.support.plugins import Applying
from tests.support.sinks import RecordingSink
from tests.support.sources import ColumnSource, NumberSource


def steps() -> Any:
    unchanged: Transformation[Any] = Applying(lambda record: record)
    return strings(steps=[Step(unchanged)])


@pytest.mark.parametrize("make", [NumberSource, ColumnSource])
@pytest.mark.parametrize("pipeline", [strings, steps], ids=["alike", "one by one"])
@pytest.mark.parametrize(("records_per_s", "bytes_per_s"), [(1000, 0), (0, 3000)])
def test_a_source_waits_between_batches(
    kafka: TestKafka, topic: str, make: Any, pipeline: Any, records_per_s: int, bytes_per_s: int
) -> None:
    throttle = Throttle.if_limited(records_per_s, bytes_per_s)
    source = make(topic, 2000, batch=100)
    with run_source(source, kafka.client, throttle=throttle, pipeline=pipeline()) as running:
        messages = kafka.consume(topic, 2000)
        running.stop()
    assert [message.value() for message in messages] == [str(number).encode() for number in range(2000)]
    # A second's worth comes at once, and the last batch may be ahead of its time.
    took_s = messages[-1].timestamp()[1] / 1000 - source.first_polled_s
    assert took_s >= (2000 / 1000 - 1 - 0.1 if records_per_s else 6890 / 3000 - 1 - 0.2)


def test_a_source_that_waits_stops_at_once(kafka: TestKafka, topic: str) -> None:
    with run_source(NumberSource(topic, 10**6, batch=1000), kafka.client, throttle=Throttle(10, 0)) as running:
        kafka.lines(topic, 1000)
        running.stop()


@pytest.mark.parametrize(("records_per_s", "bytes_per_s"), [(500, 0), (0, 2000)])
def test_a_sink_waits_between_batches_and_commits_meanwhile(
    kafka: TestKafka, topic: str, records_per_s: int, bytes_per_s: int
) -> None:
    kafka.create_topic(topic)
    kafka.produce(topic, [f"{number:04d}" for number in range(1000)])
    times: list[float] = []
    task = RecordingSink(put=lambda records: times.append(time.monotonic()) if records else None)
    throttle = Throttle.if_limited(records_per_s, bytes_per_s)
    with run_sink(task, kafka.client, [topic], f"g-{topic}", throttle=throttle, max_poll_records=100) as running:
        until(lambda: kafka.committed(f"g-{topic}", topic).get(0, 0) >= 700, "offsets are committed")
        until(lambda: len(task.records) == 1000, "all is read")
        running.stop()
    assert [record.kafka_offset for record in task.records] == list(range(1000))
    assert times[-1] - times[0] >= 1000 / 500 - 1 - 0.2


def test_a_sink_that_waits_for_long_stays_in_its_group(
    kafka: TestKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sink.attendant.LONG_CALL_S", 0.2)
    kafka.create_topic(topic)
    kafka.produce(topic, ["x" * 1000] * 3)
    task = RecordingSink()
    throttle = Throttle(0, 1000)
    settings: dict[str, Any] = {"max_poll_records": 3, "session_timeout_ms": 6000, "max_poll_interval_ms": 6000}
    # The first batch of three must be paid for with two seconds; an attendant polls meanwhile.
    with run_sink(task, kafka.client, [topic], f"g-{topic}", throttle=throttle, **settings) as running:
        until(lambda: len(task.records) == 3, "the first are read")
        kafka.produce(topic, ["y" * 1000] * 6)
        until(lambda: len(task.records) == 9, "all are read")
        assert len(task.calls_of("open")) == 1
        running.stop()
    assert task.values == ["x" * 1000] * 3 + ["y" * 1000] * 6
