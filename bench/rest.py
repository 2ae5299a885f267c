"""`python -m bench.rest`: the REST API of connectd beside that of Java's Kafka Connect, with many connectors, on one Kafka."""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import psutil

from bench.command import ending_in_order, number_of_runs
from supervisor.embedded import EmbeddedKafka
from tests.peer.rest_workers import HOST, Worker, connectd_worker, java_worker
from tests.support.processes import wait_until

_RESULTS: Final = Path(__file__).with_name("rest.json")
_SOURCE: Final = {"connector.class": "connectd.peer.RestPlugins$TroubleSourceConnector", "needed": "x"}
_JSON: Final = {"Content-Type": "application/json"}
_START_TIMEOUT_S: Final = 600.0
_LIST: Final = "/connectors?expand=status"
_STATUS: Final = "/connectors/c0/status"
# A connector that validates for so long is not done when everything has been measured.
_PATIENT: Final[dict[str, Any]] = {"connector.hang.timeout.ms": "3600000"}
# As bin/connect-standalone.sh has it, but for the heap, which is enough for this.
_JVM: Final = ("-Xms256m", "-Xmx2g", "-XX:+UseG1GC", "-Djava.awt.headless=true")

Figures = dict[str, float]


@dataclass(frozen=True)
class Load:
    """So many connections that each ask again as soon as they are answered."""

    path: str
    connections: int
    seconds: float

    def run(self, worker: Worker) -> Figures:
        """Requests a second, how long 50 and 99 of 100 answers took at most, and what one cost the worker's process."""
        process = psutil.Process(worker.process.pid)
        with ThreadPoolExecutor(self.connections) as threads:
            before = sum(process.cpu_times()[:2])
            started = time.monotonic()
            end = started + self.seconds
            asking = [threads.submit(self._ask, worker.port, end) for _ in range(self.connections)]
            times = sorted(each for done in asking for each in done.result())
            took = time.monotonic() - started
            cpu_s = sum(process.cpu_times()[:2]) - before
        return {
            "requests_per_s": round(len(times) / took, 1),
            "p50_ms": round(times[len(times) // 2] * 1000, 2),
            "p99_ms": round(times[len(times) * 99 // 100] * 1000, 2),
            "cpu_ms_per_request": round(cpu_s / len(times) * 1000, 3),
        }

    def _ask(self, port: int, end: float) -> list[float]:
        """How long each answer took. No HTTP library: it would take longer than a server."""
        request = f"GET {self.path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept: application/json\r\n\r\n".encode()
        times = []
        with socket.create_connection((HOST, port)) as connection, connection.makefile("rb") as answers:
            while (began := time.monotonic()) < end:
                connection.sendall(request)
                _read(answers.readline, answers.read)
                times.append(time.monotonic() - began)
        return times


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> None:
    """One answer, with a length or in chunks as Java's longer ones."""
    status = readline()
    assert b" 200 " in status, status
    headers = {}
    while (line := readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    if b"content-length" in headers:
        read(int(headers[b"content-length"]))
        return
    assert headers[b"transfer-encoding"] == b"chunked", headers
    while size := int(readline(), 16):
        read(size + 2)
    readline()


@click.command
@click.option("--connectors", default=200, show_default=True, help="Connectors with a task each.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each run asks.")
@click.option("--connections", default=8, show_default=True, help="How many clients ask at a time.")
@number_of_runs
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where the figures go."
)
def main(connectors: int, seconds: float, connections: int, repeats: int, output: Path) -> None:
    """Measure and print the figures, which also go to bench/rest.json."""
    results: list[dict[str, object]] = []
    with (
        ending_in_order(),
        tempfile.TemporaryDirectory(prefix="connectd-bench-") as name,
        EmbeddedKafka(progress=click.echo) as kafka,
    ):
        folder = Path(name)
        with (
            connectd_worker(folder, kafka.bootstrap_servers, **_PATIENT) as ours,
            java_worker(folder, kafka.bootstrap_servers, jvm=_JVM) as java,
        ):
            both = {"connectd": ours, "kafka-connect-java": java}
            for worker in both.values():
                _create(worker, connectors)
            case = f"GET {_LIST}, {connectors} connectors, {connections} clients"
            _report(results, case, _measured(Load(_LIST, connections, seconds), both, repeats))
            status = Load(_STATUS, 1, seconds)
            _report(results, f"GET {_STATUS}", _measured(status, both, repeats))
            with _hanging(ours):
                case = f"GET {_STATUS}, one plugin sleeps in validate, one in start"
                _report(results, case, _measured(status, {"connectd": ours}, repeats))
    output.write_text(json.dumps(results, indent=1) + "\n")
    click.echo(f"Written to {output}")


def _measured(load: Load, workers: Mapping[str, Worker], repeats: int) -> dict[str, Figures]:
    """The medians of some runs of each, after one that does not count: all get faster.

    In turn, so that a disturbance of the machine hits them all.
    """
    runs: dict[str, list[Figures]] = {system: [] for system in workers}
    for _ in range(repeats + 1):
        for system, worker in workers.items():
            runs[system].append(load.run(worker))
    return {
        system: {name: statistics.median(run[name] for run in done[1:]) for name in done[0]}
        for system, done in runs.items()
    }


def _report(results: list[dict[str, object]], case: str, measured: Mapping[str, Figures]) -> None:
    for system, figures in measured.items():
        results.append({"case": case, "system": system, **figures})
        click.echo(f"{system}: {case}: " + ", ".join(f"{name} {value:,.2f}" for name, value in figures.items()))


def _create(worker: Worker, connectors: int) -> None:
    for number in range(connectors):
        _post(worker, f"c{number}", _SOURCE)

    def all_run() -> bool:
        listed = worker.get(_LIST)
        return (
            all([task["state"] for task in each["status"]["tasks"]] == ["RUNNING"] for each in listed.values())
            and len(listed) == connectors
        )

    wait_until(all_run, "all connectors run", _START_TIMEOUT_S)
    click.echo(f"{connectors} connectors run on {worker.kind}")


def _post(worker: Worker, name: str, config: dict[str, str]) -> None:
    body = json.dumps({"name": name, "config": config}).encode()
    status, _, answer = worker.request("POST", "/connectors", body, _JSON)
    assert status == 201, answer


@contextmanager
def _hanging(worker: Worker) -> Iterator[None]:
    """While one plugin sleeps in validate and another in start."""

    def validate() -> None:
        body = json.dumps({**_SOURCE, "name": "v", "fail": "hang in validate"}).encode()
        # Its answer never comes: the worker is stopped before.
        with contextlib.suppress(OSError):
            worker.request("PUT", f"/connector-plugins/{_SOURCE['connector.class']}/config/validate", body, _JSON)

    threading.Thread(target=validate, daemon=True).start()
    _post(worker, "sleeper", {**_SOURCE, "fail": "hang in start"})
    yield
    worker.request("DELETE", "/connectors/sleeper")


if __name__ == "__main__":
    sys.exit(main())
