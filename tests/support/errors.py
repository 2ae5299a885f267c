"""The error handling of loops under test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient

from plugins.converters.simple_header import SimpleHeaderConverter
from tasks.errors import DeadLetterSettings, ErrorSettings, RetryWithToleranceOperator, build_operator
from tasks.errors.dead_letters import sink_letters, source_letters
from tasks.settings.connector import ToleranceType
from tests.support.loops import Supervisor

TOLERANT = {"tolerance": ToleranceType.ALL}
QUICK = {"retry_delay_max_ms": 10}


def operator(wait: Callable[[float], bool] | None = None, **settings: Any) -> RetryWithToleranceOperator:
    """An operator that tells nobody. It waits 10 ms between tries."""
    return RetryWithToleranceOperator(ErrorSettings(**{**QUICK, **settings}), wait or threading.Event().wait)


def dead_letters(topic: str, **settings: Any) -> DeadLetterSettings:
    """A dead letter queue of one replica, with the headers of the context."""
    return DeadLetterSettings(topic=topic, **{"replication_factor": 1, "context_headers": True, **settings})


def reporting(
    supervisor: Supervisor, client: Mapping[str, Any], *, source: bool = False, producer: Any = None, **settings: Any
) -> RetryWithToleranceOperator:
    """The operator of task 0 of connector `c`, as the task runner makes it; `producer` are settings of the queue's producer."""
    errors = ErrorSettings(**{**QUICK, **settings})
    with_context = errors.dead_letters is not None and errors.dead_letters.context_headers
    letters = (
        source_letters("c", 0, SimpleHeaderConverter()) if source else sink_letters("c", 0, with_context=with_context)
    )
    quiet = {**client, "log_level": 2}
    return build_operator(
        errors,
        "c-0",
        supervisor.control,
        letters,
        lambda: Producer({**quiet, "linger.ms": 1, **(producer or {})}),
        lambda: AdminClient(quiet),
    )


def headers_of(message: Message) -> dict[str, str | None]:
    """The headers of a message as text."""
    found: Any = message.headers() or []
    return {name: None if value is None else value.decode(errors="replace") for name, value in found}
