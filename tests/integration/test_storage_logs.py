"""The storage topics on a real Kafka: created, checked, read by several workers, and what happens when brokers go away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from structlog.testing import capture_logs

from connectd.errors import ConfigException, ConnectException
from supervisor.storage import config_log as config_log_module
from supervisor.storage import offset_log as offset_log_module
from supervisor.storage import settings as storage_settings
from supervisor.storage import topic as storage_topic
from supervisor.storage.config_log import ConfigLog
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.errors import PrivilegedWriteException, StorageUnavailable
from supervisor.storage.offset_log import OffsetLog
from supervisor.storage.status_log import StatusLog
from supervisor.storage.status_records import TopicStatus, WorkStatus
from supervisor.units.lifecycle import UnitId
from tasks.settings.distributed import DistributedConfig
from tasks.states import State, TargetState
from tests.support.kafka import ShortLivedKafka, TestKafka
from tests.support.processes import until
from tests.support.storage import Heard, worker_props

TIMEOUT_S = 300.0


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Under a limit that only a bug reaches."""

    async def limited() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await scenario

    asyncio.run(limited())


def worker(kafka: TestKafka, prefix: str, **more: str) -> DistributedConfig:
    return DistributedConfig(worker_props(prefix, kafka.bootstrap_servers, **more))


@asynccontextmanager
async def config_log(config: DistributedConfig) -> AsyncIterator[tuple[ConfigLog, Heard]]:
    heard = Heard()
    log = ConfigLog(config, heard)
    await log.start()
    try:
        yield log, heard
    finally:
        await log.stop()


@asynccontextmanager
async def offset_log(
    config: DistributedConfig, refusal: Callable[[], str | None] = lambda: None
) -> AsyncIterator[OffsetLog]:
    log = OffsetLog(config, refusal)
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


@asynccontextmanager
async def status_log(config: DistributedConfig) -> AsyncIterator[StatusLog]:
    log = StatusLog(config)
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


