"""The restart policy as a function: bounds, order, what is never restarted, what is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.errors import ConfigException
from supervisor.processes.exits import Cause
from supervisor.units.restarts import GiveUp, History, Restart, RestartAfter, RestartPolicy, decide

CRASHES = [cause for cause in Cause if cause not in (Cause.EXCEPTION, Cause.CONFIG)]

policies = st.builds(
    RestartPolicy,
    restart=st.sampled_from([Restart.ON_FAILURE, Restart.ON_CRASH]),
    maximum=st.integers(0, 8),
    window_s=st.floats(1, 1000),
    healthy_s=st.floats(1, 1000),
    backoff_s=st.floats(0.001, 100),
    backoff_max_s=st.floats(0.001, 1000),
)
jitters = st.floats(0, 1, exclude_max=True)
# How long each process runs before it ends, and whether it reported that it runs.
lives = st.lists(st.tuples(st.floats(0, 300), st.booleans(), jitters), max_size=40)


def policy(**changes: str) -> RestartPolicy:
    return RestartPolicy.of({}, {f"task.restart.{key.replace('_', '.')}": value for key, value in changes.items()})


def restarts_of(policy: RestartPolicy, lives: list[tuple[float, bool, float]]) -> list[float]:
    """Runs the policy over processes that live as long as told; the times of the restarts until it gives up."""
    now, history, restarts = 0.0, History(), []
    for life, ran, jitter in lives:
        if ran:
            history = History(history.restarts, now)
        now += life
        decision, history = decide(policy, history, Cause.SIGNAL, now, jitter)
        if isinstance(decision, GiveUp):
            break
        now += decision.delay_s
        restarts.append(now)
    return restarts


@given(policies, lives)
def test_never_more_restarts_in_a_window_than_allowed(
    policy: RestartPolicy, lives: list[tuple[float, bool, float]]
) -> None:
    short = [(life, False, jitter) for life, _, jitter in lives]
    restarts = restarts_of(policy, short)
    for number, start in enumerate(restarts):
        within = [each for each in restarts[number:] if each - start < policy.window_s]
        assert len(within) <= max(policy.maximum, 0)


@given(policies, st.integers(0, 2000), jitters)
def test_delays_stay_within_bounds(policy: RestartPolicy, restarts: int, jitter: float) -> None:
    generous = RestartPolicy(
        restart=policy.restart,
        maximum=5000,
        window_s=1e9,
        healthy_s=policy.healthy_s,
        backoff_s=policy.backoff_s,
        backoff_max_s=policy.backoff_max_s,
    )
    decision, _ = decide(generous, History(tuple(float(each) for each in range(restarts))), Cause.EXIT, 2000.0, jitter)
    assert isinstance(decision, RestartAfter)
    if restarts == 0:
        assert decision.delay_s == 0
    else:
        longest = max(policy.backoff_s, policy.backoff_max_s)
        assert policy.backoff_s / 2 <= decision.delay_s <= longest


@given(jitters)
def test_without_jitter_each_wait_is_twice_the_one_before(jitter: float) -> None:
    history, delays = History(), []
    for _ in range(8):
        decision, history = decide(policy(), history, Cause.EXCEPTION, 0.0, 0.0)
        assert isinstance(decision, RestartAfter)
        delays.append(decision.delay_s)
    assert delays == [0, 1, 2, 4, 8, 16, 32, 60]


@given(policies, st.floats(0, 1e6), jitters)
def test_configuration_errors_are_never_tried_again(policy: RestartPolicy, now: float, jitter: float) -> None:
    decision, history = decide(policy, History((1.0,)), Cause.CONFIG, now, jitter)
    assert decision == GiveUp(None)
    assert history == History((1.0,))


@pytest.mark.parametrize("cause", list(Cause))
def test_never_restarts_nothing(cause: Cause) -> None:
    assert decide(policy(policy="never"), History(), cause, 0.0, 0.0)[0] == GiveUp(None)


@pytest.mark.parametrize("cause", CRASHES)
def test_on_crash_restarts_what_did_not_end_by_its_own_error(cause: Cause) -> None:
    assert decide(policy(policy="on-crash"), History(), cause, 0.0, 0.0)[0] == RestartAfter(0.0)


def test_on_crash_leaves_an_exception_alone() -> None:
    assert decide(policy(policy="on-crash"), History(), Cause.EXCEPTION, 0.0, 0.0)[0] == GiveUp(None)


def test_a_task_that_ran_well_for_long_begins_anew() -> None:
    failing = History(tuple(float(each) for each in range(10)), running_since=20.0)
    assert decide(policy(), failing, Cause.SIGNAL, 139.0, 0.0)[0] == GiveUp(
        "Given up after 10 restarts within 600 s (task.restart.max, task.restart.window.ms)."
    )
    assert decide(policy(), failing, Cause.SIGNAL, 140.0, 0.0) == (RestartAfter(0.0), History((140.0,)))


def test_restarts_leave_the_window() -> None:
    history = History(tuple(float(each) for each in range(10)))
    assert isinstance(decide(policy(), history, Cause.SIGNAL, 599.0, 0.0)[0], GiveUp)
    assert isinstance(decide(policy(), history, Cause.SIGNAL, 600.5, 0.0)[0], RestartAfter)


def test_a_maximum_of_none_gives_up_with_a_word_about_it() -> None:
    assert decide(policy(max="0"), History(), Cause.SIGNAL, 0.0, 0.0)[0] == GiveUp(
        "Not restarted: task.restart.max is 0."
    )


def test_a_connector_overrides_the_worker() -> None:
    worker = {"task.restart.max": "3", "task.restart.backoff.ms": "50"}
    merged = RestartPolicy.of(worker, {"task.restart.max": "7", "name": "c"})
    assert (merged.maximum, merged.backoff_s, merged.restart) == (7, 0.05, Restart.ON_FAILURE)


def test_wrong_values_are_named() -> None:
    assert [
        str(error) for error in RestartPolicy.errors({"task.restart.policy": "always", "task.restart.max": "many"})
    ] == [
        "Invalid value always for configuration task.restart.policy: String must be one of: on-failure, on-crash, never",
        "Invalid value many for configuration task.restart.max: Not a number of type INT",
    ]
    with pytest.raises(ConfigException, match=r"task\.restart\.max"):
        RestartPolicy.of({"task.restart.max": "-1"}, {})


def test_keys_that_are_nearly_right_are_pointed_out() -> None:
    assert RestartPolicy.unknown_keys({"task.restart.backof.ms": "1", "task.restart.max": "1", "x": "1"}) == {
        "task.restart.backof.ms": "task.restart.backoff.ms"
    }
