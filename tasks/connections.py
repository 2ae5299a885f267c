"""What becomes of what was sent when nobody answers: a process that is replaced must not write any more."""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import ExitStack, suppress
from typing import Final, NoReturn

_DESCRIPTORS: Final = "/proc/self/fd"
# On, and no time to send the rest: see SO_LINGER in socket(7).
_NO_REST: Final = struct.pack("ii", 1, 0)
_NO_PATIENCE_MS: Final = 1
_LISTENS: Final = (socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def end_at_once(code: int) -> NoReturn:
    """End this process, which others are about to replace."""
    abandon_connections()
    os._exit(code)


def abandon_connections() -> None:
    """Have the kernel throw away what it has sent without an answer to that, or not sent yet: at its next try, or when the
    connection is closed, as by the end of this process.

    It would go on trying for minutes otherwise, and a broker that comes within reach again would get what a worker or a task
    wrote that was replaced long before. Clients of this process's own servers get their answers nevertheless. Where there is
    no /proc nothing is done.
    """
    with suppress(OSError):
        descriptors = [int(each) for each in os.listdir(_DESCRIPTORS)]  # noqa: PTH208
        with ExitStack() as duplicates:
            connections = [each for each in (_duplicate(each, duplicates) for each in descriptors) if each is not None]
            served = {each.getsockname()[1] for each in connections if each.getsockopt(*_LISTENS)}
            for each in connections:
                if each.getsockname()[1] not in served:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_REST)
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _NO_PATIENCE_MS)


def _duplicate(descriptor: int, duplicates: ExitStack) -> socket.socket | None:
    """For the options of a TCP connection, which are those of all of its descriptors."""
    with suppress(OSError):
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            found = duplicates.enter_context(socket.socket(fileno=os.dup(descriptor)))
            if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                return found
    return None
