"""Connectors in their process: what they plan, and when they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from connectd.errors import ConfigException, ConnectException
from tasks.connector_runner import run_connector
from tasks.messages import LogSettings, Planned, ReconfigurationRequested, RunConnector
from tasks.states import Call, State, TargetState
from tests.support import connectors
from tests.support.loops import Running, Supervisor, until

WORKER = {
    "bootstrap.servers": "127.0.0.1:1",
    "key.converter": "StringConverter",
    "value.converter": "StringConverter",
    "offset.storage.file.filename": "offsets",
}


def start(connector: str, **config: str) -> Running:
    supervisor = Supervisor()
    order = RunConnector(
        connector="c",
        generation=1,
        config={
            "name": "c",
            "connector.class": f"tests.support.connectors:{connector}",
            "tasks.max": "3",
            **{key.replace("_", "."): value for key, value in config.items()},
        },
        worker_config=WORKER,
        target_state=TargetState.STARTED,
        log=LogSettings(levels={}),
    )
    return Running(supervisor, lambda: run_connector(order, supervisor.control))


def reports(running: Running, kind: type[Any]) -> list[Any]:
    return [report for report in running.supervisor.reports if isinstance(report, kind)]


def plan(running: Running, count: int = 1) -> Planned:
    """The `count`-th plan, once it is there."""
    until(lambda: len(reports(running, Planned)) >= count or running.ended, "the connector has planned")
    planned: Planned = reports(running, Planned)[count - 1]
    return planned


def test_a_connector_that_watches_nothing_plans_and_ends() -> None:
    with start("PlanningConnector") as running:
        running.join()
    until(lambda: running.supervisor.states == [State.RUNNING], "its state is known")
    assert plan(running) == Planned(
        generation=1,
        kind="source",
        version="1.2",
        task_class="tests.support.sources:NumberSource",
        task_configs=[{"id": str(n), "task.class": "tests.support.sources.NumberSource"} for n in range(2)],
        watching=False,
    )
    assert connectors.PlanningConnector.last.calls == ["start", "task_configs 3", "stop"]
    assert running.supervisor.control.call[0] is Call.NONE


def test_the_tasks_of_a_sink_know_its_topics() -> None:
    with start("PlainSinkConnector", topics="a,b") as running:
        running.join()
    planned = plan(running)
    assert planned.kind == "sink"
    assert planned.task_configs == [{"topics": "a,b", "own": "1", "task.class": "tests.support.sinks.RecordingSink"}]


def test_a_connector_with_a_thread_is_kept_and_plans_anew_when_it_likes() -> None:
    with start("WatchingConnector") as running:
        assert plan(running).watching
        connector = connectors.WatchingConnector.last
        connector.count = 3
        connector.ask(lambda connector: connector.context.request_task_reconfiguration())
        assert len(plan(running, 2).task_configs) == 3
        assert len(reports(running, ReconfigurationRequested)) == 1
        running.stop()
    assert connector.calls[-1] == "stop"
    assert not connector.thread.is_alive()


def test_a_connector_with_a_thread_may_report_an_error() -> None:
    with start("WatchingConnector") as running:
        plan(running)
        connector = connectors.WatchingConnector.last
        connector.ask(lambda connector: connector.context.raise_error(ValueError("the database is gone")))
        error = running.failure()
    assert isinstance(error, ConnectException) and "ValueError: the database is gone" in str(error)
    assert isinstance(error.__cause__, ValueError)
    assert connector.calls[-1] == "stop"


def test_an_error_that_is_reported_early_counts_too() -> None:
    with start("EarlyErrorConnector") as running:
        assert "no such database" in str(running.failure())


@pytest.mark.parametrize(("connector", "kept"), [("StayingConnector", True), ("LeavingConnector", False)])
def test_a_connector_may_say_whether_it_is_kept(connector: str, kept: bool) -> None:
    with start(connector) as running:
        assert plan(running).watching is kept
        if kept:
            running.stop()
        else:
            running.join()


def test_too_many_tasks() -> None:
    with start("PlanningConnector", tasks="4") as running:
        assert "planned 4 tasks, but tasks.max is 3" in str(running.failure())
    assert connectors.PlanningConnector.last.calls[-1] == "stop"
    with start("PlanningConnector", tasks="4", tasks_max_enforce="false") as running:
        running.join()
    assert len(plan(running).task_configs) == 4


def test_a_plan_that_is_no_text_is_refused_and_a_failing_stop_hides_nothing() -> None:
    with start("UntidyConnector") as running:
        assert "the value of 'id' is of type int" in str(running.failure())
    assert reports(running, Planned) == []


def test_a_start_that_fails_is_stopped() -> None:
    with start("PlanningConnector", fail="no driver") as running:
        assert isinstance(running.failure(), OSError)
    assert connectors.PlanningConnector.last.calls == ["start", "stop"]


def test_a_wrong_configuration_is_refused_before_the_connector_starts() -> None:
    connectors.PlanningConnector.last = None
    with start("PlanningConnector", tasks_max="many") as running:
        assert isinstance(running.failure(), ConfigException)
    assert connectors.PlanningConnector.last is None
    with start("PlanningConnector", connector_class="tests.support.sources:NumberSource") as running:
        error = running.failure()
        assert isinstance(error, ConfigException) and error.key == "connector.class"
