"""What connectors and their tasks may use, and for how long a call may take: declared once, for workers and connectors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple, Self

import msgspec

from connectd.config import ConfigDef, Importance, Range, Type, Validator, Width
from connectd.errors import ConfigException

TASK_HANG_TIMEOUT_MS: Final = "task.hang.timeout.ms"
TASK_POLL_HANG_TIMEOUT_MS: Final = "task.poll.hang.timeout.ms"
CONNECTOR_HANG_TIMEOUT_MS: Final = "connector.hang.timeout.ms"
TASK_MEMORY_MAX: Final = "task.memory.max"
TASK_CPU_NICE: Final = "task.cpu.nice"
TASK_CPU_WEIGHT: Final = "task.cpu.weight"
TASK_OPEN_FILES_MAX: Final = "task.open.files.max"
TASK_RECORDS_PER_SECOND_MAX: Final = "task.records.per.second.max"
TASK_BYTES_PER_SECOND_MAX: Final = "task.bytes.per.second.max"
TASK_LOG_LINES: Final = "task.log.lines"
TASK_LOG_LINES_PER_SECOND_MAX: Final = "task.log.lines.per.second.max"

GROUP: Final = "Limits"
_BEHIND_JAVAS_KEYS: Final = 101


class _Key(NamedTuple):
    name: str
    default: int
    range: Range
    doc: str


_KEYS: Final = (
    _Key(
        TASK_HANG_TIMEOUT_MS,
        300_000,
        Range.at_least(0),
        "After this time in one call of `start`, `put`, `flush`, `commit` or `stop`, or without a sign of life, a task counts "
        "as hung: the stacks of its threads are logged, and unless `task.restart.policy` is `never` it is killed and "
        "restarted. 0 switches the check off.",
    ),
    _Key(
        TASK_POLL_HANG_TIMEOUT_MS,
        0,
        Range.at_least(0),
        "The same for `poll` of source tasks, off by default: a source may wait for hours.",
    ),
    _Key(
        CONNECTOR_HANG_TIMEOUT_MS,
        90_000,
        Range.at_least(1),
        "After this time in the import of a plugin, or in one call of `validate`, `start`, `task_configs` or `stop` of a "
        "connector, its process is killed.",
    ),
    _Key(
        TASK_MEMORY_MAX,
        0,
        Range.at_least(0),
        "How many bytes of memory each process of a connector may use: itself, its tasks, its validation. One that uses more "
        "is killed, and restarted as `task.restart.policy` says. The supervisor looks once a second at the proportional set "
        "size of the process; in a delegated cgroup (v2) the kernel enforces the limit at any time, and on what the process "
        "has started too. 0 is no limit.",
    ),
    _Key(
        TASK_CPU_NICE,
        0,
        Range.between(0, 19),
        "How much nicer than the worker itself the processes of a connector are, see nice(2).",
    ),
    _Key(
        TASK_CPU_WEIGHT,
        0,
        Range.between(0, 10_000),
        "The weight of each process of a connector when the CPU is short, from 1 to 10000, 100 being the weight of one "
        "without this setting. It needs a delegated cgroup (v2), as `Delegate=yes` of systemd gives. 0 sets none.",
    ),
    _Key(
        TASK_OPEN_FILES_MAX,
        0,
        Range.at_least(0),
        "How many files and connections each process of a connector may have open. 0 leaves it at what the worker was started "
        "with.",
    ),
    _Key(
        TASK_RECORDS_PER_SECOND_MAX,
        0,
        Range.at_least(0),
        "How many records a second each task may move, in the long run: what comes in one batch is moved together. 0 is no "
        "limit.",
    ),
    _Key(
        TASK_BYTES_PER_SECOND_MAX,
        0,
        Range.at_least(0),
        "How many bytes of serialized keys and values a second each task may move, in the same way. 0 is no limit.",
    ),
    _Key(
        TASK_LOG_LINES,
        200,
        Range.between(0, 100_000),
        "How many of the last lines that each connector and each task has logged are kept for `connectd logs`, also when its "
        "process has crashed. They are packed in memory, and no more than 512 KiB of them, before packing, are kept.",
    ),
    _Key(
        TASK_LOG_LINES_PER_SECOND_MAX,
        1000,
        Range.at_least(0),
        "How many lines a second of each connector and each task are logged; of what is more the log says how many lines it "
        "were. Whoever writes more than 1 MiB a second has to wait. 0 is no limit on lines.",
    ),
)


class _OrLeftOut(msgspec.Struct, frozen=True):
    """A value that may also be left out."""

    validator: Validator

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is not None:
            self.validator.ensure_valid(name, value)

    def __str__(self) -> str:
        return str(self.validator)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one connector. Times are in seconds, 0 is no limit but for `connector_hang_s`."""

    task_hang_s: float
    task_poll_hang_s: float
    connector_hang_s: float
    memory_max_bytes: int
    cpu_nice: int
    cpu_weight: int
    open_files_max: int
    records_per_s: int
    bytes_per_s: int
    log_lines: int
    log_lines_per_s: int

    @classmethod
    def of(cls, worker: Mapping[str, str], connector: Mapping[str, str]) -> Self:
        """The connector's keys before the worker's before the defaults. Raises ConfigException for a wrong one."""
        names = _definition().config_names
        values = _definition().parse({key: each[key] for each in (worker, connector) for key in names if key in each})
        return cls(
            task_hang_s=values[TASK_HANG_TIMEOUT_MS] / 1000,
            task_poll_hang_s=values[TASK_POLL_HANG_TIMEOUT_MS] / 1000,
            connector_hang_s=values[CONNECTOR_HANG_TIMEOUT_MS] / 1000,
            memory_max_bytes=values[TASK_MEMORY_MAX],
            cpu_nice=values[TASK_CPU_NICE],
            cpu_weight=values[TASK_CPU_WEIGHT],
            open_files_max=values[TASK_OPEN_FILES_MAX],
            records_per_s=values[TASK_RECORDS_PER_SECOND_MAX],
            bytes_per_s=values[TASK_BYTES_PER_SECOND_MAX],
            log_lines=values[TASK_LOG_LINES],
            log_lines_per_s=values[TASK_LOG_LINES_PER_SECOND_MAX],
        )

    @classmethod
    def as_far_as_known(cls, worker: Mapping[str, str], connector: Mapping[str, str | None]) -> Self:
        """The same for a configuration that may be wrong: then those of the worker, or if that is wrong too the defaults."""
        given = {key: value for key, value in connector.items() if value is not None}
        for layers in ((worker, given), (worker, {})):
            try:
                return cls.of(*layers)
            except ConfigException:
                continue
        return cls.of({}, {})


@cache
def _definition() -> ConfigDef:
    definition = ConfigDef()
    define_worker_limits(definition)
    return definition


def define_worker_limits(definition: ConfigDef) -> None:
    """The limits of all connectors that have none of their own."""
    for key in _KEYS:
        definition.define(
            key.name, Type.LONG, key.default, key.range, Importance.LOW, f"{key.doc} (connectd only)", group=GROUP
        )


def define_connector_limits(definition: ConfigDef) -> None:
    """The same keys, left out by default: then the worker's hold."""
    for order, key in enumerate(_KEYS, _BEHIND_JAVAS_KEYS):
        definition.define(
            key.name,
            Type.LONG,
            None,
            _OrLeftOut(key.range),
            Importance.LOW,
            f"{key.doc} Left out, it is the worker's. (connectd only)",
            group=GROUP,
            order=order,
            width=Width.MEDIUM,
        )
