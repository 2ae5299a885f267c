"""Starts and stops the broker of a data folder."""

from __future__ import annotations

import base64
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from . import guard
from .data_folder import DataFolder
from .errors import DataFolderError, EmbeddedKafkaError, PortTakenError
from .files import write_json, write_private, write_properties
from .ports import accepts, free_port, obstacle
from .processes import started_at
from .runtime import KafkaRuntime
from .security import ADMIN, Security, Users
from .settings import BrokerOptions, log4j2_properties, server_properties

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 30.0
_PORT_TRIES = 5
_BIND_FAILURE = re.compile(r"failed to bind to .*?:(\d+): Address already in use", re.IGNORECASE)


@dataclass(frozen=True)
class Watched:
    """The process that the broker must not outlive, and the folder to remove afterwards, if there is one."""

    pid: int
    throwaway: Path | None = None

    def guarded(self, command: Iterable[str]) -> list[str]:
        """`command` under the guard; raises EmbeddedKafkaError when the process is gone already."""
        start = started_at(self.pid)
        if start is None:
            raise EmbeddedKafkaError(f"the broker is to end with process {self.pid}, which does not run")
        python = [sys.executable, "-I", "-S", guard.__file__]
        return [*python, str(self.pid), start, str(self.throwaway or "-"), "--", *command]


@dataclass(frozen=True)
class Broker:
    """A broker that answers: its process, and the options with the port it got."""

    process: subprocess.Popen[bytes]
    options: BrokerOptions
    security: Security


def start_broker(
    fetch: Callable[[], KafkaRuntime], folder: DataFolder, options: BrokerOptions, watched: Watched | None = None
) -> Broker:
    """Start the folder's broker and return when it answers; port 0 means any free one.

    `fetch` is called once folder and port are seen to be usable, since it may take long. Without `watched` the broker
    lives on by itself. Raises DataFolderError, PortTakenError, or EmbeddedKafkaError with the last
    errors of the log.
    """
    lock = folder.acquire()
    try:
        folder.check_version(options.version)
        _check_port(options.port)
        runtime = fetch()
        _format(runtime, folder)
        for _ in range(_PORT_TRIES):
            chosen = replace(options, port=options.port or free_port())
            try:
                return _start(runtime, folder, chosen, watched, lock)
            except PortTakenError:
                # A port that was free a moment ago: another try. The one that the user asked for: no.
                if options.port and obstacle(options.port):
                    raise
        raise PortTakenError(f"{_PORT_TRIES} times in a row another process took the port that was to be used")
    except OSError as error:
        raise folder.unusable(error) from error
    finally:
        os.close(lock)


def stop_broker(folder: DataFolder, timeout_s: float = _STOP_TIMEOUT_S) -> bool:
    """Stop the folder's broker cleanly and wait for its end; False when none runs."""
    record = folder.broker()
    if not record:
        return False
    pid = int(record["pid"])
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # Looked at again now that the descriptor holds the process: the pid may have gone to another meanwhile.
        if started_at(pid) != record["started_at"]:
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not select.select([descriptor], [], [], timeout_s)[0]:
            raise EmbeddedKafkaError(
                f"the broker (pid {pid}) still runs {timeout_s:g} s after SIGTERM; see {folder.log}"
            )
    finally:
        os.close(descriptor)
    folder.running.unlink(missing_ok=True)
    return True


def end(process: subprocess.Popen[bytes], timeout_s: float = _STOP_TIMEOUT_S) -> None:
    """End a broker that this process started: cleanly, or after the timeout at once."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cluster_id(client: dict[str, str], timeout_s: float) -> str | None:
    """The id of the cluster that answers a client with these librdkafka settings; None when nobody does in time."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    try:
        # Nothing is logged: that the broker is not there yet is no error.
        return str(AdminClient({**client, "log_level": 0}).list_topics(timeout=timeout_s).cluster_id)
    except KafkaException:
        return None


def _start(
    runtime: KafkaRuntime, folder: DataFolder, options: BrokerOptions, watched: Watched | None, lock: int
) -> Broker:
    _check_port(options.port)
    security = Security(options, folder.path)
    command = _configure(runtime, folder, options, security)
    folder.rotate_log()
    with folder.log.open("wb") as log:
        process = subprocess.Popen(
            watched.guarded(command) if watched else command,
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock],
        )
    try:
        _record(folder, options, process.pid)
        _wait_until_ready(folder, security.librdkafka_client(), process)
    except BaseException:
        end(process)
        folder.running.unlink(missing_ok=True)
        raise
    return Broker(process, options, security)


