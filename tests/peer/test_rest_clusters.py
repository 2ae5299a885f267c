"""Conversations with clusters of two workers, Java's and ours, each request to the next one; what workers tell each other."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from supervisor.herder.signatures import ALGORITHM, SIGNATURE, signed
from tests.peer.rest_clusters import connectd_cluster, java_cluster
from tests.peer.rest_conversations import CONVERSATIONS
from tests.peer.rest_talk import JSON, talk
from tests.peer.rest_workers import Worker
from tests.support.kafka import TestKafka

WORKERS = 2
# What a cluster does otherwise than one worker: the rest is the same code, and asked of that.
NAMES = [
    "nothing there",
    "life of a source",
    "life of a sink",
    "initial states",
    "failures",
    "source offsets",
    "sink offsets",
]

Clusters = tuple[Worker, Worker]


@pytest.fixture(scope="module")
def clusters(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    folder = tmp_path_factory.mktemp("clusters")
    with (
        java_cluster(folder, kafka.bootstrap_servers, WORKERS) as java,
        connectd_cluster(folder, kafka.bootstrap_servers, WORKERS) as ours,
    ):
        yield java, ours


def test_conversations(clusters: Clusters, record_property: pytest.RecordProperty) -> None:
    exchanges = [exchange for name in NAMES for exchange in talk(name, CONVERSATIONS[name], *clusters)]
    agreed = sum(exchange.agrees for exchange in exchanges)
    reasons = Counter(exchange.why for exchange in exchanges if not exchange.agrees)
    print(f"{agreed} of {len(exchanges)} answers agree; on purpose differ: {dict(reasons)}")
    record_property("agreed", f"{agreed} of {len(exchanges)}")
    wrong = [exchange.complaint for exchange in exchanges if exchange.is_wrong]
    assert not wrong, "\n".join([f"{len(wrong)} answers are not as they should be:", *wrong])


def test_workers_believe_who_has_signed(clusters: Clusters, kafka: TestKafka) -> None:
    """Java's leader and ours take the same signatures. Java's other workers lose them on the way to the leader."""
    for cluster, followers in zip(clusters, (400, 404), strict=True):
        key, algorithm = session_key(kafka, cluster)
        body = b'[{"number":"0"}]'
        # Signed well, but there is no such connector.
        answers = [internal(cluster, "POST", "tasks", body, signed(key, algorithm, body)) for _ in range(WORKERS)]
        assert sorted(answers) == [followers, 404]
        for _ in range(WORKERS):
            assert internal(cluster, "POST", "tasks", b"[]", signed(key, algorithm, body)) == 403
            assert internal(cluster, "POST", "tasks", body, signed(b"another key", algorithm, body)) == 403
            assert internal(cluster, "POST", "tasks", body, {}) == 400
            assert internal(cluster, "PUT", "fence", None, {}) == 400
            assert internal(cluster, "PUT", "fence", None, signed(b"another key", algorithm, b"")) == 403
            wrong = {ALGORITHM: "HmacMagic", SIGNATURE: "AAAA"}
            assert internal(cluster, "PUT", "fence", None, wrong) == 400


def test_zombies_are_fenced_by_the_leader(clusters: Clusters, kafka: TestKafka, topic: str) -> None:
    """Java's other workers lose the signature on the way to the leader."""
    for cluster, is_java in zip(clusters, (True, False), strict=True):
        key, algorithm = session_key(kafka, cluster)
        signature = signed(key, algorithm, b"")
        file = {"connector.class": "FileStreamSource", "file": "/nowhere", "topic": topic}
        sink = {"connector.class": "FileStreamSink", "file": "/dev/null", "topics": topic}
        expected = {"@fenced": (file, 204), "@sunk": (sink, 400), "@not-there": (None, 404)}
        for name, (config, leader) in expected.items():
            if config is not None:
                body = json.dumps(config).encode()
                assert cluster.request("PUT", cluster.private(f"/connectors/{name}/config"), body, JSON)[0] == 201
            answers = [internal(cluster, "PUT", "fence", None, signature, name) for _ in range(WORKERS)]
            assert sorted(answers) == sorted([400 if is_java else leader, leader]), (name, answers)
            cluster.request("DELETE", cluster.private(f"/connectors/{name}"))


def internal(
    cluster: Worker, method: str, what: str, body: bytes | None, headers: dict[str, str], name: str = "@not-there"
) -> int:
    path = cluster.private(f"/connectors/{name}/{what}")
    return cluster.request(method, path, body, {**(JSON if body else {}), **headers})[0]


def session_key(kafka: TestKafka, cluster: Worker) -> tuple[bytes, str]:
    """The key of the group, and the algorithm that it is for: the last one in the config topic."""
    assert cluster.config_topic is not None
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": "nobody", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(cluster.config_topic, 0, 0)])
    found: dict[str, str] | None = None
    while (message := consumer.poll(30)) is not None and message.error() is None:
        if message.key() == b"session-key":
            found = json.loads(message.value())
    consumer.close()
    assert found is not None, "the group has no key"
    return base64.b64decode(found["key"]), found["algorithm"]
