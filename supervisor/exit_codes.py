"""The exit codes of the command line, in one place; `docs/commands.md` explains them."""

from __future__ import annotations

import enum


class CommandExit(enum.IntEnum):
    """Where sysexits has a number for the case, it is that one."""

    OK = 0
    USAGE = 2  # click's own, for an unknown option or argument
    REFUSED = 65  # a worker turned a request down, or what was to be installed is wrong
    UNAVAILABLE = 69  # something needed is in use or cannot be had: the offset file, a process, a worker
    FAILED = 70  # an error of connectd itself
    NOT_YET = 75  # what was waited for did not come in time
    CONFIG = 78  # a worker or connector file is wrong
    KILLED = 137  # a second signal ended it before its tasks had stopped
