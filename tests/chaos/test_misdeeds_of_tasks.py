"""Tasks that end, crash, hang, leak, flood and fork in any call: the cause is named, they come back, and lose nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.support.chaos import Chaos, Numbers, wait_for
from tests.support.processes import alive

GOES_ON = None
HANG_MS = 4000

LEFT_OUT = r"\d+ more lines within a second were left out \(task\.log\.lines\.per\.second\.max\)"


@dataclass(frozen=True)
class Wrong:
    """What a task does wrong once, and what is to be seen: the cause in metrics and the trace, or GOES_ON."""

    kind: str
    call: str
    misdeed: str
    failure: tuple[str, str] | None
    config: dict[str, str] = field(default_factory=dict)

    def create(self, world: Chaos) -> Numbers:
        name = re.sub(r"\W+", "-", f"{self.kind}-{self.call}-{self.misdeed}")
        config = self.config if self.kind == "source" else {"topics": world.source.topic, **self.config}
        return world.create(name, self.kind, {self.call: f"once {self.misdeed}"}, **config)


def ended(cause: str, how: str) -> tuple[str, str]:
    return cause, rf"The process of \S+ ended: {how}"


def raised(what: str) -> tuple[str, str]:
    return "exception", rf"(?s)Traceback \(most recent call last\):\n.*\n{what}"


def run_all(world: Chaos, wrongs: list[Wrong]) -> None:
    """All at the same time, until each was seen to fail as it should, to go on, and to have lost nothing."""
    victims = [(wrong, wrong.create(world)) for wrong in wrongs]
    for wrong, victim in victims:
        if wrong.failure is not GOES_ON:
            cause, expected = wrong.failure
            trace = world.await_failure(victim)
            assert re.fullmatch(rf"{expected}\nRestart at once\.", trace), f"{wrong}: {trace}"
            for metric in ("connectd_failures_total", "connectd_restarts_total"):
                assert world.metric(metric, connector=victim.name, task="0", cause=cause) == 1, f"{wrong}: {metric}"
    for wrong, victim in victims:
        world.await_state(victim, "RUNNING")
        wait_for(lambda victim=victim: world.moved(victim) > 100, f"{wrong} goes on")  # type: ignore[misc]
        done = victim.folder / "task-0" / f"{wrong.call}.done"
        wait_for(done.exists, f"{wrong} does it")
    for wrong, victim in victims:
        world.stop(victim)
        again = world.assert_nothing_lost(victim)
        print(f"{victim.name}: {world.moved(victim)} records, {again} more than once")
        failures = [state for state, _ in world.changes(victim) if state in ("RESTARTING", "FAILED")]
        assert len(failures) == (wrong.failure is not GOES_ON), f"{wrong}: {world.changes(victim)}"
        world.remove(victim)


def test_errors_in_any_call(shared: Chaos) -> None:
    run_all(
        shared,
        [
            Wrong("source", "start", "raise no such host", raised("OSError: no such host")),
            Wrong("source", "poll", "after 5 raise no such table", raised("OSError: no such table")),
            Wrong("source", "commit", "raise no such queue", GOES_ON),
            Wrong("source", "commit_record", "after 50 raise no such message", GOES_ON),
            Wrong("sink", "start", "raise no such folder", raised("OSError: no such folder")),
            Wrong("sink", "open", "raise no such index", raised("OSError: no such index")),
            Wrong("sink", "put", "after 2 raise no such row", raised("OSError: no such row")),
            Wrong("sink", "flush", "after 2 raise no such disk", GOES_ON),
        ],
    )


def test_ends_and_crashes(shared: Chaos) -> None:
    run_all(
        shared,
        [
            Wrong("source", "start", "sys.exit 3", raised("SystemExit: 3")),
            Wrong("source", "poll", "after 5 exit 3", ended("exit", "exit code 3")),
            Wrong("source", "poll", "after 5 raise-base", raised("KeyboardInterrupt")),
            Wrong("source", "poll", "after 5 signal SIGTERM", GOES_ON),
            Wrong("source", "commit", "segfault", ended("signal", r"killed by SIGSEGV\n(?s:.*)")),
            Wrong("sink", "start", "exit 0", ended("exit", r"exit code 0 \(STOPPED\)")),
            Wrong("sink", "put", "after 2 signal SIGKILL", ended("signal", "killed by SIGKILL")),
            Wrong("sink", "flush", "signal SIGABRT", ended("signal", r"killed by SIGABRT\n(?s:.*)")),
        ],
    )


def test_hangs(shared: Chaos) -> None:
    limit = {"task.hang.timeout.ms": str(HANG_MS)}
    poll_limit = {"task.poll.hang.timeout.ms": str(HANG_MS)}
    # Who does not let others run tells nobody in which call that is.
    silent = ended("hung", r"killed by the supervisor: (hung in (poll|put)|no sign of life) for \d+ s")

    def hung(call: str) -> tuple[str, str]:
        return ended("hung", rf"killed by the supervisor: hung in {call} for \d s")

    run_all(
        shared,
        [
            Wrong("source", "start", "sleep", hung("start"), limit),
            Wrong("source", "poll", "after 5 sleep", hung("poll"), poll_limit),
            Wrong("source", "poll", "after 5 spin", silent, limit | poll_limit),
            Wrong("source", "commit", "sleep", hung("commit"), limit),
            Wrong("sink", "put", "after 2 sleep", hung("put"), limit),
            Wrong("sink", "put", "after 2 spin", silent, limit),
            Wrong("sink", "flush", "sleep", hung("flush"), limit),
            Wrong("sink", "put", "after 2 signal SIGSTOP", silent, limit),
        ],
    )


def test_without_restarts_a_task_that_hangs_is_shown_and_may_go_on(shared: Chaos) -> None:
    victim = shared.create(
        "patient",
        "sink",
        {"put": "once after 2 sleep 10"},
        topics=shared.source.topic,
        task_hang_timeout_ms=str(HANG_MS),
        task_restart_policy="never",
    )
    wait_for(lambda: shared.state(victim)[1].startswith("Stalled: hung in put for "), "it is marked")
    assert shared.state(victim)[0] == "RUNNING"
    assert shared.metric("connectd_stalled", connector=victim.name) == 1
    assert shared.metric("connectd_hangs_total", connector=victim.name, call="put") == 1
    wait_for(lambda: shared.state(victim) == ("RUNNING", ""), "it goes on")
    said = [str(event["message"]) for event in shared.worker.events if event.get("connector") == victim.name]
    assert any(re.match(r"where the threads are:\n(?s:.*) in _do\n", each) for each in said)
    wait_for(lambda: shared.moved(victim) > 1000, "it writes")
    shared.stop(victim)
    assert shared.assert_nothing_lost(victim) == 0
    shared.remove(victim)


def test_leaks_floods_and_families(shared: Chaos) -> None:
    wrongs = [
        Wrong(
            "sink",
            "put",
            "after 2 leak",
            ended(
                "out of memory",
                r"killed by the supervisor: it used \d+ MiB of memory, task\.memory\.max allows 200 MiB",
            ),
            {"task.memory.max": str(200 << 20)},
        ),
        Wrong("source", "poll", "after 5 flood", GOES_ON),
    ]
    run_all(shared, wrongs)
    said = [str(event["message"]) for event in shared.worker.events]
    assert any(re.fullmatch(LEFT_OUT, each) for each in said)


def test_what_a_task_has_started_ends_with_it(shared: Chaos) -> None:
    source = shared.create("forking", "source", {"start": "fork"})
    sink = shared.create("family", "sink", {"start": "family"}, topics=shared.source.topic)
    for victim in (source, sink):
        wait_for(lambda victim=victim: shared.moved(victim) > 100, f"{victim.name} works")  # type: ignore[misc]
        shared.remove(victim)
    pids = source.noted_pids() + sink.noted_pids()
    assert len(pids) == 2
    wait_for(lambda: not any(map(alive, pids)), "all of them have ended")


def test_calls_that_hang_while_a_task_stops(shared: Chaos) -> None:
    victims = [
        shared.create("stop-source", "source", {"stop": "sleep"}),
        shared.create("deaf-source", "source", {"stop": "deaf"}),
        shared.create("close-sink", "sink", {"close": "sleep"}, topics=shared.source.topic),
        shared.create("stop-sink", "sink", {"stop": "spin"}, topics=shared.source.topic),
    ]
    for victim in victims:
        wait_for(lambda victim=victim: shared.moved(victim) > 100, f"{victim.name} works")  # type: ignore[misc]
    for victim in victims:
        assert shared.rest("PUT", f"/connectors/{victim.name}/stop")[0] == 204
    shared.assert_unharmed()
    for victim in victims:
        shared.stop(victim)
        shared.assert_nothing_lost(victim)
        why = f"{victim.name}-0 was killed: it did not stop within 3 s (task.shutdown.graceful.timeout.ms)"
        assert why in [event["message"] for event in shared.worker.events]
        shared.remove(victim)


def test_what_follows_an_error_does_not_hide_it(shared: Chaos) -> None:
    """A task that failed is closed and stopped, which may hang, or end the process."""
    wrongs = {
        "source": {"poll": "once after 5 raise no such table", "stop": "once following poll sleep"},
        "sink": {"put": "once after 2 raise no such row", "close": "once following put sleep"},
        "exiting": {"put": "once after 2 raise no such row", "stop": "once following put exit 3"},
    }
    victims = {}
    for name, misdeeds in wrongs.items():
        kind, config = ("source", {}) if name == "source" else ("sink", {"topics": shared.source.topic})
        victims[name] = shared.create(f"failing-{name}", kind, misdeeds, **config)
    for name, victim in victims.items():
        trace = shared.await_failure(victim)
        assert re.search(r"\nOSError: no such (table|row)\nRestart at once\.$", trace), f"{name}: {trace}"
    for victim in victims.values():
        shared.await_state(victim, "RUNNING")
        wait_for(lambda victim=victim: shared.moved(victim) > 200, f"{victim.name} goes on")  # type: ignore[misc]
        shared.stop(victim)
        shared.assert_nothing_lost(victim)
        failures = [state for state, _ in shared.changes(victim) if state in ("RESTARTING", "FAILED")]
        assert failures == ["RESTARTING"]
        shared.remove(victim)
