"""Statuses: who may write them, until when a write is tried again, and what of late ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import structlog
from confluent_kafka import KafkaError

from supervisor.storage import status_log
from supervisor.storage.errors import WriteFailed
from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import TopicStatus, WorkStatus, read_status, status_key, status_value
from supervisor.storage.tail import LogRecord
from supervisor.storage.writer import Refusal
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tasks.states import State
from tests.support.processes import until
from tests.support.storage import worker_props

TASK = UnitId("a", 0)
CONNECTOR = UnitId("a")
TIMED_OUT = WriteFailed("statuses", KafkaError(KafkaError._MSG_TIMED_OUT))
TOO_LARGE = WriteFailed("statuses", KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))


class FakeLog:
    """A topic whose writes succeed, and are read back, when a test says so."""

    def __init__(self, settings: object, apply: Callable[[LogRecord], None]) -> None:
        self.apply = apply
        self.sent: list[tuple[bytes, bytes | None, asyncio.Future[tuple[int, int]]]] = []
        FakeLog.last = self

    last: FakeLog

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        for _, _, future in self.sent:
            if not future.done():
                future.set_exception(WriteFailed("statuses", KafkaError(KafkaError._PURGE_QUEUE)))

    def send(self, key: bytes, value: bytes | None, refusal: Refusal) -> asyncio.Future[tuple[int, int]]:
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self.sent.append((key, value, future))
        return future

    def read(self, unit: UnitId, status: WorkStatus) -> None:
        """Somebody has written this."""
        self.apply(LogRecord(status_key(unit).encode(), status_value(status), 0, 0, 0))

    def states(self) -> list[State | None]:
        """What was sent until now."""
        return [None if value is None else read_status(value).state for _, value, _ in self.sent]


def of(state: State, worker: str = "me", generation: int = 1) -> WorkStatus:
    return WorkStatus(state=state, worker_id=worker, generation=generation)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(status_log, "KafkaLog", FakeLog)
    monkeypatch.setattr(status_log, "RETRY_S", 0.0)
    with structlog.testing.capture_logs():
        yield


async def started() -> tuple[StatusLog, FakeLog]:
    log = StatusLog(DistributedConfig(worker_props("unit")))
    await log.start()
    return log, FakeLog.last


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_status_is_seen_once_it_was_read_back() -> None:
    log, topic = await started()
    log.put(TASK, of(State.RUNNING))
    assert log.get(TASK) is None
    topic.read(TASK, of(State.RUNNING))
    assert log.get(TASK) == of(State.RUNNING) and log.tasks_of("a") == {0: of(State.RUNNING)}


async def test_another_workers_status_of_a_later_generation_is_not_overwritten_by_a_safe_write() -> None:
    log, topic = await started()
    topic.read(TASK, of(State.RUNNING, "other", 5))
    log.put_safe(TASK, of(State.UNASSIGNED, "me", 4))
    assert topic.sent == []
    log.put_safe(TASK, of(State.UNASSIGNED, "me", 5))
    log.put_safe(TASK, of(State.FAILED, "other", 1))
    log.put(TASK, of(State.PAUSED, "me", 4))
    assert topic.states() == [State.UNASSIGNED, State.FAILED, State.PAUSED]


async def test_who_gives_a_task_up_late_does_not_hide_that_it_runs_elsewhere() -> None:
    log, topic = await started()
    topic.read(TASK, of(State.RUNNING, "other", 5))
    topic.read(TASK, of(State.UNASSIGNED, "me", 5))
    assert log.get(TASK) == of(State.RUNNING, "other", 5)
    topic.read(TASK, of(State.UNASSIGNED, "me", 6))
    assert log.get(TASK) == of(State.UNASSIGNED, "me", 6)


async def test_a_write_that_failed_is_tried_again() -> None:
    log, topic = await started()
    log.put(TASK, of(State.RUNNING))
    topic.sent[0][2].set_exception(TIMED_OUT)
    await until(lambda: len(topic.sent) == 2, "it is tried again")
    topic.sent[1][2].set_result((0, 1))
    assert await log.flush(10)
    assert topic.states() == [State.RUNNING, State.RUNNING]


async def test_it_is_not_tried_again_once_there_is_a_newer_one() -> None:
    log, topic = await started()
    log.put(TASK, of(State.RUNNING))
    log.put(TASK, of(State.FAILED))
    topic.sent[0][2].set_exception(TIMED_OUT)
    topic.sent[1][2].set_result((0, 1))
    assert await log.flush(10)
    assert topic.states() == [State.RUNNING, State.FAILED]


async def test_what_runs_through_rounds_of_the_group_is_told_of_all_the_same() -> None:
    log, topic = await started()
    log.put(TASK, of(State.RUNNING, "me", 1))
    log.put_safe(UnitId("a", 1), of(State.FAILED, "me", 1))
    log.put(CONNECTOR, of(State.RUNNING, "me", 2))
    for _, _, future in topic.sent:
        future.set_exception(TIMED_OUT)
    await until(lambda: len(topic.sent) == 6, "all are tried again")
    for _, _, future in topic.sent[3:]:
        future.set_result((0, 1))
    assert await log.flush(10)
    assert sorted(key for key, _, _ in topic.sent[:3]) == sorted(key for key, _, _ in topic.sent[3:])


async def test_what_has_ended_is_not_tried_again_in_another_generation_nor_what_another_has_nor_what_was_deleted() -> (
    None
):
    log, topic = await started()
    log.put_safe(TASK, of(State.UNASSIGNED, "me", 1))
    log.put_safe(UnitId("a", 1), of(State.RUNNING, "me", 2))
    log.put_safe(UnitId("a", 2), of(State.RUNNING, "me", 2))
    log.put(UnitId("a", 3), of(State.RUNNING, "me", 2))
    topic.read(UnitId("a", 1), of(State.RUNNING, "other", 3))
    topic.read(UnitId("a", 2), of(State.RUNNING, "me", 2))
    topic.read(UnitId("a", 2), of(State.DESTROYED))
    log.withdraw(UnitId("a", 3))
    for _, _, future in topic.sent:
        future.set_exception(TIMED_OUT)
    assert await log.flush(10)
    assert len(topic.sent) == 4


async def test_what_can_never_be_written_is_given_up() -> None:
    log, topic = await started()
    with structlog.testing.capture_logs() as logs:
        log.put(TASK, of(State.FAILED))
        topic.sent[0][2].set_exception(TOO_LARGE)
        assert await log.flush(10)
    assert len(topic.sent) == 1
    assert "cannot write to topic statuses" in logs[0]["event"] and "MSG_SIZE_TOO_LARGE" in logs[0]["event"]


async def test_a_deleted_connector_is_gone_with_its_tasks() -> None:
    log, topic = await started()
    topic.read(CONNECTOR, of(State.RUNNING))
    topic.read(TASK, of(State.RUNNING))
    log.put(CONNECTOR, of(State.DESTROYED))
    assert topic.states() == [None]
    topic.read(CONNECTOR, of(State.DESTROYED))
    assert log.connectors() == set() and log.tasks_of("a") == {} and log.get(TASK) is None


async def test_listeners_hear_of_changes_after_the_start() -> None:
    heard: list[tuple[UnitId, WorkStatus | None]] = []
    log = StatusLog(DistributedConfig(worker_props("unit")), lambda unit, status: heard.append((unit, status)))
    topic = FakeLog.last
    topic.read(TASK, of(State.PAUSED))
    await log.start()
    topic.read(TASK, of(State.RUNNING))
    topic.read(TASK, of(State.UNASSIGNED))
    topic.read(TASK, of(State.DESTROYED))
    topic.read(TASK, of(State.DESTROYED))
    assert heard == [(TASK, of(State.RUNNING)), (TASK, None)]


async def test_topics_in_use() -> None:
    log, topic = await started()
    log.put_topic(TopicStatus("t2", "a", 1, 5))
    log.put_topic(TopicStatus("t1", "a", 0, 6))
    for key, value, _ in topic.sent:
        topic.apply(LogRecord(key, value, 0, 0, 0))
    assert log.topics_of("a") == [TopicStatus("t1", "a", 0, 6), TopicStatus("t2", "a", 1, 5)]
    assert log.topic("a", "t2") == TopicStatus("t2", "a", 1, 5) and log.topic("b", "t2") is None
    log.delete_topic("a", "t1")
    topic.sent[0][2].set_exception(TIMED_OUT)
    topic.sent[1][2].set_exception(TIMED_OUT)
    topic.sent[2][2].set_result((0, 1))
    await until(lambda: len(topic.sent) == 4, "it is tried again")
    assert topic.sent[3][0] == b"status-topic-t2:connector-a", "of t1 there is something newer"
    topic.apply(LogRecord(*topic.sent[2][:2], 0, 0, 0))
    assert [status.topic for status in log.topics_of("a")] == ["t2"]
    topic.sent[3][2].set_result((0, 2))
    assert await log.flush(10)


async def test_stopping_gives_up_what_cannot_be_written() -> None:
    log, topic = await started()
    log.put(TASK, of(State.RUNNING))
    assert not await log.flush(0.01)
    await log.stop()
    await settled()
    assert await log.flush(10) and len(topic.sent) == 1
