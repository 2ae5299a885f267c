"""The keys of dead letter queues: in Java those of sinks only, here of sources too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from connectd.config import ConfigDef, Importance, Type, Width
from tasks.settings.connector import ERROR_GROUP, ERRORS_TOLERANCE, ConnectorConfig

DLQ_TOPIC_NAME: Final = "errors.deadletterqueue.topic.name"
DLQ_TOPIC_REPLICATION_FACTOR: Final = "errors.deadletterqueue.topic.replication.factor"
DLQ_CONTEXT_HEADERS_ENABLE: Final = "errors.deadletterqueue.context.headers.enable"
ERRORS_BATCH_BISECT: Final = "errors.batch.bisect"

LOSES_RECORDS: Final = (
    "errors.tolerance is all and there is no dead letter queue: records that fail are lost."
    f" Set {DLQ_TOPIC_NAME} to keep them"
)

# Of the keys that Java does not have, or not for sources.
OUR_GROUP: Final = "Dead Letters"


class DeadLetterConfig(ConnectorConfig):
    """The keys of a connector whose records may go to a dead letter queue."""

    @property
    def dlq_topic_name(self) -> str | None:
        """The dead letter queue, None if there is none."""
        return cast(str, self.get(DLQ_TOPIC_NAME)) or None

    @property
    def dlq_topic_replication_factor(self) -> int:
        """For creating the dead letter queue."""
        return cast(int, self.get(DLQ_TOPIC_REPLICATION_FACTOR))

    @property
    def dlq_context_headers_enable(self) -> bool:
        """Whether records in the dead letter queue get headers that tell what went wrong."""
        return cast(bool, self.get(DLQ_CONTEXT_HEADERS_ENABLE))


def loses_records(props: Mapping[str, Any]) -> bool:
    """Whether a connector's configuration, which may have errors, skips records that fail and keeps them nowhere."""
    tolerance = str(props.get(ERRORS_TOLERANCE) or "").strip().lower()
    return tolerance == "all" and not str(props.get(DLQ_TOPIC_NAME) or "").strip()


def define_dead_letters(definition: ConfigDef, *, of_sink: bool) -> ConfigDef:
    """Declare the keys of the dead letter queue, for a sink as in Java."""
    group, mark = (ERROR_GROUP, "") if of_sink else (OUR_GROUP, " (connectd only)")
    return (
        definition.define(
            DLQ_TOPIC_NAME,
            Type.STRING,
            "",
            doc="The dead letter queue: the topic to which records are written that the connector, its transformations "
            f"or converters could not process. Empty means none.{mark}",
            group=group,
            width=Width.MEDIUM,
            display_name="Dead Letter Queue Topic Name",
        )
        .define(
            DLQ_TOPIC_REPLICATION_FACTOR,
            Type.SHORT,
            3,
            doc=f"The replication factor with which the dead letter queue is created if it does not exist.{mark}",
            group=group,
            width=Width.MEDIUM,
            display_name="Dead Letter Queue Topic Replication Factor",
        )
        .define(
            DLQ_CONTEXT_HEADERS_ENABLE,
            Type.BOOLEAN,
            False,
            doc="Whether records in the dead letter queue get headers that tell what went wrong, all below "
            f"`__connect.errors.`. Those of sources always have them.{mark}",
            group=group,
            width=Width.MEDIUM,
            display_name="Enable Error Context Headers",
        )
    )


def define_bisect(definition: ConfigDef) -> ConfigDef:
    """Declare `errors.batch.bisect`."""
    return definition.define(
        ERRORS_BATCH_BISECT,
        Type.BOOLEAN,
        True,
        importance=Importance.MEDIUM,
        doc="Whether a batch that the sink cannot write is put in halves, and of these in halves again, until the records "
        "that cannot be written are found and given up alone. It needs `errors.tolerance=all`, and a sink whose task says "
        "that putting a record twice does no harm (`put_is_idempotent`). (connectd only)",
        group=OUR_GROUP,
        width=Width.SHORT,
        display_name="Bisect Failing Batches",
    )
