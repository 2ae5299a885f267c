"""Which settings of Kafka Connect's worker a host is given that nobody has set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from plugins.discovery.kinds import PluginKind
from plugins.java.finding import CLASS_PATH
from plugins.java.plugin import JavaPlugin
from tasks.java.host import worker_properties

CONNECTOR = JavaPlugin(kind=PluginKind.SOURCE, name="tests.Source", folder=CLASS_PATH, version="1", declared=True)
BATCH, BUFFER = "producer.batch.size", "producer.buffer.memory"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path))


def producer(worker: Mapping[str, str], connector: Mapping[str, str]) -> dict[str, str]:
    properties = worker_properties(CONNECTOR, {"bootstrap.servers": "localhost:9092", **worker}, connector)
    return {key: value for key, value in properties.items() if key in (BATCH, BUFFER)}


def test_producers_have_larger_batches_in_a_smaller_buffer() -> None:
    assert producer({}, {}) == {BATCH: "65536", BUFFER: "4194304"}
    assert producer({BATCH: "1", BUFFER: "2"}, {}) == {BATCH: "1", BUFFER: "2"}


def test_larger_requests_have_javas_own_buffer() -> None:
    assert producer({"producer.max.request.size": "9000000"}, {}) == {BATCH: "65536"}
    assert producer({}, {"producer.override.max.request.size": "9000000"}) == {BATCH: "65536"}