def topic_config(kafka: TestKafka, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = kafka.admin.describe_configs([resource])[resource].result(30)
    return {name: entry.value for name, entry in entries.items()}


# --- topics -----------------------------------------------------------------------------------------------------------


def test_topics_are_created_compacted_with_the_worker_files_settings(kafka: TestKafka, topic: str) -> None:
    more = {
        "config_storage_min.insync.replicas": "1",
        "config_storage_segment.ms": "123456",
        "config_storage_partitions": "7",
        "config_storage_cleanup.policy": "delete",
        "status_storage_partitions": "2",
    }
    config = worker(kafka, topic, **more)

    async def scenario() -> None:
        async with config_log(config), status_log(config), offset_log(config):
            pass

    run(scenario())
    partitions = {
        kind: len(kafka.admin.list_topics(f"{topic}-{kind}", 30).topics[f"{topic}-{kind}"].partitions)
        for kind in ("configs", "offsets", "statuss")
    }
    assert partitions == {"configs": 1, "offsets": 25, "statuss": 2}
    found = topic_config(kafka, f"{topic}-configs")
    assert (found["cleanup.policy"], found["segment.ms"]) == ("compact", "123456")


def test_a_topic_that_is_not_compacted_is_refused(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(f"{topic}-offsets", cleanup_policy="compact,delete")
    expected = rf"{topic}-offsets for configuration offset\.storage\.topic: .*cleanup\.policy=compact,delete"

    async def scenario() -> None:
        with pytest.raises(ConfigException, match=expected):
            await OffsetLog(worker(kafka, topic)).start()

    run(scenario())


def test_a_config_topic_of_several_partitions_is_refused(kafka: TestKafka, topic: str) -> None:
    kafka.create_topic(f"{topic}-configs", 2, cleanup_policy="compact")

    async def scenario() -> None:
        with pytest.raises(
            ConfigException, match=r"config\.storage\.topic: Expected a topic with one partition.* has 2"
        ):
            await ConfigLog(worker(kafka, topic), Heard()).start()

    run(scenario())


def test_what_kafka_refuses_says_why(kafka: TestKafka, topic: str) -> None:
    async def scenario() -> None:
        with pytest.raises(ConnectException, match=rf"cannot create topic {topic}-configs .*INVALID_CONFIG"):
            await ConfigLog(worker(kafka, topic, **{"config_storage_segment.ms": "x"}), Heard()).start()

    run(scenario())


def test_a_cluster_that_does_not_answer_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_topic, "CREATE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(storage_topic, "REQUEST_TIMEOUT_S", 1.0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens
        servers = f"127.0.0.1:{nobody.getsockname()[1]}"

        async def scenario() -> None:
            with pytest.raises(StorageUnavailable, match=r"cannot create topic gone-configs \(config\.storage\.topic"):
                await ConfigLog(DistributedConfig(worker_props("gone", servers)), Heard()).start()

        run(scenario())


# --- configurations ---------------------------------------------------------------------------------------------------


def test_what_one_worker_writes_all_read(kafka: TestKafka, topic: str) -> None:
    key = SessionKey(b"secret", "HmacSHA256", 5)

    async def scenario() -> None:
        config = worker(kafka, topic)
        async with config_log(config) as (leader, _), config_log(config) as (follower, heard):
            await leader.claim_write_privileges()
            await leader.put_connector_config("a", {"k": "v"}, TargetState.STOPPED)
            assert leader.snapshot().target_state("a") is TargetState.STOPPED
            await leader.put_task_configs("a", [{"t": "0"}, {"t": "1"}])
            assert leader.snapshot().tasks("a") == [UnitId("a", 0), UnitId("a", 1)]
            await leader.put_task_configs("a", [{"t": "0" * 20_000}, {"t": "1"}])  # more than is written at once
            await leader.put_task_count_record("a", 2)
            await follower.put_target_state("a", TargetState.STARTED)
            await leader.put_session_key(key)
            await leader.put_restart_request(RestartRequest("a", only_failed=True))
            await follower.put_logger_level("x", "DEBUG")
            await leader.refresh(60)
            await follower.refresh(60)
            assert heard.events == [
                ["update", "a"],
                ["tasks", ["a-0", "a-1"]],
                ["tasks", ["a-0", "a-1"]],
                ["target-state", "a"],
                ["session-key", 5],
                ["restart", "a", True, False],
                ["logger", "x", "DEBUG"],
            ]
            assert follower.snapshot() == leader.snapshot() and follower.snapshot().session_key == key
            before = follower.snapshot()
        async with config_log(config) as (newcomer, heard):
            assert newcomer.snapshot() == before and heard.events == []
            await newcomer.remove_connector_config("a")
            assert not newcomer.contains("a") and heard.events == [["remove", "a"]]

    run(scenario())


def test_a_topic_that_has_lost_its_first_records_is_read_from_what_is_left(kafka: TestKafka, topic: str) -> None:
    config, name = worker(kafka, topic), f"{topic}-configs"

    def set_policy(value: str) -> None:
        change = ConfigEntry("cleanup.policy", value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[change])
        kafka.admin.incremental_alter_configs([resource])[resource].result(30)

    def first_is_deleted() -> bool:
        (deleted,) = kafka.admin.delete_records([TopicPartition(name, 0, 1)], request_timeout=30).values()
        try:
            deleted.result(30)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.POLICY_VIOLATION:
                return False  # the broker has not heard of the policy yet
            raise
        return True

    async def scenario() -> None:
        async with config_log(config) as (log, _):
            await log.put_connector_config("gone", {"v": "1"})
            await log.put_connector_config("left", {"v": "2"})
        # Kafka deletes no records of a compacted topic, but this one was another before.
        set_policy("delete")
        await until(first_is_deleted, "the first record is deleted")
        set_policy("compact")
        async with config_log(config) as (log, _):
            assert list(log.snapshot().connectors()) == ["left"]

    run(scenario())


def test_a_new_leader_fences_its_predecessor(kafka: TestKafka, topic: str) -> None:
    async def scenario() -> None:
        config = worker(kafka, topic, exactly_once_source_support="preparing")
        async with config_log(config) as (old, _), config_log(config) as (new, heard):
            with pytest.raises(PrivilegedWriteException, match="has not claimed"):
                await old.put_connector_config("a", {})
            await old.claim_write_privileges()
            await old.put_connector_config("a", {"v": "1"})
            await new.claim_write_privileges()
            with pytest.raises(PrivilegedWriteException, match=f"cannot write to topic {topic}-configs as the leader"):
                await old.put_connector_config("a", {"v": "zombie"})
            await new.put_task_configs("a", [{}])
            await new.refresh(60)  # the last record of the topic is now the mark of a transaction
            assert new.snapshot().connector_config("a") == {"v": "1"}
            assert heard.events == [["update", "a"], ["tasks", ["a-0"]]]
            await old.claim_write_privileges()
            await old.put_connector_config("a", {"v": "2"})

    run(scenario())


def test_a_leader_may_write_many_things_at_a_time(kafka: TestKafka, topic: str) -> None:
    async def scenario() -> None:
        config = worker(kafka, topic, exactly_once_source_support="preparing")
        async with config_log(config) as (leader, _):
            await leader.claim_write_privileges()
            names = [f"c{number}" for number in range(10)]
            await asyncio.gather(*(leader.put_connector_config(name, {"v": "1"}) for name in names))
            assert sorted(leader.snapshot().connectors()) == names

    run(scenario())


# --- offsets ----------------------------------------------------------------------------------------------------------


def test_offsets_of_all_workers(kafka: TestKafka, topic: str) -> None:
    key, same_key = b'["c",{"a":1,"b":2}]', b'["c", {"b":2,"a":1}]'

    async def scenario() -> None:
        config = worker(kafka, topic)
        async with offset_log(config) as one, offset_log(config) as other:
            assert await one.read([key]) == [None]
            await one.commit([(key, b"1"), (b'["d",{}]', b"x")])
            assert await other.read([same_key, b'["d",{}]', b"none"]) == [b"1", b"x", None]
            await other.commit([(same_key, b"2")])
            assert await one.read([key]) == [b"2"]
            assert await one.entries_of("c") == [(key, b"2")]
            commits = [one.commit([(key, str(number).encode())]) for number in range(100)]
            await asyncio.gather(*commits)
            assert await other.read([key]) == [b"99"]
            await other.commit([(key, None)])
            assert await one.read([same_key]) == [None] and await one.entries_of("c") == []

    run(scenario())


def test_a_worker_that_has_lost_its_place_stores_no_offsets(kafka: TestKafka, topic: str) -> None:
    why: list[str] = []

    async def scenario() -> None:
        async with offset_log(worker(kafka, topic), lambda: why[0] if why else None) as log:
            await log.commit([(b"a", b"1")])
            why.append("no heartbeat was answered for 10 s")
            with pytest.raises(ConnectException, match=f"{topic}-offsets may not be written to now: no heartbeat"):
                await log.commit([(b"a", b"2")])
            assert await log.read([b"a"]) == [b"1"]

    run(scenario())


# --- statuses ---------------------------------------------------------------------------------------------------------


def test_statuses_of_all_workers(kafka: TestKafka, topic: str) -> None:
    running = WorkStatus(state=State.RUNNING, worker_id="one:8083", generation=1, version="1.0")
    failed = WorkStatus(state=State.FAILED, worker_id="other:8083", generation=2, trace="Traceback\n  ü")

    async def scenario() -> None:
        config = worker(kafka, topic)
        async with status_log(config) as one, status_log(config) as other:
            one.put(UnitId("c"), running)
            one.put(UnitId("c", 0), running)
            one.put_topic(TopicStatus("t", "c", 0, 5))
            assert await one.flush(60)
            await other.refresh()
            other.put_safe(UnitId("c", 0), failed)
            assert await other.flush(60)
            await one.refresh()
            assert one.get(UnitId("c")) == running and one.tasks_of("c") == {0: failed}
            assert other.topics_of("c") == [TopicStatus("t", "c", 0, 5)]
            one.put_safe(UnitId("c", 0), running)  # of an earlier generation
            other.delete_topic("c", "t")
            assert await one.flush(60) and await other.flush(60)
            await one.refresh()
            assert one.tasks_of("c") == {0: failed} and one.topics_of("c") == []

    run(scenario())


# --- brokers that go away ---------------------------------------------------------------------------------------------


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Brokers start slowly on a busy machine.
    for module in (config_log_module, storage_settings):
        monkeypatch.setattr(module, "CONFIG_WRITE_TIMEOUT_S", TIMEOUT_S)
    monkeypatch.setattr(offset_log_module, "READ_TIMEOUT_S", TIMEOUT_S)
    broker = ShortLivedKafka(tmp_path / "kafka").start()
    port = int(broker.bootstrap_servers.rpartition(":")[2])
    config = DistributedConfig(worker_props("outage", broker.bootstrap_servers))

    async def scenario() -> None:
        nonlocal broker
        async with config_log(config) as (log, heard), status_log(config) as statuses, offset_log(config) as offsets:
            await log.put_connector_config("a", {"v": "1"})
            await asyncio.to_thread(broker.stop)
            with pytest.raises(TimeoutError):
                await log.refresh(0.2)
            writing = asyncio.create_task(log.put_connector_config("a", {"v": "2"}))
            statuses.put(UnitId("a"), WorkStatus(state=State.RUNNING, worker_id="w", generation=1))
            reading = asyncio.create_task(offsets.read([b"a"]))
            assert log.snapshot().connector_config("a") == {"v": "1"}
            broker = await asyncio.to_thread(ShortLivedKafka(tmp_path / "kafka", port=port).start)
            await writing
            assert await reading == [None]
            assert log.snapshot().connector_config("a") == {"v": "2"}
            assert heard.events == [["update", "a"], ["update", "a"]]
            await offsets.commit([(b"a", b"1")])
            assert await offsets.read([b"a"]) == [b"1"]
            await until(lambda: statuses.get(UnitId("a")), "the status was written and read back", TIMEOUT_S)

    try:
        run(scenario())
    finally:
        broker.stop()


def test_logs_end_while_kafka_is_away_and_say_so_to_who_waits(tmp_path: Path) -> None:
    broker = ShortLivedKafka().start()
    config = DistributedConfig(worker_props("away", broker.bootstrap_servers))

    async def scenario() -> None:
        async with config_log(config) as (log, _), status_log(config) as statuses, offset_log(config) as offsets:
            await log.put_connector_config("a", {"v": "1"})
            await asyncio.to_thread(broker.stop)
            waiting = [
                asyncio.ensure_future(log.refresh(TIMEOUT_S)),
                asyncio.ensure_future(log.put_task_configs("a", [{}])),
                asyncio.ensure_future(offsets.read([b"a"])),
                offsets.commit([(b"a", b"1")]),
            ]
            statuses.put(UnitId("a"), WorkStatus(state=State.RUNNING, worker_id="w", generation=1))
            await asyncio.sleep(0)
        for each in waiting:
            with pytest.raises(
                ConnectException, match=r"the worker stops|cannot write to topic away-(offsets|configs)"
            ):
                await each
        with pytest.raises(ConnectException, match="cannot write to topic away-offsets"):
            await offsets.commit([(b"a", b"2")])

    try:
        run(scenario())
    finally:
        broker.stop()


def test_the_workers_own_security_settings_reach_all_clients_and_wrong_ones_are_told() -> None:
    with ShortLivedKafka(tls=True, sasl="SCRAM-SHA-512") as broker:
        props = worker_props("secure", broker.bootstrap_servers) | broker.java_client

        async def scenario() -> None:
            config = DistributedConfig(props | {"exactly.once.source.support": "preparing"})
            async with config_log(config) as (log, _):
                await log.claim_write_privileges()
                await log.put_connector_config("a", {"k": "v"})
                assert log.snapshot().connector_config("a") == {"k": "v"}

        run(scenario())
        module = props["sasl.jaas.config"].split()[0]
        wrong = {"sasl.jaas.config": f'{module} required username="alice" password="wr0ng";'}

        async def refused() -> None:
            with capture_logs() as logs:
                starting = asyncio.create_task(ConfigLog(DistributedConfig(props | wrong), Heard()).start())
                await until(lambda: "Authentication failed" in str(logs), "it says what is wrong", TIMEOUT_S)
                starting.cancel()
                await asyncio.wait([starting])
            assert "trouble while looking up topic secure-configs" in str(logs) and "wr0ng" not in str(logs)

        run(refused())
