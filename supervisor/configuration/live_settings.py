"""Which settings of a worker file may change while the worker runs, and what it takes for each to count."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from plugins.java.settings import JAVA_HOME, JAVA_OPTIONS, PLUGIN_RUNTIME
from plugins.python_setting import PLUGIN_PYTHON
from supervisor.units.restarts import PREFIX as RESTART_PREFIX
from tasks.settings.limits import (
    CONNECTOR_HANG_TIMEOUT_MS,
    TASK_BYTES_PER_SECOND_MAX,
    TASK_CPU_NICE,
    TASK_CPU_WEIGHT,
    TASK_HANG_TIMEOUT_MS,
    TASK_LOG_LINES,
    TASK_LOG_LINES_PER_SECOND_MAX,
    TASK_MEMORY_MAX,
    TASK_OPEN_FILES_MAX,
    TASK_POLL_HANG_TIMEOUT_MS,
    TASK_RECORDS_PER_SECOND_MAX,
)
from tasks.settings.rest import ADMIN_LISTENERS
from tasks.settings.worker import (
    CONFIG_PROVIDERS,
    CONNECTORS_DIRECTORY,
    HEADER_CONVERTER,
    KEY_CONVERTER,
    LOG_LEVELS,
    OFFSET_FLUSH_INTERVAL_MS,
    OFFSET_FLUSH_TIMEOUT_MS,
    OVERRIDE_ALLOWLIST,
    OVERRIDE_POLICY,
    TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS,
    TOPIC_CREATION_ENABLE,
    VALUE_CONVERTER,
)


class Effect(enum.Enum):
    """When another value of a setting counts."""

    AT_ONCE = enum.auto()
    NEW_PROCESSES = enum.auto()  # each connector and task knows the value that there was when its process began
    WORKER_RESTART = enum.auto()


# What ends in a dot is for all keys that begin so. All that is not named here needs a restart of the worker.
_EFFECTS: Final[Mapping[str, Effect]] = {
    CONNECTORS_DIRECTORY: Effect.AT_ONCE,
    LOG_LEVELS: Effect.AT_ONCE,
    RESTART_PREFIX: Effect.AT_ONCE,
    TASK_HANG_TIMEOUT_MS: Effect.AT_ONCE,
    TASK_POLL_HANG_TIMEOUT_MS: Effect.AT_ONCE,
    CONNECTOR_HANG_TIMEOUT_MS: Effect.AT_ONCE,
    TASK_MEMORY_MAX: Effect.AT_ONCE,
    TASK_CPU_WEIGHT: Effect.AT_ONCE,
    TASK_LOG_LINES: Effect.AT_ONCE,
    TASK_LOG_LINES_PER_SECOND_MAX: Effect.AT_ONCE,
    TASK_CPU_NICE: Effect.NEW_PROCESSES,
    TASK_OPEN_FILES_MAX: Effect.NEW_PROCESSES,
    TASK_RECORDS_PER_SECOND_MAX: Effect.NEW_PROCESSES,
    TASK_BYTES_PER_SECOND_MAX: Effect.NEW_PROCESSES,
    # The supervisor's patience changes at once, the time that a task gives its own last commit does not.
    TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS: Effect.NEW_PROCESSES,
    OFFSET_FLUSH_INTERVAL_MS: Effect.NEW_PROCESSES,
    OFFSET_FLUSH_TIMEOUT_MS: Effect.NEW_PROCESSES,
    KEY_CONVERTER: Effect.NEW_PROCESSES,
    f"{KEY_CONVERTER}.": Effect.NEW_PROCESSES,
    VALUE_CONVERTER: Effect.NEW_PROCESSES,
    f"{VALUE_CONVERTER}.": Effect.NEW_PROCESSES,
    HEADER_CONVERTER: Effect.NEW_PROCESSES,
    f"{HEADER_CONVERTER}.": Effect.NEW_PROCESSES,
    CONFIG_PROVIDERS: Effect.NEW_PROCESSES,
    f"{CONFIG_PROVIDERS}.": Effect.NEW_PROCESSES,
    PLUGIN_PYTHON: Effect.NEW_PROCESSES,
    PLUGIN_RUNTIME: Effect.NEW_PROCESSES,
    JAVA_HOME: Effect.NEW_PROCESSES,
    JAVA_OPTIONS: Effect.NEW_PROCESSES,
    OVERRIDE_POLICY: Effect.NEW_PROCESSES,
    OVERRIDE_ALLOWLIST: Effect.NEW_PROCESSES,
    TOPIC_CREATION_ENABLE: Effect.NEW_PROCESSES,
    "producer.": Effect.NEW_PROCESSES,
    "consumer.": Effect.NEW_PROCESSES,
    "admin.": Effect.NEW_PROCESSES,
    f"{ADMIN_LISTENERS}.": Effect.WORKER_RESTART,
    ADMIN_LISTENERS: Effect.WORKER_RESTART,
}

# In a connector of a cluster: the file that it came from (`supervisor.herder.distributed.files`).
CONNECTOR_FILE: Final = "connectd.file"

# In connectors too these are read by the supervisor alone.
_FOR_SUPERVISOR: Final = (
    RESTART_PREFIX,
    TASK_HANG_TIMEOUT_MS,
    TASK_POLL_HANG_TIMEOUT_MS,
    CONNECTOR_HANG_TIMEOUT_MS,
    TASK_MEMORY_MAX,
    TASK_CPU_WEIGHT,
    TASK_LOG_LINES,
    CONNECTOR_FILE,
)


def effect_of(key: str) -> Effect:
    """When another value of this key of a worker file counts."""
    if key in _EFFECTS:
        return _EFFECTS[key]
    prefixes = [prefix for prefix in _EFFECTS if prefix.endswith(".") and key.startswith(prefix)]
    return _EFFECTS[max(prefixes, key=len)] if prefixes else Effect.WORKER_RESTART


def is_for_supervisor(key: str) -> bool:
    """Whether processes of connectors and tasks know nothing of this key of a worker or connector."""
    return key.startswith(_FOR_SUPERVISOR)


def changes(before: Mapping[str, object], now: Mapping[str, object]) -> dict[Effect, list[str]]:
    """The keys whose values differ, sorted, by what it takes for them to count; all effects are there."""
    found: dict[Effect, list[str]] = {effect: [] for effect in Effect}
    for key in sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key)):
        found[effect_of(key)].append(key)
    return found


def taken_over(running: Mapping[str, str], read: Mapping[str, str]) -> dict[str, str]:
    """What is read, but for what needs a restart of the worker: that stays as it is."""
    stays = {key: value for key, value in running.items() if effect_of(key) is Effect.WORKER_RESTART}
    return stays | {key: value for key, value in read.items() if effect_of(key) is not Effect.WORKER_RESTART}
