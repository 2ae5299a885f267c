"""Runs a connector or a task in Java: this process keeps its virtual machine, and speaks for it with the supervisor."""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from plugins.java.plugin import JavaPlugin
from plugins.java.scanning import UNDEFINED
from tasks.clients import exactly_once_producer_settings
from tasks.clients.layers import instance_id
from tasks.control import Control, OffsetStoreError, PreflightFailed
from tasks.heartbeat import LOOK_INTERVAL_S, Measures, Usage, start_heartbeat
from tasks.java.host import WORKER_ID, exactly_once_properties, start_host, worker_properties
from tasks.java.measures import measures
from tasks.java.process import Event, JavaProcess, end_as, levels_at_start, levels_to_change
from tasks.messages import (
    ChangeTargetState,
    ForgetTopics,
    JoinedGroup,
    Order,
    Planned,
    ReconfigurationRequested,
    RunConnector,
    RunTask,
    SetLogLevels,
    Stop,
)
from tasks.secrets.configs import Reverse
from tasks.settings import DistributedConfig, SourceConnectorConfig, worker_config
from tasks.source.counters import SourceCounters
from tasks.states import Call, State

# A virtual machine that does not tell that it lives for so long is not spoken for.
SILENCE_S: Final = 5.0
_READ_TIMEOUT_S: Final = 30.0


class JavaUnit:
    """The part that connectors and tasks have in common: one virtual machine from its start to its end."""

    def __init__(self, control: Control, start: Callable[[], JavaProcess]) -> None:
        self.control = control
        self.beat: Event | None = None
        self.commits = SourceCounters()
        usages = _Usages()
        # Where the host is not there yet, making it takes as long as it takes: this is no call into a plugin.
        control.enter(Call.NONE)
        control.on_heartbeat = self._wait_for_sign
        start_heartbeat(control, self._measure, usages)
        self.process = start()
        usages.add(self.process.pid)
        control.enter(Call.IMPORT)
        self.on_event: Mapping[str, Callable[[Event], None]] = {}
        self._heard = time.monotonic()
        self._failed = False
        self._stopped = False
        # Offsets that come are in the connector's own topic already: the task itself has written them there.
        self.is_exactly_once = False
        # Offsets come from the supervisor, whose answers are read by another thread; what waits for them must not hold up others.
        self._asking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="offsets")

    def run(self, order: str, log_levels: Mapping[str, str], **content: object) -> None:
        """Give the order and see it through. Ends this process if the virtual machine ends unasked."""
        self.process.send(order, levels=levels_at_start(log_levels), worker_id=WORKER_ID, **content)
        self.control.on_order = self._pass_on
        if self.control.stopping.is_set():
            self.process.send("stop")
        for event in self.process.events():
            self._take(event)
        code = self.process.end()
        if self._failed:
            raise JavaFailure
        if not self._stopped:
            os._exit(end_as(code))

    def _take(self, event: Event) -> None:
        match event["event"]:
            case "beat":
                self.beat, self._heard = event, time.monotonic()
                self.control.call = (Call(event["call"]), self._heard - event["call_s"])
            case "state":
                self.control.report_state(State(event["state"]))
            case "failed" | "broken":
                self._fail(event)
            case "stopped":
                self._stopped = True
            case "read":
                self._asking.submit(self._read, event)
            case "commit":
                self._asking.submit(self._commit, event)
            case "check":
                self._asking.submit(self._check, event)
            case kind:
                self.on_event[kind](event)

    def _fail(self, event: Event) -> None:
        self._failed = True
        self.control.note_failed(event["trace"], config_error=event.get("config_error", False))
        self.process.send("stop")

    def _pass_on(self, order: Order) -> None:
        match order:
            case Stop():
                self.process.send("stop")
            case ChangeTargetState(target_state=state):
                self.process.send("state", state=state)
            case SetLogLevels(levels=levels):
                self.process.send("levels", levels=levels_to_change(levels))
            case ForgetTopics():
                self.process.send("forget_topics")

    # --- source offsets, which are kept by the supervisor -----------------------------------------------------------------

    def _read(self, event: Event) -> None:
        keys = [base64.b64decode(key) for key in event["what"]]
        self._answer(event, lambda: self.control.read_offsets(keys, _READ_TIMEOUT_S))

    def _commit(self, event: Event) -> None:
        entries = [(base64.b64decode(key), _bytes(value)) for key, value in event["what"]]
        began = time.monotonic()
        stored = self._answer(event, lambda: self._store(entries))
        if not self.is_exactly_once:
            self.commits.record_commit(time.monotonic() - began, failed=not stored)

    def _store(self, entries: list[tuple[bytes, bytes | None]]) -> None:
        self.control.commit_offsets(entries, _READ_TIMEOUT_S, copied=self.is_exactly_once)

    def _check(self, event: Event) -> None:
        (claimed,) = event["what"]
        self._answer(event, lambda: self.control.check_preflight(claimed=claimed))

    def _answer(self, event: Event, ask: Callable[[], Sequence[bytes | None] | None]) -> bool:
        values, error = None, None
        try:
            values = [None if each is None else base64.b64encode(each).decode() for each in ask() or ()]
        except (OffsetStoreError, PreflightFailed) as problem:
            error = str(problem)
        self.process.send("offsets", number=event["number"], values=values, error=error)
        return error is None

    # --- heartbeats -------------------------------------------------------------------------------------------------------

    def _measure(self) -> Measures:
        return Measures() if self.beat is None else measures(self.beat, None if self.is_exactly_once else self.commits)

    def _wait_for_sign(self) -> None:
        """Without a sign of life from the virtual machine the supervisor is to have none."""
        while self.beat is not None and time.monotonic() - self._heard > SILENCE_S:
            time.sleep(LOOK_INTERVAL_S)


