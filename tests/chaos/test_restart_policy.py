"""When what failed comes back, and when not: `task.restart.*`, seen from outside."""

from __future__ import annotations

import re

from tests.support.chaos import Chaos, Numbers, wait_for

RAISE = {"start": "raise no such host"}


def source(world: Chaos, name: str, misdeeds: dict[str, str], **policy: str) -> Numbers:
    return world.create(name, "source", misdeeds, **{f"task_restart_{key}": value for key, value in policy.items()})


def states(world: Chaos, numbers: Numbers) -> list[str]:
    return [state for state, _ in world.changes(numbers)]


def test_growing_waits_and_an_end_that_tells_the_whole_history(shared: Chaos) -> None:
    victim = source(shared, "backoff", RAISE, max="4", backoff_ms="200", backoff_max_ms="400")
    trace = shared.await_state(victim, "FAILED")
    waits = [trace.splitlines()[-1] for state, trace in shared.changes(victim) if state == "RESTARTING"]
    assert waits[0] == "Restart at once."
    seconds = [float(re.fullmatch(r"Restart in (\d\.\d) s\.", wait)[1]) for wait in waits[1:]]  # type: ignore[index]
    # Half of a wait is left to chance; two that come out the same are logged once.
    assert seconds and all(0.1 <= wait <= 0.4 for wait in seconds)
    error, given_up, title, *failures = trace.splitlines()[-7:]
    assert error == "OSError: no such host"
    assert given_up == "Given up after 4 restarts within 600 s (task.restart.max, task.restart.window.ms)."
    assert title == "Failures before this one:"
    assert len(failures) == 4
    assert all(re.fullmatch(r"  \d{4}-\S+ \S+ exception: OSError: no such host", failure) for failure in failures)
    # It stays so until somebody asks; then it has all its restarts again.
    assert shared.rest("POST", f"/connectors/{victim.name}/tasks/0/restart")[0] == 204
    wait_for(lambda: states(shared, victim).count("FAILED") == 2, "it is given up again")
    assert len(shared.await_state(victim, "FAILED").partition("Failures before this one:")[2].splitlines()) == 1 + 4
    shared.remove(victim)


def test_who_waits_is_restarting_with_its_trace(shared: Chaos) -> None:
    hour = "3600000"
    victim = source(shared, "waiting", {"start": "raise no such host"}, backoff_ms=hour, backoff_max_ms=hour)
    wait_for(lambda: states(shared, victim).count("RESTARTING") == 2, "it waits")
    state, trace = shared.state(victim)
    assert state == "RESTARTING"
    assert re.search(r"OSError: no such host\nRestart in \d{4}\.\d s\.$", trace)
    # It can be deleted, and nobody waits for the hour to end.
    shared.remove(victim)


def test_restarts_long_ago_and_restarts_before_a_healthy_time_do_not_count(shared: Chaos) -> None:
    policies = {"window": {"max": "2", "window_ms": "50"}, "healthy": {"max": "1", "healthy_ms": "50"}}
    victims = [
        source(shared, name, {"poll": "after 10 raise no such table"}, **policy) for name, policy in policies.items()
    ]
    for victim in victims:
        wait_for(lambda victim=victim: states(shared, victim).count("RESTARTING") >= 5, "it restarts")  # type: ignore[misc]
        traces = [trace for state, trace in shared.changes(victim) if state == "RESTARTING"]
        assert all(trace.endswith("\nRestart at once.") for trace in traces)
        assert "FAILED" not in states(shared, victim)
        shared.stop(victim)
        shared.assert_nothing_lost(victim)
        shared.remove(victim)


def test_policies(shared: Chaos) -> None:
    """What each of them does about an error, a process that ended, and a configuration that is wrong."""
    errors = {"error": "raise no such host", "exit": "exit 3", "config": "raise-config"}
    restarts = {
        "on-failure": {"error", "exit"},
        "on-crash": {"exit"},
        "never": set[str](),
    }
    victims = [
        (policy, error, source(shared, f"{policy}-{error}", {"start": misdeed}, policy=policy, max="1"))
        for policy in restarts
        for error, misdeed in errors.items()
    ]
    for policy, error, victim in victims:
        trace = shared.await_state(victim, "FAILED")
        assert ("RESTARTING" in states(shared, victim)) == (error in restarts[policy]), f"{policy} {error}"
        assert ("Given up after 1 restarts" in trace) == (error in restarts[policy]), f"{policy} {error}"
        if error == "config":
            assert trace.rstrip().endswith("Invalid value red for configuration colour: Expected green")
        shared.remove(victim)


def test_an_error_in_the_configuration_of_a_connector(shared: Chaos) -> None:
    victim = shared.create("configured", "source", {"connector.start": "raise-config"})
    trace = shared.await_state(victim, "FAILED", None)
    assert trace.rstrip().endswith("Invalid value red for configuration colour: Expected green")
    assert "RESTARTING" not in [state for state, _ in shared.changes(victim, None)]
    shared.remove(victim)
