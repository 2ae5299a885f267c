"""The walkthrough of docs/debezium.md, with its own commands, on a real database: snapshot, changes, kills, a restart."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.jars.artifacts import class_path
from supervisor.embedded.ports import free_port
from tests.java.mariadb import MariaDB, has_programs, mariadb
from tests.java.worker import TIMEOUT_S, JavaWorker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import CONNECTD, worker_process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/debezium.md").read_text()
LOCK = Path(__file__).with_name("debezium-mysql-1.9.7.lock")

pytestmark = pytest.mark.skipif(not has_programs(), reason="no MariaDB is installed")


def block(language: str) -> str:
    """The only block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def install(folder: Path) -> None:
    """What the page says, but that Debezium's archive, made of the jars that are in it, is in the user's Maven repository."""
    name = "debezium-connector-mysql"
    place = folder / "m2" / "io" / "debezium" / name / "1.9.7.Final"
    place.mkdir(parents=True)
    archive = place / f"{name}-1.9.7.Final-plugin.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as file:
        for jar in class_path(LOCK):
            file.add(jar, f"{name}/{jar.name}")
    archive.with_name(f"{archive.name}.sha1").write_text(hashlib.sha1(archive.read_bytes()).hexdigest())
    (commands,) = re.findall(r"```\n(mkdir -p plugins\n.*?)```", PAGE, re.DOTALL)
    for command in commands.splitlines():
        words = shlex.split(command)
        if words[0] == "connectd":
            words[:1] = CONNECTD
        subprocess.run(
            words, cwd=folder, env={**os.environ, "M2_REPO": str(folder / "m2")}, check=True, timeout=TIMEOUT_S
        )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    with mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture
def debezium(kafka: TestKafka, host: list[str], topic: str, tmp_path: Path) -> Iterator[JavaWorker]:
    """A distributed worker with the file of the distribution, and Debezium in its plugin path."""
    install(tmp_path)
    port = free_port()
    text = (ROOT / "conf/connect-distributed.properties").read_text()
    text += f"\n{block('properties')}\nlisteners=http://127.0.0.1:{port}\noffset.flush.interval.ms=200\n"
    text = text.replace("localhost:9092", kafka.bootstrap_servers).replace("connect-", f"{topic}-")
    (tmp_path / "worker.properties").write_text(text)
    with worker_process(tmp_path, "worker.properties", command="distributed") as process:
        worker = JavaWorker(tmp_path, process, f"http://127.0.0.1:{port}")
        worker.wait_until_answers()
        yield worker
        assert process.stop() == 0


def changes(kafka: TestKafka, topic: str, count: int) -> list[tuple[str, str | None]]:
    """Operation and name of the first rows, without tombstones."""
    found: list[tuple[str, str | None]] = []
    for message in kafka.consume(topic, count, TIMEOUT_S):
        if message.value() is not None:
            row: dict[str, Any] = json.loads(message.value() or b"")["payload"]
            found.append((row["op"], (row["after"] or row["before"])["name"]))
    return found


def test_the_walkthrough(database: MariaDB, debezium: JavaWorker, kafka: TestKafka, topic: str) -> None:
    database.run(block("sql"))
    text = block("json").replace("localhost:9092", kafka.bootstrap_servers).replace("3306", str(database.port))
    connector = json.loads(text.replace("dbserver1", topic).replace("schema-changes", f"{topic}-changes"))
    rows = f"{topic}.inventory.customers"

    def created() -> bool:
        answer = debezium.request("POST", "/connectors", connector)
        assert answer.get("error_code") in (None, 409, 503), answer  # as long as the worker joins its group
        return "error_code" not in answer

    wait_until(created, "the connector is created", TIMEOUT_S)
    debezium.wait_for_task("debezium-connector", "RUNNING")
    status = debezium.request("GET", "/connectors/debezium-connector/status")
    assert status["type"] == "source" and status["connector"]["state"] == "RUNNING"
    assert status["connector"]["version"] == "1.9.7.Final"
    assert changes(kafka, rows, 2) == [("r", "Ann"), ("r", "Bob")]

    database.run(
        "UPDATE inventory.customers SET name = 'Anna' WHERE id = 1; DELETE FROM inventory.customers WHERE id = 2"
    )
    known = [("r", "Ann"), ("r", "Bob"), ("u", "Anna"), ("d", "Bob")]
    assert changes(kafka, rows, 5) == known  # and a tombstone

    def stored() -> Any:
        return debezium.request("GET", "/connectors/debezium-connector/offsets")["offsets"]

    # Whoever dies before it has stored that the snapshot is over makes another one.
    wait_until(lambda: stored() and "snapshot" not in stored()[0]["offset"], "the snapshot is over", TIMEOUT_S)
    assert stored()[0]["partition"] == {"server": topic}

    def came(name: str) -> bool:
        return ("c", name) in changes(kafka, rows, sum(kafka.end_offsets(rows).values()))

    for number, name in enumerate(("Carl", "Dora")):
        machine = debezium.machine("debezium-connector-0")
        assert machine is not None
        # First the virtual machine alone, then the process that keeps it, which takes it with it.
        (machine if number == 0 else machine.parent() or machine).send_signal(signal.SIGKILL)
        database.run(f"INSERT INTO inventory.customers (name, email) VALUES ('{name}', NULL)")
        wait_until(lambda name=name: came(name), f"{name} came", TIMEOUT_S)  # type: ignore[misc]
        debezium.wait_for_task("debezium-connector", "RUNNING")
    # What was not committed before a kill comes twice, and nothing else.
    assert set(changes(kafka, rows, sum(kafka.end_offsets(rows).values()))) == {*known, ("c", "Carl"), ("c", "Dora")}
