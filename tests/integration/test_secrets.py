"""A worker whose connectors have secrets: they arrive, nobody else sees them, and a new one restarts who uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.kafka import TestKafka
from tests.support.processes import parent_of, wait_until
from tests.support.secretive import CONNECTOR, SHORT_LIVED, digest
from tests.support.worker_process import WorkerProcess, worker_process

PASSWORD = 'hunter2-Öl/"1"'
ROTATED = "correct-horse"
WORKER_SECRET = "battery-staple"

WORKER = """
bootstrap.servers={servers}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={folder}/connect.offsets
offset.flush.interval.ms=${{env:CONNECTD_TEST_FLUSH_MS}}
listeners=http://127.0.0.1:0
config.providers=file,env,short
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths={folder}
config.providers.env.class=EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=CONNECTD_.*
config.providers.short.class={short}
producer.ssl.key.password=${{file:{folder}/secrets.properties:worker}}
"""
SECRETIVE = """
name={topic}
connector.class={connector}
tasks.max=2
topic={topic}
fail.when={folder}/fail
password=${{{provider}:{folder}/secrets.properties:password}}
config.action.reload={reload}
"""
PLAIN = """
name=plain-{topic}
connector.class=FileStreamSource
file={folder}/lines
topic=plain-{topic}
"""


@pytest.fixture
def folder(kafka: TestKafka, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("CONNECTD_TEST_FLUSH_MS", "100")
    (tmp_path / "worker.properties").write_text(
        WORKER.format(servers=kafka.bootstrap_servers, folder=tmp_path, short=SHORT_LIVED)
    )
    (tmp_path / "plain.properties").write_text(PLAIN.format(folder=tmp_path, topic=topic))
    (tmp_path / "lines").write_text("line\n")
    write_secrets(tmp_path)
    return tmp_path


def write_secrets(folder: Path, password: str = PASSWORD, worker: str = WORKER_SECRET) -> None:
    (folder / "secrets.properties").write_text(f"password={password}\nworker={worker}\n")


def write_secretive(folder: Path, topic: str, provider: str = "file", reload: str = "restart") -> None:
    text = SECRETIVE.format(topic=topic, connector=CONNECTOR, folder=folder, provider=provider, reload=reload)
    (folder / "secretive.properties").write_text(text)


def proof(password: str) -> str:
    return digest(password, f"jdbc:db://ann:{password}@host/db")


@pytest.fixture
def worker(folder: Path, topic: str, request: pytest.FixtureRequest) -> Iterator[WorkerProcess]:
    """With a connector that has a secret, as the test's parameter says, and one that has none."""
    write_secretive(folder, topic, *getattr(request, "param", ()))
    with worker_process(folder, "worker.properties", "secretive.properties", "plain.properties") as started:
        wait_until_said(started, "REST API at ")
        yield started


def wait_until_said(worker: WorkerProcess, *parts: str, times: int = 1) -> None:
    def said() -> bool:
        return sum(all(part in str(event["message"]) for part in parts) for event in worker.events) >= times

    wait_until(said, f"the log says {parts}; see {worker.log}")


def rest(worker: WorkerProcess, path: str, body: Any = None) -> str:
    """The answer of the REST API, whatever its status."""
    url = next(match[0] for event in worker.events if (match := re.search(r"http://\S+", str(event["message"]))))
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url + path, data, {"Content-Type": "application/json"}, method="GET" if data is None else "PUT"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


def assert_hidden(worker: WorkerProcess, folder: Path, *more: str) -> None:
    """Neither secret is in anything that the worker has shown or stored."""
    command_lines: list[str] = []

    def are_all_there() -> bool:
        # What has failed may be between its end and its restart.
        command_lines[:] = [
            path.read_bytes().decode()
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if belongs_to(worker.process.pid, int(path.parent.name))
        ]
        return len(command_lines) >= 4

    wait_until(are_all_there, "supervisor, forkserver and at least two children are there")
    shown = [
        worker.log.read_text(),
        worker.output.read_text(),
        (folder / "connect.offsets").read_bytes().decode("latin-1"),
    ]
    for text in (*command_lines, *shown, *more):
        for secret in ("hunter2", ROTATED, WORKER_SECRET):
            assert secret not in text


