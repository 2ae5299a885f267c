"""Connectors of others, as they are: MirrorMaker 2, Debezium with PostgreSQL."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from plugins.jars.artifacts import class_path
from tests.java.postgres import has_programs, postgres
from tests.java.worker import TIMEOUT_S, JavaWorker
from tests.peer.jvm import connect_class_path
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until

HERE = Path(__file__).parent
MIRROR = "org.apache.kafka.connect.mirror.Mirror"
BYTES = "org.apache.kafka.connect.converters.ByteArrayConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"


def put(worker: JavaWorker, name: str, jars: Iterable[Path]) -> None:
    """Make a plugin folder while the worker runs."""
    folder = worker.folder / "plugins" / name
    if not folder.exists():
        folder.mkdir()
        for jar in jars:
            shutil.copy(jar, folder)


def end(worker: JavaWorker, *names: str) -> None:
    for name in names:
        worker.request("DELETE", f"/connectors/{name}")
        wait_until(lambda name=name: worker.machine(f"{name}-0") is None, "its task has ended", TIMEOUT_S)  # type: ignore[misc]


def test_the_three_connectors_of_mirror_maker(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    """From a cluster to itself, under another name."""
    put(worker, "mirror", [jar for jar in connect_class_path() if jar.name.startswith("connect-mirror")])
    kafka.create_topic(topic)
    lines = [f"line {number}" for number in range(200)]
    kafka.produce(topic, lines)
    reader = Consumer({**kafka.client, "group.id": f"{topic}-group"})
    reader.commit(offsets=[TopicPartition(topic, 0, 200)], asynchronous=False)
    reader.close()
    common = {
        "key_converter": BYTES,
        "value_converter": BYTES,
        "source_cluster_alias": topic,
        "target_cluster_alias": "target",
        "source_cluster_bootstrap_servers": kafka.bootstrap_servers,
        "target_cluster_bootstrap_servers": kafka.bootstrap_servers,
        "replication_factor": "1",
        "offset-syncs_topic_replication_factor": "1",
        "heartbeats_topic_replication_factor": "1",
        "checkpoints_topic_replication_factor": "1",
        "sync_topic_acls_enabled": "false",
        "emit_checkpoints_interval_seconds": "1",
    }
    worker.create("mirror-source", connector_class=f"{MIRROR}SourceConnector", topics=topic, **common)
    assert kafka.lines(f"{topic}.{topic}", 200, TIMEOUT_S) == lines

    def offset() -> object:
        found = worker.request("GET", "/connectors/mirror-source/offsets")["offsets"]
        return found and found[0]["offset"]

    wait_until(lambda: offset() == {"offset": 199}, "the offset is stored", TIMEOUT_S)
    worker.create("mirror-heartbeat", connector_class=f"{MIRROR}HeartbeatConnector", **common)
    assert f"{topic}".encode() in b"".join(
        bytes(each.key() or b"") for each in kafka.consume("heartbeats", 1, TIMEOUT_S)
    )
    worker.create(
        "mirror-checkpoint", connector_class=f"{MIRROR}CheckpointConnector", groups=f"{topic}-group", **common
    )
    (checkpoint,) = kafka.consume(f"{topic}.checkpoints.internal", 1, TIMEOUT_S)
    assert f"{topic}-group".encode() in bytes(checkpoint.key() or b"")
    end(worker, "mirror-source", "mirror-heartbeat", "mirror-checkpoint")


@pytest.mark.skipif(not has_programs(), reason="no PostgreSQL is installed")
def test_debezium_with_postgresql(worker: JavaWorker, kafka: TestKafka, topic: str) -> None:
    put(worker, "debezium-postgres", class_path(HERE / "debezium-postgres-3.5.0.lock"))
    prefix = topic.replace("-", "_")
    rows = f"{prefix}.public.customers"

    def changes(count: int) -> list[tuple[str, str | None]]:
        """Operation and name, without tombstones."""
        values = [json.loads(each.value() or b"null") for each in kafka.consume(rows, count, TIMEOUT_S)]
        return [(each["op"], (each["after"] or each["before"])["name"]) for each in values if each is not None]

    with postgres() as server:
        server.run(
            "CREATE TABLE customers (id INT PRIMARY KEY, name TEXT); ALTER TABLE customers REPLICA IDENTITY FULL;"
            "INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob')"
        )
        worker.create(
            "postgres",
            connector_class="io.debezium.connector.postgresql.PostgresConnector",
            database_hostname="127.0.0.1",
            database_port=str(server.port),
            database_user="postgres",
            database_password="unused",
            database_dbname="postgres",
            topic_prefix=prefix,
            plugin_name="pgoutput",
            value_converter=JSON,
            value_converter_schemas_enable="false",
            key_converter=JSON,
        )
        assert changes(2) == [("r", "Ann"), ("r", "Bob")]
        server.run("UPDATE customers SET name = 'Anna' WHERE id = 1; DELETE FROM customers WHERE id = 2")
        known = [("r", "Ann"), ("r", "Bob"), ("u", "Anna"), ("d", "Bob")]
        assert changes(5) == known  # and a tombstone

        def last() -> object:
            found = worker.request("GET", "/connectors/postgres/offsets")["offsets"]
            return found and found[0]["offset"].get("messageType")

        wait_until(lambda: last() == "DELETE", "what came is committed", TIMEOUT_S)
        machine = worker.machine("postgres-0")
        assert machine is not None
        machine.kill()
        server.run("INSERT INTO customers VALUES (3, 'Carl')")
        wait_until(
            lambda: ("c", "Carl") in changes(sum(kafka.end_offsets(rows).values())), "it goes on behind", TIMEOUT_S
        )
        assert set(changes(sum(kafka.end_offsets(rows).values()))) == {*known, ("c", "Carl")}
        end(worker, "postgres")
