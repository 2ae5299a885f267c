"""The writer of a storage topic: what it hands to its producer, and when; the producer answers when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError

from supervisor.storage import writer as writer_module
from supervisor.storage.errors import WriteFailed, WriteRefused
from supervisor.storage.writer import Writer
from tasks.clients import ClientSettings
from tasks.clients.translated import ClientConf


class Message:
    """As far as the writer looks at it."""

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 41


class FakeProducer:
    """Keeps what it gets; callbacks run in `poll`, as librdkafka's do."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, bytes]] = []
        self._open: list[Callable[..., None]] = []
        self._due: list[Callable[[], None]] = []

    def produce(
        self, topic: str, value: bytes, key: bytes, *, on_delivery: Callable[..., None], headers: list[Any]
    ) -> None:
        self.got.append((key, value))
        self._open.append(on_delivery)

    def answer(self, error: KafkaError | None = None) -> None:
        """To what has waited longest."""
        delivered = self._open.pop(0)
        self._due.append(lambda: delivered(error, Message()))

    def purge(self) -> None:
        while self._open:
            self.answer(KafkaError(KafkaError._PURGE_INFLIGHT))

    def poll(self, timeout: float) -> None:
        while self._due:
            self._due.pop(0)()

    flush = poll


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProducer]:
    found = FakeProducer()
    monkeypatch.setattr(writer_module, "create_lasting", lambda *_, **__: found)
    monkeypatch.setattr(writer_module, "_POLL_S", 0.0)
    yield found


def writer() -> Writer:
    return Writer("t", ClientSettings(conf=ClientConf(), warnings=[], origins={}))


async def test_keys_do_not_wait_for_each_other_but_for_what_was_sent_of_them_before(producer: FakeProducer) -> None:
    here = writer()
    sent = [here.send(key, value) for key, value in [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1")]]
    assert producer.got == [(b"a", b"1"), (b"b", b"1")]
    producer.answer()
    assert await sent[0] == (0, 42)
    assert producer.got[2:] == [(b"a", b"2"), (b"c", b"1")]
    for _ in range(3):
        producer.answer()
    await asyncio.gather(*sent)
    await here.close(1)


@pytest.mark.parametrize("error", [None, KafkaError(KafkaError._MSG_TIMED_OUT)])
async def test_whether_it_may_be_written_is_asked_when_it_is_its_turn(
    producer: FakeProducer, error: KafkaError | None
) -> None:
    """A worker that stood still learns first how its last write went, and would make the next one."""
    here, why = writer(), []
    first, second, always = here.send(b"a", b"1"), here.send(b"a", b"2", lambda: why[0]), here.send(b"b", b"1")
    why.append("others have taken over")
    producer.answer(error)
    with pytest.raises(WriteRefused, match="topic t may not be written to now: others have taken over"):
        await second
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], WriteFailed) is (error is not None)
    assert producer.got == [(b"a", b"1"), (b"b", b"1")]
    producer.answer()
    await always
    await here.close(1)


async def test_what_is_abandoned_is_never_handed_over(producer: FakeProducer) -> None:
    here = writer()
    sent = [here.send(b"a", value) for value in (b"1", b"2")]
    here.abandon()
    results: list[Any] = await asyncio.gather(*sent, return_exceptions=True)
    assert [(type(each), each.retriable) for each in results] == [(WriteFailed, False)] * 2
    assert producer.got == [(b"a", b"1")]
    await here.close(1)
