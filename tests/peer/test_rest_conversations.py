"""The same conversations with a Java worker and with ours: what differs is declared, with the reason, or a bug."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peer.rest_conversations import CONVERSATIONS, client_overrides
from tests.peer.rest_talk import GONE, Request, talk
from tests.peer.rest_workers import Worker, connectd_worker, java_worker
from tests.support.kafka import TestKafka

AT_LEAST = 300
COMPATIBILITY = Path(__file__).parents[2] / "docs" / "compatibility.md"

Workers = tuple[Worker, Worker]


@pytest.fixture(scope="module")
def workers(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("rest")
    with (
        java_worker(folder, kafka.bootstrap_servers) as java,
        connectd_worker(folder, kafka.bootstrap_servers) as ours,
    ):
        yield java, ours


def test_conversations(workers: Workers, record_property: pytest.RecordProperty) -> None:
    exchanges = [exchange for name, steps in CONVERSATIONS.items() for exchange in talk(name, steps, *workers)]
    agreed = sum(exchange.agrees for exchange in exchanges)
    reasons = Counter(exchange.why for exchange in exchanges if not exchange.agrees)
    print(f"{agreed} of {len(exchanges)} answers agree; on purpose differ: {dict(reasons)}")
    record_property("agreed", f"{agreed} of {len(exchanges)}")
    assert len(exchanges) >= AT_LEAST
    wrong = [exchange.complaint for exchange in exchanges if exchange.is_wrong]
    assert not wrong, "\n".join([f"{len(wrong)} answers are not as they should be:", *wrong])


@pytest.mark.parametrize("policy", ["None", "Principal", "Allowlist"])
def test_policies_of_client_overrides(kafka: TestKafka, tmp_path: Path, policy: str) -> None:
    settings = {
        "connector.client.config.override.policy": policy,
        "connector.client.config.override.allowlist": "acks,linger.ms",
    }
    with (
        java_worker(tmp_path, kafka.bootstrap_servers, **settings) as java,
        connectd_worker(tmp_path, kafka.bootstrap_servers, **settings) as ours,
    ):
        exchanges = talk(policy, client_overrides(), java, ours)
    assert {exchange.java.status for exchange in exchanges} >= {200, 201, 400}
    wrong = [exchange.complaint for exchange in exchanges if exchange.is_wrong]
    assert not wrong, "\n".join(wrong)


def test_reasons_are_documented() -> None:
    requests = [step for steps in CONVERSATIONS.values() for step in steps if isinstance(step, Request)]
    text = COMPATIBILITY.read_text()
    reasons = {each for request in requests for each in (request.differs, request.differs_in_cluster) if each}
    assert not {reason for reason in {*reasons, GONE} if f"**{reason}**" not in text}
