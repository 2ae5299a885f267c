"""Waiting for what comes to a consumer, in a way that others can end.

A thread that waits in `poll` or `consume` of confluent_kafka wakes up five times a second to look for signals, and nobody else
can wake it. One that waits here sleeps until librdkafka says that there is something (`rd_kafka_queue_io_event_enable`).
"""

from __future__ import annotations

import ctypes
import math
import select
import socket
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import Consumer, cimpl

from tasks.clients.lasting import handle_of

_SIGN: Final = b"!"


class Arrivals:
    """Of one consumer, whose thread calls `clear`, then polls, and calls `wait` if there was nothing: what comes after `clear` is
    polled or ends the wait. `wake` may be called by any thread at any time."""

    def __init__(self, consumer: Consumer) -> None:
        self._librdkafka: Any = ctypes.CDLL(cimpl.__file__)
        self._librdkafka.rd_kafka_queue_get_consumer.restype = ctypes.c_void_p
        self._queue = ctypes.c_void_p(
            self._librdkafka.rd_kafka_queue_get_consumer(ctypes.c_void_p(handle_of(consumer)))
        )
        self._ours, self._theirs = socket.socketpair()
        for each in (self._ours, self._theirs):
            each.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._ours, select.POLLIN)
        self._tell(self._theirs.fileno())

    def clear(self) -> None:
        """Forget what has come."""
        with suppress(BlockingIOError):
            self._ours.recv(4096)

    def wait(self, seconds: float) -> None:
        """Until something comes, but no longer than so."""
        self._poll.poll(math.ceil(seconds * 1000))

    def wake(self) -> None:
        """End the wait, or the next one."""
        with suppress(OSError):  # one that is full wakes, too; who is closed waits no more
            self._theirs.send(_SIGN)

    def close(self) -> None:
        """To be called before the consumer is closed."""
        self._tell(-1)
        self._librdkafka.rd_kafka_queue_destroy(self._queue)
        self._ours.close()
        self._theirs.close()

    def _tell(self, descriptor: int) -> None:
        self._librdkafka.rd_kafka_queue_io_event_enable(
            self._queue, ctypes.c_int(descriptor), _SIGN, ctypes.c_size_t(len(_SIGN))
        )
