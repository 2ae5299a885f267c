"""Fixtures of all tests: one real Kafka a run, shared by the workers of pytest-xdist."""

from __future__ import annotations

import fcntl
import json
import os
import re
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from supervisor.embedded import EmbeddedKafka
from tests.support.kafka import TestKafka

# No limit to the time of one example: the machine may be busy with other tests.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_started: list[EmbeddedKafka] = []
# Files whose fixture of a module is in a `conftest.py`.
_TOGETHER = (
    "tests/chaos/test_misdeeds_of_tasks.py",
    "tests/chaos/test_restart_policy.py",
    "tests/java/test_java_connectors.py",
    "tests/java/test_supervision.py",
    "tests/java/test_variety.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test goes to the process that is free, but for those that share what costs much: they go to one process."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _work_unit(config.rootpath, nodeid)

    return Scheduling(config, log)


def _work_unit(root: Path, nodeid: str) -> str:
    """What one process runs as a whole: a file whose tests share a fixture, or else a test."""
    file = nodeid.partition("::")[0]
    return file if file in _TOGETHER or _shares_a_fixture(root / file) else nodeid


@cache
def _shares_a_fixture(file: Path) -> bool:
    return 'scope="module"' in file.read_text()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestKafka]:
    """The broker of this run: topics are shared by all tests, so take the fixture `topic` for names."""
    if hasattr(request.config, "workerinput"):
        yield TestKafka(_shared(tmp_path_factory.getbasetemp().parent))
    else:
        with EmbeddedKafka() as broker:
            yield TestKafka(broker.client)


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic name that no other test has; nothing is created."""
    name = re.sub(r"[^a-zA-Z0-9._-]+", "-", str(request.node.name))[:60]
    return f"{name}-{uuid.uuid4().hex[:8]}"


def _shared(folder: Path) -> dict[str, str]:
    """Settings for the broker that the workers share: who asks first starts it, and it ends with the controller.

    A worker is started by the run's controller, so that is its parent. Nobody need count who still uses the broker.
    """
    address = folder / "kafka.json"
    with (folder / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            _started.append(EmbeddedKafka(bound_to=os.getppid()).start())
            address.write_text(json.dumps(_started[-1].client))
    settings: dict[str, str] = json.loads(address.read_text())
    return settings