class JavaFailure(Exception):
    """What failed has been told."""


class _Usages:
    """Of this process and its virtual machine together."""

    def __init__(self) -> None:
        self._parts = [Usage(os.getpid())]
        self._last: dict[str, float] = {}

    def add(self, pid: int) -> None:
        """One more process. One that has ended already is not counted."""
        with contextlib.suppress(OSError):
            self._parts.append(Usage(pid))

    def __call__(self) -> dict[str, float]:
        with contextlib.suppress(OSError, IndexError):  # it has just ended
            used = [part() for part in self._parts]
            self._last = {name: sum(each[name] for each in used) for name in used[0]}
        return self._last


def run_java_task(order: RunTask, control: Control, connector: JavaPlugin) -> None:
    """Returns when the task was ordered to stop; raises whatever made it fail. The order has no references any more."""
    worker = worker_config(order.worker_config)
    control.tracks_topics = worker.topic_tracking_enable
    properties = worker_properties(connector, order.worker_config, order.connector_config)
    if connector.kind == "sink":
        _join(order, control, properties)
    exactly_once = order.exactly_once and connector.kind == "source"
    if exactly_once:
        assert isinstance(worker, DistributedConfig), "only workers of clusters deliver exactly once"
        # What Java will do with it, which fails here if this worker could not read the offsets.
        exactly_once_producer_settings(worker, SourceConnectorConfig(order.connector_config), order.task)
        properties |= exactly_once_properties(worker)
    title = f"connectd: task {order.connector}-{order.task}"
    unit = JavaUnit(control, lambda: start_host(title, order.worker_config, order.connector_config, moves_records=True))
    unit.is_exactly_once = exactly_once
    unit.on_event = {"topic": lambda event: control.use_topic(event["topic"])}
    unit.run(
        "task",
        order.log.levels,
        worker=properties,
        connector=order.connector,
        task=order.task,
        config=_for_java(order.connector_config, connector),
        task_config=order.task_config,
        state=control.target_state,
        **{"class": connector.name},
    )


def run_java_connector(order: RunConnector, control: Control, connector: JavaPlugin, reverse: Reverse) -> None:
    """The same for a connector, which ends by itself after its plan if it has no threads of its own."""
    title = f"connectd: connector {order.connector}"
    unit = JavaUnit(control, lambda: start_host(title, order.worker_config, order.config))

    def plan(event: Event) -> None:
        control.send(
            Planned(
                generation=order.generation,
                kind=event["kind"],
                version=event["version"] or UNDEFINED,
                task_class=event["configs"][0]["task.class"] if event["configs"] else "",
                task_configs=[reverse.apply(each) for each in event["configs"]],
                watching=event["watching"],
            )
        )
        if not event["watching"]:
            unit.process.send("stop")

    unit.on_event = {
        "planned": plan,
        "reconfigure": lambda event: control.send(ReconfigurationRequested(generation=order.generation)),
        "topic": lambda event: None,
    }
    unit.run(
        "connector",
        order.log.levels,
        worker=worker_properties(connector, order.worker_config, order.config),
        connector=order.connector,
        config=_for_java(order.config, connector),
    )


def _join(order: RunTask, control: Control, properties: dict[str, Any]) -> None:
    """As those of sinks in Python, its consumer is a static member of its group (KIP-345)."""
    group = order.connector_config.get("consumer.override.group.id") or f"connect-{order.connector}"
    key = "consumer.group.instance.id"
    instance = order.connector_config.get("consumer.override.group.instance.id") or properties.setdefault(
        key, instance_id(group, order.task)
    )
    control.send(JoinedGroup(generation=order.generation, group=group, instance=instance))


def _for_java(config: Mapping[str, str], connector: JavaPlugin) -> dict[str, str]:
    return {**config, "connector.class": connector.name}


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
