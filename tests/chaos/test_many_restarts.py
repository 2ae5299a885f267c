"""A thousand restarts: nothing is left of any of them, neither processes nor descriptors nor memory."""

from __future__ import annotations

import time

import pytest

from tests.support.chaos import Chaos, wait_for

# Most of the restarts are of connectors, which need no Kafka clients and so little time.
CONNECTORS, TASKS = 3, 1
WARM, ALL = 200, 1000
# What a measurement of memory may be off by.
NOISE_BYTES = 2 << 20
FOR_EVER = {
    "task_restart_max": "1000000",
    "task_restart_window_ms": "1000",
    "task_restart_backoff_ms": "1",
    "task_restart_backoff_max_ms": "1",
}


@pytest.mark.long
def test_a_thousand_restarts_leave_nothing(shared: Chaos) -> None:
    victims = [
        shared.create(f"connector-{number}", "source", {"connector.start": "exit 3"}, **FOR_EVER)
        for number in range(CONNECTORS)
    ]
    victims.append(shared.create("task", "source", {"start": "exit 3"}, tasks_max=str(TASKS), **FOR_EVER))

    def restarts() -> float:
        return shared.metric("connectd_restarts_total", cause="exit")

    measured = []
    for goal in (WARM, ALL):
        while restarts() < goal:
            # As long as there is progress, however slow the machine is.
            before = restarts()
            wait_for(lambda before=before: restarts() > before, "there are more restarts")  # type: ignore[misc]
            time.sleep(0.5)
        measured.append(shared.private_bytes())
    print(f"{restarts():g} restarts, private memory of the supervisor {[each >> 10 for each in measured]} KiB")
    assert len(shared.zombies()) <= len(victims) + 1  # those that have just ended
    for victim in victims:
        shared.remove(victim)
    assert measured[1] - measured[0] < NOISE_BYTES
    # And the fixture sees to it that no process and no descriptor is left.
