"""What may go wrong with the storage topics."""

from __future__ import annotations

import time
from typing import Final

import structlog
from confluent_kafka import KafkaError

from connectd.errors import ConnectException

log = structlog.get_logger(__name__)

NOT_ALLOWED: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._UNSUPPORTED_FEATURE,
    }
)
UNREACHABLE: Final = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
_SAY_AGAIN_S: Final = 60.0
_WRITTEN_NEVER: Final = NOT_ALLOWED | {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_MSG,
    KafkaError.POLICY_VIOLATION,
    KafkaError._FATAL,
    KafkaError._DESTROY,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
}


class StorageUnavailable(ConnectException):
    """Kafka did not answer in time, or refused; the message names the topic."""


class WriteFailed(ConnectException):
    """A record was not written to a topic, as far as is known. `retriable` if that may be otherwise next time."""

    def __init__(self, topic: str, error: KafkaError) -> None:
        super().__init__(f"cannot write to topic {topic}: {explained(error)}")
        self.retriable = error.code() not in _WRITTEN_NEVER


class WriteRefused(ConnectException):
    """A record was not written to a topic, for this worker may not write it now."""

    def __init__(self, topic: str, why: str) -> None:
        super().__init__(f"topic {topic} may not be written to now: {why}")


class PrivilegedWriteException(ConnectException):
    """A write that only the leader may make has failed: probably another worker is the leader now."""


class Trouble:
    """Logs what a client complains about; as long as it lasts it comes again and again, and is said once a minute."""

    def __init__(self, topic: str, doing: str) -> None:
        self._topic = topic
        self._doing = doing
        self._said = -_SAY_AGAIN_S

    def __call__(self, error: KafkaError) -> None:
        """Called by any thread."""
        now = time.monotonic()
        if now - self._said >= _SAY_AGAIN_S:
            self._said = now
            log.warning(f"trouble while {self._doing} topic {self._topic}: {explained(error)}", topic=self._topic)


def explained(error: KafkaError) -> str:
    """An error of librdkafka or a broker for humans."""
    return f"{error.str()} ({error.name()})"
