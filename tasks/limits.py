"""Limits that a process sets for itself, before anything of a plugin runs."""

from __future__ import annotations

import gc
import os
import resource

from tasks.messages import (
    AlterOffsets,
    DescribePlugin,
    ListOffsets,
    ListPlugins,
    Order,
    ReplayLetters,
    RunConnector,
    RunTask,
    TryTransforms,
    Validate,
)
from tasks.settings import Limits

# Python's collector looks for cycles after each 700 new objects. A batch has thousands, none in a cycle: that took a fifth of
# the time of a record.
_COLLECTOR_THRESHOLDS = (10_000, 20, 50)


def limits_of(order: Order) -> Limits:
    """The limits of the process that is to carry out this order."""
    match order:
        case RunTask():
            return Limits.as_far_as_known(order.worker_config, order.connector_config)
        case RunConnector() | Validate() | ListOffsets() | AlterOffsets() | TryTransforms() | ReplayLetters():
            return Limits.as_far_as_known(order.worker_config, order.config)
        case ListPlugins() | DescribePlugin():
            return Limits.as_far_as_known(order.worker_config, {})
        case _:
            return Limits.as_far_as_known({}, {})


def apply_limits(limits: Limits) -> None:
    """Niceness, open files, and how often cycles are looked for. To be called before threads are started, which would not
    become nicer."""
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)
    if limits.cpu_nice:
        os.nice(limits.cpu_nice)
    if limits.open_files_max:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = limits.open_files_max if hard == resource.RLIM_INFINITY else min(limits.open_files_max, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
