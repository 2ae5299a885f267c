"""Runs one task in this process: resolves its classes, connects its clients, and hands over to the source or sink loop."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from connectd.errors import ConfigException
from connectd.tasks import SinkTask, SourceTask, Task
from plugins.discovery import find_class
from tasks.assembly import build_pipeline
from tasks.clients import (
    ClientSettings,
    admin_settings,
    consumer_settings,
    create,
    create_lasting,
    dlq_producer_settings,
    exactly_once_producer_settings,
    producer_settings,
)
from tasks.connections import abandon_connections
from tasks.control import Control
from tasks.errors import ErrorSettings, build_operator
from tasks.errors.dead_letters import MakeLetter, sink_letters, source_letters
from tasks.heartbeat import Measures, Usage, start_heartbeat
from tasks.java.choosing import java_connector
from tasks.messages import JoinedGroup, RunTask
from tasks.pipeline import Pipeline
from tasks.secrets.inline import hide_declared
from tasks.settings import (
    DistributedConfig,
    Limits,
    SinkConnectorConfig,
    SourceConnectorConfig,
    TransactionBoundary,
    WorkerConfig,
    worker_config,
)
from tasks.sink.arrivals import Arrivals
from tasks.sink.context import WorkerSinkTaskContext
from tasks.sink.counters import SinkCounters
from tasks.sink.errant import WorkerErrantRecordReporter
from tasks.sink.loop import SinkLoop, SinkSettings
from tasks.sink.subscription import Subscription
from tasks.source.boundaries import boundary_of
from tasks.source.context import WorkerSourceTaskContext
from tasks.source.counters import SourceCounters
from tasks.source.exactly_once import ExactlyOnceLoop
from tasks.source.loop import SourceLimits, SourceLoop
from tasks.source.offsets import OffsetTracker, SourceOffsets, StoredOffsets
from tasks.source.sender import Sender
from tasks.source.transaction_context import WorkerTransactionContext
from tasks.source.transactions import OffsetsTopic, Transactions
from tasks.states import Call, State, TargetState
from tasks.task_classes import find_task_class
from tasks.throttle import Throttle
from tasks.topic_creation import TopicCreation
from tasks.traffic import Traffic

T = TypeVar("T")

log = structlog.get_logger(__name__)

PAUSE_CHECK_S = 3600.0
# What was reported before the last commit is waited for there; this is for what a task reports in its `stop`.
LAST_REPORTS_S = 3.0
# Reading the offset file is instant; a supervisor that does not answer for so long is stuck.
READ_OFFSETS_TIMEOUT_S = 30.0
# Java's metadata.max.age.ms, under librdkafka's name.
METADATA_REFRESH_MS = "topic.metadata.refresh.interval.ms"
METADATA_REFRESH_DEFAULT_MS = 300_000
MAX_POLL_INTERVAL_MS = "max.poll.interval.ms"
MAX_POLL_INTERVAL_DEFAULT_MS = 300_000


def run_task(order: RunTask, control: Control) -> None:
    """Returns when the task was ordered to stop; raises whatever made it fail."""
    control.enter(Call.IMPORT)
    # Others start sooner without the settings of clusters.
    worker = (worker_config if order.exactly_once else WorkerConfig)(order.worker_config)
    control.tracks_topics = worker.topic_tracking_enable
    java = java_connector(order.connector_config, order.worker_config, worker.plugin_path)
    if java is not None:
        # Only where it is needed: every other process starts sooner without it.
        from tasks.java.running import run_java_task

        run_java_task(order, control, java)
        return
    # The connector first: with its plugin folder on sys.path, another plugin's module of that name is not taken for its task's.
    connector_class = find_class(order.connector_config["connector.class"], plugin_path=worker.plugin_path)
    hide_declared(connector_class, order.connector_config, order.task_config)
    task_class = find_task_class(order.task_class, connector_class, worker.plugin_path)
    if issubclass(task_class, SourceTask):
        run_source_task(task_class(), order, worker, control)
    elif issubclass(task_class, SinkTask):
        run_sink_task(task_class(), order, worker, control)
    else:
        raise ConfigException("task.class", order.task_class, "Expected the class of a SourceTask or SinkTask")


def run_source_task(task: SourceTask, order: RunTask, worker: WorkerConfig, control: Control) -> None:
    """Build what a source task needs around it and run it."""
    connector = SourceConnectorConfig(order.connector_config)
    counters, traffic, admin_traffic = SourceCounters(), Traffic("producer"), Traffic("adminclient")
    pipeline = build_pipeline(connector, worker)
    letters = source_letters(order.connector, order.task, pipeline.header_converter)
    pipeline = _with_errors(pipeline, connector, letters, order, worker, control)
    groups = connector.topic_creation_groups if worker.topic_creation_enable else []
    topics = TopicCreation(
        groups,
        lambda: _lasting_client(AdminClient, admin_settings(worker, connector, order.task), admin_traffic),
        control.stopping,
    )

    def measures() -> Measures:
        topics.poll()
        clients = traffic.snapshot() | admin_traffic.snapshot()
        return Measures(
            counters=counters.snapshot() | pipeline.errors.counters.snapshot() | clients, source_lag=counters.lag
        )

    control.enter(Call.NONE)
    start_heartbeat(control, measures)
    cluster = worker if order.exactly_once and isinstance(worker, DistributedConfig) else None
    if cluster is None:
        settings = producer_settings(worker, connector, order.task)
    else:
        settings = exactly_once_producer_settings(cluster, connector, order.task)
    producer = _lasting_client(Producer, settings, traffic)
    sender = Sender(producer, control)
    limits = SourceLimits(
        commit_interval_s=worker.offset_flush_interval_ms / 1000,
        shutdown_timeout_s=worker.task_shutdown_graceful_timeout_ms / 1000,
        throttle=_throttle(order),
    )
    context: WorkerTransactionContext | None = None
    if cluster is None:
        tracker = OffsetTracker(order.connector)
        offsets = SourceOffsets(tracker, control, worker.offset_flush_timeout_ms / 1000)
        loop = SourceLoop(task, pipeline, sender, tracker, offsets, topics, control, counters, limits)
    else:
        offsets_topic = OffsetsTopic.of(cluster, order.connector_config)
        transactions = Transactions(order.connector, order.task, producer, offsets_topic, control, counters)
        if connector.transaction_boundary is TransactionBoundary.CONNECTOR:
            context = WorkerTransactionContext()
        boundary = boundary_of(connector, worker, context)
        loop = ExactlyOnceLoop(task, pipeline, sender, transactions, boundary, topics, control, counters, limits)
    stored = StoredOffsets(order.connector, control, READ_OFFSETS_TIMEOUT_S)
    task.initialize(WorkerSourceTaskContext(order.task_config, stored, control, context))
    try:
        _run(task, order, control, pipeline, loop.run, loop.prepare)
    finally:
        if sender.unacknowledged:
            abandon_connections()


def run_sink_task(task: SinkTask, order: RunTask, worker: WorkerConfig, control: Control) -> None:
    """Build what a sink task needs around it and run it."""
    connector = SinkConnectorConfig(order.connector_config)
    counters, traffic = SinkCounters(), Traffic("consumer")
    with_context = connector.dlq_context_headers_enable
    letters = sink_letters(order.connector, order.task, with_context=with_context)
    pipeline = _with_errors(build_pipeline(connector, worker), connector, letters, order, worker, control)
    control.enter(Call.NONE)
    usage = Usage(os.getpid())
    start_heartbeat(
        control,
        lambda: Measures(
            counters=counters.snapshot() | pipeline.errors.counters.snapshot() | traffic.snapshot(),
            positions=counters.positions(),
        ),
        lambda: counters.puts_snapshot() | usage(),
    )
    settings = consumer_settings(worker, connector, order.task)
    consumer = _lasting_client(Consumer, settings, traffic)
    arrivals = Arrivals(consumer)
    instance: str = settings.conf.get("group.instance.id", "")

    def join(member: str = "") -> None:
        group: str = settings.conf["group.id"]
        control.send(JoinedGroup(generation=order.generation, group=group, instance=instance, member=member))

    if instance:
        join()
    reporter = WorkerErrantRecordReporter(pipeline) if connector.errant_record_reporter_enabled else None
    context = WorkerSinkTaskContext(order.task_config, reporter)
    loop = SinkLoop(
        task,
        pipeline,
        consumer,
        Subscription(
            connector.topics_regex or connector.topics,
            refresh_interval_s=int(settings.conf.get(METADATA_REFRESH_MS, METADATA_REFRESH_DEFAULT_MS)) / 1000,
            twice=not order.resumed and "group.instance.id" in settings.conf,
        ),
        context,
        control,
        counters,
        SinkSettings(
            max_poll_records=settings.max_poll_records,
            commit_interval_s=worker.offset_flush_interval_ms / 1000,
            incremental=settings.incremental_assignment,
            max_poll_interval_s=int(settings.conf.get(MAX_POLL_INTERVAL_MS, MAX_POLL_INTERVAL_DEFAULT_MS)) / 1000,
            throttle=_throttle(order),
        ),
        arrivals,
    )
    if instance:
        loop.on_member = join
    control.on_heartbeat, counters.positions = loop.attendant.look, loop.positions
    task.initialize(context)
    try:
        _run(task, order, control, pipeline, loop.run)
    finally:
        arrivals.close()
        consumer.close()


def _with_errors(
    pipeline: Pipeline,
    connector: SinkConnectorConfig | SourceConnectorConfig,
    letters: MakeLetter,
    order: RunTask,
    worker: WorkerConfig,
    control: Control,
) -> Pipeline:
    """The pipeline with what its connector says about errors."""
    errors = build_operator(
        ErrorSettings.of(connector),
        f"{order.connector}-{order.task}",
        control,
        letters,
        lambda: _lasting_client(Producer, dlq_producer_settings(worker, connector, order.task)),
        lambda: _client(AdminClient, admin_settings(worker, connector, order.task)),
    )
    return dataclasses.replace(pipeline, errors=errors)


def _throttle(order: RunTask) -> Throttle | None:
    limits = Limits.of(order.worker_config, order.connector_config)
    return Throttle.if_limited(limits.records_per_s, limits.bytes_per_s)


def _client(factory: Callable[[dict[str, Any]], T], settings: ClientSettings) -> T:
    """A client of Kafka for a moment."""
    _warn(settings)
    return create(factory, settings, error_cb=_log_client_error)


def _lasting_client(
    factory: Callable[[dict[str, Any]], T], settings: ClientSettings, traffic: Traffic | None = None
) -> T:
    """A client of Kafka for as long as the task lasts."""
    _warn(settings)
    note = None if traffic is None else traffic.note
    return create_lasting(factory, settings, note, error_cb=_log_client_error)


def _warn(settings: ClientSettings) -> None:
    """What a client's settings cannot mean here is said once."""
    for warning in settings.warnings:
        log.warning(warning)


