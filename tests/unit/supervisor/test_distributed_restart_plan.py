"""What a restart request concerns (KIP-745)."""

from __future__ import annotations

import pytest

from supervisor.herder.distributed.restart_plan import more_important, restart_plan
from supervisor.herder.entities import ConnectorState, ConnectorStateInfo, ConnectorType, TaskState
from supervisor.storage.config_records import RestartRequest
from tasks.states import State

INFO = ConnectorStateInfo(
    name="c",
    connector=ConnectorState(state=State.RUNNING, worker_id="one:1"),
    tasks=[
        TaskState(id=0, state=State.FAILED, worker_id="one:1", trace="it broke"),
        TaskState(id=1, state=State.RUNNING, worker_id="two:2"),
    ],
    type=ConnectorType.SOURCE,
)


@pytest.mark.parametrize(
    ("only_failed", "include_tasks", "units"),
    [
        (False, False, ["c"]),
        (False, True, ["c", "c-0", "c-1"]),
        (True, True, ["c-0"]),
        (True, False, []),
    ],
)
def test_what_is_asked_for_is_restarted_and_shown_so(only_failed: bool, include_tasks: bool, units: list[str]) -> None:
    plan = restart_plan(RestartRequest("c", only_failed=only_failed, include_tasks=include_tasks), INFO)
    assert sorted(map(str, plan.units)) == units
    shown = {"c": plan.info.connector.state} | {f"c-{task.id}": task.state for task in plan.info.tasks}
    assert [name for name, state in shown.items() if state is State.RESTARTING] == units
    assert plan.info.tasks[1].worker_id == "two:2"


def test_of_two_requests_the_one_counts_that_restarts_more() -> None:
    failed = RestartRequest("c", only_failed=True, include_tasks=True)
    everything = RestartRequest("c", include_tasks=True)
    assert more_important(None, failed) is failed
    assert more_important(failed, everything) is everything
    assert more_important(everything, failed) is everything
