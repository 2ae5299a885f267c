"""Records of sinks that fail: what is skipped, what is in the dead letter queue, and which offsets are committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from structlog.testing import capture_logs

from connectd.errors import ConnectException, DataException, RetriableException
from connectd.records import SinkRecord
from tasks.chain import Step
from tasks.errors import RetryWithToleranceOperator
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.errant import WorkerErrantRecordReporter
from tests.support.errors import TOLERANT, dead_letters, headers_of, operator, reporting
from tests.support.kafka import TestKafka
from tests.support.loops import Running, Supervisor, run_sink, strings, until
from tests.support.plugins import Applying, MoodyConverter
from tests.support.sinks import ColumnSink, RecordingSink

CONTEXT = "__connect.errors."


def numbers(*bounds: int) -> list[str]:
    return [str(number) for number in range(*bounds)]


@pytest.fixture
def filled(kafka: TestKafka, topic: str) -> str:
    """A topic of one partition with the numbers from 0 to 99, each with a header."""
    kafka.create_topic(topic)
    producer = Producer({**kafka.client})
    for number in range(100):
        headers: Any = [("h", b"\xff\x00"), ("h", None)]
        producer.produce(topic, str(number), f"k{number}", timestamp=1000 + number, headers=headers)
    assert producer.flush(30) == 0
    return topic


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sink.loop.RETRY_BACKOFF_S", 0.05)
    monkeypatch.setattr("tasks.sink.loop.POLL_TIMEOUT_S", 0.1)


def committed(kafka: TestKafka, topic: str) -> int | None:
    return kafka.committed(f"g-{topic}", topic).get(0)


def running(
    kafka: TestKafka, topic: str, task: RecordingSink, errors: Any, supervisor: Supervisor, **parts: Any
) -> Running:
    pipeline = strings(errors=errors, **parts)
    context = WorkerSinkTaskContext({}, WorkerErrantRecordReporter(pipeline) if errors.reports else None)
    return run_sink(
        task, kafka.client, [topic], f"g-{topic}", pipeline=pipeline, supervisor=supervisor, context=context
    )


def letters(kafka: TestKafka, queue: str, count: int) -> dict[int, Message]:
    """Dead letters by the offsets of what they were."""
    return {int(headers_of(each)[f"{CONTEXT}offset"] or -1): each for each in kafka.consume(queue, count)}


@pytest.mark.parametrize("sink", [RecordingSink, ColumnSink])
def test_what_fails_on_its_way_to_the_sink_is_in_the_dead_letter_queue(
    kafka: TestKafka, filled: str, sink: Callable[[], RecordingSink]
) -> None:
    def fail(record: SinkRecord) -> SinkRecord | None:
        if record.value == "70":
            raise DataException("not this one")
        return None if record.value == "71" else record

    supervisor, task, queue = Supervisor(), sink(), f"{filled}-dlq"
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), **TOLERANT)
    parts = {
        "key_converter": MoodyConverter(poison="k13"),
        "value_converter": MoodyConverter(poison="57"),
        "steps": [Step(Applying(fail))],
    }
    with running(kafka, filled, task, errors, supervisor, **parts) as loop:
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        loop.stop()
    assert task.values == [each for each in numbers(100) if each not in ("13", "57", "70", "71")]
    found = letters(kafka, queue, 3)
    assert list(found) == [13, 57, 70]
    stages = {13: "KEY_CONVERTER", 57: "VALUE_CONVERTER", 70: "TRANSFORMATION"}
    for number, letter in found.items():
        assert (letter.key(), letter.value()) == (f"k{number}".encode(), str(number).encode())
        assert letter.timestamp()[1] == 1000 + number
        written: Any = letter.headers()
        assert written[:2] == [("h", b"\xff\x00"), ("h", None)]
        context = dict(written[2:])
        trace = context.pop(f"{CONTEXT}exception.stacktrace").decode()
        assert "Traceback" in trace
        failed = number == 70
        assert {name.removeprefix(CONTEXT): value.decode() for name, value in context.items()} == {
            "topic": filled,
            "partition": "0",
            "offset": str(number),
            "connector.name": "c",
            "task.id": "0",
            "stage": stages[number],
            "class.name": f"tests.support.plugins.{'Applying' if failed else 'MoodyConverter'}",
            "exception.class.name": "org.apache.kafka.connect.errors.DataException" if failed else "ValueError",
            "exception.message": "not this one" if failed else "this is poison",
        }
    counters = errors.counters.snapshot()
    assert counters.pop("last-error-timestamp") > 0
    assert counters == {
        "total-record-failures": 3,
        "total-record-errors": 3,
        "total-records-skipped": 3,
        "total-retries": 0,
        "total-errors-logged": 0,
        "deadletterqueue-produce-requests": 3,
        "deadletterqueue-produce-failures": 0,
    }


def test_without_tolerance_the_record_is_reported_and_the_task_fails(kafka: TestKafka, filled: str) -> None:
    supervisor, task, queue = Supervisor(), RecordingSink(), f"{filled}-dlq"
    errors = reporting(
        supervisor, kafka.client, dead_letters=dead_letters(queue, context_headers=False), log=True, log_records=True
    )
    converter = MoodyConverter(poison="57")
    with (
        capture_logs() as logs,
        running(kafka, filled, task, errors, supervisor, value_converter=converter) as loop,
    ):
        failure = loop.failure()
    assert f"Cannot convert the value of the record in {filled}-0 at offset 57" in str(failure)
    (letter,) = kafka.consume(queue, 1)
    assert (letter.value(), letter.headers()) == (b"57", [("h", b"\xff\x00"), ("h", None)])
    line = next(line["event"] for line in logs if line["event"].startswith("Error encountered"))
    assert line == (
        "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'tests.support.plugins.MoodyConverter', "
        f"where consumed record is {{topic='{filled}', partition=0, offset=57, timestamp=1057, timestampType=CreateTime}}."
    )
    assert (committed(kafka, filled) or 0) <= 57
    assert errors.counters.logged == 1


@pytest.mark.parametrize("wait", [True, False])
def test_a_task_reports_records_before_their_offsets_are_committed(kafka: TestKafka, filled: str, wait: bool) -> None:
    supervisor, queue = Supervisor(), f"{filled}-dlq"
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), **TOLERANT)

    def report(records: list[SinkRecord]) -> None:
        for record in records:
            if record.value in ("X7", "X8"):
                reporter = task.context.errant_record_reporter
                assert reporter is not None
                changed = record.new_record(value="changed by the task")
                future = reporter.report(changed, DataException("the system does not want it"))
                if wait:
                    future.result(30)

    def written(offsets: dict[Any, int]) -> None:
        if max(offsets.values()) > 8:
            assert kafka.end_offsets(queue) == {0: 2}

    task = RecordingSink(put=report, flush=written)
    step = Step(Applying(lambda record: record.new_record(value=f"X{record.value}")))
    with running(kafka, filled, task, errors, supervisor, steps=[step]) as loop:
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        loop.stop()
    found = letters(kafka, queue, 2)
    assert {number: letter.value() for number, letter in found.items()} == {7: b"7", 8: b"8"}
    headers = headers_of(found[7])
    assert headers[f"{CONTEXT}stage"] == "TASK_PUT"
    assert headers[f"{CONTEXT}class.name"] == "org.apache.kafka.connect.sink.SinkTask"


def test_a_record_that_the_task_made_itself_is_reported_with_what_it_holds(kafka: TestKafka, filled: str) -> None:
    supervisor, queue = Supervisor(), f"{filled}-dlq"
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), **TOLERANT)

    def report(records: list[SinkRecord]) -> None:
        if any(record.value == "7" for record in records):
            assert task.context.errant_record_reporter is not None
            made = SinkRecord("elsewhere", 3, key="mine", value="made", kafka_offset=9)
            task.context.errant_record_reporter.report(made, ValueError("no"))

    task = RecordingSink(put=report)
    with running(kafka, filled, task, errors, supervisor) as loop:
        (letter,) = kafka.consume(queue, 1)
        loop.stop()
    assert (letter.key(), letter.value()) == (b"mine", b"made")
    assert headers_of(letter)[f"{CONTEXT}topic"] == "elsewhere"


def test_a_task_that_hides_what_reporting_raised_fails_all_the_same(kafka: TestKafka, filled: str) -> None:
    supervisor = Supervisor()
    errors = reporting(supervisor, kafka.client, log=True)

    def report(records: list[SinkRecord]) -> None:
        for record in records:
            assert task.context.errant_record_reporter is not None
            with pytest.raises(ConnectException, match="Tolerance exceeded"):
                task.context.errant_record_reporter.report(record, ValueError("no"))

    task = RecordingSink(put=report)
    with running(kafka, filled, task, errors, supervisor) as loop:
        assert "Cannot write the record in" in str(loop.failure())
    assert committed(kafka, filled) is None


class IdempotentSink(RecordingSink):
    """Puts nothing of a batch with poison in it."""

    put_is_idempotent = True

    def __init__(self, *poison: str, refusals: int = 0) -> None:
        super().__init__(put=self.refuse)
        self.poison = poison
        self.refusals = refusals

    def refuse(self, records: list[SinkRecord]) -> None:
        bad = [record.value for record in records if record.value in self.poison]
        if not bad and records and self.refusals and any(record.value == "60" for record in records):
            self.refusals -= 1
            raise RetriableException("not now")
        if bad:
            raise OSError(f"cannot write {bad}")


@pytest.mark.parametrize("refusals", [0, 2])
def test_a_batch_that_fails_is_narrowed_to_the_records_that_cannot_be_written(
    kafka: TestKafka, filled: str, refusals: int
) -> None:
    supervisor, queue = Supervisor(), f"{filled}-dlq"
    task = IdempotentSink("0", "41", "42", "99", refusals=refusals)
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), bisect=True, **TOLERANT)
    with running(kafka, filled, task, errors, supervisor) as loop:
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        loop.stop()
    assert task.values == [each for each in numbers(100) if each not in task.poison]
    found = letters(kafka, queue, 4)
    assert list(found) == [0, 41, 42, 99]
    assert headers_of(found[41])[f"{CONTEXT}exception.message"] == "cannot write ['41']"
    assert kafka.end_offsets(queue) == {0: 4}
    assert (errors.counters.skipped, errors.counters.failures) == (4, 4)


@pytest.mark.parametrize(
    ("make", "idempotent"),
    [
        (lambda: operator(bisect=True), True),
        (lambda: operator(**TOLERANT), True),
        (lambda: operator(bisect=True, **TOLERANT), False),
    ],
    ids=["no tolerance", "switched off", "not idempotent"],
)
def test_a_batch_is_not_narrowed_unless_all_agree(
    kafka: TestKafka, filled: str, make: Callable[[], RetryWithToleranceOperator], idempotent: bool
) -> None:
    task = IdempotentSink("41")
    task.put_is_idempotent = idempotent
    with running(kafka, filled, task, make(), Supervisor()) as loop:
        assert isinstance(loop.failure(), OSError)
    assert len([call for call in task.calls_of("put") if "41" in [record.value for record in call[1]]]) == 1


def test_what_the_dead_letter_queue_refuses_fails_the_task_and_is_not_committed(kafka: TestKafka, filled: str) -> None:
    supervisor, task, queue = Supervisor(), RecordingSink(), f"{filled}-dlq"
    kafka.create_topic(queue, max_message_bytes="100")
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), **TOLERANT)
    converter = MoodyConverter(poison="57")
    with running(kafka, filled, task, errors, supervisor, value_converter=converter) as loop:
        assert f"Could not produce a record to dead letter queue {queue}: MSG_SIZE_TOO_LARGE" in str(loop.failure())
    assert (committed(kafka, filled) or 0) <= 57
    assert errors.counters.dlq_failures == 1


def test_while_the_dead_letter_queue_is_away_nothing_is_committed_and_a_stop_ends_it(
    kafka: TestKafka, filled: str
) -> None:
    supervisor, task, queue = Supervisor(), RecordingSink(), f"{filled}-dlq"
    nowhere = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    errors = reporting(supervisor, kafka.client, dead_letters=dead_letters(queue), producer=nowhere, **TOLERANT)
    converter = MoodyConverter(poison="57")
    with running(kafka, filled, task, errors, supervisor, value_converter=converter) as loop:
        until(lambda: len(task.values) == 99, "all but one are put")
        loop.stop()
    assert (committed(kafka, filled) or 0) <= 57


def test_a_stop_ends_the_wait_for_another_try_and_nothing_is_lost(kafka: TestKafka, filled: str) -> None:
    supervisor, task = Supervisor(), RecordingSink()
    errors = operator(supervisor.control.stopping.wait, retry_timeout_ms=-1, retry_delay_max_ms=3_600_000, **TOLERANT)
    converter = MoodyConverter(refusals=10**9)
    with running(kafka, filled, task, errors, supervisor, value_converter=converter) as loop:
        until(lambda: errors.counters.failures, "the first record is refused")
        loop.stop()
    assert task.values == []
    assert committed(kafka, filled) is None
    assert errors.counters.skipped == 0


def test_while_a_record_is_tried_again_the_task_stays_in_its_group(
    kafka: TestKafka, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sink.attendant.LONG_CALL_S", 0.2)
    supervisor, task, let = Supervisor(), RecordingSink(), threading.Event()

    def refuse(record: SinkRecord) -> SinkRecord:
        if not let.is_set():
            raise RetriableException("not now")
        return record

    errors = operator(supervisor.control.stopping.wait, retry_timeout_ms=-1)
    with (
        capture_logs() as logs,
        running(kafka, filled, task, errors, supervisor, steps=[Step(Applying(refuse))]) as loop,
    ):
        until(lambda: any("stays in its consumer group" in line["event"] for line in logs), "somebody polls")
        let.set()
        until(lambda: committed(kafka, filled) == 100, "all is committed")
        loop.stop()
    assert task.values == numbers(100)


def test_a_queue_that_cannot_be_created_is_an_error_that_says_why(kafka: TestKafka, topic: str) -> None:
    with pytest.raises(
        ConnectException, match=rf"Could not initialize dead letter queue with topic={topic} .*factor 3"
    ):
        reporting(Supervisor(), kafka.client, dead_letters=dead_letters(topic, replication_factor=3))


def test_tolerance_without_a_dead_letter_queue_warns(kafka: TestKafka) -> None:
    with capture_logs() as logs:
        reporting(Supervisor(), kafka.client, **TOLERANT)
    assert [line["log_level"] for line in logs] == ["warning"]
    assert "errors.deadletterqueue.topic.name" in logs[0]["event"]
