"""A child's side of the conversation with the supervisor: orders come in on one thread, the work looks at them here."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future

from connectd.errors import ConfigException, ConnectException, PluginNotFound
from tasks.channel import ChannelClosed, ChildChannel
from tasks.connections import end_at_once
from tasks.deadline import Deadline, boottime, sleep_until
from tasks.logs import set_levels
from tasks.messages import (
    ChangeTargetState,
    CommitOffsets,
    ForgetTopics,
    Lease,
    OffsetsCommitted,
    OffsetsRead,
    Order,
    PreflightCheck,
    PreflightChecked,
    ReadOffsets,
    Report,
    SetLogLevels,
    StateChanged,
    Stop,
    TopicsUsed,
)
from tasks.states import Call, ExitCode, State, TargetState

# A task that waits for permission to start looks so often whether it is to stop.
PREFLIGHT_LOOK_S = 0.2

Answer = OffsetsRead | OffsetsCommitted | PreflightChecked


class OffsetStoreError(Exception):
    """The supervisor could not read or write source offsets; the message says why."""


class PreflightFailed(ConnectException):
    """A source that delivers exactly once may not start now; the message says why."""


class Control:
    """What the supervisor wants of this child now, and the way to report back.

    One reader thread receives orders; all methods may be called from any thread. `end` ends the process when the supervisor
    is gone, without a word to anybody: nobody may outlive it.
    """

    def __init__(
        self,
        channel: ChildChannel,
        generation: int,
        target_state: TargetState,
        end: Callable[[int], object] = end_at_once,
    ) -> None:
        self._end = end
        self.generation = generation
        self.stopping = threading.Event()
        self.target_state = target_state
        # The call that the work is in, and since when: read by the heartbeat, replaced as one so that it is never torn.
        self.call: tuple[Call, float] = (Call.NONE, time.monotonic())
        self._failure: StateChanged | None = None
        # What else is to be done by the thread that comes along every second.
        self.on_heartbeat: Callable[[], None] = lambda: None
        # Called when the work is to stop, to pause or to go on, by another thread than its own.
        self.on_change: Callable[[], object] = lambda: None
        # Called with each order after it was obeyed, by the thread that reads them.
        self.on_order: Callable[[Order], None] = lambda order: None
        # Until when this process may run without hearing of the supervisor, on the clock of `boottime`.
        self._lease: float | None = None
        self._deadline: Deadline | None = None
        self._channel = channel
        self._changed = threading.Condition()
        self._requests = itertools.count(1)
        self._waiting: dict[int, Future[Answer]] = {}
        self.tracks_topics = False
        self._topics: set[str] = set()

    def start_reading(self) -> None:
        """Start the thread that receives orders."""
        threading.Thread(target=self._read_orders, name="orders", daemon=True).start()

    def _read_orders(self) -> None:
        try:
            while True:
                order = self._channel.receive()
                self._obey(order)
                self.on_order(order)
        except ChannelClosed:
            self._end(ExitCode.ORPHANED)

    def _obey(self, order: Order) -> None:
        match order:
            case Stop():
                with self._changed:
                    self.stopping.set()
                    self._changed.notify_all()
                self.on_change()
            case ChangeTargetState(target_state=target_state):
                with self._changed:
                    self.target_state = target_state
                    self._changed.notify_all()
                self.on_change()
            case SetLogLevels(levels=levels):
                set_levels(levels)
            case ForgetTopics():
                self._topics.clear()
            case Lease():
                self._take_lease(order)
            case OffsetsRead(request=request) | OffsetsCommitted(request=request) | PreflightChecked(request=request):
                future = self._waiting.pop(request, None)
                if future is not None:
                    future.set_result(order)
            case _:
                raise AssertionError(f"a running child was ordered to {order!r}")

    def _take_lease(self, lease: Lease) -> None:
        self._lease = lease.until
        if self._deadline is None:
            self._deadline = Deadline()
            # A thread of its own: others may be waiting for a supervisor that was stopped.
            threading.Thread(target=self._end_without_lease, name="lease", daemon=True).start()
        self._deadline.set(lease.gone_by)

    def _end_without_lease(self) -> None:
        assert self._lease is not None
        while boottime() < self._lease:
            # Another one that comes meanwhile ends later; of a process that was stopped or suspended this ends as it goes on.
            sleep_until(self._lease)
        self._end(ExitCode.ORPHANED)

    # --- what the work asks -------------------------------------------------------------------------------------------

    @property
    def should_run(self) -> bool:
        """Neither stopping nor paused."""
        return not self.stopping.is_set() and self.target_state is TargetState.STARTED

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until a stop or pause is ordered; True if one was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.should_run, seconds)

    def wait_while_paused(self, seconds: float) -> None:
        """Sleep until resumed or stopped, at the most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopping.is_set() or self.target_state is TargetState.STARTED, seconds)

    def enter(self, call: Call) -> None:
        """Note that the work is in this call from now on."""
        self.call = (call, time.monotonic())

    def use_topic(self, topic: str) -> None:
        """Note that the task uses this topic; the supervisor hears of each one once, if it wants to."""
        if topic not in self._topics:
            self._topics.add(topic)
            if self.tracks_topics:
                self.send(TopicsUsed(generation=self.generation, topics=[topic]))

    # --- reports ------------------------------------------------------------------------------------------------------

    def send(self, report: Report) -> None:
        """Report to the supervisor; without one the process ends."""
        try:
            self._channel.send(report)
        except ChannelClosed:
            self._end(ExitCode.ORPHANED)

    def report_state(self, state: State, trace: str | None = None, *, config_error: bool = False) -> None:
        """Report this child's state."""
        self.send(StateChanged(generation=self.generation, state=state, trace=trace, config_error=config_error))

    def note_failure(self) -> StateChanged:
        """Tell of the error that is being handled, with its trace and whether starting again could help.

        To be called at once, for whatever is called of the plugin afterwards may hang or fail, too. Only the first counts.
        """
        config_error = isinstance(sys.exception(), ConfigException | PluginNotFound)
        return self.note_failed(traceback.format_exc(), config_error=config_error)

    def note_failed(self, trace: str, *, config_error: bool) -> StateChanged:
        """The same for an error of which there is only the trace."""
        if self._failure is None:
            self._failure = StateChanged(
                generation=self.generation, state=State.FAILED, trace=trace, config_error=config_error, closing=True
            )
            self.send(self._failure)
        return self._failure

    def report_failure(self) -> ExitCode:
        """Report that the work has failed and everything is closed; the code to end with."""
        failure = self.note_failure()
        self.report_state(State.FAILED, failure.trace, config_error=failure.config_error)
        return ExitCode.CONFIG if failure.config_error else ExitCode.FAILED

    # --- source offsets that the supervisor keeps ---------------------------------------------------------------------

    def read_offsets(self, keys: list[bytes], timeout_s: float) -> list[bytes | None]:
        """Stored values in the order of the keys. Raises OffsetStoreError."""
        request, future = self._new_request()
        self.send(ReadOffsets(generation=self.generation, request=request, keys=keys))
        answer = self._await(request, future, timeout_s, "reading")
        assert isinstance(answer, OffsetsRead)
        return answer.values

    def commit_offsets(
        self, entries: list[tuple[bytes, bytes | None]], timeout_s: float, *, copied: bool = False
    ) -> None:
        """Returns when the entries are durable. Raises OffsetStoreError; whether they were stored is then unknown."""
        request, future = self._new_request()
        self.send(CommitOffsets(generation=self.generation, request=request, entries=entries, copied=copied))
        self._await(request, future, timeout_s, "writing")

    def _new_request(self) -> tuple[int, Future[Answer]]:
        request = next(self._requests)
        future: Future[Answer] = Future()
        self._waiting[request] = future
        return request, future

    def _await(self, request: int, future: Future[Answer], timeout_s: float, verb: str) -> Answer:
        try:
            answer = future.result(timeout_s)
        except TimeoutError:
            self._waiting.pop(request, None)
            raise OffsetStoreError(f"{verb} source offsets took longer than {timeout_s:g} s") from None
        if answer.error is not None:
            raise OffsetStoreError(answer.error)
        return answer

    # --- exactly-once sources -----------------------------------------------------------------------------------------

    def check_preflight(self, *, claimed: bool) -> None:
        """Before a source claims its transactional id, and again when it has `claimed` it: returns when it may go on.

        Raises PreflightFailed if it may not, or was ordered to stop meanwhile.
        """
        request, future = self._new_request()
        self.send(PreflightCheck(generation=self.generation, request=request, claimed=claimed))
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                error = future.result(PREFLIGHT_LOOK_S).error
                if error is not None:
                    raise PreflightFailed(error)
                return
        self._waiting.pop(request, None)
        raise PreflightFailed("the task was ordered to stop before it had started")
