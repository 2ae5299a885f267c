"""The same conversations with a Java worker and with ours: what differs is declared, with the reason, or a bug."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peer.rest_conversations import CONVERSATIONS
from tests.peer.rest_talk import Exchange, Request, talk
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
    reasons = Counter(exchange.request.differs for exchange in exchanges if not exchange.agrees)
    print(f"{agreed} of {len(exchanges)} answers agree; on purpose differ: {dict(reasons)}")
    record_property("agreed", f"{agreed} of {len(exchanges)}")
    assert len(exchanges) >= AT_LEAST
    wrong = [
        _complaint(exchange) for exchange in exchanges if exchange.agrees is (exchange.request.differs is not None)
    ]
    assert not wrong, "\n".join([f"{len(wrong)} answers are not as they should be:", *wrong])


def test_reasons_are_documented() -> None:
    requests = [step for steps in CONVERSATIONS.values() for step in steps if isinstance(step, Request)]
    text = COMPATIBILITY.read_text()
    missing = {request.differs for request in requests if request.differs and f"**{request.differs}**" not in text}
    assert not missing


def _complaint(exchange: Exchange) -> str:
    if exchange.agrees:
        return f"[{exchange.conversation}] {exchange.request} agrees, although it is declared to differ"
    return exchange.diff()
