"""The source loop: poll, transform, convert, send, and commit the offsets of what the broker has acknowledged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from confluent_kafka import Message

from connectd.errors import ConnectException, RetriableException
from connectd.records import RecordMetadata, SourceBatch, SourceRecord
from connectd.tasks import SourceTask
from tasks.control import Control, OffsetStoreError
from tasks.pipeline import Pipeline
from tasks.source.counters import SourceCounters
from tasks.source.delivery import Acknowledged, Delivery, Topics
from tasks.source.offsets import OffsetTracker
from tasks.source.sender import SendAbandoned, Sender
from tasks.states import Call, State
from tasks.throttle import Throttle

T = TypeVar("T")
Polled = Sequence[SourceRecord] | SourceBatch | None

log = structlog.get_logger(__name__)

# While the source blocks in poll, acknowledgements are served this often from another thread.
ATTENDANT_INTERVAL_S = 0.5
RETRY_BACKOFF_S = 1.0
PAUSE_CHECK_S = 0.5
LAG_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What the loop needs of the settings; times in seconds."""

    commit_interval_s: float
    shutdown_timeout_s: float
    throttle: Throttle | None = None


class Commits(Protocol):
    """Makes durable how far the source was read."""

    def commit(self) -> bool:
        """Commit all that may be committed; True if there was anything. Raises OffsetStoreError if it is to be tried again."""


