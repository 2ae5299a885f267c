"""Clusters of Java's workers and of ours, each with its own group and topics, for conversations with any of their workers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.peer.rest_statuses import StatusTopic
from tests.peer.rest_workers import Worker, connectd_worker, java_worker

STATUS_PARTITIONS = 2


def group_settings(name: str) -> dict[str, Any]:
    """A group that no other test has; no waiting for workers that left."""
    group = f"{name}-{uuid.uuid4().hex[:8]}"
    topics = {f"{kind}.storage.topic": f"{group}-{kind}" for kind in ("config", "offset", "status")}
    replication = {f"{kind}.storage.replication.factor": "1" for kind in ("config", "offset", "status")}
    return {
        "group.id": group,
        **topics,
        **replication,
        "offset.storage.partitions": "2",
        "status.storage.partitions": str(STATUS_PARTITIONS),
        "scheduled.rebalance.max.delay.ms": "0",
        "rebalance.timeout.ms": "30000",
        # Who does not lead sees at a heartbeat that there is something to do.
        "heartbeat.interval.ms": "300",
    }


@contextmanager
def java_cluster(folder: Path, bootstrap_servers: str, workers: int) -> Iterator[Worker]:
    """Requests go to its workers in turn."""
    with _cluster(java_worker, "java", folder, bootstrap_servers, workers) as cluster:
        yield cluster


@contextmanager
def connectd_cluster(folder: Path, bootstrap_servers: str, workers: int) -> Iterator[Worker]:
    """Requests go to its workers in turn."""
    with _cluster(connectd_worker, "ours", folder, bootstrap_servers, workers) as cluster:
        yield cluster


@contextmanager
def _cluster(
    start: Callable[..., AbstractContextManager[Worker]], kind: str, folder: Path, bootstrap_servers: str, workers: int
) -> Iterator[Worker]:
    settings = group_settings(kind)
    with ExitStack() as stack:
        first: Worker | None = None
        for number in range(workers):
            own = folder / f"{kind}-{number}"
            own.mkdir()
            worker = stack.enter_context(start(own, bootstrap_servers, **settings))
            if first is None:
                first = worker
            else:
                first.ports.append(worker.port)
        assert first is not None
        first.config_topic = settings["config.storage.topic"]
        first.statuses = StatusTopic(bootstrap_servers, settings["status.storage.topic"], STATUS_PARTITIONS)
        stack.callback(first.statuses.close)
        yield first
