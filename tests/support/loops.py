"""Runs source and sink loops in this process, with the test in the supervisor's place at the other end of the channel."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import orjson
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from connectd.tasks import SinkTask, SourceTask
from plugins.converters.simple_header import SimpleHeaderConverter
from plugins.converters.string import StringConverter
from tasks.channel import LENGTH, ChildChannel, decode_report, encode
from tasks.clients import ClientSettings, create_lasting
from tasks.clients.translated import ClientConf
from tasks.control import Control
from tasks.messages import (
    ChangeTargetState,
    CommitOffsets,
    Message,
    OffsetsCommitted,
    OffsetsRead,
    ReadOffsets,
    Report,
    StateChanged,
    Stop,
)
from tasks.pipeline import Pipeline
from tasks.settings.topic_creation import TopicCreationGroup
from tasks.sink.arrivals import Arrivals
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.counters import SinkCounters
from tasks.sink.loop import SinkLoop, SinkSettings
from tasks.sink.subscription import Subscription
from tasks.source.context import WorkerSourceTaskContext
from tasks.source.counters import SourceCounters
from tasks.source.loop import SourceLimits, SourceLoop
from tasks.source.offsets import OffsetTracker, SourceOffsets, StoredOffsets
from tasks.source.sender import Sender
from tasks.states import State, TargetState
from tasks.throttle import Throttle
from tasks.topic_creation import TopicCreation
from tests.support.processes import wait_until

T = TypeVar("T")

TIMEOUT_S = 30.0
FAST_CONSUMER: Mapping[str, Any] = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "fetch.queue.backoff.ms": 2,
    "allow.auto.create.topics": False,
    "log_level": 2,
}


def until(condition: Callable[[], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """What the condition returned when it first held; fails when it never does."""
    found: list[T] = []

    def holds() -> bool:
        found[:] = [condition()]
        return bool(found[0])

    wait_until(holds, what, timeout_s)
    return found[0]


class Supervisor:
    """The other end: gives orders, notes states, and keeps source offsets like the offset file does."""

    def __init__(self, target_state: TargetState = TargetState.STARTED) -> None:
        ours, theirs = socket.socketpair()
        self.control = Control(ChildChannel(theirs), 1, target_state, end=lambda code: None)
        self.control.start_reading()
        self.reports: list[Report] = []
        self.offsets: dict[bytes, bytes | None] = {}
        self.commits: list[dict[bytes, bytes | None]] = []
        self.store_error: str | None = None
        self._socket = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def states(self) -> list[State]:
        return [report.state for report in self.reports if isinstance(report, StateChanged)]

    def order(self, order: Message) -> None:
        self._socket.sendall(encode(order))

    def pause(self) -> None:
        count = len(self.states)
        self.order(ChangeTargetState(target_state=TargetState.PAUSED))
        until(lambda: self.states[count:] == [State.PAUSED], "the task is paused")

    def resume(self) -> None:
        count = len(self.states)
        self.order(ChangeTargetState(target_state=TargetState.STARTED))
        until(lambda: self.states[count:] == [State.RUNNING], "the task runs again")

    def committed(self, partition: Mapping[str, Any], connector: str = "c") -> dict[str, Any] | None:
        """The stored offset of a source partition."""
        value = self.offsets.get(orjson.dumps([connector, partition]))
        return None if value is None else orjson.loads(value)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(TIMEOUT_S)

    def _read(self) -> None:
        with self._socket.makefile("rb") as stream:
            while header := stream.read(LENGTH.size):
                report = decode_report(stream.read(*LENGTH.unpack(header)))
                self.reports.append(report)
                match report:
                    case ReadOffsets(request=request, keys=keys):
                        self.order(OffsetsRead(request=request, values=[self.offsets.get(key) for key in keys]))
                    case CommitOffsets(request=request, entries=entries):
                        if self.store_error is None:
                            self.offsets.update(entries)
                            self.commits.append(dict(entries))
                        self.order(OffsetsCommitted(request=request, error=self.store_error))


class Running:
    """A loop in a thread of its own."""

    def __init__(self, supervisor: Supervisor, run: Callable[[], None]) -> None:
        self.supervisor = supervisor
        self._run = run
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._run()
        except BaseException as error:
            traceback.print_exc()
            self._error = error

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Order it to stop and wait for the end; raises what it failed with."""
        self.supervisor.order(Stop())
        self.join()

    def join(self) -> None:
        """Wait for the end; raises what it failed with."""
        self._thread.join(TIMEOUT_S)
        assert self.ended, "the loop does not end"
        if self._error is not None:
            raise self._error

    def failure(self) -> BaseException:
        """Wait until it has failed; returns the error."""
        self._thread.join(TIMEOUT_S)
        assert self._error is not None, "the loop did not fail"
        return self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            self.supervisor.order(Stop())
            self._thread.join(TIMEOUT_S)
        self.supervisor.close()
        assert self.ended, "the loop does not end"


