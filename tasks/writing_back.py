"""Writes dead letters back to topics, as the records that they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tasks.clients import create, worker_admin_settings
from tasks.errors import headers
from tasks.errors.dead_letters import BYTES
from tasks.letters import Letter
from tasks.settings import WorkerConfig

_QUEUE_WAIT_S: Final = 0.1


def refusal(letter: Letter, topic: str | None, most_replays: int) -> str | None:
    """Why a letter cannot be written to a topic; None if it can."""
    if topic is None:
        return "it has no headers that tell its topic; name one with --target"
    if topic == letter.queue:
        return "its topic is the dead letter queue itself"
    if letter.replayed >= most_replays:
        return f"replayed {letter.replayed} times and failed again; see --max-replays"
    if letter.is_of_source and letter.text(headers.FORMAT) != BYTES:
        return "it was not converted yet; replay it with --to pipeline"
    return None


def write_back(worker: WorkerConfig, letters: Sequence[tuple[Letter, str]], timeout_s: float) -> list[str | None]:
    """Write each letter to its topic; returns for each the error, None if it was acknowledged."""
    if not letters:
        return []
    settings = worker_admin_settings(worker, "connectd-dlq-replay")
    settings.conf.update({"acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"})
    producer = create(Producer, settings)
    errors: list[str | None] = ["it was not acknowledged in time"] * len(letters)
    for index, (letter, topic) in enumerate(letters):
        _send(producer, index, letter, topic, errors)
    producer.flush(timeout_s)
    return errors


def _send(producer: Producer, index: int, letter: Letter, topic: str, errors: list[str | None]) -> None:
    def delivered(error: KafkaError | None, message: Message) -> None:
        errors[index] = None if error is None else f"{error.name()}: {error.str()}"

    found: Any = [*letter.headers, (headers.REPLAYED, str(letter.replayed + 1).encode())]
    while True:
        try:
            producer.produce(
                topic,
                letter.value,
                letter.key,
                on_delivery=delivered,
                timestamp=letter.time_ms or 0,
                headers=found,
            )
            return
        except BufferError:
            producer.poll(_QUEUE_WAIT_S)
        except KafkaException as error:
            errors[index] = f"{error.args[0].name()}: {error.args[0].str()}"
            return
