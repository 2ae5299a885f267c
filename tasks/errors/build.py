"""Puts the error handling of a task together from its configuration."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from tasks.control import Control
from tasks.errors.counters import ErrorCounters
from tasks.errors.dead_letters import MakeLetter
from tasks.errors.operator import RetryWithToleranceOperator
from tasks.errors.queue import DeadLetterQueue, create_topic
from tasks.errors.reporters import ErrorReporter, LogReporter
from tasks.errors.settings import ErrorSettings
from tasks.settings.dead_letters import LOSES_RECORDS
from tasks.states import Call

log = structlog.get_logger(__name__)


def build_operator(
    settings: ErrorSettings,
    task: str,
    control: Control,
    letter: MakeLetter,
    connect: Callable[[], Producer],
    connect_admin: Callable[[], AdminClient],
) -> RetryWithToleranceOperator:
    """The operator of the task, with the topic of its dead letter queue created. Raises ConnectException."""
    counters = ErrorCounters()
    reporters: list[ErrorReporter] = []
    if settings.log:
        reporters.append(LogReporter(task, counters, with_records=settings.log_records))
    if settings.dead_letters is not None:
        create_topic(connect_admin(), settings.dead_letters)
        reporters.append(DeadLetterQueue(settings.dead_letters, letter, connect, counters, control.stopping))
    if settings.loses_silently:
        log.warning(LOSES_RECORDS)
    return RetryWithToleranceOperator(settings, lambda seconds: _rest(control, seconds), reporters, counters)


def _rest(control: Control, seconds: float) -> bool:
    """Sleep amid a call, as part of which it does not count; True if a stop was ordered."""
    call, _ = control.call
    control.enter(Call.NONE)
    try:
        return control.stopping.wait(seconds)
    finally:
        control.enter(call)