def strings(**parts: Any) -> Pipeline:
    """A pipeline of texts."""
    return Pipeline(
        **{
            "key_converter": StringConverter(),
            "value_converter": StringConverter(),
            "header_converter": SimpleHeaderConverter(),
            **parts,
        }
    )


def _lasting(factory: Callable[[dict[str, Any]], T], conf: dict[str, Any]) -> T:
    return create_lasting(factory, ClientSettings(conf=ClientConf(conf), warnings=[], origins={}))


def run_source(
    task: SourceTask,
    client: Mapping[str, Any],
    *,
    supervisor: Supervisor | None = None,
    pipeline: Pipeline | None = None,
    groups: Sequence[TopicCreationGroup] = (),
    commit_interval_s: float = 0.02,
    shutdown_timeout_s: float = 20.0,
    throttle: Throttle | None = None,
    **producer: Any,
) -> Running:
    """Start a source task of connector `c`; `producer` are settings with underscores for the dots."""
    supervisor = supervisor or Supervisor()
    control = supervisor.control
    settings = {key.replace("_", "."): value for key, value in producer.items()}
    worker = {"acks": "all", "enable.idempotence": True, "linger.ms": 1, "log_level": 2}
    sender = Sender(_lasting(Producer, {**client, **worker, **settings}), control)
    tracker = OffsetTracker("c")
    loop = SourceLoop(
        task,
        pipeline or strings(),
        sender,
        tracker,
        SourceOffsets(tracker, control, 10.0),
        TopicCreation(groups, lambda: AdminClient({**client, "log_level": 2}), control.stopping),
        control,
        SourceCounters(),
        SourceLimits(commit_interval_s=commit_interval_s, shutdown_timeout_s=shutdown_timeout_s, throttle=throttle),
    )
    task.initialize(WorkerSourceTaskContext({}, StoredOffsets("c", control, 10.0), control))
    return Running(supervisor, loop.run)


def run_sink(
    task: SinkTask,
    client: Mapping[str, Any],
    topics: Any,
    group: str,
    *,
    supervisor: Supervisor | None = None,
    pipeline: Pipeline | None = None,
    commit_interval_s: float = 0.05,
    max_poll_records: int = 500,
    refresh_interval_s: float = 0.2,
    twice: bool = False,
    counters: SinkCounters | None = None,
    context: WorkerSinkTaskContext | None = None,
    throttle: Throttle | None = None,
    **consumer: Any,
) -> Running:
    """Start a sink task; `topics` is a list of them or a compiled expression, `consumer` as `producer` of `run_source`."""
    supervisor = supervisor or Supervisor()
    settings = {key.replace("_", "."): value for key, value in consumer.items()}
    client_of_loop = _lasting(Consumer, {**client, **FAST_CONSUMER, "group.id": group, **settings})
    arrivals = Arrivals(client_of_loop)
    context = context or WorkerSinkTaskContext({})
    loop = SinkLoop(
        task,
        pipeline or strings(),
        client_of_loop,
        Subscription(topics, refresh_interval_s, twice),
        context,
        supervisor.control,
        counters or SinkCounters(),
        SinkSettings(
            max_poll_records=max_poll_records,
            commit_interval_s=commit_interval_s,
            incremental=settings.get("partition.assignment.strategy") == "cooperative-sticky",
            max_poll_interval_s=settings.get("max.poll.interval.ms", 300_000) / 1000,
            throttle=throttle,
        ),
        arrivals,
    )
    task.initialize(context)

    def run() -> None:
        try:
            with _ticking(loop.attendant.look):
                loop.run()
                task.stop()
        finally:
            arrivals.close()
            client_of_loop.close()

    return Running(supervisor, run)


@contextmanager
def _ticking(look: Callable[[], None]) -> Iterator[None]:
    """Calls it again and again, as the heartbeat does."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.05):
            look()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def all_of(*running: Running) -> Iterator[None]:
    """Ends all of them, whatever happens to one."""
    try:
        yield
    finally:
        for each in running:
            each.__exit__()
