"""Storage topics shared by Java's stores and ours on a real Kafka: each reads what the other has written and goes on with it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from supervisor.storage.config_log import ConfigLog
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.offset_log import OffsetLog
from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import TopicStatus, WorkStatus
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tasks.source.offsets import encode_key, encode_value
from tasks.states import State, TargetState
from tests.peer.storage_peer import StoresOnTopics, config_dump, encoded
from tests.support.kafka import TestKafka
from tests.support.storage import Heard, worker_props

TIMEOUT_S = 300.0
KEYS = [encode_key("a", {"file": f"part-{number}", "ü": None}) for number in range(60)]
FAILED = WorkStatus(state=State.FAILED, worker_id="ours:8083", generation=4, trace="Traceback ü\n\tat", version="1.0")


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Under a limit that only a bug reaches."""

    async def limited() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await scenario

    asyncio.run(limited())


class Ours:
    """Our three logs."""

    def __init__(self, props: dict[str, str]) -> None:
        config = DistributedConfig(props)
        self.heard = Heard()
        self.configs = ConfigLog(config, self.heard)
        self.statuses = StatusLog(config)
        self.offsets = OffsetLog(config)

    async def __aenter__(self) -> Ours:
        await asyncio.gather(self.configs.start(), self.statuses.start(), self.offsets.start())
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.gather(self.configs.stop(), self.statuses.stop(), self.offsets.stop())


async def write(ours: Ours) -> None:
    """One of everything, and then some of it again."""
    await ours.configs.claim_write_privileges()
    await ours.configs.put_connector_config("a", {"name": "a", "ü": "\n\"'"}, TargetState.STOPPED)
    await ours.configs.put_task_configs("a", [{"task": str(number)} for number in range(3)])
    await ours.configs.put_connector_config("gone", {})
    await ours.configs.remove_connector_config("gone")
    await ours.configs.put_task_configs("a", [{"task": "new"}])
    await ours.configs.put_task_count_record("a", 1)
    await ours.configs.put_target_state("a", TargetState.PAUSED)
    await ours.configs.put_session_key(SessionKey(b"\x00\xffkey", "HmacSHA256", 1_700_000_000_000))
    await ours.configs.put_restart_request(RestartRequest("a", only_failed=True))
    ours.statuses.put(UnitId("a"), WorkStatus(state=State.PAUSED, worker_id="ours:8083", generation=4))
    ours.statuses.put(UnitId("a", 0), FAILED)
    ours.statuses.put_topic(TopicStatus("topic", "a", 0, 5))
    assert await ours.statuses.flush(TIMEOUT_S)
    await ours.offsets.commit([(key, encode_value({"position": number})) for number, key in enumerate(KEYS)])
    await ours.offsets.commit([(KEYS[0], None)])


def java_writes(java: StoresOnTopics) -> None:
    """The same by Java."""
    java.ask("connector", "a", {"name": "a", "ü": "\n\"'"}, "STOPPED")
    java.ask("tasks", "a", [{"task": str(number)} for number in range(3)])
    java.ask("connector", "gone", {}, None)
    java.ask("remove", "gone")
    java.ask("tasks", "a", [{"task": "new"}])
    java.ask("task-count", "a", 1)
    java.ask("target-state", "a", "PAUSED")
    java.ask("session-key", encoded(b"\x00\xffkey"), "HmacSHA256", 1_700_000_000_000)
    java.ask("restart", "a", True, False)
    java.ask("status", "a", None, "PAUSED", "ours:8083", 4, None, None, False)
    java.ask("status", "a", 0, "FAILED", "ours:8083", 4, FAILED.trace, FAILED.version, False)
    java.ask("topic", "topic", "a", 0, 5)
    for number, key in enumerate(KEYS):
        java.ask("offset", encoded(key), encoded(encode_value({"position": number})))
    java.ask("offset", encoded(KEYS[0]), None)
    java.ask("catch-up")


async def check(ours: Ours) -> None:
    """We know all that was written."""
    await ours.configs.refresh(TIMEOUT_S)
    await ours.statuses.refresh()
    snapshot = ours.configs.snapshot()
    assert list(snapshot.connectors()) == ["a"] and snapshot.connector_config("a") == {"name": "a", "ü": "\n\"'"}
    assert snapshot.target_state("a") is TargetState.PAUSED
    assert snapshot.tasks("a") == [UnitId("a", 0)] and snapshot.task_config(UnitId("a", 0)) == {"task": "new"}
    assert snapshot.session_key == SessionKey(b"\x00\xffkey", "HmacSHA256", 1_700_000_000_000)
    assert snapshot.task_count_record("a") == 1 and not snapshot.pending_fencing("a")
    assert ours.statuses.tasks_of("a") == {0: FAILED}
    assert ours.statuses.topics_of("a") == [TopicStatus("topic", "a", 0, 5)]
    values = [None, *(encode_value({"position": number}) for number in range(1, len(KEYS)))]
    assert await ours.offsets.read(KEYS) == values


