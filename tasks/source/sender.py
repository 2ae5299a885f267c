"""Hands records to the producer: back pressure when its queue is full, and the first delivery that failed for good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import length_hint

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectd.errors import ConnectException
from tasks.control import Control
from tasks.pipeline import Header

log = structlog.get_logger(__name__)

DeliveryCallback = Callable[[KafkaError | None, Message | None], None]

# How long one wait for room in a full queue lasts before stop orders and failed deliveries are looked at again.
QUEUE_WAIT_S = 0.05
UNASSIGNED_PARTITION = -1
# For the first connection; without one sending goes on into the producer's queue.
MEETING_TIMEOUT_S = 1.0


class SendAbandoned(Exception):
    """The task was ordered to stop while records could not be sent: they stay uncommitted."""


class NotSent(Exception):
    """The producer refuses a record for good: of those that it was to send the one at `index`. Those before it are under way."""

    def __init__(self, index: int, error: KafkaException) -> None:
        self.index = index
        self.reason: KafkaError = error.args[0]
        super().__init__(self.reason.str())


class Sender:
    """All calls come from the task's thread, but for `serve_quietly`."""

    def __init__(self, producer: Producer, control: Control) -> None:
        self._producer = producer
        self._produce = producer.produce
        self._control = control
        self._failure: str | None = None
        self._met_broker = False
        # Callbacks count acknowledgements without locks of their own, so only one thread at a time may run them.
        self._serving = threading.Lock()

    def _use(self, topic: str) -> None:
        self._control.use_topic(topic)
        if not self._met_broker:
            # librdkafka asks for its producer id after an answer about topics. The first one comes from the address that it
            # was given, the connection to the broker itself is made after that, and so it asks in vain and tries again only
            # half a second later. After the second answer there is a connection.
            self._met_broker = True
            with suppress(KafkaException):
                for _ in range(2):
                    self._producer.list_topics(topic, timeout=MEETING_TIMEOUT_S)

    def send_values(self, topic: str, values: Sequence[bytes | None], delivered: DeliveryCallback) -> None:
        """Send a column of values without keys."""
        self._use(topic)
        produce = self._produce
        left = iter(values)
        for value in left:
            try:
                produce(topic, value, None, UNASSIGNED_PARTITION, delivered)
            except BufferError:
                self._send_when_there_is_room(topic, value, None, UNASSIGNED_PARTITION, delivered)
            except KafkaException as error:
                raise NotSent(len(values) - length_hint(left) - 1, error) from error

    def send_keyed(
        self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None], delivered: DeliveryCallback
    ) -> None:
        """Send a column of values with their keys."""
        self._use(topic)
        produce = self._produce
        left = iter(values)
        for key, value in zip(keys, left, strict=True):
            try:
                produce(topic, value, key, UNASSIGNED_PARTITION, delivered)
            except BufferError:
                self._send_when_there_is_room(topic, value, key, UNASSIGNED_PARTITION, delivered)
            except KafkaException as error:
                raise NotSent(len(values) - length_hint(left) - 1, error) from error

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int | None,
        delivered: DeliveryCallback,
        timestamp: int | None,
        headers: list[Header] | None,
    ) -> None:
        """Send one record with all that it may carry."""
        self._use(topic)
        # The callback stands twice: librdkafka's binding knows it under two names, before the timestamp.
        where = UNASSIGNED_PARTITION if partition is None else partition
        arguments = (value, key, where, delivered, delivered, timestamp or 0, headers or [])
        try:
            self._produce(topic, *arguments)  # type: ignore[arg-type]
        except BufferError:
            self._send_when_there_is_room(topic, *arguments)
        except KafkaException as error:
            raise NotSent(0, error) from error

    def _send_when_there_is_room(self, topic: str, *arguments: object) -> None:
        while True:
            with self._serving:
                self._producer.poll(QUEUE_WAIT_S)
            self.raise_failure()
            if self._control.stopping.is_set():
                raise SendAbandoned
            try:
                self._produce(topic, *arguments)  # type: ignore[arg-type]
                return
            except BufferError:
                continue
            except KafkaException as error:
                raise ConnectException(f"The producer takes no more records: {error.args[0].str()}") from error

    def serve(self) -> None:
        """Run the delivery callbacks that are due, then raise the first failure if there was one."""
        self.serve_quietly()
        self.raise_failure()

    def serve_quietly(self) -> None:
        """Run the delivery callbacks that are due; a failure is raised by the next call from the task's thread."""
        with self._serving:
            self._producer.poll(0)

    def flush(self, timeout_s: float) -> bool:
        """Wait for all that was sent; True if nothing is left unacknowledged."""
        with self._serving:
            return self._producer.flush(timeout_s) == 0

    @property
    def unacknowledged(self) -> int:
        """How many records are on their way."""
        return len(self._producer)

    def skip(self, delivered: DeliveryCallback) -> None:
        """Acknowledge a record that is not to be sent."""
        with self._serving:
            delivered(None, None)

    def delivery_failed(self, error: KafkaError, message: Message | None, where: str) -> None:
        """Remember the first delivery that the producer gave up on; `where` says where in the source the record came from."""
        if self._failure is None:
            what = "" if message is None else f" of {len(message)} bytes for {message.topic()}-{message.partition()}"
            self._failure = f"{error.name()}: {error.str()} (a record{what}{where})"
            log.error("the producer failed to deliver", error=self._failure)

    def raise_failure(self) -> None:
        """Raises ConnectException if a delivery failed for good."""
        if self._failure is not None:
            raise ConnectException(f"Unrecoverable error of the producer: {self._failure}")
