"""What a worker of a cluster runs follows from the config topic and from what the group has given to it."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.herder.distributed.wanted import configured, is_configured, is_planned, same_units, wanted
from supervisor.storage.snapshot import EMPTY, ClusterConfig
from supervisor.units.lifecycle import UnitId
from tasks.states import TargetState

CONFIG = {"name": "c", "connector.class": "Some"}
TASK = {"task.class": "some.Task", "n": "0"}


def cluster(**changes: Any) -> ClusterConfig:
    fields: dict[str, Any] = {
        "offset": 7,
        "connector_configs": {"c": CONFIG},
        "target_states": {"c": TargetState.STARTED},
        "task_counts": {"c": 2},
        "task_configs": {UnitId("c", 0): TASK, UnitId("c", 1): {**TASK, "n": "1"}},
        "applied_connector_configs": {"c": CONFIG},
    }
    return ClusterConfig(**(fields | changes))


ALL = [UnitId("c", 0), UnitId("c", 1)]


def test_what_is_assigned_and_configured_runs() -> None:
    found = wanted(cluster(), ["c"], [UnitId("c", 1)])
    assert found.connectors["c"].config == CONFIG
    assert list(found.tasks) == [UnitId("c", 1)]
    task = found.tasks[UnitId("c", 1)]
    assert (task.task_class, task.task_config["n"]) == ("some.Task", "1")
    assert (task.connector_config, task.target_state) == (CONFIG, TargetState.STARTED)


def test_what_was_deleted_or_planned_away_does_not_run_though_it_is_assigned() -> None:
    fewer = wanted(cluster(task_counts={"c": 1}), ["c", "gone"], [*ALL, UnitId("gone", 0)])
    assert (list(fewer.connectors), list(fewer.tasks)) == (["c"], [UnitId("c", 0)])
    assert wanted(EMPTY, ["c"], ALL).tasks == {}


def test_a_half_written_set_of_tasks_does_not_run() -> None:
    half = cluster(inconsistent=frozenset({"c"}))
    assert wanted(half, ["c"], ALL).tasks == {}
    assert configured(half).tasks == {"c": []}


def test_the_target_state_is_that_of_the_connector() -> None:
    found = wanted(cluster(target_states={"c": TargetState.PAUSED}), ["c"], ALL)
    assert {spec.target_state for spec in (*found.connectors.values(), *found.tasks.values())} == {TargetState.PAUSED}
    assert wanted(cluster(target_states={}), ["c"], []).connectors["c"].target_state is TargetState.STARTED


def test_tasks_keep_the_configuration_that_they_were_made_from_until_there_is_a_new_plan() -> None:
    changed = {**CONFIG, "batch": "9"}
    found = wanted(cluster(connector_configs={"c": changed}), ["c"], ALL)
    assert found.connectors["c"].config == changed
    assert found.tasks[UnitId("c", 0)].connector_config == CONFIG


def test_what_only_the_supervisor_reads_counts_for_tasks_at_once() -> None:
    changed = {**CONFIG, "task.restart.policy": "never"}
    found = wanted(cluster(connector_configs={"c": changed}), ["c"], ALL)
    assert found.tasks[UnitId("c", 0)].connector_config == changed


def test_a_connector_taken_over_without_its_applied_configuration_uses_the_present_one() -> None:
    found = wanted(cluster(applied_connector_configs={}), ["c"], ALL)
    assert found.tasks[UnitId("c", 0)].connector_config == CONFIG


def test_only_connectors_and_tasks_that_come_or_go_need_a_round() -> None:
    assert same_units(cluster(), cluster(offset=9, target_states={"c": TargetState.PAUSED}))
    assert same_units(cluster(), cluster(task_configs={id: {"other": "config"} for id in ALL}))
    assert not same_units(cluster(), cluster(task_counts={"c": 3}))
    assert not same_units(cluster(), cluster(inconsistent=frozenset({"c"})))
    assert not same_units(cluster(), EMPTY)


@pytest.mark.parametrize(
    ("changes", "planned"),
    [
        ({}, True),
        ({"task_counts": {"c": 1}}, False),
        ({"task_configs": dict.fromkeys(ALL, TASK)}, False),
        ({"connector_configs": {"c": {**CONFIG, "batch": "9"}}}, False),
        ({"connector_configs": {"c": {**CONFIG, "task.memory.max": "1g"}}}, True),
        ({"applied_connector_configs": {}}, False),
        ({"inconsistent": frozenset({"c"})}, False),
    ],
)
def test_a_plan_is_news_if_the_cluster_has_other_tasks_or_made_them_from_another_configuration(
    changes: dict[str, Any], planned: bool
) -> None:
    assert is_planned(cluster(**changes), "c", [TASK, {**TASK, "n": "1"}]) is planned


def test_what_is_configured() -> None:
    assert is_configured(cluster(), UnitId("c"))
    assert is_configured(cluster(), UnitId("c", 1))
    assert not is_configured(cluster(), UnitId("c", 2))
    assert not is_configured(cluster(), UnitId("other"))
    assert configured(cluster()).tasks == {"c": ALL}
    assert configured(cluster()).offset == 7