def test_java_reads_what_we_write_and_goes_on_with_it(kafka: TestKafka, topic: str) -> None:
    props = worker_props(topic, kafka.bootstrap_servers)

    async def scenario() -> None:
        async with Ours(props) as ours:
            await write(ours)
            await check(ours)
            with await asyncio.to_thread(StoresOnTopics, props) as java:
                assert await asyncio.to_thread(java.ask, "configs") == config_dump(ours.configs.snapshot())
                assert java.ask("statuses", ["a"], 0)["a"]["tasks"] == {
                    "0": [FAILED.state, FAILED.worker_id, FAILED.generation, FAILED.trace, FAILED.version]
                }
                assert java.ask("statuses", ["a"], 0)["a"]["topics"] == {"topic": ["a", 0, 5]}
                assert len(java.ask("offsets", "a")) == len(KEYS) - 1
                java.ask("tasks", "a", [{"task": "java"}])
                java.ask("offset", encoded(KEYS[5]), encoded(b'{"position":500}'))
                await ours.configs.refresh(TIMEOUT_S)
                assert ours.configs.snapshot().task_config(UnitId("a", 0)) == {"task": "java"}
                assert ours.heard.events[-1] == ["tasks", ["a-0"]]
                assert await ours.offsets.read([KEYS[5]]) == [b'{"position":500}']

    run(scenario())
    assert partitions(kafka, f"{topic}-offsets") == len(KEYS), "a key is in one partition, whoever writes it"


def test_we_read_what_java_writes_and_go_on_with_it(kafka: TestKafka, topic: str) -> None:
    props = worker_props(topic, kafka.bootstrap_servers)

    async def scenario() -> None:
        with await asyncio.to_thread(StoresOnTopics, props) as java:
            await asyncio.to_thread(java_writes, java)
            async with Ours(props) as ours:
                await check(ours)
                assert config_dump(ours.configs.snapshot()) == java.ask("configs")
                await ours.configs.put_task_configs("a", [{}, {}])
                await ours.configs.put_target_state("a", TargetState.STOPPED)
                ours.statuses.put(UnitId("a"), WorkStatus(state=State.DESTROYED, worker_id="ours:8083", generation=5))
                assert await ours.statuses.flush(TIMEOUT_S)
                await ours.offsets.commit([(KEYS[5], b'{"position":7}')])
                await asyncio.to_thread(java.ask, "catch-up")
                assert java.ask("configs") == config_dump(ours.configs.snapshot())
                assert java.ask("statuses", ["a"], 0)["a"]["connector"] is None
                assert java.ask("offsets", "a")[KEYS[5].decode()] == '{"position":7}'

    run(scenario())
    assert partitions(kafka, f"{topic}-offsets") == len(KEYS)


def partitions(kafka: TestKafka, topic: str) -> int:
    """How many pairs of key and partition there are."""
    records = kafka.consume(topic, sum(kafka.end_offsets(topic).values()))
    return len({(record.key(), record.partition()) for record in records})


def test_both_write_at_random_and_agree(kafka: TestKafka, topic: str) -> None:
    props = worker_props(topic, kafka.bootstrap_servers)
    dice = random.Random(23)

    async def scenario() -> None:
        async with Ours(props) as ours:
            with await asyncio.to_thread(StoresOnTopics, props) as java:
                for step in range(60):
                    name, config, state = dice.choice("abc"), {"step": str(step)}, dice.choice(list(TargetState))
                    configs = [config] * dice.randrange(4)
                    match dice.randrange(8):
                        case 0:
                            await ours.configs.put_connector_config(name, config)
                        case 1:
                            await ours.configs.put_task_configs(name, configs)
                        case 2:
                            await ours.configs.remove_connector_config(name)
                        case 3:
                            await ours.configs.put_target_state(name, state)
                        case 4:
                            java.ask("connector", name, config, state)
                        case 5:
                            java.ask("tasks", name, configs)
                        case 6:
                            java.ask("remove", name)
                        case _:
                            java.ask("task-count", name, 2)
                await ours.configs.refresh(TIMEOUT_S)
                await asyncio.to_thread(java.ask, "catch-up")
                assert java.ask("configs") == config_dump(ours.configs.snapshot())
                assert java.ask("events") == ours.heard.events

    run(scenario())
