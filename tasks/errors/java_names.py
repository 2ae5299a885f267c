"""Java's names of classes, for the headers of dead letter queues that other programs read."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError

from connectd import errors, tasks
from connectd.errors import ConnectException

_ERRORS: Final = "org.apache.kafka.connect.errors."
_NAMES: Final[dict[type, str]] = {
    **{
        each: f"{_ERRORS}{each.__name__}"
        for each in (
            errors.ConnectException,
            errors.RetriableException,
            errors.DataException,
            errors.SchemaBuilderException,
            errors.SchemaProjectorException,
            errors.NotFoundException,
            errors.AlreadyExistsException,
            errors.IllegalWorkerStateException,
        )
    },
    errors.ConfigException: "org.apache.kafka.common.config.ConfigException",
    tasks.SinkTask: "org.apache.kafka.connect.sink.SinkTask",
    tasks.SourceTask: "org.apache.kafka.connect.source.SourceTask",
}
# Where the rule "the name in capitals, without underscores and FAILED, and Exception" does not give Kafka's class.
_KAFKA_ERRORS: Final = {
    "MSG_SIZE_TOO_LARGE": "RecordTooLargeException",
    "UNKNOWN_TOPIC_OR_PART": "UnknownTopicOrPartitionException",
    "INVALID_MSG": "CorruptRecordException",
    "TOPIC_EXCEPTION": "InvalidTopicException",
    "_MSG_TIMED_OUT": "TimeoutException",
    "_TIMED_OUT": "TimeoutException",
    "REQUEST_TIMED_OUT": "TimeoutException",
    "RECORD_LIST_TOO_LARGE": "RecordBatchTooLargeException",
}


class ProduceException(ConnectException):
    """The producer could not deliver a record; `java_name` is the class of the error in Kafka's client."""

    def __init__(self, message: str, error: KafkaError) -> None:
        super().__init__(message)
        self.java_name = _kafka_error(error.name())


def java_name(of: type) -> str:
    """The name of the Java class that a class stands for, otherwise its own with its module."""
    name: str | None = _NAMES.get(of) or of.__dict__.get("JAVA_NAME")
    if name is not None:
        return name
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"


def error_name(error: BaseException) -> str:
    """The name of the Java class of an error, as far as it has one."""
    given: Any = getattr(error, "java_name", None)
    return given if isinstance(given, str) else java_name(type(error))


def _kafka_error(name: str) -> str:
    known = (
        _KAFKA_ERRORS.get(name)
        or f"{''.join(map(str.capitalize, name.strip('_').removesuffix('_FAILED').split('_')))}Exception"
    )
    return f"org.apache.kafka.common.errors.{known}"
