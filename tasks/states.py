"""The words for states, as in the status topic: no imports, so that every process and test may use them."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Of a connector or task, as `org.apache.kafka.connect.runtime.AbstractStatus.State`."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"
    STOPPED = "STOPPED"
    DESTROYED = "DESTROYED"


class TargetState(enum.StrEnum):
    """What an operator wants a connector to be, as `org.apache.kafka.connect.runtime.TargetState`."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class Call(enum.StrEnum):
    """The call into plugin code (or wait) that a child is in: how the supervisor tells busy from hung."""

    NONE = "none"
    IMPORT = "import"
    START = "start"
    POLL = "poll"
    PUT = "put"
    FLUSH = "flush"
    COMMIT = "commit"
    STOP = "stop"
    TASK_CONFIGS = "task_configs"
    VALIDATE = "validate"
    SEND = "send"


class ExitCode(enum.IntEnum):
    """Why a child ended, so that a dead one explains itself. The numbers follow sysexits where it has one."""

    STOPPED = 0
    FAILED = 70  # plugin code raised; the trace was reported before the exit
    OUT_OF_MEMORY = 71  # of its own: the heap of a Java virtual machine is full
    ORPHANED = 75  # the supervisor is gone
    CONFIG = 78  # the configuration is wrong: starting again cannot help