def _check_port(port: int) -> None:
    if port and (why := obstacle(port)):
        raise PortTakenError(f"port {port} {why}; choose another with --port")


def _configure(runtime: KafkaRuntime, folder: DataFolder, options: BrokerOptions, security: Security) -> list[str]:
    """Write the files of this start; returns the command line."""
    server, log4j2 = folder.path / "server.properties", folder.path / "log4j2.properties"
    controller_port = free_port()
    write_properties(server, server_properties(options, folder.topics, controller_port, security.server()))
    write_properties(folder.path / "client.properties", security.java_client())
    write_properties(folder.path / "admin.properties", security.java_client(ADMIN))
    write_properties(folder.path / "librdkafka.properties", security.librdkafka_client())
    write_private(log4j2, log4j2_properties())
    return runtime.command("kafka.Kafka", str(server), heap=options.heap, log4j2=log4j2)


def _record(folder: DataFolder, options: BrokerOptions, pid: int) -> None:
    write_json(
        folder.running,
        {
            "pid": str(pid),
            "started_at": started_at(pid) or "",
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": options.version,
            "bootstrap_servers": options.bootstrap_servers,
            "security_protocol": options.security_protocol,
            "sasl_mechanism": options.sasl or "",
        },
    )


def _wait_until_ready(folder: DataFolder, client: dict[str, str], process: subprocess.Popen[bytes]) -> None:
    """Return when this folder's cluster, and no other, answers; raise when the process ends before."""
    port = int(client["bootstrap.servers"].rpartition(":")[2])
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _failure(folder)
        if accepts(port) and cluster_id(client, timeout_s=5) == folder.cluster_id:
            return
        time.sleep(0.02)
    raise EmbeddedKafkaError(f"the broker did not answer within {_START_TIMEOUT_S:g} s: {_last_errors(folder.log)}")


def _failure(folder: DataFolder) -> EmbeddedKafkaError:
    """What the log of a broker that died says."""
    text = folder.log.read_text(errors="replace")
    if taken := _BIND_FAILURE.search(text):
        return PortTakenError(f"port {taken[1]} is taken by another process; choose another with --port")
    if "Failed to acquire lock on file" in text:
        return DataFolderError(f"data folder {folder.path} is in use by a broker that was started in another way")
    if "No space left on device" in text:
        return DataFolderError(f"data folder {folder.path}: its disk is full")
    return EmbeddedKafkaError(f"the broker ended while it started: {_last_errors(folder.log)}")


def _last_errors(log: Path, count: int = 3) -> str:
    """The last lines of a log that report an error, or else its last lines."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if len(lines) <= count:
        return " | ".join(lines)
    telling = [line for line in lines if re.search(r"\b(ERROR|FATAL)\b|Exception\b|^Error", line)]
    return " | ".join((telling or lines)[-count:]) + f" (all of it: {log})"


def _format(runtime: KafkaRuntime, folder: DataFolder) -> None:
    """Format the folder with Kafka's StorageTool unless it is; a format that was interrupted starts afresh."""
    folder.note_version(runtime.version)
    if folder.topics.exists():
        return
    draft = folder.path / ".formatting"
    shutil.rmtree(draft, ignore_errors=True)
    users = Users.of(folder.path / "users.json")
    server, log4j2, arguments = (
        folder.path / name for name in ("server.properties", "log4j2.properties", ".arguments")
    )
    write_properties(server, server_properties(BrokerOptions(), draft, BrokerOptions().port + 1, {}))
    write_private(log4j2, log4j2_properties().replace("level=info", "level=error"))
    words = ["format", "--cluster-id", _new_cluster_id(), "--config", str(server), *users.scram_arguments()]
    quick = ["-XX:TieredStopAtLevel=1"]
    command = runtime.command("kafka.tools.StorageTool", *words, heap="256m", log4j2=log4j2, options=quick)
    try:
        # In a file, since the passwords must not show in a list of processes.
        write_private(arguments, "\n".join(map(_quoted, command[1:])))
        done = subprocess.run([command[0], f"@{arguments}"], cwd=folder.path, capture_output=True, text=True)
    finally:
        arguments.unlink(missing_ok=True)
    if done.returncode != 0:
        write_private(folder.log, done.stdout + done.stderr)
        raise _failure(folder)
    draft.replace(folder.topics)


def _quoted(word: str) -> str:
    """One word for an argument file of the java command."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _new_cluster_id() -> str:
    """16 random bytes as Kafka writes an id; not one that begins with a dash, which looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
