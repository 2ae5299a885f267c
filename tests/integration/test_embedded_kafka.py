"""The embedded Kafka itself: what is in its folder stays, what is bound to a process dies with it, clients must log in."""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from supervisor.embedded import EmbeddedKafka, broker, ports
from supervisor.embedded.data_folder import DataFolder
from supervisor.embedded.errors import DataFolderError, EmbeddedKafkaError
from supervisor.embedded.files import read_json
from supervisor.embedded.processes import started_at
from tests.peer.jvm import run_java
from tests.support.kafka import ShortLivedKafka, TestKafka

TIMEOUT_S = 60.0
CONNECTD_KAFKA = [sys.executable, "-m", "supervisor.embedded"]

# What Kafka leaves behind when it had time to close its files.
CLEAN_SHUTDOWN = Path("kafka-logs", ".kafka_cleanshutdown")

# Starts a throwaway broker, says where it is, and waits to be killed.
PARENT = """
import sys, time
from supervisor.embedded import EmbeddedKafka, broker, ports
kafka = EmbeddedKafka().start()
print(kafka.bootstrap_servers, kafka.pid, kafka.data.path, flush=True)
time.sleep(600)
"""


def connectd_kafka(*words: str | Path, check: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*CONNECTD_KAFKA, *map(str, words)], capture_output=True, text=True, timeout=4 * TIMEOUT_S)
    assert done.returncode == check, done.stdout + done.stderr
    return done


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose broker is stopped in the end, whatever the test did."""
    yield tmp_path / "data"
    connectd_kafka("stop", "--data", tmp_path / "data")


def test_a_daemon_keeps_its_topics_from_start_to_start(data: Path) -> None:
    first = json.loads(connectd_kafka("start", "--port", "0", "--data", data, "--output", "json").stdout)
    assert first["state"] == "running"
    TestKafka({"bootstrap.servers": first["bootstrap_servers"]}).produce("kept", ["one", "two"])

    refused = connectd_kafka("start", "--port", "0", "--data", data, check=5)
    assert f"is in use by a running broker (pid {first['pid']}, {first['bootstrap_servers']})" in refused.stderr
    port = first["bootstrap_servers"].rpartition(":")[2]
    taken = connectd_kafka("start", "--port", port, "--data", data.with_name("other"), check=4)
    assert taken.stderr == f"connectd kafka: port {port} is taken by another process; choose another with --port\n"

    connectd_kafka("stop", "--data", data)
    assert started_at(first["pid"]) is None
    assert (data / CLEAN_SHUTDOWN).exists()
    assert connectd_kafka("status", "--data", data, check=3).stdout.split()[:2] == ["state", "stopped"]

    connectd_kafka("start", "--port", port, "--data", data)
    status = json.loads(connectd_kafka("status", "--data", data, "--output", "json").stdout)
    assert status["bootstrap_servers"] == first["bootstrap_servers"]
    assert TestKafka({"bootstrap.servers": status["bootstrap_servers"]}).lines("kept", 2) == ["one", "two"]
    assert (data / "broker.log.1").exists()


def test_of_two_starts_at_once_one_wins(data: Path) -> None:
    command = [*CONNECTD_KAFKA, "start", "--port", "0", "--data", str(data)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=4 * TIMEOUT_S)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 5], said
    assert connectd_kafka("status", "--data", data).stdout.split()[:2] == ["state", "running"]


def test_kill_9_of_its_process_ends_a_bound_broker_and_its_throwaway_folder() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    address, pid, folder = parent.stdout.readline().split()
    port = int(address.rpartition(":")[2])
    assert ports.accepts(port)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: started_at(int(pid)) is None)
    assert not ports.accepts(port)
    assert not Path(folder).exists()


def test_foreground_stops_cleanly_on_sigterm(data: Path) -> None:
    command = [*CONNECTD_KAFKA, "start", "--foreground", "--port", "0", "--data", str(data)]
    attached = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert attached.stdout
    assert attached.stdout.readline().split() == ["state", "running"]
    attached.terminate()
    assert attached.communicate(timeout=TIMEOUT_S)[1] == "Stopped\n"
    assert attached.returncode == 0
    assert (data / CLEAN_SHUTDOWN).exists()
    assert DataFolder(data).broker() == {}


def test_messages_survive_kill_9_of_the_broker(tmp_path: Path) -> None:
    with ShortLivedKafka(tmp_path / "data") as running:
        TestKafka(running.client).produce("kept", ["acknowledged"])
        (java,) = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        subprocess.run(["kill", "-9", java], check=True)
        assert running.wait() == 128 + signal.SIGKILL
    with ShortLivedKafka(tmp_path / "data") as running:
        assert TestKafka(running.client).lines("kept", 1) == ["acknowledged"]


def test_clients_must_be_who_they_say(tmp_path: Path) -> None:
    """One folder, started with one kind of security after the other."""
    folder = tmp_path / "data"
    for number, (tls, sasl) in enumerate([(False, "PLAIN"), (True, "SCRAM-SHA-256"), (True, None)], start=1):
        with ShortLivedKafka(folder, tls=tls, sasl=sasl) as running:
            kafka = TestKafka(running.client)
            kafka.produce("secured", [f"written with {running.client['security.protocol']}"])
            assert len(kafka.lines("secured", number)) == number
            assert_refused({"bootstrap.servers": running.bootstrap_servers})
            if sasl:
                assert_refused({**running.client, "sasl.password": "guessed"})
            if tls and sasl:
                assert_java_reads_client_properties(running)
            log, command = (folder / "broker.log").read_text(), Path(f"/proc/{running.pid}/cmdline").read_text()
        for password in read_json(folder / "users.json").values():
            assert password not in log + command


def assert_refused(client: dict[str, str]) -> None:
    errors: list[KafkaError] = []
    settings: dict[str, Any] = {**client, "log_level": 0, "error_cb": errors.append}
    admin = AdminClient(settings)

    def told() -> bool:
        admin.poll(0.05)
        return bool(errors)

    assert eventually(told)
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=0.5)


def assert_java_reads_client_properties(running: EmbeddedKafka) -> None:
    settings = str(running.data.path / "client.properties")
    command = ["--bootstrap-server", running.bootstrap_servers, "--command-config", settings, "--list"]
    assert b"secured" in run_java("org.apache.kafka.tools.TopicCommand", *command).splitlines()


def test_a_port_that_was_free_a_moment_ago_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        stolen = thief.getsockname()[1]
        choices = [stolen]
        monkeypatch.setattr(broker, "free_port", lambda: choices.pop() if choices else ports.free_port())
        with ShortLivedKafka(tmp_path / "data", port=ports.free_port()) as kafka:
            assert TestKafka(kafka.client).produce("anything", ["works"]) == 1
        assert f":{stolen}" in (tmp_path / "data" / "broker.log.1").read_text()


def test_a_broker_that_cannot_start_says_why_at_once(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaError, match="Too small maximum heap"):
        ShortLivedKafka(tmp_path / "data", heap="1k").start()
    # The folder is as good as before, and nobody holds it.
    lock = tmp_path / "data" / "kafka-logs" / ".lock"
    with lock.open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)  # as a broker does that was started in another way
        with pytest.raises(DataFolderError, match="in use by a broker that was started in another way"):
            ShortLivedKafka(tmp_path / "data").start()
    with ShortLivedKafka(tmp_path / "data"), pytest.raises(DataFolderError, match="in use by a running broker"):
        ShortLivedKafka(tmp_path / "data").start()
