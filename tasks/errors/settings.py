"""What the error handling of a task needs of its connector's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tasks.settings import SinkConnectorConfig, SourceConnectorConfig
from tasks.settings.connector import ToleranceType


@dataclass(frozen=True, kw_only=True)
class DeadLetterSettings:
    """The topic that failed records are written to."""

    topic: str
    replication_factor: int
    context_headers: bool


@dataclass(frozen=True, kw_only=True)
class ErrorSettings:
    """By default the first error fails the task."""

    tolerance: ToleranceType = ToleranceType.NONE
    retry_timeout_ms: int = 0
    retry_delay_max_ms: int = 60_000
    log: bool = False
    log_records: bool = False
    dead_letters: DeadLetterSettings | None = None
    bisect: bool = False

    @classmethod
    def of(cls, connector: SinkConnectorConfig | SourceConnectorConfig) -> Self:
        """Those of a connector."""
        topic = connector.dlq_topic_name
        return cls(
            tolerance=connector.errors_tolerance,
            retry_timeout_ms=connector.errors_retry_timeout_ms,
            retry_delay_max_ms=connector.errors_retry_delay_max_ms,
            log=connector.errors_log_enable,
            log_records=connector.errors_log_include_messages,
            dead_letters=None
            if topic is None
            else DeadLetterSettings(
                topic=topic,
                replication_factor=connector.dlq_topic_replication_factor,
                context_headers=connector.dlq_context_headers_enable,
            ),
            bisect=isinstance(connector, SinkConnectorConfig) and connector.errors_batch_bisect,
        )

    @property
    def tolerates(self) -> bool:
        """Whether records that fail are skipped."""
        return self.tolerance is ToleranceType.ALL

    @property
    def loses_silently(self) -> bool:
        """Whether records that fail are skipped and kept nowhere."""
        return self.tolerates and self.dead_letters is None
