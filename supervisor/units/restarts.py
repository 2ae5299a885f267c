"""When what ended is started again: a pure function of policy, history, cause and time (`task.restart.*`).

The first restart is immediate, from a warm process. The following ones wait, each twice as long as the one before, with
jitter, so that many tasks that fail for one reason do not come back in step. Too many in the window end it.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Mapping
from functools import cache
from typing import Final, Self

import msgspec

from connectd.config import ConfigDef, Importance, Range, Type, ValidString
from connectd.errors import ConfigException
from supervisor.processes.exits import Cause

PREFIX: Final = "task.restart."
POLICY: Final = "task.restart.policy"
MAX: Final = "task.restart.max"
WINDOW_MS: Final = "task.restart.window.ms"
HEALTHY_MS: Final = "task.restart.healthy.ms"
BACKOFF_MS: Final = "task.restart.backoff.ms"
BACKOFF_MAX_MS: Final = "task.restart.backoff.max.ms"


class Restart(enum.StrEnum):
    """Values of `task.restart.policy`."""

    ON_FAILURE = "on-failure"
    ON_CRASH = "on-crash"
    NEVER = "never"


@cache
def restart_config_def() -> ConfigDef:
    """The keys of the policy, for worker files and, overriding those, for connectors; not to be changed by the caller."""
    group = "Restarts"
    return (
        ConfigDef()
        .define(
            POLICY,
            Type.STRING,
            Restart.ON_FAILURE.value,
            ValidString.in_(*(policy.value for policy in Restart)),
            Importance.MEDIUM,
            "Which connectors and tasks are restarted by themselves: `on-failure`, all that raised an error, ended, crashed, "
            "ran out of memory or hung; `on-crash`, only those whose process did not end by an error of its own code; "
            "`never`, none, as in Java. Errors in the configuration are never tried again. (connectd only)",
            group=group,
        )
        .define(
            MAX,
            Type.INT,
            10,
            Range.at_least(0),
            Importance.MEDIUM,
            "How often one task is restarted within `task.restart.window.ms`; after that it stays FAILED. (connectd only)",
            group=group,
        )
        .define(
            WINDOW_MS,
            Type.LONG,
            600_000,
            Range.at_least(1),
            Importance.LOW,
            "The time for which a restart counts towards `task.restart.max`. (connectd only)",
            group=group,
        )
        .define(
            HEALTHY_MS,
            Type.LONG,
            120_000,
            Range.at_least(1),
            Importance.LOW,
            "A task that has been running for this long counts as healthy: its restarts so far are forgotten. (connectd only)",
            group=group,
        )
        .define(
            BACKOFF_MS,
            Type.LONG,
            1_000,
            Range.at_least(1),
            Importance.LOW,
            "The wait before the second restart; it doubles for each one after it. The first is immediate. (connectd only)",
            group=group,
        )
        .define(
            BACKOFF_MAX_MS,
            Type.LONG,
            60_000,
            Range.at_least(1),
            Importance.LOW,
            "The longest wait before a restart. (connectd only)",
            group=group,
        )
    )


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of one connector and its tasks."""

    restart: Restart
    maximum: int
    window_s: float
    healthy_s: float
    backoff_s: float
    backoff_max_s: float

    @classmethod
    def of(cls, worker: Mapping[str, str], connector: Mapping[str, str]) -> Self:
        """The connector's keys before the worker's before the defaults. Raises ConfigException for a wrong one."""
        values = restart_config_def().parse(_given(worker, connector))
        return cls(
            restart=Restart(values[POLICY]),
            maximum=values[MAX],
            window_s=values[WINDOW_MS] / 1000,
            healthy_s=values[HEALTHY_MS] / 1000,
            backoff_s=values[BACKOFF_MS] / 1000,
            backoff_max_s=values[BACKOFF_MAX_MS] / 1000,
        )

    @staticmethod
    def errors(properties: Mapping[str, str]) -> list[ConfigException]:
        """All that is wrong with the policy's keys in a worker's or connector's configuration."""
        return restart_config_def().errors(_given(properties))

    @staticmethod
    def unknown_keys(properties: Mapping[str, str]) -> dict[str, str | None]:
        """Keys that begin like the policy's but are none of them, each with the one most like it."""
        names = list(restart_config_def().config_names)
        return {
            key: next(iter(difflib.get_close_matches(key, names, n=1)), None)
            for key in sorted(_given(properties).keys() - set(names))
        }


def _given(*layers: Mapping[str, str]) -> dict[str, str]:
    return {key: value for layer in layers for key, value in layer.items() if key.startswith(PREFIX)}


class RestartAfter(msgspec.Struct, frozen=True):
    """Start again after `delay_s`, which is 0 for the first restart."""

    delay_s: float


class GiveUp(msgspec.Struct, frozen=True):
    """Stay FAILED. `why` completes the trace; None where the cause itself says it all."""

    why: str | None


class History(msgspec.Struct, frozen=True):
    """The restarts of one task that count, as times of the monotonic clock, and the time since which it has been running."""

    restarts: tuple[float, ...] = ()
    running_since: float | None = None


Decision = RestartAfter | GiveUp


def decide(
    policy: RestartPolicy, history: History, cause: Cause, now: float, jitter: float
) -> tuple[Decision, History]:
    """What to do about something that just ended, and the history afterwards. `jitter` is a random number in [0, 1)."""
    if cause is Cause.CONFIG or policy.restart is Restart.NEVER:
        return GiveUp(None), history
    if policy.restart is Restart.ON_CRASH and cause is Cause.EXCEPTION:
        return GiveUp(None), history
    counted = _still_counting(policy, history, now)
    if len(counted) >= policy.maximum:
        return GiveUp(_too_many(policy)), History(counted)
    delay_s = _delay_s(policy, len(counted), jitter)
    return RestartAfter(delay_s), History((*counted, now + delay_s))


def _still_counting(policy: RestartPolicy, history: History, now: float) -> tuple[float, ...]:
    running_since = history.running_since
    if running_since is not None and now - running_since >= policy.healthy_s:
        return ()
    return tuple(each for each in history.restarts if now - each < policy.window_s)


def _delay_s(policy: RestartPolicy, restarts: int, jitter: float) -> float:
    if restarts == 0:
        return 0.0
    longest = max(policy.backoff_s, policy.backoff_max_s)
    # Bounded before the power is taken: 2 ** 5000 is no float.
    full = min(policy.backoff_s * 2.0 ** min(restarts - 1, 60), longest)
    return full * (1 - jitter / 2)


def _too_many(policy: RestartPolicy) -> str:
    if policy.maximum == 0:
        return f"Not restarted: {MAX} is 0."
    return f"Given up after {policy.maximum} restarts within {policy.window_s:g} s ({MAX}, {WINDOW_MS})."
