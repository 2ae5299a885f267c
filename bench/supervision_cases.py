"""What supervision costs, and how fast it is: each case starts a worker of its own and returns what was measured."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median
from timeit import timeit

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.processes import RunFailed
from bench.supervised import START_TIMEOUT_S, TIMEOUT_S, Supervised, supervised, write_connector
from tasks.source.counters import SourceCounters

Figures = dict[str, float]

RESTARTS = 50
FIRST_RECORDS = 10
CRASHES = 20
FILES = 100
RELOADS = 10
# Between kills of different tasks.
_REST_S = 0.3
# Until what a start has left to be done is done, and for how long an idle worker is then watched.
_SETTLE_S = 15.0
_WATCH_S = 30.0
_RECORD_INTERVAL_S = 0.01
_SCRAPES = 30
_LINES = 5_000_000
_MIB = 1 << 20
_SOURCE = {"connector.class": "PulseSource"}
_SINK = {"connector.class": "PulseSink"}


@dataclass(frozen=True)
class Place:
    """A broker, and a folder for the files of one case."""

    bootstrap_servers: str
    folder: Path

    def run(self, connectors: Mapping[str, Mapping[str, str]]) -> AbstractContextManager[Supervised]:
        """A worker with these connectors."""
        return supervised(self.folder, self.bootstrap_servers, connectors)

    def create_topic(self, name: str, partitions: int = 1) -> str:
        """Create it; returns its name."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 3})
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(TIMEOUT_S)
        return name


def restart(place: Place) -> Figures:
    """From kill -9 of a task to the first poll of its replacement, for each of many tasks once."""
    names = _names("source", RESTARTS)
    with place.run({"source": {**_SOURCE, "tasks.max": str(RESTARTS)}}) as worker:
        worker.wait_for_pulses(set(names))
        return _times("polling_again", [_killed(worker, name, worker.wait_for_pulse) for name in names])


def first_record_source(place: Place) -> Figures:
    """From kill -9 of a source task to its first record that a consumer of the topic has."""
    names = _names("source", FIRST_RECORDS)
    topic = place.create_topic("moved")
    with (
        place.run({"source": {**_SOURCE, "tasks.max": str(FIRST_RECORDS), "pulse.topic": topic}}) as worker,
        _consuming(place, topic) as writers,
    ):
        worker.wait_for_pulses(set(names))

        def wait(name: str) -> float:
            worker.wait_until(lambda: writers.get(name, (0, 0.0))[0] not in (0, worker.pids[name]), "record")
            return writers[name][1]

        worker.wait_until(lambda: set(names) <= writers.keys(), "record of each task")
        return _times("record_again", [_killed(worker, name, wait) for name in names])


def first_record_sink(place: Place) -> Figures:
    """From kill -9 of a sink task to the first records that its replacement is given."""
    names = _names("sink", FIRST_RECORDS)
    topic = place.create_topic("filled", FIRST_RECORDS)
    with (
        place.run({"sink": {**_SINK, "tasks.max": str(FIRST_RECORDS), "topics": topic}}) as worker,
        _producing(place, topic),
    ):
        worker.wait_for_pulses(set(names))
        return _times("record_again", [_killed(worker, name, worker.wait_for_pulse) for name in names])


def status(place: Place) -> Figures:
    """From kill -9 of a task to the moment when the REST API answers FAILED, without restarts, or RESTARTING."""
    once, often = _names("once", CRASHES), _names("often", CRASHES)
    connectors = {
        "once": {**_SOURCE, "tasks.max": str(CRASHES), "task.restart.policy": "never"},
        "often": {**_SOURCE, "tasks.max": str(CRASHES), "task.restart.backoff.ms": "2000"},
    }
    with place.run(connectors) as worker, worker.rest() as get:
        worker.wait_for_pulses({*once, *often})

        def wait(state: str, name: str) -> float:
            connector, _, number = name.partition("-")
            path = f"/connectors/{connector}/tasks/{number}/status"
            worker.wait_until(lambda: get(path)["state"] == state, state)
            return time.monotonic()

        failed = [_killed(worker, name, partial(wait, "FAILED")) for name in once]
        for name in often:  # the first restart is at once
            _killed(worker, name, worker.wait_for_pulse)
        restarting = [_killed(worker, name, partial(wait, "RESTARTING")) for name in often]
    return _times("failed_visible", failed) | _times("restarting_visible", restarting)