def belongs_to(ancestor: int, pid: int) -> bool:
    try:
        while pid not in (0, ancestor):
            pid = parent_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return pid == ancestor


def test_secrets_arrive_and_nobody_sees_them(worker: WorkerProcess, folder: Path, topic: str, kafka: TestKafka) -> None:
    worker.wait_until_runs(f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    assert kafka.lines(topic, 2) == [proof(PASSWORD)] * 2
    wait_until((folder / "connect.offsets").exists, "offsets are stored")
    reference = f"${{file:{folder}/secrets.properties:password}}"
    # The connector's and the tasks' own words, with references.
    wait_until_said(worker, f"the task knows {reference}")
    wait_until_said(worker, f"the connector knows {reference}")
    wait_until_said(worker, f"printed: jdbc:db://ann:{reference}@host/db")
    written = json.loads(rest(worker, f"/connectors/{topic}/config"))
    assert written["password"] == reference
    tasks = json.loads(rest(worker, f"/connectors/{topic}/tasks"))
    assert [task["config"]["url"] for task in tasks] == [f"jdbc:db://ann:{reference}@host/db"] * 2
    assert [task["config"]["password"] for task in tasks] == [reference] * 2
    validated = rest(worker, "/connector-plugins/SecretiveSource/config/validate", written)
    values = {each["value"]["name"]: each["value"] for each in json.loads(validated)["configs"]}
    assert values["password"]["value"] == reference
    assert not values["password"]["errors"]
    missing = {**written, "password": f"${{file:{folder}/none:password}}", "tasks.max": "${file:/elsewhere:k}"}
    refused = rest(worker, "/connector-plugins/SecretiveSource/config/validate", missing)
    errors = {each["value"]["name"]: each["value"]["errors"] for each in json.loads(refused)["configs"]}
    assert errors["password"] == [f"Could not read properties from file {folder}/none: No such file or directory"]
    # Paths that are not allowed have no values: as in Java the reference itself is the value then.
    assert errors["tasks.max"][0] == (
        "Invalid value ${file:/elsewhere:k} for configuration tasks.max: Not a number of type INT"
    )
    (folder / "fail").touch()
    wait_until(lambda: "login failed" in rest(worker, f"/connectors/{topic}/status"), "the tasks have failed")
    status = rest(worker, f"/connectors/{topic}/status")
    assert f"login failed for jdbc:db://ann:{reference}@host/db" in status
    worker.process.send_signal(signal.SIGUSR1)
    assert_hidden(worker, folder, status, validated, refused, json.dumps(tasks))
    assert worker.stop() == 0
    assert_no_leak_in_files(folder)


def assert_no_leak_in_files(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file() and path.name != "secrets.properties":
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in ("hunter2", ROTATED, WORKER_SECRET)), path


def test_a_reload_restarts_only_the_connector_whose_secret_changed(
    worker: WorkerProcess, folder: Path, topic: str, kafka: TestKafka
) -> None:
    tasks = (f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    before = worker.wait_until_runs(*tasks)
    assert kafka.lines(topic, 2) == [proof(PASSWORD)] * 2
    worker.process.send_signal(signal.SIGHUP)
    wait_until_said(worker, "reloaded: 0 connectors changed")
    write_secrets(folder, ROTATED)
    worker.process.send_signal(signal.SIGHUP)
    wait_until_said(worker, "restarting the connector with its tasks: ${file:", ":password} changed")
    assert kafka.lines(topic, 4)[2:] == [proof(ROTATED)] * 2
    wait_until(lambda: changed(before, worker.pids()) == {f"{topic}-0", f"{topic}-1"}, "both tasks have new processes")
    # Nothing changes what does not work for what did.
    write_secrets(folder, "refused")
    worker.process.send_signal(signal.SIGHUP)
    wait_until_said(worker, "secrets are not reloaded: Invalid value ${file:", "It does not open anything")
    (folder / "secrets.properties").unlink()
    worker.process.send_signal(signal.SIGHUP)
    wait_until_said(worker, "the value of producer.ssl.key.password is not to be had: Could not read properties")
    after = worker.pids()
    assert changed(before, after) == {f"{topic}-0", f"{topic}-1"}
    assert_hidden(worker, folder)
    assert worker.stop() == 0


def test_a_task_that_missed_its_secret_comes_back_with_a_reload(
    worker: WorkerProcess, folder: Path, topic: str
) -> None:
    before = worker.wait_until_runs(f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    (folder / "secrets.properties").unlink()
    os.kill(before[f"{topic}-0"], signal.SIGKILL)
    wait_until_said(worker, f"task {topic}-0 is FAILED")
    write_secrets(folder)
    worker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: changed(before, worker.pids()) == {f"{topic}-0", f"{topic}-1"}, "the connector has restarted")
    assert worker.stop() == 0


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The tasks that have other processes."""
    return {name for name in before if name.endswith(("-0", "-1")) and before[name] != after[name]}


def test_a_secret_of_the_worker_concerns_all_connectors(worker: WorkerProcess, folder: Path, topic: str) -> None:
    tasks = (f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    before = worker.wait_until_runs(*tasks)
    write_secrets(folder, worker="another-one")
    worker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: changed(before, worker.pids()) == set(tasks), "all tasks have new processes")
    assert worker.stop() == 0


@pytest.mark.parametrize("worker", [("short",)], indirect=True)
def test_a_secret_that_is_due_restarts_its_connector(
    worker: WorkerProcess, folder: Path, topic: str, kafka: TestKafka
) -> None:
    before = worker.wait_until_runs(f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    assert kafka.lines(topic, 2) == [proof(PASSWORD)] * 2
    write_secrets(folder, ROTATED)
    assert kafka.lines(topic, 4)[2:] == [proof(ROTATED)] * 2
    wait_until(lambda: changed(before, worker.pids()) == {f"{topic}-0", f"{topic}-1"}, "both tasks have new processes")
    assert worker.stop() == 0


@pytest.mark.parametrize("worker", [("short", "none")], indirect=True)
def test_a_connector_may_refuse_to_be_restarted(worker: WorkerProcess, folder: Path, topic: str) -> None:
    before = worker.wait_until_runs(f"{topic}-0", f"{topic}-1", f"plain-{topic}-0")
    write_secrets(folder, ROTATED)
    worker.process.send_signal(signal.SIGHUP)
    wait_until_said(worker, "changed, which restarts nothing: config.action.reload is none")
    wait_until_said(worker, "reloaded: 0 connectors changed")
    assert worker.pids() == before
    assert worker.stop() == 0


def test_a_worker_does_not_start_without_its_own_secrets(folder: Path, topic: str) -> None:
    write_secretive(folder, topic)
    (folder / "secrets.properties").unlink()
    with worker_process(folder, "worker.properties", "secretive.properties") as worker:
        assert worker.process.wait(60) == 78
        assert [event["message"] for event in worker.events] == [
            "worker.properties: the value of producer.ssl.key.password is not to be had: "
            f"Could not read properties from file {folder}/secrets.properties: No such file or directory"
        ]


def test_a_connector_does_not_start_without_its_secret(folder: Path, topic: str) -> None:
    write_secretive(folder, topic)
    text = (folder / "secretive.properties").read_text()
    (folder / "secretive.properties").write_text(text.replace("secrets.properties:password", "none:password"))
    with worker_process(folder, "worker.properties", "secretive.properties") as worker:
        assert worker.process.wait(60) == 78
        wait_until_said(
            worker, f"secretive.properties: Could not read properties from file {folder}/none: No such file"
        )
