"""The operator that all stages go through, and what is told of errors."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from connectd.errors import ConfigException, ConnectException, DataException, RetriableException
from connectd.records import SourceRecord
from connectd.tasks import SinkTask
from plugins.converters.json import JsonConverter
from plugins.discovery import find_class
from tasks.errors import ErrorSettings, ProcessingContext, RetryAbandoned, RetryWithToleranceOperator, Stage
from tasks.errors.java_names import ProduceException, error_name, java_name
from tasks.errors.reporters import all_of, done
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig
from tasks.settings.connector import ToleranceType

RECORD = SourceRecord({"file": "a"}, {"line": 3}, "t", value="secret")


class Clock:
    """A clock that only waiting moves."""

    def __init__(self, stops_after: int | None = None) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self.stops_after = stops_after

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return len(self.waits) == self.stops_after


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("tasks.errors.operator.time.monotonic", lambda: made.now)
    return made


def failing(times: int, error: type[Exception] = RetriableException) -> Any:
    def operation() -> str:
        nonlocal times
        times -= 1
        if times >= 0:
            raise error("not now")
        return "done"

    return operation


def run(clock: Clock, operation: Any, **settings: Any) -> tuple[Any, ProcessingContext, RetryWithToleranceOperator]:
    errors = RetryWithToleranceOperator(ErrorSettings(**settings), clock.wait)
    context = ProcessingContext(RECORD)
    return errors.execute(context, Stage.VALUE_CONVERTER, JsonConverter, operation), context, errors


def test_waits_grow_and_end_with_the_timeout(clock: Clock) -> None:
    result, context, errors = run(clock, failing(4), retry_timeout_ms=10_000)
    assert (result, context.attempt, clock.waits) == ("done", 5, [0.3, 0.6, 1.2, 2.4])
    assert (errors.counters.failures, errors.counters.retries, errors.counters.errors) == (4, 4, 0)
    clock.waits.clear()
    with pytest.raises(ConnectException, match="Tolerance exceeded"):
        run(clock, failing(10), retry_timeout_ms=1000)
    assert clock.waits == pytest.approx([0.3, 0.6, 0.1])


def test_the_longest_wait_is_limited(clock: Clock) -> None:
    run(clock, failing(8), retry_timeout_ms=-1, retry_delay_max_ms=500)
    assert clock.waits[0] == 0.3 and all(wait <= 0.5 for wait in clock.waits)


def test_only_what_may_be_tried_again_is(clock: Clock) -> None:
    _, context, errors = run(clock, failing(1, DataException), retry_timeout_ms=-1, tolerance=ToleranceType.ALL)
    assert context.failed and clock.waits == []
    assert (errors.counters.failures, errors.counters.skipped) == (1, 1)


def test_a_stop_abandons_the_record_and_does_not_skip_it(clock: Clock) -> None:
    clock.stops_after = 2
    with pytest.raises(RetryAbandoned):
        run(clock, failing(10), retry_timeout_ms=-1, tolerance=ToleranceType.ALL)


def test_what_has_failed_once_is_left_alone(clock: Clock) -> None:
    errors = RetryWithToleranceOperator(ErrorSettings(tolerance=ToleranceType.ALL), clock.wait)
    context = ProcessingContext(RECORD)
    assert errors.execute(context, Stage.KEY_CONVERTER, JsonConverter, failing(1, DataException)) is None
    assert errors.execute(context, Stage.VALUE_CONVERTER, JsonConverter, lambda: "done") is None
    assert (context.stage, errors.counters.errors) == (Stage.KEY_CONVERTER, 1)


def test_the_error_names_the_record_and_shows_nothing_of_it(clock: Clock) -> None:
    with pytest.raises(ConnectException) as raised:
        run(clock, failing(1))
    text = str(raised.value)
    assert text == (
        "Tolerance exceeded in error handler: Cannot convert the value of a record for topic t (source partition "
        "{'file': 'a'}, source offset {'line': 3}): RetriableException: not now"
    )


def test_a_message_is_named_by_its_place() -> None:
    message = Message(topic="t", partition=2, offset=7, value=b"secret", timestamp=(1, 5))
    context = ProcessingContext(message)
    assert context.place == "the record in t-2 at offset 7"
    assert context.details == (
        "where consumed record is {topic='t', partition=2, offset=7, timestamp=5, timestampType=CreateTime}"
    )


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (DataException("x"), "org.apache.kafka.connect.errors.DataException"),
        (ConfigException("x"), "org.apache.kafka.common.config.ConfigException"),
        (ValueError("x"), "ValueError"),
        (
            ProduceException("x", KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)),
            "org.apache.kafka.common.errors.RecordTooLargeException",
        ),
        (
            ProduceException("x", KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)),
            "org.apache.kafka.common.errors.TopicAuthorizationException",
        ),
    ],
)
def test_errors_have_javas_names_where_java_has_them(error: Exception, name: str) -> None:
    assert error_name(error) == name


def test_classes_have_javas_names_but_not_those_of_their_bases() -> None:
    class Mine(JsonConverter):
        """Inherits the attribute."""

    assert java_name(JsonConverter) == "org.apache.kafka.connect.json.JsonConverter"
    assert java_name(Mine).endswith("Mine")
    assert java_name(SinkTask) == "org.apache.kafka.connect.sink.SinkTask"
    assert java_name(find_class("Cast$Value")) == "org.apache.kafka.connect.transforms.Cast$Value"


def test_all_reports_are_waited_for() -> None:
    one, other = Future[None](), Future[None]()
    together = all_of([done(), one, other])
    one.set_result(None)
    assert not together.done()
    other.set_exception(ConnectException("refused"))
    assert isinstance(together.exception(0), ConnectException)
    assert all_of([]).done() and all_of([done(), done()]).exception(0) is None


def test_what_a_connector_says_about_errors() -> None:
    base = {"name": "c", "connector.class": "X", "errors.deadletterqueue.topic.name": "dlq"}
    sink = ErrorSettings.of(SinkConnectorConfig({**base, "topics": "t", "errors.tolerance": "all"}))
    assert sink.dead_letters is not None and sink.dead_letters.replication_factor == 3
    assert (sink.tolerates, sink.bisect, sink.loses_silently) == (True, True, False)
    source = ErrorSettings.of(SourceConnectorConfig({**base, "errors.deadletterqueue.topic.name": ""}))
    assert (source.dead_letters, source.tolerates, source.bisect) == (None, False, False)