def reload(place: Place) -> Figures:
    """SIGHUP with many files of which one has changed: until it is carried out, and until the changed task polls again."""
    names = [f"c{number}" for number in range(FILES)]
    carried_out, polling = [], []
    with place.run(dict.fromkeys(names, _SOURCE)) as worker:
        worker.wait_for_pulses({f"{name}-0" for name in names})
        for name in names[:RELOADS]:
            before = dict(worker.pids)
            write_connector(place.folder, name, {**_SOURCE, "pulse.topic": ""})
            began = time.monotonic()
            carried_out.append(worker.reload())
            polling.append(worker.wait_for_pulse(f"{name}-0") - began)
            others = {task for task, pid in worker.pids.items() if before[task] != pid} - {f"{name}-0"}
            if others:
                raise RunFailed(f"the reload restarted {', '.join(sorted(others))} too")
    return _times("carried_out", carried_out) | _times("changed_task_polling", polling)


def idle(count: int, place: Place) -> Figures:
    """What a worker costs whose tasks wait at the ends of their files: the supervisor, and each task."""
    place.folder.mkdir()
    topic = place.create_topic(f"idle-{count}")
    connectors = {}
    for number in range(count):
        file = place.folder / f"{number}.txt"
        file.touch()
        connectors[f"c{number}"] = {"connector.class": "FileStreamSource", "file": str(file), "topic": topic}
    with place.run(connectors) as worker:
        worker.wait_until(lambda: len(worker.tasks()) == count, f"{count} tasks", START_TIMEOUT_S)
        time.sleep(_SETTLE_S)
        supervisor, forkserver, tasks = worker.pid, worker.forkserver(), worker.tasks()
        before = _cpu_s([supervisor]), _cpu_s([forkserver]), _cpu_s(tasks)
        began = time.monotonic()
        time.sleep(_WATCH_S)
        after = _cpu_s([supervisor]), _cpu_s([forkserver]), _cpu_s(tasks)
        percent = 100 / (time.monotonic() - began)
        memory = psutil.Process(supervisor).memory_full_info()
        return {
            **_scrapes(worker),
            "tasks": len(tasks),
            "supervisor_cpu_percent": (after[0] - before[0]) * percent,
            "supervisor_rss_mib": memory.rss / _MIB,
            "supervisor_pss_mib": memory.pss / _MIB,
            "forkserver_cpu_percent": (after[1] - before[1]) * percent,
            "task_cpu_percent": (after[2] - before[2]) * percent / len(tasks),
            "task_pss_mib": fmean(psutil.Process(pid).memory_full_info().pss for pid in tasks) / _MIB,
        }


def metrics(place: Place) -> Figures:
    """What counting, reporting and a scrape each second cost while a source moves records as fast as it can."""
    place.folder.mkdir()
    topic = place.create_topic("metrics")
    file = place.folder / "lines.txt"
    with file.open("w") as lines:
        lines.writelines(f"line {number:09}\n" for number in range(_LINES))
    config = {"connector.class": "FileStreamSource", "file": str(file), "topic": topic}
    with place.run({"moving": config}) as worker, worker.fetching() as fetch:
        worker.wait_until(worker.tasks, "task")
        (task,) = worker.tasks()
        count, batch, before = 0.0, 1.0, _cpu_s([worker.pid])
        while count < _LINES:
            time.sleep(1)
            text = fetch("/metrics")
            count = _value(text, b"kafka_connect_source_task_source_record_write_total")
            batch = _value(text, b"kafka_connect_connector_task_batch_size_avg")
        whole, reporting, supervisor = _cpu_s([task]), _reporting_cpu_s(task), _cpu_s([worker.pid]) - before
    counters = SourceCounters()
    counting = timeit(lambda: counters.record_poll(1, 0.001), number=100_000) / 100_000
    return {
        "records": count,
        "task_cpu_s": whole,
        "records_a_batch": batch,
        "data_path_percent": (reporting + counting * count / batch) / whole * 100,
        "supervisor_and_scrapes_percent": supervisor / whole * 100,
    }


