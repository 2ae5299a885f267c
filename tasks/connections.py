"""What becomes of the connections of a process that ends before Kafka has answered everything."""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import suppress
from typing import Final, NoReturn

_DESCRIPTORS: Final = "/proc/self/fd"
# On, and no time to send the rest: see SO_LINGER in socket(7).
_NO_REST: Final = struct.pack("ii", 1, 0)


def end_at_once(code: int) -> NoReturn:
    """End this process, which others are about to replace."""
    abandon_connections()
    os._exit(code)


def abandon_connections() -> None:
    """Have the kernel throw away what it has not sent when this process ends.

    It would go on trying for minutes otherwise, and a broker that comes within reach again would get records of a task that
    was replaced long before. Where there is no /proc nothing is done.
    """
    with suppress(OSError):
        for descriptor in os.listdir(_DESCRIPTORS):  # noqa: PTH208
            with suppress(OSError):
                _abandon(int(descriptor))


def _abandon(descriptor: int) -> None:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        if connection.family in (socket.AF_INET, socket.AF_INET6) and connection.type == socket.SOCK_STREAM:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_REST)