class SourceLoop:
    """Runs one source task from start to stop. `run` returns when the task was ordered to stop and raises when it failed."""

    def __init__(
        self,
        task: SourceTask,
        pipeline: Pipeline,
        sender: Sender,
        tracker: OffsetTracker,
        offsets: Commits,
        topics: Topics,
        control: Control,
        counters: SourceCounters,
        limits: SourceLimits,
    ) -> None:
        self._task = task
        self._sender = sender
        self._tracker = tracker
        self._offsets = offsets
        self._control = control
        self._counters = counters
        self._limits = limits
        self._throttle = limits.throttle
        self._next_commit = time.monotonic() + limits.commit_interval_s
        self._committed = threading.Event()
        self._ended = threading.Event()
        self._attendant_error: Exception | None = None
        # commit_record costs time for each record: only for tasks that want it.
        self._acknowledged: Acknowledged | None = (
            deque() if type(task).commit_record is not SourceTask.commit_record else None
        )
        self._tells_lag = type(task).lag is not SourceTask.lag
        self._next_lag = 0.0
        self._errors = pipeline.errors
        self._delivery = Delivery(
            pipeline, sender, tracker, topics, counters, limits.throttle, self._acknowledged, self._rest_before_retry
        )

    def prepare(self) -> None:
        """To be called before the task starts. Raises ConnectException if it may not, or is to stop."""

    def run(self) -> None:
        """From the started task to its last commit."""
        attendant = threading.Thread(target=self._attend, name="source-attendant", daemon=True)
        attendant.start()
        try:
            self._loop()
        except BaseException:
            self._control.note_failure()
            raise
        finally:
            self._ended.set()
            attendant.join()
            self._finish()

    def _loop(self) -> None:
        while True:
            if not self._control.should_run:
                self._before_rest()
            self._rest_while_paused()
            if self._control.stopping.is_set():
                return
            batch = self._poll()
            try:
                self._take(batch)
            except SendAbandoned:
                return
            self._serve()
            if self._throttle is not None:
                self._rest(self._throttle)

    def _take(self, batch: Polled) -> None:
        """What a poll has brought. Raises SendAbandoned when the task is ordered to stop before that is done."""
        if batch:
            self._delivery.send(batch)

    def _before_rest(self) -> None:
        """Between two polls, when the task is to pause or to stop."""

    def _rest(self, throttle: Throttle) -> None:
        """Until more records may be moved."""
        self._control.enter(Call.NONE)
        while (wait_s := throttle.wait_s) > 0 and self._control.should_run:
            self._control.wait(min(wait_s, ATTENDANT_INTERVAL_S))
            self._serve()

    def _rest_while_paused(self) -> None:
        if self._control.should_run or self._control.stopping.is_set():
            return
        self._control.enter(Call.NONE)
        self._control.report_state(State.PAUSED)
        while not self._control.should_run and not self._control.stopping.is_set():
            self._serve()
            self._control.wait_while_paused(PAUSE_CHECK_S)
        if not self._control.stopping.is_set():
            self._control.report_state(State.RUNNING)

    def _poll(self) -> Polled:
        self._control.enter(Call.POLL)
        started = time.monotonic()
        try:
            batch = self._task.poll()
        except RetriableException as error:
            log.warning("source poll failed, trying again", error=str(error), backoff_s=RETRY_BACKOFF_S)
            self._control.wait(RETRY_BACKOFF_S)
            return None
        finally:
            self._control.enter(Call.SEND)
        if batch:
            self._counters.record_poll(len(batch), time.monotonic() - started)
        return batch

    def _rest_before_retry(self) -> None:
        """Before what could not be sent is tried again. Raises SendAbandoned when the task is to stop."""
        self._serve()
        self._control.wait(RETRY_BACKOFF_S)
        self._rest_while_paused()
        if self._control.stopping.is_set():
            raise SendAbandoned

    # --- acknowledgements and commits ---------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Between polls: run delivery callbacks and tell the task what was acknowledged and committed."""
        self._delivery.serve()
        self._errors.raise_failure()
        if self._attendant_error is not None:
            raise self._attendant_error
        self._tell_task()
        self._note_lag()

    def _note_lag(self) -> None:
        if not self._tells_lag or time.monotonic() < self._next_lag:
            return
        self._next_lag = time.monotonic() + LAG_INTERVAL_S
        try:
            self._counters.lag = dict(self._task.lag())
        except Exception as error:  # it is for metrics only
            log.warning("the source could not tell its lag", error=str(error))
            self._tells_lag = False

    def _attend(self) -> None:
        """Commits offsets at each interval, from a thread of its own: neither a source that waits for data for hours nor a
        full queue holds commits up, and a commit does not hold up the source."""
        try:
            while not self._ended.wait(min(ATTENDANT_INTERVAL_S, max(self._next_commit - time.monotonic(), 0))):
                call, since = self._control.call
                if call is Call.POLL and time.monotonic() - since > ATTENDANT_INTERVAL_S:
                    self._sender.serve_quietly()
                if time.monotonic() >= self._next_commit:
                    self._commit()
        except Exception as error:
            self._attendant_error = error

    def _commit(self) -> None:
        started = time.monotonic()
        self._next_commit = started + self._limits.commit_interval_s
        failed = False
        try:
            if self._offsets.commit():
                self._committed.set()
        except OffsetStoreError as error:
            failed = True
            log.error("failed to commit source offsets, trying again at the next interval", error=str(error))
        self._counters.record_commit(time.monotonic() - started, failed=failed)
        self._counters.active = self._tracker.unacknowledged

    def _tell_task(self) -> None:
        """The task's own commit hooks, always on its own thread. As in Java, their errors do not fail the task."""
        if not self._acknowledged and not self._committed.is_set():
            return
        self._control.enter(Call.COMMIT)
        while self._acknowledged:
            record, message = self._acknowledged.popleft()
            try:
                self._task.commit_record(record, None if message is None else _metadata(message))
            except Exception:
                log.exception("the task's commit_record failed")
        if self._committed.is_set():
            self._committed.clear()
            try:
                self._task.commit()
            except Exception:
                log.exception("the task's commit failed")
        self._control.enter(Call.NONE)

    def _finish(self) -> None:
        """Wait for what was sent and commit it, within the time that a graceful stop has, also when the task failed."""
        # A part of the time is kept for the commit and for the task's own stop.
        if not self._sender.flush(self._limits.shutdown_timeout_s * 0.6):
            log.warning("stopping with records that the broker has not acknowledged; they will be sent again")
        try:
            self._delivery.serve()
            self._errors.await_reports(self._limits.shutdown_timeout_s * 0.1)
        except ConnectException as error:
            log.warning("not all records that failed could be reported; they will be read again", error=str(error))
        self._commit()
        self._tell_task()


def _metadata(message: Message) -> RecordMetadata:
    return RecordMetadata(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1]
    )
