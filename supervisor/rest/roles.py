"""The roles of callers of the REST API."""

from __future__ import annotations

import enum


class Role(enum.IntEnum):
    """What a caller may do; each includes the ones before it."""

    READ = 1
    OPERATE = 2  # pause, resume, stop, restart
    ADMIN = 3  # create, configure, delete, change offsets, change log levels
