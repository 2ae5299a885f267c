"""Runs one connector in this process: start it, report its plan, and stay only if it watches its source."""

from __future__ import annotations

import queue
import threading

import structlog

from connectd.connectors import Connector, ConnectorContext, SinkConnector, SourceConnector
from connectd.errors import ConfigException, ConnectException
from plugins.discovery import find_class
from plugins.discovery.kinds import full_name
from tasks.control import Control
from tasks.heartbeat import Measures, start_heartbeat
from tasks.java.choosing import java_connector
from tasks.messages import Planned, ReconfigurationRequested, RunConnector
from tasks.secrets.configs import Reverse
from tasks.secrets.inline import hide_declared
from tasks.secrets.orders import resolve_connector
from tasks.settings import ConnectorConfig, SinkConnectorConfig, SourceConnectorConfig, WorkerConfig
from tasks.states import Call, State

log = structlog.get_logger(__name__)

# How soon a stop order is seen by a connector that waits for something to happen.
STOP_CHECK_S = 0.2


class WorkerConnectorContext(ConnectorContext):
    """Collects what the connector asks for, from whichever thread; the runner acts on it."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def request_task_reconfiguration(self) -> None:
        self.events.put(None)

    def raise_error(self, error: Exception) -> None:
        self.events.put(error)


def run_connector(order: RunConnector, control: Control) -> None:
    """Returns when the connector was ordered to stop or has nothing more to do; raises whatever made it fail."""
    control.enter(Call.IMPORT)
    order, reverse = resolve_connector(order, control)
    worker = WorkerConfig(order.worker_config)
    java = java_connector(order.config, order.worker_config, worker.plugin_path)
    if java is not None:
        # Only where it is needed: every other process starts sooner without it.
        from tasks.java.running import run_java_connector

        run_java_connector(order, control, java, reverse)
        return
    connector_class = find_class(order.config.get("connector.class", ""), plugin_path=worker.plugin_path)
    if not issubclass(connector_class, SourceConnector | SinkConnector):
        raise ConfigException(
            "connector.class", order.config.get("connector.class"), "Expected a SourceConnector or SinkConnector"
        )
    control.enter(Call.START)
    start_heartbeat(control, Measures)
    is_source = issubclass(connector_class, SourceConnector)
    config: ConnectorConfig = (SourceConnectorConfig if is_source else SinkConnectorConfig)(order.config)
    threads_before = set(threading.enumerate())
    connector: SourceConnector | SinkConnector = connector_class()
    hide_declared(lambda: connector, order.config)
    context = WorkerConnectorContext()
    connector.initialize(context)
    try:
        connector.start(order.config)
        watching = _report_plan(connector, config, order, control, threads_before, reverse)
        control.report_state(State.RUNNING)
        while not control.stopping.is_set():
            try:
                error = context.events.get(block=watching, timeout=STOP_CHECK_S)
            except queue.Empty:
                if not watching:
                    break
                continue
            if error is not None:
                raise ConnectException(f"The connector reported an error: {type(error).__name__}: {error}") from error
            control.send(ReconfigurationRequested(generation=order.generation))
            _report_plan(connector, config, order, control, threads_before, reverse)
    except BaseException:
        control.note_failure()
        raise
    finally:
        control.enter(Call.STOP)
        _stop(connector)
        control.enter(Call.NONE)


def _stop(connector: Connector) -> None:
    """The end of a connector must not hide why it ended."""
    try:
        connector.stop()
    except BaseException:
        log.exception("stopping the connector failed")


def _report_plan(
    connector: SourceConnector | SinkConnector,
    config: ConnectorConfig,
    order: RunConnector,
    control: Control,
    threads_before: set[threading.Thread],
    reverse: Reverse,
) -> bool:
    """Ask the connector for its tasks and report them; True if its process is to be kept."""
    control.enter(Call.TASK_CONFIGS)
    task_class = connector.task_class()
    task_class_name = f"{task_class.__module__}:{task_class.__qualname__}"
    task_configs = connector.task_configs(config.tasks_max)
    if len(task_configs) > config.tasks_max:
        _too_many_tasks(config, len(task_configs))
    watching = connector.keeps_running
    if watching is None:
        watching = any(thread.is_alive() for thread in set(threading.enumerate()) - threads_before)
    control.enter(Call.NONE)
    control.send(
        Planned(
            generation=order.generation,
            kind="source" if isinstance(connector, SourceConnector) else "sink",
            version=str(connector.version),
            task_class=task_class_name,
            task_configs=[
                reverse.apply(_task_config(each, full_name(task_class), order.config)) for each in task_configs
            ],
            watching=watching,
        )
    )
    return watching


def _task_config(task_config: dict[str, str], task_class: str, connector_config: dict[str, str]) -> dict[str, str]:
    """As `Worker.connectorTaskConfigs`: every task knows its class, and a sink's the topics of the connector."""
    for key, value in task_config.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ConnectException(
                f"task_configs must give strings, but the value of {key!r} is of type {type(value).__name__}"
            )
    topics: dict[str, str] = {
        key: connector_config[key] for key in ("topics", "topics.regex") if key in connector_config
    }
    return {**task_config, "task.class": task_class, **topics}


def _too_many_tasks(config: ConnectorConfig, count: int) -> None:
    message = f"The connector {config.name} planned {count} tasks, but tasks.max is {config.tasks_max}"
    if config.tasks_max_enforce:
        raise ConnectException(f"{message}. Raise tasks.max, or set tasks.max.enforce to false")
    log.warning(f"{message}; running them, since tasks.max.enforce is false")
