"""Measures a transfer from outside, every system in the same way: records as they arrive, CPU and memory of the processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bench.processes import Program, RunFailed

POLL_INTERVAL_S = 0.005
SAMPLE_INTERVAL_S = 0.1
# The kernel walks the page tables for it, and the process waits meanwhile: rarely.
_SAMPLES_PER_PSS = 5
STALL_TIMEOUT_S = 120.0
_BROKER_TIMEOUT_S = 10.0
_MIB = 1 << 20
_NO_TOPIC_YET = (KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)

Count = Callable[[], int]


@dataclass(frozen=True)
class Memory:
    """Of a process tree, in MiB. What processes share counts in each of them as `rss`, divided among them as `pss` (proc(5))."""

    rss_mib: float = 0.0
    pss_mib: float = 0.0

    def highest(self, other: Memory) -> Memory:
        """The greater of each."""
        return Memory(max(self.rss_mib, other.rss_mib), max(self.pss_mib, other.pss_mib))


class TreeSampler:
    """Samples a process and all its descendants, those that end meanwhile included, from a thread."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu_s: dict[psutil.Process, float] = {}
        self._peak = Memory()
        self._samples = 0
        self._lock = threading.Lock()
        self._end = threading.Event()

    @contextmanager
    def sampling(self) -> Iterator[TreeSampler]:
        """Take samples for as long as the context lasts."""
        thread = threading.Thread(target=self._sample_until_end, name="sampler", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._end.set()
            thread.join()

    def cpu_s(self) -> float:
        """CPU time of the tree from its start to now, user and system."""
        with self._lock:
            for process in self._tree():
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                self._cpu_s[process] = times.user + times.system
            return sum(self._cpu_s.values())

    def memory(self) -> Memory:
        """Of the tree as it is now."""
        return Memory(self._sum_mib(_rss), self._sum_mib(_pss))

    def peak(self) -> Memory:
        """The highest so far, or since `forget_peak`."""
        with self._lock:
            return self._peak

    def forget_peak(self) -> None:
        """Begin anew with what is highest."""
        with self._lock:
            self._peak = Memory()

    def _sample_until_end(self) -> None:
        while not self._end.wait(SAMPLE_INTERVAL_S):
            self.cpu_s()
            pss = self._sum_mib(_pss) if self._samples % _SAMPLES_PER_PSS == 0 else 0.0
            self._samples += 1
            now = Memory(self._sum_mib(_rss), pss)
            with self._lock:
                self._peak = self._peak.highest(now)

    def _sum_mib(self, measure: Callable[[psutil.Process], int]) -> float:
        total = 0
        for process in self._tree():
            try:
                total += measure(process)
            except psutil.NoSuchProcess:
                continue
        return total / _MIB

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _pss(process: psutil.Process) -> int:
    return int(process.memory_full_info().pss)


class TopicCounter:
    """Counts the records of a topic with one partition by its high watermark."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": "bench-watermark", "log_level": 3}
        self._consumer = Consumer(settings)
        self._partition = TopicPartition(topic, 0)

    def __call__(self) -> int:
        try:
            _, high = self._consumer.get_watermark_offsets(self._partition, timeout=_BROKER_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() in _NO_TOPIC_YET:
                return 0
            raise RunFailed(f"the broker does not tell the watermark of {self._partition.topic}: {error}") from error
        return int(high)

    def __enter__(self) -> TopicCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()


def file_counter(path: Path, line_bytes: int) -> Count:
    """Counts the lines of a file, all of `line_bytes` bytes, by its size; a file that is not there yet has none."""

    def count() -> int:
        try:
            return path.stat().st_size // line_bytes
        except FileNotFoundError:
            return 0

    return count


@dataclass(frozen=True)
class Transfer:
    """What happened between the first sight of records and the last record. Times are in seconds, `startup_s` from exec on."""

    startup_s: float
    seen_first: int
    records: int
    seconds: float
    cpu_s: float

    @property
    def records_per_s(self) -> float:
        """Of the records that came after the first sight: how long the ones before it took is not known."""
        return (self.records - self.seen_first) / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        """CPU time of the whole tree between the first sight and the last record."""
        return self.cpu_s * 1e6 / (self.records - self.seen_first)


def watch(program: Program, sampler: TreeSampler, count: Count, records: int) -> Transfer:
    """Wait until `records` have arrived. Raises RunFailed when they do not, or are too few to measure a speed."""
    seen_first = wait_for(program, count, 1)
    first_at, first_cpu_s = time.monotonic(), sampler.cpu_s()
    wait_for(program, count, records)
    last_at, last_cpu_s = time.monotonic(), sampler.cpu_s()
    if seen_first >= records:
        raise RunFailed(f"all {records} records came at once: more are needed to measure a speed")
    return Transfer(first_at - program.started_at, seen_first, records, last_at - first_at, last_cpu_s - first_cpu_s)


def wait_for(program: Program, count: Count, wanted: int) -> int:
    """Wait until `count()` reaches `wanted` and return it. Raises RunFailed when the program ends or nothing moves any more."""
    seen, moved_at = 0, time.monotonic()
    while True:
        now = count()
        if now >= wanted:
            return now
        if now > seen:
            seen, moved_at = now, time.monotonic()
        program.check()
        if time.monotonic() - moved_at > STALL_TIMEOUT_S:
            raise RunFailed(
                f"{program.name}: {seen} of {wanted} records, and none for {STALL_TIMEOUT_S:.0f} s:\n{program.log_tail()}"
            )
        time.sleep(POLL_INTERVAL_S)
