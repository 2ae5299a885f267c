"""The headers that tell why a record is in a dead letter queue (`DeadLetterQueueReporter` in Kafka)."""

from __future__ import annotations

import traceback
from typing import Final

from tasks.errors.context import ProcessingContext
from tasks.errors.java_names import error_name, java_name

PREFIX: Final = "__connect.errors."
TOPIC: Final = f"{PREFIX}topic"
PARTITION: Final = f"{PREFIX}partition"
OFFSET: Final = f"{PREFIX}offset"
CONNECTOR: Final = f"{PREFIX}connector.name"
TASK: Final = f"{PREFIX}task.id"
STAGE: Final = f"{PREFIX}stage"
CLASS: Final = f"{PREFIX}class.name"
EXCEPTION: Final = f"{PREFIX}exception.class.name"
MESSAGE: Final = f"{PREFIX}exception.message"
STACK_TRACE: Final = f"{PREFIX}exception.stacktrace"
# Those of connectd, for records of sources, which have no bytes of their own.
SOURCE_PARTITION: Final = f"{PREFIX}source.partition"
SOURCE_OFFSET: Final = f"{PREFIX}source.offset"
SOURCE_TIMESTAMP: Final = f"{PREFIX}source.timestamp"
FORMAT: Final = f"{PREFIX}format"
# Of a record that was written back, so that it does not go round for ever.
REPLAYED: Final = f"{PREFIX}replayed"

Header = tuple[str, bytes | None]


def why(context: ProcessingContext, connector: str, task: int) -> list[Header]:
    """Who failed at what, and how; in Java's order, behind the place that the record comes from."""
    error = context.error
    assert error is not None
    return [
        (CONNECTOR, connector.encode()),
        (TASK, str(task).encode()),
        (STAGE, context.stage.encode()),
        (CLASS, java_name(context.executing_class).encode()),
        (EXCEPTION, error_name(error).encode()),
        # An exception without a message has null in Java.
        (MESSAGE, str(error).encode(errors="replace") or None),
        (STACK_TRACE, "".join(traceback.format_exception(error)).encode(errors="replace")),
    ]
