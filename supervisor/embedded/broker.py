"""Starts and stops the broker of a data folder."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from . import guard
from .data_folder import DataFolder
from .errors import EmbeddedKafkaError, PortTakenError
from .failures import failure, last_errors
from .files import write_json, write_private, write_properties
from .formatting import format_folder
from .ports import accepts, free_port, obstacle
from .processes import started_at
from .runtime import KafkaRuntime
from .security import ADMIN, Security
from .settings import BrokerOptions, log4j2_properties, server_properties

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 30.0
_PORT_TRIES = 5


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
        format_folder(runtime, folder)
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
            raise failure(folder)
        if accepts(port) and cluster_id(client, timeout_s=5) == folder.cluster_id:
            return
        time.sleep(0.02)
    raise EmbeddedKafkaError(f"the broker did not answer within {_START_TIMEOUT_S:g} s: {last_errors(folder.log)}")
