"""What happens to records that fail: retries, tolerance, the log, and dead letter queues (KIP-298, KIP-610)."""

from tasks.errors.build import build_operator
from tasks.errors.context import ProcessingContext
from tasks.errors.counters import ErrorCounters
from tasks.errors.operator import RetryAbandoned, RetryWithToleranceOperator
from tasks.errors.settings import DeadLetterSettings, ErrorSettings
from tasks.errors.stages import Stage

__all__ = [
    "DeadLetterSettings",
    "ErrorCounters",
    "ErrorSettings",
    "ProcessingContext",
    "RetryAbandoned",
    "RetryWithToleranceOperator",
    "Stage",
    "build_operator",
]
