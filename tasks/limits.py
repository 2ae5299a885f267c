"""Limits that a process sets for itself, before anything of a plugin runs."""

from __future__ import annotations

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
    """Niceness and open files. To be called before threads are started, which would not become nicer."""
    if limits.cpu_nice:
        os.nice(limits.cpu_nice)
    if limits.open_files_max:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = limits.open_files_max if hard == resource.RLIM_INFINITY else min(limits.open_files_max, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
