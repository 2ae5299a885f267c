"""A worker with a dead Kafka and plugins that hang: reads are answered meanwhile, writes say what is going on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.peer.rest_talk import PATIENCE_S
from tests.peer.rest_workers import Worker, connectd_worker
from tests.support.processes import wait_until

SOURCE = {"connector.class": "RestPlugins$TroubleSource", "needed": "x"}
SINK = {"connector.class": "RestPlugins$TroubleSink", "needed": "x", "topics": "t"}
READS = (
    "/connectors",
    "/connectors?expand=status&expand=info",
    "/connectors/ok",
    "/connectors/ok/status",
    "/connectors/ok/config",
    "/connectors/ok/tasks",
    "/connectors/ok/tasks/0/status",
    "/connectors/ok/offsets",
    "/connectors/ok/topics",
    "/connector-plugins",
    "/admin/loggers",
    "/health",
    "/",
    "/openapi.json",
)

Answer = tuple[int, dict[str, str], Any]


def ask(worker: Worker, method: str, path: str, body: Any = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": "application/json"}
    status, found, content = worker.request(method, path, data, headers)
    return status, found, json.loads(content) if content else None


def create(worker: Worker, name: str, config: dict[str, str], **more: str) -> Answer:
    return ask(worker, "POST", "/connectors", {"name": name, "config": {**config, **more}})


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def worker(tmp_path: Path, threads: ThreadPoolExecutor) -> Iterator[Worker]:
    # Nobody answers at this address. The plugins have long to hang: nothing but the test ends that.
    with connectd_worker(tmp_path, "127.0.0.1:1", **{"connector.hang.timeout.ms": "600000"}) as worker:
        status, _, body = create(worker, "ok", SOURCE)
        assert status == 201, body
        wait_until(lambda: worker.states("ok") == ["RUNNING", "RUNNING"], "ok runs", PATIENCE_S)
        yield worker
        for name in worker.get("/connectors"):
            ask(worker, "DELETE", f"/connectors/{name}")
        worker.process.kill()  # and with it the requests that are still waiting


def assert_reads(worker: Worker, *waiting: Future[Answer]) -> None:
    """All of them are answered while those wait."""
    for path in READS:
        status, _, body = ask(worker, "GET", path)
        assert status == 200, f"{path}: {body}"
    assert not any(each.done() for each in waiting)


def busy(worker: Worker, process: str) -> bool:
    """Whether a process of the worker is busy with that."""
    return any(process in line for line in titles(worker.process.pid))


def titles(supervisor: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"\nPPid:\t{supervisor}\n" in (path / "status").read_text() or is_grandchild(path, supervisor):
                found.append((path / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def is_grandchild(path: Path, supervisor: int) -> bool:
    parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
    return (Path("/proc") / parent / "stat").read_text().rpartition(")")[2].split()[1] == str(supervisor)


def test_reads_do_not_wait_for_plugins_that_hang(worker: Worker, threads: ThreadPoolExecutor) -> None:
    hanging = {**SOURCE, "fail": "hang in validate", "name": "v"}
    validating = threads.submit(
        ask, worker, "PUT", "/connector-plugins/RestPlugins$TroubleSource/config/validate", hanging
    )
    wait_until(lambda: busy(worker, "connectd: validating"), "a plugin validates", PATIENCE_S)
    starting = threads.submit(create, worker, "starts", SOURCE, fail="hang in start")
    wait_until(lambda: busy(worker, "connectd: connector starts"), "a plugin starts", PATIENCE_S)
    assert_reads(worker, validating, starting)
    # Others are changed meanwhile, too.
    assert ask(worker, "PUT", "/connectors/ok/pause")[0] == 202
    assert ask(worker, "PUT", "/connectors/ok/resume")[0] == 202
    assert create(worker, "another", SOURCE)[0] == 201
    assert not validating.done()
    # What has been created is there, however long its start takes, and is answered before that is over.
    status, _, body = starting.result(60)
    assert (status, body["name"]) == (201, "starts")
    assert worker.states("starts") == ["UNASSIGNED"]
    assert ask(worker, "PUT", "/connectors/starts/stop")[0] == 204
    wait_until(lambda: worker.states("starts") == ["STOPPED"], "it is stopped", PATIENCE_S)
    assert not validating.done()


def test_a_write_says_what_is_going_on(worker: Worker, threads: ThreadPoolExecutor) -> None:
    config = {**SOURCE, "name": "ok", "fail": "hang in validate"}
    changing = threads.submit(ask, worker, "PUT", "/connectors/ok/config", config)
    wait_until(lambda: busy(worker, "connectd: validating"), "a plugin validates", PATIENCE_S)
    status, headers, body = ask(worker, "PUT", "/connectors/ok/config", {**SOURCE, "name": "ok"})
    assert status == 409
    assert int(headers["retry-after"]) > 0
    assert "Connector ok is busy: a new configuration is being validated since " in body["message"]
    assert "Nothing was changed" in body["message"]
    assert_reads(worker, changing)
    assert "fail" not in worker.get("/connectors/ok/config")


def test_a_validation_that_took_too_long_has_changed_nothing(worker: Worker) -> None:
    for name in ("new", "ok"):
        config = {**SOURCE, "name": name, "fail": "hang in validate", "connector.hang.timeout.ms": "1500"}
        status, headers, body = ask(worker, "PUT", f"/connectors/{name}/config", config)
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert body["message"] == "validation hung: no answer after 1.5 s. Nothing was changed"
    assert worker.get("/connectors") == ["ok"]
    assert "fail" not in worker.get("/connectors/ok/config")


def test_offsets_that_are_changed_by_a_plugin_that_hangs(worker: Worker, threads: ThreadPoolExecutor) -> None:
    assert ask(worker, "PUT", "/connectors/ok/config", {**SOURCE, "name": "ok", "alter": "hang"})[0] == 200
    assert ask(worker, "PUT", "/connectors/ok/stop")[0] == 204
    wait_until(lambda: worker.states("ok") == ["STOPPED"], "it is stopped", PATIENCE_S)
    resetting = threads.submit(ask, worker, "DELETE", "/connectors/ok/offsets")
    wait_until(lambda: busy(worker, "connectd: changing offsets"), "a plugin changes offsets", PATIENCE_S)
    for method, path in (
        ("PUT", "/connectors/ok/resume"),
        ("DELETE", "/connectors/ok"),
        ("DELETE", "/connectors/ok/offsets"),
    ):
        status, headers, body = ask(worker, method, path)
        assert (status, int(headers["retry-after"]) > 0) == (409, True)
        assert "Connector ok is busy: its offsets are being changed since " in body["message"]
    assert worker.states("ok") == ["STOPPED"]
    assert not resetting.done()


def test_a_dead_kafka_is_said_by_who_needs_it(worker: Worker, threads: ThreadPoolExecutor) -> None:
    assert create(worker, "sink", SINK)[0] == 201
    reading = threads.submit(ask, worker, "GET", "/connectors/sink/offsets")
    assert_reads(worker, reading)
    assert worker.get("/")["kafka_cluster_id"] is None
    status, headers, body = reading.result(60)
    assert (status, int(headers["retry-after"]) > 0) == (503, True)
    assert "Kafka (127.0.0.1:1) did not answer within 15 s" in body["message"]
