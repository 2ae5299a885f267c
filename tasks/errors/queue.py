"""The dead letter queue of a task: a topic that records are written to which could not be processed.

A record's offset is committed only once its dead letter is acknowledged. While Kafka does not answer, what was reported is
sent again and again and no offset is committed; what Kafka refuses for good fails the task.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # public, but not in its stubs

from connectd.errors import ConnectException
from tasks.errors.context import ProcessingContext
from tasks.errors.counters import ErrorCounters
from tasks.errors.dead_letters import MakeLetter
from tasks.errors.settings import DeadLetterSettings

log = structlog.get_logger(__name__)

PARTITIONS = 1
REQUEST_TIMEOUT_S = 60.0
# How long one wait lasts before orders to stop are looked at again.
WAIT_S = 0.05
SERVE_S = 0.5


class DeadLetterQueue:
    """An ErrorReporter. The producer is made with the first dead letter: most tasks never need it."""

    def __init__(
        self,
        settings: DeadLetterSettings,
        letter: MakeLetter,
        connect: Callable[[], Producer],
        counters: ErrorCounters,
        stopping: threading.Event,
    ) -> None:
        self._topic = settings.topic
        self._letter = letter
        self._connect = connect
        self._counters = counters
        self._stopping = stopping
        self._producer: Producer | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._server: threading.Thread | None = None
        self._failure: str | None = None

    def report(self, context: ProcessingContext) -> Future[None]:
        self._counters.dlq_requests += 1
        letter = self._letter(context)
        written: Future[None] = Future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(self._failed(error))

        producer = self._open()
        while True:
            try:
                producer.produce(
                    self._topic,
                    letter.value,
                    letter.key,
                    on_delivery=delivered,
                    timestamp=letter.timestamp or 0,
                    headers=letter.headers,  # type: ignore[arg-type]  # its stubs forget that lists are invariant
                )
                return written
            except BufferError:
                # The thread that serves the producer makes room.
                if self._stopping.wait(WAIT_S):
                    written.set_exception(ConnectException("The task was stopped before the dead letter was written"))
                    return written
            except KafkaException as error:
                written.set_exception(self._failed(error.args[0]))
                return written

    def _failed(self, error: KafkaError) -> ConnectException:
        self._counters.dlq_failures += 1
        failure = f"Could not produce a record to dead letter queue {self._topic}: {error.name()}: {error.str()}"
        log.error(failure)
        self._failure = self._failure or failure
        return ConnectException(failure)

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise ConnectException(self._failure)

    def await_reports(self, timeout_s: float | None) -> bool:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        warn_at = time.monotonic() + REQUEST_TIMEOUT_S
        while self._producer is not None and self._failure is None and self._producer.flush(WAIT_S):
            now = time.monotonic()
            if self._stopping.is_set() if deadline is None else now >= deadline:
                return False
            if now >= warn_at:
                warn_at = now + REQUEST_TIMEOUT_S
                log.warning(
                    "dead letters are not acknowledged; no offsets are committed until they are", topic=self._topic
                )
        self.raise_failure()
        return True

    def close(self, timeout_s: float) -> None:
        self._closed.set()
        if self._producer is not None and self._producer.flush(timeout_s):
            log.warning("stopping with dead letters that were not acknowledged; their records will be read again")
        if self._server is not None:
            self._server.join()

    def _open(self) -> Producer:
        with self._lock:
            if self._producer is None:
                self._producer = self._connect()
                # Whoever waits for a dead letter to be written need not serve the producer, which they cannot know of.
                self._server = threading.Thread(target=self._serve, daemon=True, name="dead-letter-queue")
                self._server.start()
            return self._producer

    def _serve(self) -> None:
        assert self._producer is not None
        while not self._closed.is_set():
            self._producer.poll(SERVE_S)


def create_topic(admin: AdminClient, settings: DeadLetterSettings) -> None:
    """Create the dead letter queue if it does not exist, with one partition as in Java. Raises ConnectException."""
    topic = settings.topic
    try:
        if topic in admin.list_topics(timeout=REQUEST_TIMEOUT_S).topics:
            return
        log.info(f"topic {topic} does not exist, creating it as dead letter queue")
        wanted = NewTopic(topic, num_partitions=PARTITIONS, replication_factor=settings.replication_factor)
        created: Future[None] = admin.create_topics([wanted], request_timeout=REQUEST_TIMEOUT_S)[topic]
        created.result(REQUEST_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise ConnectException(
                f"Could not initialize dead letter queue with topic={topic} (replication factor"
                f" {settings.replication_factor}): {error.args[0].name()}: {error.args[0].str()}"
            ) from error
