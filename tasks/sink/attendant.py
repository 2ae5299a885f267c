"""Keeps a sink in its consumer group while the task is busy: whoever does not poll for `max.poll.interval.ms` is thrown out.

When a call of the task takes long, a thread steps in that pauses all partitions and polls. Rebalances that come meanwhile wait
for the end of the call, and what they call of the task runs on the task's own thread: all calls to a task come from there.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from tasks.control import Control

log = structlog.get_logger(__name__)

# A call that takes longer is attended to: rarely, for pausing throws away what was fetched, but well before the group acts.
LONG_CALL_S = 5.0
POLLS_AN_INTERVAL = 3
# While a consumer waits in `poll`, and in the callbacks of that, it counts as polling: no poll may be one that does not wait.
_POLL_S = 0.1

RebalanceCallback = Callable[[Consumer, list[TopicPartition]], None]
T = TypeVar("T")


class Attendant:
    """The task's thread has the consumer, but between `leave` and `come_back`: then the attendant may have it.

    `look` is to be called about once a second by another thread. `assigned` tells the partitions that the task has.
    """

    def __init__(
        self,
        consumer: Consumer,
        control: Control,
        assigned: Callable[[], Sequence[TopicPartition]],
        max_poll_interval_s: float,
    ) -> None:
        self._consumer = consumer
        self._control = control
        self._assigned = assigned
        self._after_s = min(LONG_CALL_S, max_poll_interval_s / POLLS_AN_INTERVAL)
        # Held by whoever has the consumer; the attendant hands it back as it is.
        self._turn = threading.Lock()
        self._turn.acquire()
        self._left_at = 0.0
        self._thread: threading.Thread | None = None
        self._waited_for = threading.Event()
        # What the attendant has for the task's thread: calls of the task, and None when it has gone.
        self._mail: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._messages: list[Message] = []
        self._error: BaseException | None = None
        self.in_callback = False

    # --- the task's thread ------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Before a call of the task."""
        self._left_at = time.monotonic()
        self._turn.release()

    def come_back(self) -> bool:
        """After the call, when all is noted that it has done. True if the attendant was here: partitions are paused then.

        Raises what a rebalance has raised that had to wait for the end of the call.
        """
        if self._turn.acquire(blocking=False):
            return False
        self._waited_for.set()
        while (call := self._mail.get()) is not None:
            call()
        self._thread = None
        self._waited_for.clear()
        error, self._error = self._error, None
        if error is not None:
            raise error
        return True

    def take_messages(self) -> list[Message]:
        """Errors, and what the consumer gave although all partitions were paused."""
        messages, self._messages = self._messages, []
        return messages

    # --- callbacks of the consumer ----------------------------------------------------------------------------------

    def callback(self, carry_out: RebalanceCallback) -> RebalanceCallback:
        """A callback that waits for the end of the call which the attendant stands in for."""

        def call(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            if threading.current_thread() is self._thread:
                self._waited_for.wait()
            self.in_callback = True
            try:
                carry_out(consumer, partitions)
            finally:
                self.in_callback = False

        return call

    def on_tasks_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call it, in a callback: the consumer is used by one thread at a time, so that is the attendant's where it polls."""
        if threading.current_thread() is not self._thread:
            return function(*arguments)
        outcome: Future[T] = Future()

        def call() -> None:
            try:
                outcome.set_result(function(*arguments))
            except BaseException as error:
                outcome.set_exception(error)

        self._mail.put(call)
        return outcome.result()

    # --- others -----------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Step in if the task's thread has been in one call for long."""
        call, _ = self._control.call
        seconds = time.monotonic() - self._left_at
        if seconds < self._after_s or not self._turn.acquire(blocking=False):
            return
        log.info(f"in {call} for {seconds:.1f} s: its partitions are paused, and it stays in its consumer group")
        self._thread = threading.Thread(target=self._attend, name="sink-attendant", daemon=True)
        self._thread.start()

    def _attend(self) -> None:
        try:
            self._consumer.pause(list(self._assigned()))
            while not self._waited_for.is_set():
                message = self._consumer.poll(_POLL_S)
                if message is not None:
                    self._messages.append(message)
        except BaseException as error:
            self._error = error
            self._waited_for.wait()
        finally:
            self._mail.put(None)
