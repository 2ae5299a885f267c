"""A worker of Java's and one of ours with the same settings, on one Kafka, for conversations with their REST APIs."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisor.embedded.ports import free_port
from tests.peer.jvm import compile_java, java_command
from tests.peer.rest_statuses import StatusTopic
from tests.support.processes import wait_until

HERE = Path(__file__).parent
HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0
REQUEST_TIMEOUT_S = 120.0
CONNECTD = (sys.executable, "-c", "from supervisor.cli import main; main()")
STRING_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"

# As `connect-standalone` of the distribution, but small and quick to start.
_JVM = ("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_SERVICES = {
    "org.apache.kafka.connect.source.SourceConnector": "connectd.peer.RestPlugins$TroubleSourceConnector",
    "org.apache.kafka.connect.sink.SinkConnector": "connectd.peer.RestPlugins$TroubleSinkConnector",
}


class Worker:
    """A running worker. Names that begin with `@` in requests and answers are its own: all use one Kafka, and a group of
    consumers is called like the connector."""

    def __init__(self, kind: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.kind = kind
        self.port = port
        self.process = process
        self.log = log
        # Of a cluster, any worker answers any request: they take turns.
        self.ports = [port]
        self._turn = 0
        self._prefix = f"{kind}-{uuid.uuid4().hex[:8]}-"
        self.config_topic: str | None = None
        self.statuses: StatusTopic | None = None

    @property
    def is_cluster(self) -> bool:
        """Whether it is one of several, or could be."""
        return self.config_topic is not None

    def private(self, text: str) -> str:
        """A text of a conversation as this worker gets it."""
        return text.replace("@", self._prefix)

    def public(self, text: str) -> str:
        """A text of an answer as the conversation says it."""
        for port in self.ports:
            text = text.replace(f"{HOST}:{port}", "WORKER")
        return text.replace(self._prefix, "@")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with their names in lower case, and body."""
        self._turn += 1
        port = self.ports[self._turn % len(self.ports)]
        connection = http.client.HTTPConnection(HOST, port, timeout=REQUEST_TIMEOUT_S)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON at a path, None for an error."""
        status, _, body = self.request("GET", path)
        return json.loads(body) if status == 200 else None

    def states(self, connector: str) -> list[str] | None:
        """The states of a connector and its tasks by number."""
        status = self.get(f"/connectors/{self.private(connector)}/status")
        return None if status is None else [status["connector"]["state"], *(task["state"] for task in status["tasks"])]


@contextmanager
def java_worker(
    folder: Path,
    bootstrap_servers: str,
    source: Path = HERE / "RestPlugins.java",
    services: Mapping[str, str] = _SERVICES,
    jvm: Sequence[str] = _JVM,
    **settings: str,
) -> Iterator[Worker]:
    """Kafka's worker with the plugins of a Java source, which are `services`: interface and class.

    With a `group.id` it is a distributed one.
    """
    plugins = folder / "java-plugins" / "trouble"
    plugins.mkdir(parents=True)
    classes = compile_java(source)
    with zipfile.ZipFile(plugins / "trouble.jar", "w") as jar:
        for each in classes.rglob("*.class"):
            jar.write(each, each.relative_to(classes))
        for interface, name in services.items():
            jar.writestr(f"META-INF/services/{interface}", f"{name}\n")
    own = {"plugin.discovery": "service_load", "plugin.path": str(plugins.parent)}
    main = "ConnectDistributed" if "group.id" in settings else "ConnectStandalone"
    file, port = _worker_file("java", folder, bootstrap_servers, own | settings)
    command = java_command(f"org.apache.kafka.connect.cli.{main}", str(file), jvm=jvm)
    with _running("java", folder, command, port) as worker:
        yield worker


@contextmanager
def connectd_worker(
    folder: Path, bootstrap_servers: str, source: Path = HERE / "rest_plugins", /, **settings: str
) -> Iterator[Worker]:
    """`connectd standalone` with the plugins of a folder, and as patient with what fails as Java: not at all.

    With a `group.id` it is `connectd distributed`.
    """
    plugins = folder / "connectd-plugins"
    plugins.mkdir()
    (plugins / "trouble").symlink_to(source)
    own = {"plugin.path": str(plugins), "task.restart.policy": "never"}
    mode = "distributed" if "group.id" in settings else "standalone"
    file, port = _worker_file("ours", folder, bootstrap_servers, own | settings)
    with _running("ours", folder, [*CONNECTD, mode, str(file)], port) as worker:
        yield worker


def _worker_file(kind: str, folder: Path, bootstrap_servers: str, settings: Mapping[str, str]) -> tuple[Path, int]:
    """A file for a worker with these settings, and the port of its REST API."""
    port = free_port()
    file = folder / f"{kind}.properties"
    everything = {
        "bootstrap.servers": bootstrap_servers,
        "key.converter": STRING_CONVERTER,
        "value.converter": STRING_CONVERTER,
        "offset.flush.interval.ms": "200",
        "listeners": f"http://{HOST}:{port}",
        **({} if "group.id" in settings else {"offset.storage.file.filename": str(folder / f"{kind}.offsets")}),
        **settings,
    }
    file.write_text("".join(f"{key}={value}\n" for key, value in everything.items()))
    return file, port


@contextmanager
def _running(kind: str, folder: Path, command: Sequence[str], port: int) -> Iterator[Worker]:
    log = folder / f"{kind}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "CONNECTD_LOG_FORMAT": "json"},
        )
    worker = Worker(kind, port, process, log)
    try:
        wait_until(lambda: _answers(worker), f"the {kind} worker answers; see {log}", START_TIMEOUT_S)
        yield worker
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(worker: Worker) -> bool:
    assert worker.process.poll() is None, worker.log.read_text(errors="replace")[-3000:]
    try:
        return worker.get("/health") is not None
    except OSError:
        return False