def _log_client_error(error: KafkaError) -> None:
    # Brokers that come and go are librdkafka's to handle: it reconnects by itself.
    log.warning("kafka client", error=f"{error.name()}: {error.str()}")


def _run(
    task: Task,
    order: RunTask,
    control: Control,
    pipeline: Pipeline,
    loop: Any,
    prepare: Callable[[], None] | None = None,
) -> None:
    while control.target_state is not TargetState.STARTED and not control.stopping.is_set():
        # As in Java, a task that is paused from the beginning is not started yet.
        control.report_state(State.PAUSED)
        control.wait_while_paused(PAUSE_CHECK_S)
    if control.stopping.is_set():
        return
    if prepare is not None:
        prepare()
    try:
        control.enter(Call.START)
        task.start(order.task_config)
        control.report_state(State.RUNNING)
        loop()
    except BaseException:
        control.note_failure()
        raise
    finally:
        control.enter(Call.STOP)
        _quietly(task.stop, "stopping the task failed")
        _quietly(lambda: pipeline.errors.close(LAST_REPORTS_S), "closing the dead letter queue failed")
        _quietly(pipeline.close, "closing converters and transformations failed")
        control.enter(Call.NONE)


def _quietly(close: Any, message: str) -> None:
    """The end of a task must not hide why it ended."""
    try:
        close()
    except BaseException as error:
        log.warning(message, error=f"{type(error).__name__}: {error}")