CASES: Mapping[str, Callable[[Place], Figures]] = {
    "restart": restart,
    "first-record-source": first_record_source,
    "first-record-sink": first_record_sink,
    "status": status,
    "reload": reload,
    "idle-200": partial(idle, 200),
    "idle-1000": partial(idle, 1000),
    "metrics": metrics,
}


def _value(text: bytes, name: bytes) -> float:
    """That of the only series of a metric; 0 if there is none yet."""
    found = re.search(rb"^%s\{[^}]*} ([0-9.e+]+)$" % name, text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _scrapes(worker: Supervised) -> Figures:
    """How long scrapes take, and of that the supervisor's own time: the tasks of a large worker want the same cores meanwhile."""
    times, of_supervisor = [], []
    with worker.fetching() as fetch:
        text = fetch("/metrics")
        for _ in range(_SCRAPES):
            used, began = _cpu_s([worker.pid]), time.monotonic()
            text = fetch("/metrics")
            times.append(time.monotonic() - began)
            of_supervisor.append(_cpu_s([worker.pid]) - used)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    return {
        "scrape_kib": len(text) / 1024,
        "series": series,
        **_times("scrape", times),
        **_times("scrape_cpu", of_supervisor),
    }


def _names(connector: str, count: int) -> list[str]:
    return [f"{connector}-{number}" for number in range(count)]


def _killed(worker: Supervised, name: str, wait: Callable[[str], float]) -> float:
    """Kill a task and return how long the wait took."""
    worker.wait_for_spare()
    time.sleep(_REST_S)
    return -worker.kill(name) + wait(name)


def _times(what: str, seconds: list[float]) -> Figures:
    return {
        "times": len(seconds),
        f"{what}_median_ms": median(seconds) * 1000,
        f"{what}_worst_ms": max(seconds) * 1000,
    }


def _cpu_s(pids: list[int]) -> float:
    """CPU time of processes until now, as exactly as the kernel's scheduler knows it, threads included."""
    return sum(_run_time_ns(pid, thread) for pid in pids for thread in os.listdir(f"/proc/{pid}/task")) / 1e9  # noqa: PTH208


def _reporting_cpu_s(pid: int) -> float:
    """Of a task's threads beside its main one and those of librdkafka: what reports is among them, so this is no less."""
    others = [
        thread
        for thread in os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
        if int(thread) != pid and not Path(f"/proc/{pid}/task/{thread}/comm").read_text().startswith("rdk:")
    ]
    return sum(_run_time_ns(pid, thread) for thread in others) / 1e9


def _run_time_ns(pid: int, thread: str) -> int:
    return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])


@contextmanager
def _consuming(place: Place, topic: str) -> Iterator[dict[str, tuple[int, float]]]:
    """Who writes to the topic: for each task the pid of the last record, and when the first one of that pid came."""
    writers: dict[str, tuple[int, float]] = {}
    end = threading.Event()
    consumer = Consumer(
        {"bootstrap.servers": place.bootstrap_servers, "group.id": "bench", "fetch.queue.backoff.ms": 2, "log_level": 3}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])

    def consume() -> None:
        while not end.is_set():
            message = consumer.poll(0.1)
            if message is not None and (value := message.value()) is not None:
                name, pid = value.decode().split()
                if writers.get(name, (0, 0.0))[0] != int(pid):
                    writers[name] = (int(pid), time.monotonic())

    with _thread(consume, end):
        yield writers
    consumer.close()


@contextmanager
def _producing(place: Place, topic: str) -> Iterator[None]:
    """A record a hundred times a second for each partition."""
    end = threading.Event()
    producer = Producer({"bootstrap.servers": place.bootstrap_servers, "linger.ms": 0, "log_level": 3})

    def produce() -> None:
        while not end.wait(_RECORD_INTERVAL_S):
            for partition in range(FIRST_RECORDS):
                producer.produce(topic, b"record", partition=partition)
            producer.poll(0)

    with _thread(produce, end):
        yield
    producer.flush(TIMEOUT_S)


@contextmanager
def _thread(target: Callable[[], None], end: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
