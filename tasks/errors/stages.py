"""The places in a task where a record may fail, by the names that dead letter queues hold."""

from __future__ import annotations

import enum


class Stage(enum.StrEnum):
    """As `org.apache.kafka.connect.runtime.errors.Stage`."""

    TASK_PUT = "TASK_PUT"
    TRANSFORMATION = "TRANSFORMATION"
    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    HEADER_CONVERTER = "HEADER_CONVERTER"
    KAFKA_PRODUCE = "KAFKA_PRODUCE"

    @property
    def attempt(self) -> str:
        """What cannot be done to a record that fails here, for messages."""
        return _ATTEMPTS[self]


_ATTEMPTS = {
    Stage.TASK_PUT: "write",
    Stage.TRANSFORMATION: "transform",
    Stage.KEY_CONVERTER: "convert the key of",
    Stage.VALUE_CONVERTER: "convert the value of",
    Stage.HEADER_CONVERTER: "convert the headers of",
    Stage.KAFKA_PRODUCE: "produce",
}
